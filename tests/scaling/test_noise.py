"""The schedule law against exact quadratics, and the trace of a covariance that is known."""

import pytest
import torch

from oraledu.scaling import noise, schedules
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.linear import LinearLadder

STEPS = 20_000


def quadratic(rates, curvature=0.02, spread=0.3, start=4.0):
    """Mean loss of one direction under gradient descent with noise of a fixed variance, before and after each step."""
    square, losses = start, []
    for rate in [*rates.tolist(), 0.0]:
        losses.append(curvature * square / 2)
        square = (1 - rate * curvature) ** 2 * square + rate**2 * spread
    return torch.tensor(losses, dtype=torch.float64)


@pytest.fixture(scope="module")
def constant():
    """The training time, loss and noise of a long constant-rate run on the quadratic."""
    rates = schedules.step_rates("constant", STEPS)
    return (
        schedules.training_time(rates),
        quadratic(rates),
        torch.full((STEPS + 1,), 0.3, dtype=torch.float64),
    )


@pytest.mark.parametrize("name", ["linear", "cosine", "multi-cosine", "quadratic"])
def test_on_a_quadratic_with_constant_noise_alpha_is_a_quarter(name, constant):
    """The decay is slow beside the curvature's memory of 25 steps, but for the very end."""
    rates = schedules.step_rates(name, STEPS)
    true, late = quadratic(rates), torch.arange(STEPS // 5, STEPS * 19 // 20)
    assert noise.fit_alpha(true[late], *constant[:2], rates, constant[2], at=late) == pytest.approx(
        0.25, rel=0.02
    )
    predicted = noise.predict(*constant[:2], rates, constant[2], at=late)
    at_tau = noise.equal_tau(*constant[:2], rates, late)
    assert noise.explained(predicted, true[late], at_tau) >= 0.995


def test_at_a_constant_rate_the_prediction_is_the_run_itself(constant):
    rates = torch.ones(STEPS, dtype=torch.float64)
    assert torch.allclose(noise.predict(*constant[:2], rates, constant[2]), constant[1], rtol=1e-12)


def test_half_the_rate_takes_twice_the_steps(constant):
    rates = torch.full((1000,), 0.5, dtype=torch.float64)
    found = noise.equal_tau(*constant[:2], rates, torch.tensor([0, 1, 500, 1000]))
    expected = constant[1][[0, 1, 250, 500]]
    expected[1] = constant[1][:2].mean()
    assert torch.allclose(found, expected)
    predicted = noise.predict(*constant[:2], rates, constant[2], at=torch.tensor([1000]))
    assert predicted.item() == pytest.approx(constant[1][500].item() - 0.25 * 0.5 * 0.3)


def test_the_rate_that_counts_is_that_of_the_last_step(constant):
    rates = torch.tensor([1.0, 1.0, 0.2], dtype=torch.float64)
    gain = noise.predict(*constant[:2], rates, constant[2]) - noise.equal_tau(*constant[:2], rates)
    assert torch.allclose(gain, -0.25 * 0.3 * torch.tensor([0, 0, 0, 0.8], dtype=torch.float64))


@pytest.fixture(scope="module")
def ladder():
    return LinearLadder((192,), Horizon.through(100, 4800, 1.5))


def exact(ladder, schedule):
    """The exact mean loss and noise of the solvable ladder, step by step, and the shares of the full rate."""
    runs = ladder.expected(schedule, records=1596)
    return runs.tau[0], runs.loss[0, 0], runs.trace[0, 0], schedules.step_rates(schedule, 1596)


@pytest.mark.parametrize("name", ["linear", "cosine", "multi-cosine", "quadratic"])
def test_on_the_solvable_ladder_the_law_predicts_schedules_never_trained_on(name, ladder):
    tau, loss, trace, _ = exact(ladder, "constant")
    _, true, own, rates = exact(ladder, name)
    at_tau = noise.equal_tau(tau, loss, rates)
    assert noise.explained(noise.predict(tau, loss, rates, trace), true, at_tau) >= 0.95
    two = noise.predict(tau, loss, rates, trace, two_term=True, own_trace=own)
    assert noise.explained(two, true, at_tau) >= 0.98
    oracle = noise.predict(tau, loss, rates, trace, own_trace=own)
    assert 0.9 <= noise.explained(oracle, true, at_tau) < noise.explained(two, true, at_tau)


def test_comparing_at_equal_steps_instead_fails(ladder):
    _, loss, trace, _ = exact(ladder, "constant")
    _, true, _, rates = exact(ladder, "linear")
    tau = schedules.training_time(rates)
    shares = torch.cat([rates[:1], rates])
    wrong = loss + 0.25 * (shares - 1) * trace  # the constant-rate run after as many steps, not at equal tau
    assert noise.explained(wrong, true, noise.equal_tau(torch.arange(1597).double(), loss, rates)) < 0.5
    assert tau[-1] < 1596 / 1.9


def test_the_fitted_alpha_is_that_of_a_scan(ladder):
    tau, loss, trace, _ = exact(ladder, "constant")
    _, true, own, rates = exact(ladder, "cosine")
    for extra in ({}, {"own_trace": own}, {"own_trace": own, "two_term": True}):
        alpha = noise.fit_alpha(true, tau, loss, rates, trace, **extra)
        errors = [
            (noise.predict(tau, loss, rates, trace, alpha + shift, **extra) - true).square().sum().item()
            for shift in (-1e-3, 0.0, 1e-3)
        ]
        assert min(errors) == errors[1]


def test_seeds_are_predicted_side_by_side(constant):
    tau, loss, trace = constant
    rates = schedules.step_rates("linear", 100)
    stacked = noise.predict(tau, torch.stack([loss, 2 * loss]), rates, torch.stack([trace, 3 * trace]))
    assert torch.allclose(stacked[0], noise.predict(tau, loss, rates, trace))
    assert torch.allclose(stacked[1], noise.predict(tau, 2 * loss, rates, 3 * trace))


def test_the_explained_share_is_one_for_the_truth_and_zero_for_no_law(generator):
    true, constant = torch.rand(2, 20, generator=generator, dtype=torch.float64)
    assert noise.explained(true, true, constant) == 1
    assert noise.explained(constant, true, constant) == 0
    assert noise.explained((true + constant) / 2, true, constant) == pytest.approx(0.75)


def test_the_trace_is_that_of_numpys_covariance(generator):
    gradients = torch.randn(6, 3, 5, generator=generator, dtype=torch.float64)
    weights = torch.rand(3, 5, generator=generator, dtype=torch.float64)
    for place in range(3):
        covariance = torch.cov(gradients[:, place].T)
        assert noise.gradient_covariance_trace(gradients)[place].item() == pytest.approx(
            covariance.trace().item()
        )
        root = weights[place].sqrt().diag()
        expected = (root @ covariance @ root).trace().item()
        assert noise.gradient_covariance_trace(gradients, weights)[place].item() == pytest.approx(expected)


def test_the_trace_is_right_on_average_from_two_gradients_already(generator):
    scales = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    gradients = 7 + scales * torch.randn(2, 40_000, 3, generator=generator, dtype=torch.float64)
    assert noise.gradient_covariance_trace(gradients).mean().item() == pytest.approx(5.25, rel=0.02)


TAU = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64)
RATES = torch.ones(2, dtype=torch.float64)


