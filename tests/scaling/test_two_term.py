"""Two power laws: horizon by brute force, one curve for all sizes, and the slope at its end."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.scaling import laws

MODELS = st.builds(
    laws.TwoTerm,
    mu=st.floats(0.2, 1.0),
    nu=st.floats(0.2, 1.0),
    time_coefficient=st.floats(0.1, 10),
    size_coefficient=st.floats(0.1, 10),
    offset=st.floats(0, 3),
)
PARAMETERS = torch.logspace(3, 7, 5, dtype=torch.float64)
X = torch.logspace(-3, 0, 50, dtype=torch.float64)


@given(model=MODELS, size=st.floats(3, 7))
@settings(deadline=None, max_examples=40)
def test_the_horizon_has_the_lowest_loss_at_equal_compute(model, size):
    best = 10**size
    compute = model.horizon().compute(best)
    candidates = best * torch.logspace(-0.5, 0.5, 2001, dtype=torch.float64)
    losses = model.loss(compute / (6 * candidates), candidates)
    assert candidates[losses.argmin()].item() == pytest.approx(best, rel=0.01)


@given(model=MODELS, multiple=st.floats(0.1, 10))
@settings(deadline=None, max_examples=40)
def test_along_the_horizon_and_its_multiples_all_curves_are_one(model, multiple):
    tokens = model.horizon(multiple).tokens(PARAMETERS)[:, None] * X
    losses = model.loss(tokens, PARAMETERS[:, None]) - model.offset
    normalized = losses / losses[:, -1:]
    # The offset is taken off again: what is left of a small loss beside it has lost as many digits.
    scale = 1e-14 * (1 + model.offset / losses.min().item())
    assert (normalized - model.universal_curve(X, multiple)).abs().max() <= 100 * scale * normalized.max()


@given(model=MODELS)
@settings(deadline=None, max_examples=20)
def test_another_offset_breaks_the_collapse(model):
    tokens = model.horizon().tokens(PARAMETERS)[:, None] * X
    losses = model.loss(tokens, PARAMETERS[:, None]) - model.offset
    losses = losses + 0.3 * losses[-1, -1]
    normalized = losses / losses[:, -1:]
    assert (normalized[:, 0] - normalized[0, 0]).abs().max() > 0.01 * normalized[0, 0]


@given(model=MODELS, multiple=st.floats(0.1, 10))
@settings(deadline=None, max_examples=40)
def test_the_frontier_is_the_power_law_of_the_ends(model, multiple):
    horizon, frontier = model.horizon(multiple), model.frontier(multiple)
    ends = model.loss(horizon.tokens(PARAMETERS), PARAMETERS)
    assert torch.allclose(frontier(horizon.compute(PARAMETERS)), ends, rtol=1e-9)
    assert frontier.exponent == pytest.approx(model.mu * model.nu / (model.mu + model.nu))


@given(model=MODELS)
@settings(deadline=None, max_examples=40)
def test_the_slope_at_the_end_is_that_of_the_frontier(model):
    near = torch.tensor([1 - 1e-6, 1 + 1e-6], dtype=torch.float64)
    low, high = model.universal_curve(near).log().tolist()
    assert (high - low) / 2e-6 == pytest.approx(-model.frontier().exponent, rel=1e-5)


def test_at_a_multiple_of_the_horizon_the_slopes_differ():
    model = laws.TwoTerm(0.4, 0.8)
    near = torch.tensor([1 - 1e-6, 1 + 1e-6], dtype=torch.float64)
    low, high = model.universal_curve(near, multiple=4.0).log().tolist()
    assert abs((high - low) / 2e-6 + model.frontier(4.0).exponent) > 0.05


def test_the_terms_keep_their_ratio_along_the_horizon():
    model = laws.TwoTerm(0.3, 0.5, time_coefficient=2.0, size_coefficient=7.0)
    tokens = model.horizon().tokens(PARAMETERS)
    time, size = 2.0 * tokens**-0.3, 7.0 * PARAMETERS**-0.5
    assert torch.allclose(time / size, torch.full_like(time, model.ratio))


@pytest.mark.parametrize("name", ["mu", "nu", "time_coefficient", "size_coefficient"])
@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_numbers_that_are_not_positive_are_refused(name, bad):
    with pytest.raises(ValueError, match=f"{name} must be above 0"):
        laws.TwoTerm(**({"mu": 0.4, "nu": 0.4} | {name: bad}))


def test_a_negative_offset_is_refused():
    with pytest.raises(ValueError, match="offset must be at least 0"):
        laws.TwoTerm(0.4, 0.4, offset=-0.1)
