"""The local machine's parts: the band matrix, and answers for some of the pixels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oraledu.diffusion.arguments import check
from oraledu.diffusion.local import band, local_heaviest, local_mean
from tests.diffusion.test_machines import draw


@given(st.integers(1, 9), st.integers(0, 8), st.sampled_from(["zeros", "circular"]))
def test_the_band_says_which_places_a_window_reaches(size, reach, padding):
    reach = min(reach, (size - 1) // 2 if padding == "circular" else size - 1)
    found = band(size, 2 * reach + 1, padding)
    for place in range(size):
        reached = range(place - reach, place + reach + 1)
        expected = torch.zeros(size)
        for other in reached:
            if padding == "circular":
                expected[other % size] += 1
            elif 0 <= other < size:
                expected[other] += 1
        assert torch.equal(found[place], expected)


@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize("places", [[0], [0, 6], [2, 3, 5]])
def test_some_pixels_are_answered_as_if_all_were(padding, places):
    x, images = draw(5, 2, 7)
    task = check(x, images, 0.4, machine="local", patch=3, padding=padding, labels=None, label=None)
    some = torch.tensor(places)
    grid = some[:, None], some
    torch.testing.assert_close(local_mean(task, some), local_mean(task)[:, :, *grid], rtol=0, atol=1e-12)
    found, everywhere = local_heaviest(task, some), local_heaviest(task)
    for part in ("image", "row", "column"):
        assert torch.equal(getattr(found, part), getattr(everywhere, part)[:, *grid])
    torch.testing.assert_close(found.weight, everywhere.weight[:, *grid], rtol=0, atol=1e-12)
