"""A run of the sweep is one network of the lesson's ladder, and the picture is the lesson's own."""

import math
from dataclasses import replace

import pytest
import torch

from oraledu.scaling import curves, sweep, views
from oraledu.scaling.settings import preset
from oraledu.scaling.training import train


def test_a_run_is_one_network_of_the_ladder():
    found = sweep.run("quick", schedule="cosine", width=8, seed=3, device="cpu")
    study = preset("quick").mlp
    both = train(replace(study.ladder, widths=(8,)), "cosine", seeds=(2, 3), records=study.records)
    torch.testing.assert_close(torch.tensor(found["losses"], dtype=torch.float64), both.loss[0, 1])
    assert found["steps"] == both.steps[0].tolist()
    assert found["loss"] == found["losses"][-1]
    assert "widths=(8,)" in found["settings"]


def table(schedule: str, seeds: int) -> list[dict]:
    """Return rows of two widths with curves that differ."""
    generator = torch.Generator().manual_seed(0)
    return [
        {
            "schedule": schedule,
            "width": width,
            "seed": seed,
            "steps": [round(width * x) for x in (0, 0.25, 0.5, 0.75, 1)],
            "losses": (torch.linspace(5, 1, 5) + torch.rand(5, generator=generator)).tolist(),
        }
        for width in (8, 16)
        for seed in range(seeds)
    ]


def test_the_picture_has_the_deviation_of_seeds_that_are_whole_at_every_width():
    rows = table("constant", 4) + table("linear", 1)
    rows[1]["losses"][-1] = math.nan  # width 8, seed 1
    del rows[6]  # width 16, seed 2
    figure = views.sweep_figure(rows)
    (ax,) = figure.axes
    loss = torch.tensor(
        [[row["losses"] for row in rows if row["width"] == w and row["seed"] in (0, 3)] for w in (8, 16)]
    )
    kept = loss[:, :2].double()
    grid = torch.linspace(0, 1, 5, dtype=torch.float64)
    delta = curves.collapse_deviation(curves.normalize(grid, kept, 0.0, grid))
    drawn = next(line for line in ax.lines if line.get_label() == "deviation Δ")
    torch.testing.assert_close(torch.tensor(drawn.get_ydata()), delta[1:-1])
    assert "constant" in figure.alt
    assert "linear" not in figure.alt


def test_without_two_widths_and_two_seeds_there_is_no_picture():
    for rows in (table("linear", 1), [row for row in table("linear", 3) if row["width"] == 8]):
        with pytest.raises(ValueError, match="it takes two widths, and two seeds"):
            views.sweep_figure(rows)