@pytest.mark.parametrize(
    ("tau", "values", "schedule", "at", "words"),
    [
        (TAU.flip(0), TAU, RATES, None, "tau must be increasing"),
        (TAU, TAU[1:], RATES, None, "tau must be increasing and have one entry for each value"),
        (
            TAU,
            TAU,
            torch.ones(3),
            None,
            "tau must cover the training times 0 to 3 of the schedule, got 0 to 2",
        ),
        (TAU + 1, TAU, RATES, None, "tau must cover the training times"),
        (TAU, TAU, 2 * RATES, None, "schedule must hold one share of the full rate for each step"),
        (TAU, TAU, RATES * torch.nan, None, "schedule must hold one share"),
        (TAU, TAU, RATES[:0], None, "schedule must hold one share"),
        (TAU, TAU, RATES, torch.tensor([3]), "at must hold whole numbers of steps from 0 to 2"),
        (TAU, TAU, RATES, torch.tensor([0.5]), "at must hold whole numbers of steps from 0 to 2"),
    ],
)
def test_unfit_runs_are_refused(tau, values, schedule, at, words):
    with pytest.raises(ValueError, match=words):
        noise.equal_tau(tau, values, schedule, at)


def test_the_two_term_form_needs_the_runs_own_noise():
    with pytest.raises(ValueError, match="two_term needs own_trace"):
        noise.predict(TAU, TAU, RATES, TAU, two_term=True)


def test_a_schedule_that_changes_nothing_explains_nothing():
    with pytest.raises(ValueError, match="schedule must leave the full rate somewhere"):
        noise.fit_alpha(TAU, TAU, TAU, RATES, TAU)
    with pytest.raises(ValueError, match="constant equals true"):
        noise.explained(TAU, TAU, TAU)


def test_mismatched_losses_are_refused():
    with pytest.raises(ValueError, match="predicted, true and constant must have one shape"):
        noise.explained(TAU, TAU[1:], TAU)


@pytest.mark.parametrize("gradients", [torch.ones(1, 4), torch.ones(4)])
def test_one_gradient_has_no_covariance(gradients):
    with pytest.raises(ValueError, match="gradients must have shape"):
        noise.gradient_covariance_trace(gradients)


def test_an_unfit_preconditioner_is_refused():
    with pytest.raises(ValueError, match=r"preconditioner must have shape \(3,\), got \(2,\)"):
        noise.gradient_covariance_trace(torch.rand(4, 3), torch.ones(2))
