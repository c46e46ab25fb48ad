"""The frontier's fit: planted laws come back, and the robust fit is that of a search from many starts."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import huber

from oraledu.scaling import laws
from oraledu.scaling.frontier import HUBER

COMPUTE = torch.logspace(15, 19, 7, dtype=torch.float64)


def many_starts(compute, loss):
    """The smallest Huber cost in log loss, over coefficient, exponent and offset, from two dozen starts."""
    x, y = compute.log().numpy(), loss.log().numpy()

    def cost(values):
        level, exponent, offset = values
        return huber(HUBER, np.logaddexp(offset, level - exponent * (x - x.mean())) - y).sum() / HUBER**2

    highest = np.log(loss.min().item())
    starts = product((-2, 0), (0.1, 0.3, 0.8), np.log([0.1, 0.5, 0.9, 0.99]) + highest)
    bounds = [(None, None), (1e-4, 3), (-30, highest)]
    options = {"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-12}
    found = [minimize(cost, start, method="L-BFGS-B", bounds=bounds, options=options) for start in starts]
    return min(found, key=lambda result: result.fun)


@given(
    exponent=st.floats(0.05, 0.8),
    share=st.floats(0.0, 0.95),
    first=st.floats(0.1, 10),
    unit=st.sampled_from([1.0, 1e15]),
)
@settings(deadline=None, max_examples=40)
def test_a_planted_law_is_found(exponent, share, first, unit):
    compute = COMPUTE / unit
    law = laws.PowerLaw(first * (1 - share) * compute[0].item() ** exponent, exponent, first * share)
    found = laws.fit_frontier(compute, law(compute))
    assert found.exponent == pytest.approx(exponent, rel=1e-3)
    assert found.offset == pytest.approx(law.offset, abs=1e-3 * first)
    assert torch.allclose(found(compute), law(compute), rtol=1e-6)


@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("seed", range(2))
def test_the_fit_is_that_of_many_starts(noise, seed):
    generator = torch.Generator().manual_seed(seed)
    errors = 1 + noise * torch.randn(7, generator=generator, dtype=torch.float64)
    loss = (1.3 + 0.7 * (COMPUTE / COMPUTE[0]) ** -0.3) * errors
    found, reference = laws.fit_frontier(COMPUTE, loss), many_starts(COMPUTE, loss)
    assert found.exponent == pytest.approx(reference.x[1], rel=1e-3)
    assert found.offset == pytest.approx(np.exp(reference.x[2]), rel=1e-3)


def test_one_wild_point_does_not_move_the_fit():
    law = laws.PowerLaw(COMPUTE[0].item() ** 0.25, 0.25, 0.8)
    loss = law(COMPUTE)
    loss[3] *= 1.05
    assert laws.fit_frontier(COMPUTE, loss).exponent == pytest.approx(0.25, rel=0.02)


def test_with_the_offset_given_it_is_a_line_in_log_log(generator):
    loss = 0.4 + torch.rand(7, generator=generator, dtype=torch.float64) + (COMPUTE[0] / COMPUTE)
    slope, level = np.polyfit(COMPUTE.log().numpy(), (loss - 0.25).log().numpy(), 1)
    found = laws.fit_frontier(COMPUTE, loss, offset=0.25)
    assert found.exponent == pytest.approx(-slope)
    assert found.coefficient == pytest.approx(np.exp(level), rel=1e-9)
    assert found.offset == 0.25


def test_r_squared_is_the_squared_correlation_of_the_logs(generator):
    loss = 0.4 + torch.rand(7, generator=generator, dtype=torch.float64) + (COMPUTE[0] / COMPUTE)
    found = laws.fit_frontier(COMPUTE, loss, offset=0.3)
    pair = torch.stack([COMPUTE.log(), (loss - 0.3).log()])
    assert found.r_squared(COMPUTE, loss) == pytest.approx(torch.corrcoef(pair)[0, 1].item() ** 2)


@pytest.mark.parametrize(("sizes", "offset"), [(1, 0.0), (2, None)])
def test_too_few_sizes_for_a_frontier_are_refused(sizes, offset):
    compute = COMPUTE[:sizes]
    with pytest.raises(ValueError, match=r"compute must hold . or more sizes, got .: train more widths"):
        laws.fit_frontier(compute, compute**-0.1, offset)


def test_an_offset_above_some_loss_is_refused():
    loss = 0.5 + (COMPUTE[0] / COMPUTE) ** 0.2
    for offset in (loss.min().item(), 2.0):
        with pytest.raises(ValueError, match="offset must lie below every loss"):
            laws.fit_frontier(COMPUTE, loss, offset)
    with pytest.raises(ValueError, match="offset must lie below every loss"):
        laws.PowerLaw(1.0, 0.1, 2.0).r_squared(COMPUTE, loss)


def test_a_negative_offset_is_refused():
    with pytest.raises(ValueError, match="offset must be at least 0"):
        laws.fit_frontier(COMPUTE, COMPUTE**-0.1, -0.5)


@pytest.mark.parametrize("offset", [None, 0.0])
def test_a_loss_that_rises_is_refused(offset):
    with pytest.raises(ValueError, match="loss must fall as compute grows"):
        laws.fit_frontier(COMPUTE, COMPUTE**0.1, offset)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 0.0, -1.0])
@pytest.mark.parametrize("name", ["compute", "loss"])
def test_values_that_are_not_positive_and_finite_are_refused(bad, name):
    values = {"compute": COMPUTE.clone(), "loss": COMPUTE**-0.1}
    values[name][2] = bad
    with pytest.raises(ValueError, match=f"{name} must be positive and finite"):
        laws.fit_frontier(**values)


def test_mismatched_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape \(n,\), got \(7,\) and \(6,\)"):
        laws.fit_frontier(COMPUTE, COMPUTE[1:])
