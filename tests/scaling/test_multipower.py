"""The multi-power law: a naive double loop, its limits, and what a fit recovers."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from oraledu.scaling import noise
from oraledu.scaling.multipower import MultiPower, fit
from oraledu.scaling.schedules import Shape, step_rates
from oraledu.scaling.settings import QUICK

LAW = MultiPower(0.1, 0.8, 0.5, 0.3, 0.2, 0.6, 0.4)
AT = torch.tensor([1, 2, 7, 30, 40])


def naive(law, schedule, at):
    """Sum over steps one by one, as the formula stands."""
    shares, losses = schedule.tolist(), []
    for done in at.tolist():
        total = math.fsum(shares[:done])
        loss = law.offset + law.level * total**-law.exponent
        for k in range(1, done):
            since = math.fsum(shares[k:done])
            inner = 1 + law.speed * shares[k] ** -law.slowing * since
            loss -= law.drop * (shares[k - 1] - shares[k]) * (1 - inner**-law.bend)
        losses.append(loss)
    return np.array(losses)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "wsd", "multi-cosine"])
def test_the_law_is_the_sum_over_all_steps(schedule):
    shares = step_rates(schedule, 40)
    np.testing.assert_allclose(LAW.loss(shares, AT), naive(LAW, shares, AT), rtol=1e-12)


def test_a_fall_of_the_rate_that_is_long_past_has_brought_all_that_it_can():
    shares = torch.tensor([1.0] + [0.5] * 10_000, dtype=torch.float64)
    fast = MultiPower(0.1, 0.8, 0.5, 0.3, 1e6, 2.0, 0.0)
    found = fast.loss(shares, torch.tensor([10_001]))[0]
    assert found == pytest.approx(0.1 + 0.8 * 5001**-0.5 - 0.3 * 0.5, rel=1e-6)


def test_a_fit_to_two_runs_foretells_the_law_s_own_third():
    true = replace(LAW, drop=0.05)
    late, steps = Shape("linear", decay=0.3), torch.arange(10, 301, 10)
    seen = {name: step_rates(name, 300) for name in ("constant", "linear")}
    runs = [(shares, steps, torch.from_numpy(true.loss(shares, steps))) for shares in seen.values()]
    found = fit(runs)
    unseen = step_rates(late, 300)
    change = true.loss(unseen, steps) - true.loss(torch.ones(300), steps)
    error = found.loss(unseen, steps) - true.loss(unseen, steps)
    assert np.square(error).sum() < 0.01 * np.square(change).sum()


#: As its authors fit it: a constant rate, a cosine, and a sudden drop to three tenths.
AUTHORS = ("constant", "cosine", lambda x: torch.where(x < 2 / 3, 1.0, 0.3).double())


def test_a_late_decay_of_the_exact_ladder_is_explained_in_part_whatever_the_fit_has_seen():
    ladder = replace(QUICK.linear.ladder, widths=QUICK.linear.ladder.widths[2:3])
    known, late = ladder.expected("constant", records=150), Shape("linear", decay=0.2)

    def seen(schedule):
        each = ladder.expected(schedule, records=40)
        return step_rates(schedule, int(known.steps[0, -1])), each.steps[0, 2:], each.loss[0, 0, 2:]

    rates, at, true = seen(late)
    same = noise.equal_tau(known.tau[0], known.loss[0, 0], rates, at)

    def explained(*schedules):
        found = fit([seen(each) for each in schedules])
        return noise.explained(torch.from_numpy(found.loss(rates, at)), true, same)

    assert 0.65 < explained("constant", "linear") < 0.85
    assert 0.65 < explained(*AUTHORS) < 0.85
    assert 0.85 < explained("constant", "linear", late) < 0.95


def test_without_a_fall_there_is_nothing_to_fit_the_decay_to():
    shares, steps = torch.ones(50, dtype=torch.float64), torch.arange(1, 51)
    with pytest.raises(ValueError, match="runs must hold one whose rate falls"):
        fit([(shares, steps, torch.from_numpy(LAW.loss(shares, steps)))])
    shares = step_rates("linear", 50)
    with pytest.raises(ValueError, match="losses must be above 0"):
        fit([(shares, steps, torch.zeros(50, dtype=torch.float64))])
