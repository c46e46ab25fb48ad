"""The still figures of lesson 3: each draws its arrays, and says in words what they are."""

import re

import pytest
import torch

from oraledu.scaling import curves, noise, views
from oraledu.scaling.frontier import PowerLaw, fit_frontier
from oraledu.scaling.mup import CoordinateCheck
from oraledu.scaling.views.layout import about
from tests.scaling import drawn
from tests.scaling.drawn import GRID, PARAMETERS, SCHEDULES, looks_drawn


def drawn_y(line):
    return torch.as_tensor(line.get_ydata())


def tables(**options):
    """Deviation, floor and variance parts by schedule."""
    losses = drawn.by_schedule(**options)
    normalized = {name: curves.normalize(GRID, loss, 0.0, GRID) for name, loss in losses.items()}
    parts = {name: curves.variance_parts(values) for name, values in normalized.items()}
    return (
        {name: curves.collapse_deviation(values) for name, values in normalized.items()},
        {name: curves.noise_floor(loss, 0.0) for name, loss in losses.items()},
        {name: (part.size, part.seed) for name, part in parts.items()},
    )


# Part 1: the frontier, and the three stages of a collapse.


def frontier(offset=0.2, compute=None):
    compute = drawn.compute() if compute is None else compute
    loss = drawn.curves(offset=offset).mean(dim=1)
    law = fit_frontier(compute[:, -1], loss[:, -1], offset=offset)
    return law, views.frontier(compute=compute, loss=loss, law=law, parameters=PARAMETERS)


def test_the_frontier_goes_through_the_end_points_raw_and_less_its_offset():
    law, figure = frontier()
    alt = looks_drawn(figure)
    ends = drawn.curves(offset=0.2).mean(dim=1)[:, -1]
    for ax, offset in zip(figure.axes, (0.0, 0.2), strict=True):
        marks = [line for line in ax.lines if line.get_marker() == "o"]
        torch.testing.assert_close(torch.cat([drawn_y(mark) for mark in marks]), ends - offset)
        dashed = ax.lines[-1]
        torch.testing.assert_close(
            drawn_y(dashed), law(torch.as_tensor(dashed.get_xdata()).double()) - offset
        )
    assert f"exponent -{law.exponent:.2f}" in alt
    assert "less the offset 0.20" in alt


def test_without_an_offset_one_panel_of_the_frontier_is_enough():
    _, figure = frontier(offset=0.0)
    assert len(figure.axes) == 1
    assert "offset" not in looks_drawn(figure)


def test_end_points_can_be_other_records_than_the_last():
    loss = drawn.curves().mean(dim=1)
    figure = views.frontier(
        compute=drawn.compute(), loss=loss, law=PowerLaw(1.0, 0.1), parameters=PARAMETERS, ends=[3, 40, 95]
    )
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    torch.testing.assert_close(torch.cat([drawn_y(mark) for mark in marks]), loss[[0, 1, 2], [3, 40, 95]])


def test_a_record_before_any_compute_is_left_out_of_logarithmic_axes():
    compute = drawn.compute()
    compute[:, 0] = 0
    _, figure = frontier(compute=compute)
    assert len(figure.axes[0].lines[0].get_xdata()) == len(GRID) - 1


def collapsed(offset=0.2):
    compute, loss = drawn.compute(), drawn.curves(offset=offset)
    shared = {"compute": compute, "loss": loss, "offset": offset, "grid": GRID, "parameters": PARAMETERS}
    return views.raw_shifted_collapsed(**shared, normalized=curves.normalize(GRID, loss, offset, GRID))


def test_the_same_runs_are_drawn_raw_less_the_offset_and_normalised():
    figure = collapsed()
    alt = looks_drawn(figure)
    loss = drawn.curves(offset=0.2)
    expected = loss, loss - 0.2, curves.normalize(GRID, loss, 0.2, GRID)
    for ax, values in zip(figure.axes, expected, strict=True):
        assert len(ax.lines) == loss.shape[0] * loss.shape[1]
        for line, row in zip(ax.lines, values.flatten(0, 1), strict=True):
            torch.testing.assert_close(drawn_y(line), row)
    middle = expected[2][..., int((GRID - 0.5).abs().argmin())].mean(dim=1)
    assert f"lie between {middle.min():.1f} and {middle.max():.1f}." in alt


def test_runs_without_an_offset_need_two_panels():
    figure = collapsed(offset=0.0)
    assert len(figure.axes) == 2
    assert "less the offset" not in looks_drawn(figure)


# Part 3: measuring.


