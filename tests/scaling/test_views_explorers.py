"""The explorers of lesson 3: every position of every control has a picture and words, which are true."""

import re

import pytest
import torch

from oraledu.scaling import curves, noise, views
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.linear import LinearLadder
from oraledu.scaling.schedules import Shape, step_rates
from oraledu.scaling.views.choices import NORMALISERS, WINDOW
from oraledu.scaling.views.layout import about
from tests.scaling import drawn
from tests.scaling.drawn import GRID, PARAMETERS

OFFSET = 0.3


@pytest.fixture(scope="module")
def ladder():
    return LinearLadder((24, 48), Horizon.through(24, 8 * 160, 1.0))


def offset_explorer():
    return views.offset_explorer(
        compute=drawn.compute()[:, -1],
        progress=GRID,
        loss=drawn.curves(offset=OFFSET),
        grid=GRID,
        parameters=PARAMETERS,
        fitted=OFFSET,
    )


def horizon_explorer(**options):
    return views.horizon_explorer(parameters=PARAMETERS, grid=GRID, **options)


def normaliser_explorer():
    losses = drawn.by_schedule()
    return views.normaliser_explorer(grid=GRID, losses=losses, offset=0.0, parameters=PARAMETERS)


def of_one_size(**options):
    return {name: values[1] for name, values in drawn.by_schedule(**options).items()}


def numbers(pattern, text):
    return [float(value) for value in re.search(pattern, text).groups()]


@pytest.mark.parametrize(
    "make",
    [
        horizon_explorer,
        offset_explorer,
        normaliser_explorer,
        lambda: views.fluctuation_explorer(grid=GRID, losses=of_one_size()),
    ],
    ids=["horizon", "offset", "normaliser", "fluctuation"],
)
def test_every_position_of_every_control_is_drawn_and_put_into_words(make):
    for name, pictures in drawn.every_picture(make()).items():
        assert len(set(pictures)) == len(pictures), f"two positions of {name} look the same"


def test_every_schedule_is_drawn_and_put_into_words(ladder):
    for name, pictures in drawn.every_picture(views.schedule_explorer(ladder=ladder, width=48)).items():
        assert len(set(pictures)) == len(pictures), f"two positions of {name} look the same"


def test_the_right_horizon_collapses_two_power_laws_and_a_wrong_one_does_not():
    explorer = horizon_explorer()
    assert "a deviation of 0.0 %" in explorer.alt
    right = numbers(r"slope of (-\d\.\d+) \((-\d\.\d+) is right", explorer.alt)
    assert right[0] == right[1] == pytest.approx(-0.3 * 0.4 / 0.7, abs=1e-3)
    explorer.controls["exponent_factor"].value = 0.6
    slope, true, deviation = numbers(
        r"slope of (-\d\.\d+) \((-\d\.\d+) is right.*deviation of (\d+\.\d) %", explorer.alt
    )
    assert abs(slope / true - 1) < 0.03, "the frontier barely moves"
    assert deviation > 1


def test_an_offset_that_is_off_spoils_the_collapse_at_the_right_horizon():
    explorer = horizon_explorer()
    for error in (-0.3, 0.3):
        explorer.controls["offset_error"].value = error
        assert numbers(r"deviation of (\d+\.\d) %", explorer.alt)[0] > 1


def test_the_horizon_explorer_draws_with_the_normalisation_that_is_handed_in():
    explorer = horizon_explorer(
        normalize=lambda x, loss, offset, grid: 2 * curves.normalize(x, loss, offset, grid)
    )
    low, high = numbers(r"lie between (\d+\.\d+) and (\d+\.\d+),", explorer.alt)
    assert min(low, high) > 2


def test_the_offset_explorer_says_root_mean_squares_of_what_it_draws():
    loss = drawn.curves(offset=OFFSET)
    explorer = offset_explorer()
    inner = (WINDOW[0] <= GRID) & (WINDOW[1] >= GRID)
    for offset in (explorer.values["offset"], explorer.controls["offset"].options[0]):
        explorer.controls["offset"].value = offset
        normalized = curves.normalize(GRID, loss, offset, GRID)
        delta, sigma = curves.collapse_deviation(normalized), curves.noise_floor(loss, offset).mean(dim=0)
        rms = [about(v[inner].square().mean().sqrt().item()) for v in (delta, delta / sigma)]
        assert f"here {rms[0]} for Δ, {rms[1]} for Δ / σ" in explorer.alt
        lines = explorer._draw(offset=offset).axes[1].lines
        torch.testing.assert_close(torch.as_tensor(lines[0].get_ydata()), sigma[GRID < 1])
        torch.testing.assert_close(torch.as_tensor(lines[1].get_ydata()), delta[GRID < 1])


