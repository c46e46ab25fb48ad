"""Rows of dots, and numbers rounded so that they hold everywhere."""

import matplotlib.figure
import pytest
import torch

from oraledu.diffusion.views import summaries


@pytest.mark.parametrize(
    ("value", "step", "written"),
    [
        (0.97, 0.05, "0.95"),
        (0.98, 0.05, "1.00"),
        (0.944, 0.01, "0.94"),
        (-0.01, 0.05, "0.00"),
        (0.3, 0.1, "0.30"),
    ],
)
def test_a_number_is_written_as_a_multiple_of_the_step(value, step, written):
    assert summaries.rounded(value, step) == written


def test_rows_of_dots_stand_apart_and_keep_to_their_row():
    ax = matplotlib.figure.Figure().subplots()
    summaries.dot_rows(ax, {"a": torch.zeros(50), "b": torch.ones(1)})
    dots = torch.as_tensor(ax.lines[0].get_ydata())
    assert len(dots.unique()) == 50
    assert dots.abs().max() < 0.3
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
