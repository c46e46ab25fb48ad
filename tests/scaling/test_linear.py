"""The solvable ladder: its recursion against its own Monte Carlo, its theory, and one seed at a time."""

from dataclasses import replace

import pytest
import torch
from scipy.special import zeta

from oraledu.scaling import curves, laws, noise
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.ladder import LinearLadder, train, train_steps
from oraledu.scaling.schedules import step_rates

LADDER = LinearLadder((48, 96, 192, 384), Horizon.through(100, 4800, 1.5))
GRID = torch.linspace(0.1, 1, 91, dtype=torch.float64)


@pytest.mark.parametrize("schedule", ["constant", "linear", "wsd"])
@pytest.mark.parametrize(
    "settings",
    [
        {"batch": 8, "rate": 0.5},
        {"batch": 4, "rate": 0.3, "spectrum": 1.2, "energy": 2.2, "label_noise": 0.5},
        {"batch": 1, "rate": 0.15, "spectrum": 2.0, "energy": 1.5},
    ],
)
def test_the_recursion_is_the_mean_of_many_seeds(schedule, settings):
    ladder = LinearLadder(
        (6, 24), Horizon.through(24, 120 * settings["batch"], 0.5), dtype=torch.float64, **settings
    )
    exact = ladder.expected(schedule, records=10)
    drawn = train(ladder, schedule, seeds=range(400), records=10, trace=True)
    assert torch.equal(exact.steps, drawn.steps)
    assert torch.allclose(exact.tau, drawn.tau)
    assert exact.progress.shape == (2, 1, 11)
    for mean, values in ((exact.loss, drawn.loss), (exact.trace, drawn.trace)):
        error = values.std(dim=1) / 400**0.5
        assert torch.allclose(values[..., 0], mean[..., 0])  # nothing is drawn yet
        assert ((values.mean(dim=1) - mean[:, 0]).abs()[:, 1:] <= 3 * error[:, 1:]).all()


def test_a_step_from_outside_drives_the_recursion(linear):
    seen = []

    def step(moments, eigenvalues, rate, batch, noise):
        seen.append(rate)
        risk = eigenvalues @ moments + noise
        squared = eigenvalues.square() * moments
        gradient = (eigenvalues * risk + 2 * squared) / batch + (1 - 1 / batch) * squared
        return moments * (1 - 2 * rate * eigenvalues) + rate**2 * gradient

    for schedule in ("constant", "cosine"):
        own, other = (linear.expected(schedule, records=10, step=given) for given in (None, step))
        torch.testing.assert_close(own.loss, other.loss, rtol=1e-12, atol=0)
        torch.testing.assert_close(own.trace, other.trace, rtol=1e-12, atol=0)
    assert len(seen) == 2 * sum(train_steps(linear, width) for width in linear.widths)
    stuck = linear.expected("linear", records=10, step=lambda moments, *rest: moments)
    assert (stuck.loss == stuck.loss[..., :1]).all()


def test_a_seed_trains_as_a_plain_loop_would(linear):
    runs = train(linear, "linear", seeds=(3, 5), records=4)
    run = linear.begin(8, (5,), 1)
    spectrum, energies, beyond = linear.spectra(8)
    missing = (energies / spectrum).sqrt()
    for rate in step_rates("linear", train_steps(linear, 8)).tolist():
        x, rest = run.examples(run.done)
        residual = x[0] @ missing + rest[0]
        missing = missing - linear.rate * rate * (residual @ x[0]) / linear.batch
        run.done += 1
    expected = ((spectrum * missing.square()).sum() + beyond) / 2
    assert runs.end[1, 1].item() == pytest.approx(expected.item(), rel=1e-12)


def test_a_seed_does_not_depend_on_the_seeds_beside_it(linear):
    together = train(linear, "cosine", seeds=(0, 1, 2), records=5)
    alone = train(linear, "cosine", seeds=(1,), records=5)
    assert torch.allclose(together.loss[:, 1:2], alone.loss, rtol=1e-13)
    assert (together.loss[:, 0, 1:] != together.loss[:, 1, 1:]).all()


def test_before_training_the_loss_is_half_the_targets_energy(linear):
    noisy = replace(linear, label_noise=0.3)
    assert noisy.offset == pytest.approx(0.045)
    assert noisy.expected(records=1).loss[:, 0, 0].tolist() == pytest.approx([(zeta(1.7) + 0.09) / 2] * 2)