def test_the_ratio_of_deviation_to_floor_is_that_of_the_arrays():
    deviation, floor, _ = tables()
    figure = views.deviation_and_floor(grid=GRID, deviation=deviation, floor=floor, at=0.8)
    alt = looks_drawn(figure)
    place = int((GRID - 0.8).abs().argmin())
    for ax, name in zip(figure.axes, SCHEDULES, strict=True):
        sigma = floor[name].mean(dim=0)
        torch.testing.assert_close(drawn_y(ax.lines[0]), sigma[GRID < 1])
        torch.testing.assert_close(drawn_y(ax.lines[1]), deviation[name][GRID < 1])
        share = float(deviation[name][place] / sigma[place])
        ratio = f"{share:.1f}" if share >= 0.1 else about(share)
        assert f"Δ / σ = {ratio} at x = 0.8" in ax.get_title()
        assert f"{name} {ratio}, " in alt
    assert "constant" in alt
    since = curves.supercollapse_from(deviation["cosine"], floor["cosine"], GRID)
    assert f"below the floor from x = {since:.1f} to the end." in alt


def test_the_bars_are_the_shares_of_the_parts():
    _, _, parts = tables()
    figure = views.variance_bars(grid=GRID, parts=parts, counts=(3, 4), at=(0.3, 0.7))
    alt = looks_drawn(figure)
    places = [int((GRID - x).abs().argmin()) for x in (0.3, 0.7)]
    for ax, (name, (size, seed)) in zip(figure.axes, parts.items(), strict=True):
        shares = (size / (size + seed))[places]
        lower, upper = ax.containers
        torch.testing.assert_close(torch.tensor([bar.get_height() for bar in lower]).double(), shares)
        assert all(bar.get_y() + bar.get_height() == pytest.approx(1) for bar in upper)
        assert f"{name} {', '.join(f'{10 * round(10 * s)} %' for s in shares.tolist())}" in alt


def test_the_line_of_chance_is_what_equal_sizes_give_on_average():
    """With sizes that differ in nothing, the size part is the mark, up to the chance of many draws."""
    generator = torch.Generator().manual_seed(0)
    normalized = torch.randn(4, 5, 20_000, generator=generator, dtype=torch.float64)
    parts = curves.variance_parts(normalized)
    means = torch.stack([parts.size.mean(), parts.size.mean()]), torch.stack([parts.seed.mean()] * 2)
    figure = views.variance_bars(
        grid=torch.tensor([0.5, 1.0]), parts={"linear": means}, counts=(4, 5), at=(0.5,)
    )
    (ax,) = figure.axes
    chance = ax.collections[0].get_segments()[0][0][1]
    assert chance == pytest.approx(ax.containers[0][0].get_height(), rel=0.03)


# Parts 5 and 6.


def predictions():
    tau = {name: torch.linspace(1, 10, 30, dtype=torch.float64) for name in ("linear", "cosine")}
    constant = {name: 2 / time for name, time in tau.items()}
    true = {name: values * (1 - 0.05 * tau[name] / 10) for name, values in constant.items()}
    predicted = {name: values * (1 - 0.04 * tau[name] / 10) for name, values in constant.items()}
    return {"tau": tau, "true": true, "predicted": predicted, "constant": constant}


def test_a_prediction_stands_beside_the_truth_and_the_constant_rate():
    data = predictions()
    figure = views.prediction(**data)
    alt = looks_drawn(figure)
    for ax, name in zip(figure.axes, data["tau"], strict=True):
        for line, values in zip(ax.lines, ("constant", "true", "predicted"), strict=True):
            torch.testing.assert_close(drawn_y(line), data[values][name])
        share = noise.explained(data["predicted"][name], data["true"][name], data["constant"][name])
        assert f"{name}: {int(100 * share)} % explained" in ax.get_title()
    assert "linear 5 %, predicted 4 %, explained above 0.9; cosine" in alt


def test_a_prediction_that_is_worse_than_none_is_called_so():
    data = predictions()
    data["predicted"] = {name: 2 * values for name, values in data["constant"].items()}
    figure = views.prediction(**data)
    assert "less than nothing explained" in figure.axes[0].get_title()
    assert "explained nothing" in figure.alt


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_each_schedule_has_its_panel(count):
    data = {key: values["linear"] for key, values in predictions().items()}
    names = [f"schedule {place}" for place in range(count)]
    figure = views.prediction(**{key: dict.fromkeys(names, values) for key, values in data.items()})
    assert [ax.get_title().partition(":")[0] for ax in figure.axes] == names


def test_end_slopes_are_drawn_over_what_is_left_with_guides_of_theory():
    grid = torch.cat([torch.linspace(0.5, 0.995, 100), torch.ones(1)]).double()
    deviation = {"linear": (1 - grid) ** 1.5, "cosine": 0.1 * (1 - grid) ** 2.5, "constant": 0.1 * (grid < 1)}
    slopes = {"linear": 1.5, "cosine": 2.5, "constant": 0.0}
    figure = views.end_slopes(
        grid=grid, deviation=deviation, slopes=slopes, theory={"linear": 1.5, "cosine": 2.5}
    )
    alt = looks_drawn(figure)
    assert "linear 1.5 (theory 1.5); cosine 2.5 (theory 2.5); constant 0.0." in alt
    lines = figure.axes[0].lines
    torch.testing.assert_close(drawn_y(lines[0]), deviation["linear"][:-1])
    guide = lines[1]  # of an exact power, the guide lies on the curve
    torch.testing.assert_close(
        drawn_y(guide).double(), torch.as_tensor(guide.get_xdata()).double() ** 1.5, rtol=1e-6, atol=0
    )
    assert len(lines) == 5


