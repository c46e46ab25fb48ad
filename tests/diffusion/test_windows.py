"""Windows and borders against their definitions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.diffusion.windows import (
    region_of,
    regions,
    same_border,
    stretches,
    visible_patches,
    windows,
)
from tests.diffusion import loops


@st.composite
def cases(draw, paddings=("zeros", "circular")):
    size, padding = draw(st.integers(1, 8)), draw(st.sampled_from(paddings))
    patch = 1 + 2 * draw(st.integers(0, size - 1 if padding == "zeros" else (size - 1) // 2))
    return size, patch, padding


@given(cases(), st.integers(1, 3), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_a_window_holds_what_lies_around_its_pixel(case, count, channels):
    size, patch, padding = case
    images = torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(size))
    found = windows(images, patch, padding)
    assert found.shape == (count, size, size, channels * patch**2)
    for n in range(count):
        for row in range(size):
            for column in range(size):
                expected = loops.window(images[n], row, column, patch, padding)
                assert torch.equal(found[n, row, column], expected)


@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_the_own_pixel_stands_in_the_middle_of_each_channel(padding):
    images = torch.rand(2, 3, 7, 7)
    found = windows(images, 5, padding).view(2, 7, 7, 3, 25)
    assert torch.equal(found[..., 12], images.permute(0, 2, 3, 1))


@given(cases(["zeros"]), st.data())
@settings(deadline=None, max_examples=100)
def test_two_positions_have_the_same_border_if_the_same_part_of_their_windows_lies_inside(case, data):
    size, patch, _ = case
    pixel = data.draw(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)))
    inside = windows(torch.ones(1, 1, size, size), patch, "zeros")[0]
    assert torch.equal(same_border(size, patch, *pixel), (inside == inside[pixel]).all(dim=-1))


@given(cases())
@settings(deadline=None, max_examples=100)
def test_regions_tile_the_image_and_each_is_the_set_of_positions_with_one_border(case):
    size, patch, padding = case
    covered = torch.zeros(size, size, dtype=torch.int64)
    for region in regions(size, patch, padding):
        rows = range(region.rows.start, region.rows.stop)
        columns = range(region.columns.start, region.columns.stop)
        members = torch.zeros(size, size, dtype=torch.bool)
        members[rows.start : rows.stop, columns.start : columns.stop] = True
        assert members.sum() == region.places
        covered += members
        for pixel in ((row, column) for row in rows for column in columns):
            assert region_of(size, patch, padding, *pixel) == region
            if padding == "zeros":
                assert torch.equal(same_border(size, patch, *pixel), members)
    assert (covered == 1).all()


@pytest.mark.parametrize(("size", "patch", "alone"), [(14, 1, 0), (14, 7, 36), (14, 13, 144), (14, 15, 196)])
def test_pixels_in_the_corners_are_alone_and_from_two_reaches_on_all_pixels_are(size, patch, alone):
    assert sum(region.places == 1 for region in regions(size, patch, "zeros")) == alone


def test_with_circular_padding_no_pixel_knows_where_it_is():
    (only,) = stretches(9, 5, "circular")
    assert (only.start, only.length, only.window) == (0, 9, 5)


@given(cases())
@settings(deadline=None, max_examples=60)
def test_visible_patches_are_the_windows_without_their_padding(case):
    size, patch, padding = case
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(size)) + 1  # never zero
    whole = windows(images, patch, padding)
    for region in regions(size, patch, padding):
        found = visible_patches(images, region, padding)
        assert found.shape[:3].numel() == 3 * region.window
        for row in range(region.rows.length):
            for column in range(region.columns.length):
                seen = found[..., row, column].flatten(0, 2).T
                padded = whole[:, region.rows.start + row, region.columns.start + column]
                assert torch.equal(seen, padded[padded != 0].view(2, -1))
                own = seen.view(2, 3, region.window)[..., region.centre]
                assert torch.equal(own, images[:, :, region.rows.start + row, region.columns.start + column])


@pytest.mark.parametrize(
    ("patch", "padding", "words"),
    [
        (4, "zeros", "patch must be an odd number from 1 to 13"),
        (0, "zeros", "patch must be an odd number from 1 to 13"),
        (-1, "zeros", "patch must be an odd number from 1 to 13"),
        (15, "zeros", "patch must be an odd number from 1 to 13"),
        (9, "circular", "patch must be an odd number from 1 to 7"),
        (3, "reflect", "padding must be"),
    ],
)
def test_a_window_out_of_range_is_refused(patch, padding, words):
    with pytest.raises(ValueError, match=words):
        windows(torch.zeros(1, 1, 7, 7), patch, padding)


@pytest.mark.parametrize("patch", [3.0, "3", True, None])
def test_a_window_that_is_not_a_whole_number_is_refused(patch):
    with pytest.raises(TypeError, match="patch must be an odd whole number"):
        windows(torch.zeros(1, 1, 7, 7), patch, "zeros")


@pytest.mark.parametrize("shape", [(7, 7), (1, 7, 7), (1, 1, 7, 6)])
def test_images_that_are_not_square_are_refused(shape):
    with pytest.raises(ValueError, match="images must be square"):
        windows(torch.zeros(shape), 3, "zeros")


@pytest.mark.parametrize("pixel", [(-1, 0), (0, 7), (7, 0)])
def test_a_pixel_outside_the_image_has_no_border(pixel):
    with pytest.raises(ValueError, match="row and column must lie in 0 … 6"):
        same_border(7, 3, *pixel)


def test_the_border_of_an_even_window_is_refused():
    with pytest.raises(ValueError, match="patch must be an odd number from 1 to 13"):
        same_border(7, 2, 0, 0)