def test_examples_have_the_spectrum_and_the_noise_they_should():
    ladder = LinearLadder((5,), Horizon.through(5, 8000, 1.0), batch=64, label_noise=0.7, dtype=torch.float64)
    run = ladder.begin(5, (0,), 1)
    parts = [[part.clone() for part in run.examples(step)] for step in range(200)]
    x, rest = (torch.cat([part[kind][0] for part in parts]) for kind in (0, 1))
    spectrum, _, beyond = ladder.spectra(5)
    assert torch.allclose(torch.cov(x.T), spectrum.diag(), atol=0.04)
    assert rest.square().mean().item() == pytest.approx(beyond, rel=0.05)
    assert beyond == pytest.approx(float(zeta(1.7, 6)) + 0.49)
    assert len(x.unique(dim=0)) == len(x)


def test_the_noise_is_the_covariance_of_mini_batch_gradients(linear):
    run = linear.begin(8, (0,), 1)
    for _ in range(5):
        run.step(1.0)
    gradients = []
    for step in range(10_000):
        x, rest = run.examples(step)
        residual = torch.einsum("sbp,sp->sb", x, run.errors) + rest
        gradients.append(torch.einsum("sb,sbp->sp", residual, x)[0] / linear.batch)
    found = noise.gradient_covariance_trace(torch.stack(gradients), torch.full((8,), linear.rate).double())
    assert run.trace()[0].item() == pytest.approx(found.item(), rel=0.03)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_the_frontier_is_a_power_law_with_the_exponent_of_theory(schedule):
    runs = LADDER.expected(schedule, records=1)
    law = laws.fit_frontier(runs.compute[:, -1], runs.end[:, 0], offset=0.0)
    assert law.exponent == pytest.approx(LADDER.frontier_exponent, rel=0.04)
    assert LADDER.frontier_exponent == pytest.approx(0.28)
    assert law.r_squared(runs.compute[:, -1], runs.end[:, 0]) >= 0.9999


def deviation(exponent, schedule="constant"):
    """The size-only deviation of exact curves, root mean square over the grid, at some horizon exponent."""
    horizon = Horizon.through(136, LADDER.horizon.tokens(136), exponent)
    runs = replace(LADDER, horizon=horizon).expected(schedule, records=100)
    found = curves.collapse_deviation(curves.normalize(runs.progress, runs.loss, 0.0, GRID))
    return found.square().mean().sqrt().item()


def test_a_wrong_horizon_breaks_the_collapse_tenfold_and_barely_moves_the_frontier():
    assert 10 * deviation(1.5) < min(deviation(1.3), deviation(1.7))
    slopes = []
    for exponent in (1.3, 1.5, 1.7):
        horizon = Horizon.through(136, LADDER.horizon.tokens(136), exponent)
        runs = replace(LADDER, horizon=horizon).expected("constant", records=1)
        slopes.append(laws.fit_frontier(runs.compute[:, -1], runs.end[:, 0], 0.0).exponent)
    assert max(slopes) - min(slopes) < 0.005


def test_the_optimal_horizon_is_found_from_curves_at_a_constant_rate():
    widths = (24, 34, 48, 68, 96, 136, 192)
    ladder = LinearLadder(widths, Horizon.through(100, 40_000, 0.5))
    runs = ladder.expected("constant", records=torch.logspace(-2.2, 0, 60, dtype=torch.float64))
    found = laws.optimal_horizon(runs.compute, runs.loss[:, 0], runs.parameters)
    assert found.exponent == pytest.approx(1.5, abs=0.1)


def test_an_offset_comes_from_label_noise_and_is_found():
    ladder = replace(LADDER, label_noise=1.0, rate=0.3)
    runs = ladder.expected("linear", records=1)
    found = laws.fit_frontier(runs.compute[:, -1], runs.end[:, 0])
    assert found.offset == pytest.approx(ladder.offset, abs=0.03)


def test_the_recursion_stays_exact_where_it_explodes(linear):
    """At a rate beyond stability the mean grows, and is reported as it is."""
    assert replace(linear, rate=3.0).expected("constant", records=1).loss[:, 0, -1].min() > 1e3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"spectrum": 1.0}, "spectrum must be above 1"),
        ({"energy": 0.5}, "energy must be above 1"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"rate": 0.0}, "rate above 0"),
        ({"label_noise": -1.0}, "label_noise at least 0"),
    ],
)
def test_unfit_settings_are_refused(settings, words, linear):
    with pytest.raises(ValueError, match=words):
        replace(linear, **settings)
