"""A picture that stays while its matrix changes."""

import pytest
import torch

from oraledu.course.figures import matrix_image, redraw_matrix, subplots


@pytest.mark.parametrize(
    ("matrix", "limit"),
    [
        (torch.tensor([[1.0, -3.0, 0.5], [0.0, 2.0, 1.0]]), 3.0),
        (torch.tensor([[torch.nan, 2.0], [-1.0, torch.nan]]), 2.0),
        (torch.zeros(2, 2), 1e-30),
    ],
)
def test_a_matrix_of_another_shape_fills_the_axes_with_zero_in_the_middle_of_the_colours(matrix, limit):
    _, ax = subplots(alt="a matrix")
    image = matrix_image(ax, torch.ones(5, 5), title="")
    assert redraw_matrix(image, matrix) == limit
    rows, columns = matrix.shape
    assert image.get_clim() == (-limit, limit)
    assert image.get_extent() == [-0.5, columns - 0.5, rows - 0.5, -0.5]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, columns - 0.5), (rows - 0.5, -0.5))
    torch.testing.assert_close(
        torch.as_tensor(image.get_array().filled(torch.nan)),
        matrix.double(),
        equal_nan=True,
        check_dtype=False,
    )