def test_the_ratio_of_deviation_to_floor_is_smallest_near_the_true_offset():
    explorer = offset_explorer()
    assert explorer.values["offset"] == OFFSET
    assert abs(numbers(r"Δ / σ at (\d\.\d+),", explorer.alt)[0] - OFFSET) < 0.05


@pytest.mark.parametrize("divisor", NORMALISERS.values())
def test_the_normaliser_explorer_divides_by_what_it_says(divisor):
    losses = drawn.by_schedule()
    explorer = normaliser_explorer()
    explorer.controls["divisor"].value = divisor
    figure = explorer._draw(schedule="linear", divisor=divisor)
    first = torch.as_tensor(figure.axes[0].lines[0].get_ydata())[: len(GRID)]
    by = {
        "own": losses["linear"][0, 0, -1],
        "mean": losses["linear"][0, :, -1].mean(),
        "first": losses["linear"][0, 0, 0],
    }
    torch.testing.assert_close(first, losses["linear"][0, 0] / by[divisor])
    end = numbers(r"at the end the spread is (\d\.?\d*)", explorer.alt)[0]
    assert (end == 0) == (divisor == "own")


def test_a_decay_ties_fluctuations_to_the_end_and_the_words_say_how_much():
    losses = of_one_size(seeds=12)
    explorer = views.fluctuation_explorer(grid=GRID, losses=losses)
    for name, values in losses.items():
        explorer.controls["schedule"].value, explorer.controls["x"].value = name, 0.7
        place = int((GRID - 0.7).abs().argmin())
        psi = values / values.mean(dim=0) - 1
        expected = torch.corrcoef(psi[:, [place, -1]].T)[0, 1].item()
        assert numbers(r"correlation is (-?\d\.\d)", explorer.alt)[0] == pytest.approx(expected, abs=0.051)
        own = values[:, place] / values[:, -1]
        delta = (own.std(correction=0) / own.mean()).item()
        sigma = psi[:, place].std(correction=0).item()
        assert f"Δ is {about(delta)}, the floor σ {about(sigma)}." in explorer.alt


def test_the_marked_seeds_are_those_of_the_sliders():
    losses = of_one_size(seeds=5)
    explorer = views.fluctuation_explorer(grid=GRID, losses=losses)
    figure = explorer._draw(schedule="cosine", x=0.5, first=3, second=1)
    psi = losses["cosine"] / losses["cosine"].mean(dim=0) - 1
    for line, seed in zip(figure.axes[0].lines[1:3], (3, 1), strict=True):
        torch.testing.assert_close(torch.as_tensor(line.get_ydata()), psi[seed])


def test_the_schedule_explorer_runs_the_exact_recursion_and_says_how_well_the_law_predicts(ladder):
    explorer = views.schedule_explorer(ladder=ladder, width=48)
    explorer.controls["shape"].value, explorer.controls["decay"].value = "cosine", 0.5
    single = LinearLadder((48,), ladder.horizon)
    run, constant = (
        single.expected(Shape("cosine", 0.5), records=150),
        single.expected("constant", records=150),
    )
    assert f"at {about(run.loss[0, 0, -1].item(), 2)} above the offset" in explorer.alt
    rates, at = step_rates(Shape("cosine", 0.5), int(run.steps[0, -1])), run.steps[0]
    known = constant.tau[0], constant.loss[0, 0], rates
    predicted = noise.predict(*known, constant.trace[0, 0], at=at)
    same = noise.equal_tau(*known, at)
    share = noise.explained(predicted, run.loss[0, 0], same)
    assert f"predicts {about(predicted[-1].item(), 2)}: {int(100 * share)} % explained" in explorer.alt


def test_a_constant_rate_has_nothing_to_predict(ladder):
    explorer = views.schedule_explorer(ladder=ladder, width=24)
    explorer.controls["shape"].value = "constant"
    assert "nothing to predict" in explorer.alt
    assert "-0 %" not in explorer.alt


def test_the_schedule_explorer_predicts_with_the_law_that_is_handed_in(ladder):
    def no_law(tau, loss, schedule, trace, alpha, *, at):
        return noise.equal_tau(tau, loss, schedule, at)

    explorer = views.schedule_explorer(ladder=ladder, width=48, predict=no_law)
    assert ": 0 % explained" in explorer.alt