# Parts 2 and 7.


def test_the_best_exponent_is_told_with_the_range_of_slopes():
    deviation = {"constant": torch.tensor([0.03, 0.0006, 0.02]), "linear": torch.tensor([0.02, 0.004, 0.001])}
    slope = {"constant": torch.tensor([-0.28, -0.281, -0.29]), "linear": torch.tensor([-0.26, -0.28, -0.31])}
    figure = views.wrong_exponent(exponents=[1.3, 1.5, 1.7], deviation=deviation, slope=slope, right=1.5)
    alt = looks_drawn(figure)
    assert (
        "constant: Δ is smallest, 0.0006, at 1.5 and reaches 0.03; the slope lies between -0.29 and -0.28"
        in alt
    )
    assert "linear: Δ is smallest, 0.001, at 1.7" in alt
    for ax, table in zip(figure.axes, (deviation, slope), strict=True):
        for line, values in zip(ax.lines, table.values(), strict=False):
            torch.testing.assert_close(drawn_y(line), values)


def drift():
    widths = torch.tensor([16, 32, 64])
    normalized = {
        name: curves.normalize(GRID, drawn.curves(seed=seed), 0.0, GRID)
        for seed, name in enumerate(("muP", "one rate"))
    }
    checks = {
        "muP": CoordinateCheck(widths, torch.tensor([0.1, 0.1, 0.1]).double()),
        "one rate": CoordinateCheck(widths, 0.01 * widths.double() ** 0.5),
    }
    return normalized, views.mup_drift(grid=GRID, normalized=normalized, widths=(16, 32, 64), checks=checks)


def test_the_drift_is_told_by_width_beside_the_coordinate_check():
    normalized, figure = drift()
    alt = looks_drawn(figure)
    place = int((GRID - 0.5).abs().argmin())
    for ax, (name, values) in zip(figure.axes, normalized.items(), strict=False):
        means = values.mean(dim=1)
        for line, row in zip(ax.lines, means, strict=False):
            torch.testing.assert_close(drawn_y(line), row)
        assert f"{name}: at x = 0.5 the curve of width 16 stands at {means[0, place]:.1f}" in alt
    assert [float(v) for v in re.findall(r"to the power (\d\.\d)", alt)] == [0.0, 0.5]
    assert "-0.0" not in alt


def test_the_text_ladder_says_what_the_curve_has_left_to_fall():
    loss = drawn.curves()
    normalized = curves.normalize(GRID, loss, 0.0, GRID)
    deviation, floor = curves.collapse_deviation(normalized), curves.noise_floor(loss, 0.0)
    figure = views.text_ladder(
        grid=GRID, normalized=normalized, deviation=deviation, floor=floor, parameters=PARAMETERS
    )
    alt = looks_drawn(figure)
    place = int((GRID - 0.9).abs().argmin())
    delta, left = float(deviation[place]), float(normalized[..., place].mean() - 1)
    ratio = delta / float(floor[:, place].mean())
    assert (
        f"At x = 0.9 Δ is {about(delta)}, {about(ratio)} times the floor and {about(delta / left)} of" in alt
    )
    assert len(figure.axes[0].lines) == 12


def test_the_decayed_ladders_are_told_by_timescale_and_by_width():
    normalized = {name: 1 + drawn.curves() for name in ("constant", "scaled")}
    deviation = {"constant": [0.05, 0.2, 0.1], "scaled": [0.003, 0.001, 0.002]}
    figure = views.weight_decay(
        timescales=(0.3, 1, 3),
        deviation=deviation,
        without=0.0008,
        grid=GRID,
        normalized=normalized,
        widths=(16, 32, 64),
    )
    alt = looks_drawn(figure)
    left, *right = figure.axes
    for line, values in zip(left.lines, deviation.values(), strict=False):
        assert drawn_y(line).tolist() == values
    place = int((GRID - 0.5).abs().argmin())
    for ax, (name, values) in zip(right, normalized.items(), strict=True):
        means = values.mean(dim=1)
        for line, row in zip(ax.lines, means, strict=False):
            torch.testing.assert_close(drawn_y(line), row)
        assert f"with the decay {name} width 16 stands at {means[0, place]:.1f} and width 64" in alt
    assert (
        "with the decay constant between 0.05 and 0.2, with the decay scaled between 0.001 and 0.003" in alt
    )
    assert alt.count("without decay 0.0008") == 1
