"""What the lesson shows, at its quick scale: the solvable ladder in seconds, the networks marked slow."""

from dataclasses import replace

import pytest
import torch

from oraledu.scaling import curves, laws, noise, schedules, settings
from oraledu.scaling.ladder import Runs, train, train_steps

QUICK = settings.QUICK
GRID = torch.linspace(0, 1, 61, dtype=torch.float64)


def run(study, schedule, **changes):
    ladder = replace(study.ladder, **changes)
    return train(ladder, schedule, seeds=study.seeds, records=study.records, trace=study.trace)


def deviation_and_floor(runs: Runs, *progress: float):
    """Deviation and mean floor at some progress, with an offset of 0: two of (n,)."""
    normalized = curves.normalize(runs.progress, runs.loss, 0.0, GRID)
    floor = curves.noise_floor(curves.on_grid(runs.progress, runs.loss, GRID), 0.0).mean(dim=0)
    places = [round(60 * x) for x in progress]
    return curves.collapse_deviation(normalized)[places], floor[places]


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


@pytest.mark.slow
def test_the_networks_supercollapse_under_a_linear_decay():
    linear, constant = run(QUICK.mlp, "linear"), run(QUICK.mlp, "constant")
    law = laws.fit_frontier(linear.compute[:, -1], linear.end.mean(dim=1), offset=0.0)
    assert law.r_squared(linear.compute[:, -1], linear.end.mean(dim=1)) >= 0.95
    deviation, floor = deviation_and_floor(linear, 0.5, 0.7, 0.8, 0.9)
    assert (deviation < floor).all()
    other, other_floor = deviation_and_floor(constant, 0.9)
    assert (other / other_floor).item() >= 3 * (deviation / floor)[-1].item()


@pytest.mark.slow
def test_without_mup_the_middle_of_the_curve_rises_with_width():
    rises = []
    for study in (QUICK.mlp, QUICK.without_mup):
        runs = run(study, "linear")
        middle = curves.normalize(runs.progress, runs.loss, 0.0, GRID)[..., 30].mean(dim=1)
        rises.append((middle[-1] - middle[0]).item())
    assert rises[1] > rises[0] + 0.2


@pytest.mark.slow
def test_a_constant_rate_with_little_noise_is_below_the_floor_if_seeds_change_the_start_alone():
    deviation, floor = deviation_and_floor(run(QUICK.shared_data, "constant"), 0.8, 0.9, 0.95)
    assert (deviation < floor).all()


@pytest.mark.slow
def test_the_law_predicts_a_decay_of_the_networks_from_a_constant_rate():
    constant = run(QUICK.noise, "constant")
    width = constant.widths[0]
    true = run(QUICK.mlp, "linear", widths=(width,))
    rates, at = schedules.step_rates("linear", train_steps(QUICK.noise.ladder, width)), true.steps[0, 3:]
    tau, known = (
        constant.tau[0, 1:],
        [values[0, :, 1:].mean(dim=0) for values in (constant.loss, constant.trace)],
    )
    expected = true.loss[0, :, 3:].mean(dim=0)
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
