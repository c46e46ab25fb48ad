"""Weight decay: one timescale for all sizes, and the exact mean of the solvable ladder under decay."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from oraledu.scaling import curves
from oraledu.scaling.decayed import DecayedLadder, layer_decays
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.linear import LinearLadder
from oraledu.scaling.schedules import step_rates
from oraledu.scaling.training import train_steps


def decayed(ladder, *decays):
    return DecayedLadder(**vars(ladder), decays=decays)


def at_one_timescale(ladder, timescale):
    tokens = ladder.horizon.tokens(torch.tensor(ladder.widths, dtype=torch.float64))
    rates = torch.full((len(ladder.widths), 1), ladder.rate, dtype=torch.float64)
    return layer_decays(timescale, rates, tokens, ladder.batch)[:, 0].tolist()


def deviation(ladder, decays):
    """Return the root mean square of Δ from x = 0.1 on, of the exact means at a constant rate."""
    runs = decayed(ladder, *decays).expected("constant", records=60)
    grid = torch.linspace(0.1, 1, 55, dtype=torch.float64)
    normalized = curves.normalize(runs.progress, runs.loss, 0.0, grid)
    return curves.collapse_deviation(normalized).square().mean().sqrt().item()


def simulated(ladder, width, decay, schedule, copies, generator):
    """Return the losses before and after every step of many copies, (steps + 1, copies), one example after another."""
    spectrum, energies, beyond = ladder.spectra(width)
    goal = (energies / spectrum).sqrt()
    weights, losses = torch.zeros(copies, width, dtype=torch.float64), []
    rates = [*step_rates(schedule, train_steps(ladder, width)).tolist(), 0.0]
    for share in rates:
        losses.append(((weights - goal).square() @ spectrum + beyond) / 2)
        h, gradient = ladder.rate * share, torch.zeros_like(weights)
        for _ in range(ladder.batch):
            x = spectrum.sqrt() * torch.randn(copies, width, generator=generator, dtype=torch.float64)
            label = x @ goal + beyond**0.5 * torch.randn(copies, generator=generator, dtype=torch.float64)
            gradient += ((weights * x).sum(1) - label)[:, None] * x / ladder.batch
        weights = weights - h * decay * weights - h * gradient
    return torch.stack(losses)


@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_the_mean_of_many_copies_that_decay_is_the_recursion(linear, generator, schedule):
    ladder = replace(linear, batch=2)
    runs = decayed(ladder, 0.3, 0.7).expected(schedule, records=20)
    for place, (width, decay) in enumerate(zip(ladder.widths, (0.3, 0.7), strict=True)):
        sample = simulated(ladder, width, decay, schedule, 5000, generator)[runs.steps[place]]
        error = sample.std(1) / sample.shape[1] ** 0.5
        away = (sample.mean(1) - runs.loss[place, 0])[1:] / error[1:]
        assert away.abs().max() < 4
        assert error.max() < 0.02 * runs.loss[place, 0].min()


def test_without_decay_it_is_the_ladder_without_decay(linear):
    for schedule in ("constant", "cosine"):
        mine, theirs = (each.expected(schedule, records=20) for each in (decayed(linear, 0.0, 0.0), linear))
        assert torch.allclose(mine.loss, theirs.loss, rtol=1e-12)
        assert torch.allclose(mine.trace, theirs.trace, rtol=1e-12)


def test_a_long_run_rests_where_pull_and_gradient_balance():
    """With hardly any noise w = λ / (λ + ζ) w*, and the loss is ½ Σ λ (w - w*)²."""
    ladder = LinearLadder((5,), Horizon.through(5, 4 * 40_000, 1.0), batch=4, rate=1e-3)
    spectrum, energies, beyond = (np.asarray(each) for each in ladder.spectra(5))
    expected = ((energies * (0.2 / (spectrum + 0.2)) ** 2).sum() + beyond) / 2
    found = decayed(ladder, 0.2).expected("constant", records=1).end.item()
    assert found == pytest.approx(expected, rel=5e-3)


def test_every_layer_of_every_size_forgets_over_the_timescale():
    rates = torch.tensor([[0.01, 0.002], [0.004, 0.03]], dtype=torch.float64)
    tokens = torch.tensor([64_000.0, 320_000.0], dtype=torch.float64)
    decays = layer_decays(0.5, rates, tokens, 64)
    for row, steps in enumerate((1000, 5000)):
        for column in range(2):
            left = 1.0
            for _ in range(steps):
                left *= 1 - float(rates[row, column] * decays[row, column])
            assert left == pytest.approx(np.exp(-2), rel=0.01)


@pytest.mark.parametrize("timescale", [0.1, 0.5, 3.0])
def test_at_one_timescale_the_solvable_ladder_collapses_whatever_the_timescale(timescale):
    ladder = LinearLadder((24, 48, 96), Horizon.through(100, 4800, 1.5))
    assert deviation(ladder, at_one_timescale(ladder, timescale)) < 3e-3


def test_at_one_decay_it_does_not():
    ladder = LinearLadder((24, 48, 96), Horizon.through(100, 4800, 1.5))
    for timescale in (0.5, 3.0):
        narrowest = at_one_timescale(ladder, timescale)[:1] * 3
        assert deviation(ladder, narrowest) > 0.04


def test_layers_and_sizes_must_fit():
    with pytest.raises(ValueError, match=r"rates must have shape \(sizes, layers\) and tokens \(sizes,\)"):
        layer_decays(1.0, torch.ones(3, 2), torch.ones(2), 8)
    with pytest.raises(ValueError, match="must be above 0: leave decay out"):
        layer_decays(0.0, torch.ones(2, 2), torch.ones(2), 8)


def test_there_is_one_decay_for_each_width_and_none_is_negative(linear):
    for wrong in ((0.1,), (0.1, -0.1)):
        with pytest.raises(ValueError, match="decays must hold one for each of 2 widths"):
            decayed(linear, *wrong)
