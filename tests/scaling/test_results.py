"""What the lesson shows, at its quick scale: the solvable ladder in seconds, the networks marked slow."""

import functools
from dataclasses import replace

import pytest
import torch

from oraledu.scaling import curves, laws, noise, schedules, settings
from oraledu.scaling.ladder import Runs, train, train_steps

QUICK = settings.QUICK
GRID = torch.linspace(0, 1, 61, dtype=torch.float64)


@functools.cache
def run(study, schedule):
    """Train a study; each of them once for all tests."""
    return settings.train_study(study, schedule)


def deviation_and_floor(runs: Runs, *progress: float):
    """Deviation and mean floor at some progress, with an offset of 0: two of (n,)."""
    normalized = curves.normalize(runs.progress, runs.loss, 0.0, GRID)
    floor = curves.noise_floor(curves.on_grid(runs.progress, runs.loss, GRID), 0.0).mean(dim=0)
    places = [round(60 * x) for x in progress]
    return curves.collapse_deviation(normalized)[places], floor[places]


def sizes_differ(runs: Runs, *progress: float):
    """Tell at some progress whether F passes what it passes by chance once in twenty: (n,)."""
    parts = curves.variance_parts(curves.normalize(runs.progress, runs.loss, 0.0, GRID))
    ratio, limit = curves.f_test(parts.size, parts.seed, runs.loss.shape[:2])
    return (ratio > limit)[[round(60 * x) for x in progress]]


@pytest.mark.parametrize(
    ("schedule", "low", "high"), [("constant", 1.0, 3.0), ("linear", 0, 0.6), ("cosine", 0, 0.2)]
)
def test_decay_brings_the_solvable_ladder_below_its_floor(schedule, low, high):
    deviation, floor = deviation_and_floor(run(QUICK.linear, schedule), 0.9)
    assert low < (deviation / floor).item() < high


@pytest.mark.parametrize(("schedule", "slope", "margin"), [("linear", 1.5, 0.2), ("cosine", 2.5, 0.3)])
def test_near_the_end_the_deviation_falls_with_the_power_of_theory(schedule, slope, margin):
    """Δ ∝ √(η (1 - τ)): (1 - x)^1.5 for a linear decay, (1 - x)^2.5 for a cosine."""
    ladder = replace(QUICK.linear.ladder, widths=(192,))
    x = torch.cat([torch.linspace(0.975, 0.995, 20, dtype=torch.float64), torch.ones(1).double()])
    runs = train(ladder, schedule, seeds=range(256), records=x)
    deviation = curves.collapse_deviation(
        curves.normalize(runs.progress, runs.loss, 0.0, runs.progress[0, 0])
    )
    left = (1 - runs.progress[0, 0, :-1]).log()
    height = deviation[:-1].log()
    found = ((left - left.mean()) * height).sum() / (left - left.mean()).square().sum()
    assert found.item() == pytest.approx(slope, abs=margin)


@pytest.mark.parametrize(
    ("schedule", "low", "high"), [("constant", -0.3, 0.3), ("linear", 0.7, 0.9), ("cosine", 0.95, 1)]
)
def test_decay_ties_the_fluctuations_of_a_run_to_those_at_its_end(schedule, low, high):
    ladder = replace(QUICK.linear.ladder, widths=(192,))
    loss = train(ladder, schedule, seeds=range(128), records=10).loss[0]
    assert low < torch.corrcoef(loss[:, [9, 10]].T)[0, 1].item() < high


def test_the_law_speaks_of_means_and_a_single_run_of_the_solvable_ladder_predicts_nothing():
    ladder = replace(QUICK.linear.ladder, widths=(96,))
    known, true = ladder.expected("constant", records=100), ladder.expected("linear")
    runs = train(ladder, "constant", seeds=range(64), records=100, trace=True)
    rates, at = schedules.step_rates("linear", int(true.steps[0, -1])), true.steps[0, 1:]
    same = noise.equal_tau(known.tau[0], known.loss[0, 0], rates, at)

    def explained(loss, trace):
        return noise.explained(
            noise.predict(known.tau[0], loss, rates, trace, at=at), true.loss[0, 0, 1:], same
        )

    assert explained(known.loss[0, 0], known.trace[0, 0]) > 0.85
    single = torch.tensor([explained(*each) for each in zip(runs.loss[0], runs.trace[0], strict=True)])
    assert single.median() < 0
    assert (single < 0).double().mean() > 0.8


