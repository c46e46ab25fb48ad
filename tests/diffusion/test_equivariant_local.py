"""Between which bounds the log-weights of the equivariant-local machine lie, and what they save it."""

from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.diffusion import banks, equivariant_local, machines, posterior
from oraledu.diffusion.arguments import check
from oraledu.diffusion.windows import regions
from tests.diffusion import loops


def bounds_and_log_weights(x, images, alpha_bar, patch, padding):
    """Both bounds, each (R,), and all log-weights (R, M) of each region of a question."""
    how = {"machine": "equivariant-local", "patch": patch, "padding": padding, "labels": None, "label": None}
    task = check(x, images, alpha_bar, **how)
    for region in regions(x.shape[-1], patch, padding):
        queries = equivariant_local._queries(task, region)
        longest = images.abs().max() * region.window**0.5
        yield (
            *equivariant_local._bounds(queries, longest),
            queries @ banks.build(images, region, padding).keys.to(queries),
        )


@given(st.floats(1e-4, 0.999), st.sampled_from([0.0, 0.1, 1.0, 30.0]), st.sampled_from(["zeros", "circular"]))
@settings(deadline=None, max_examples=60)
def test_no_log_weight_lies_outside_its_bounds(alpha_bar, scale, padding):
    generator = torch.Generator().manual_seed(0)
    images = scale * torch.randn(4, 1, 6, 6, generator=generator, dtype=torch.float64)
    x = torch.randn(2, 1, 6, 6, generator=generator, dtype=torch.float64)
    for low, high, log_weights in bounds_and_log_weights(x, images, alpha_bar, 3, padding):
        slack = 1e-12 * log_weights.abs().max()
        assert (log_weights >= low[:, None] - slack).all()
        assert (log_weights <= high[:, None] + slack).all()


def test_a_patch_that_fits_reaches_the_upper_bound_and_the_opposite_of_a_flat_one_the_lower():
    images = torch.ones(2, 1, 5, 5, dtype=torch.float64)
    images[1] = -1
    x = 0.5**0.5 * images[:1]
    for low, high, log_weights in bounds_and_log_weights(x, images, 0.5, 3, "circular"):
        torch.testing.assert_close(log_weights.amax(dim=1), high)
        torch.testing.assert_close(log_weights.amin(dim=1), low)


@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize("scale", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("alpha_bar", [0.02, 0.5, 0.98])
def test_weights_neither_overflow_nor_vanish_where_the_fitting_patch_comes_last(padding, scale, alpha_bar):
    generator = torch.Generator().manual_seed(0)
    images = scale * (2 * torch.rand(6, 1, 7, 7, generator=generator) - 1)
    images[:3] = scale  # the first tiles hold patches far from all others, and equal ones
    x = alpha_bar**0.5 * images[-1:] + (1 - alpha_bar) ** 0.5 * torch.randn(1, 1, 7, 7, generator=generator)
    how = {"machine": "equivariant-local", "patch": 3, "padding": padding}
    with mock.patch.object(posterior, "CPU_TILE", 200):
        found = machines.denoise(x, images, alpha_bar, **how)
    expected = loops.denoise(x.double(), images.double(), alpha_bar, **how)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-4 * scale)