@pytest.mark.slow
def test_the_networks_supercollapse_late_under_a_linear_decay():
    linear, constant = run(QUICK.mlp, "linear"), run(QUICK.mlp, "constant")
    law = laws.fit_frontier(linear.compute[:, -1], linear.end.mean(dim=1), offset=0.0)
    assert law.r_squared(linear.compute[:, -1], linear.end.mean(dim=1)) >= 0.99
    deviation, floor = deviation_and_floor(linear, 0.8, 0.9)
    assert (deviation < floor).all()
    other, other_floor = deviation_and_floor(constant, 0.9)
    assert (other / other_floor).item() >= 1.5 * (deviation / floor)[-1].item()


@pytest.mark.slow
def test_at_a_constant_rate_the_networks_end_about_as_steep_as_their_frontier():
    """So it is along the compute-optimal horizon; with a sixth of these tokens they end a third steeper."""
    runs = run(QUICK.mlp, "constant")
    slopes = []
    for steps, loss in zip(runs.steps[:, 30:].double().log(), runs.loss[..., 30:].log(), strict=True):
        slopes.append(((steps - steps.mean()) * loss).sum(dim=1) / (steps - steps.mean()).square().sum())
    law = laws.fit_frontier(runs.compute[:, -1], runs.end.mean(dim=1), offset=0.0)
    assert -torch.stack(slopes).mean().item() / law.exponent == pytest.approx(1.1, abs=0.15)
    with pytest.raises(
        ValueError, match="while no larger size is better"
    ):  # it asks for runs past the optimum
        laws.optimal_horizon(runs.compute[:, 1:], runs.loss[..., 1:].mean(dim=1), runs.parameters)


@pytest.mark.slow
def test_without_mup_the_middle_of_the_curve_rises_with_width_which_f_sees_and_the_floor_hides():
    rises, told = [], []
    for study in (QUICK.mlp, QUICK.without_mup):
        runs = run(study, "linear")
        middle = curves.normalize(runs.progress, runs.loss, 0.0, GRID)[..., 30].mean(dim=1)
        rises.append((middle[-1] - middle[0]).item())
        told.append(sizes_differ(runs, 0.5, 0.7, 0.8, 0.9))
    assert rises[1] > rises[0] + 0.2
    assert told[0].sum() <= 2
    assert told[1].all()
    deviation, floor = deviation_and_floor(run(QUICK.without_mup, "linear"), 0.5, 0.7, 0.8, 0.9)
    assert (deviation < floor).all()


@pytest.mark.slow
def test_a_constant_rate_with_little_noise_is_below_the_floor_if_seeds_change_the_start_alone():
    deviation, floor = deviation_and_floor(run(QUICK.shared_data, "constant"), 0.8, 0.9, 0.95)
    assert (deviation < floor).all()


@pytest.mark.slow
def test_the_law_predicts_a_decay_of_the_networks_from_the_mean_at_a_constant_rate():
    constant, linear = run(QUICK.noise, "constant"), run(QUICK.mlp, "linear")
    width = constant.widths[0]
    row = linear.widths.index(width)
    rates, at = (
        schedules.step_rates("linear", train_steps(QUICK.noise.ladder, width)),
        linear.steps[row, 3:],
    )
    tau, known = (
        constant.tau[0, 1:],
        [values[0, :, 1:].mean(dim=0) for values in (constant.loss, constant.trace)],
    )
    expected = linear.loss[row, :, 3:].mean(dim=0)
    at_tau = noise.equal_tau(tau, known[0], rates, at)
    assert noise.explained(noise.predict(tau, known[0], rates, known[1], at=at), expected, at_tau) >= 0.8
    alpha = noise.fit_alpha(expected, tau, known[0], rates, known[1], at=at)
    assert 0.2 < alpha < 0.5
    fitted = noise.predict(tau, known[0], rates, known[1], alpha, at=at)
    assert noise.explained(fitted, expected, at_tau) >= 0.9


@pytest.mark.slow
def test_text_is_below_its_floor_at_the_end_and_far_from_collapsed_all_the_same():
    runs = run(QUICK.transformer, "linear")
    deviation, floor = deviation_and_floor(runs, 0.9)
    mean = curves.normalize(runs.progress, runs.loss, 0.0, GRID)[..., 54].mean()
    assert deviation < floor
    assert deviation / (mean - 1) > 0.1
