"""Parts 3 and 4: the deviation against the floor, and who makes up the variance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREY, ORANGE
from oraledu.scaling import curves
from oraledu.scaling.curves import supercollapse_from
from oraledu.scaling.views.layout import about, decades, legend_below, mean_floor, nearest


def deviation_and_floor(
    *, grid: Tensor, deviation: Mapping[str, Tensor], floor: Mapping[str, Tensor], at: float = 0.9
) -> Figure:
    """Draw the collapse deviation Δ(x) against the noise floor σ(x), one panel for each schedule.

    The floor is (points,) or (sizes, points), of which the mean over sizes counts; the ratio is told at one progress.
    """
    names, place = list(deviation), nearest(grid, at)
    figure, axes = panels([names], height=270, sharey=True)
    inner = (grid < 1) & (grid > 0)
    x = grid[inner]
    words = []
    for name in names:
        ax, delta, sigma = axes[name], deviation[name][inner], mean_floor(floor[name])[inner]
        ax.fill_between(x, delta, sigma, where=delta < sigma, color=BLUE, alpha=0.15, linewidth=0)
        ax.plot(x, sigma, color=ORANGE, linestyle="--", label="noise floor σ")
        ax.plot(x, delta, color=BLUE, label="deviation Δ")
        ratio = float(deviation[name][place] / mean_floor(floor[name])[place])
        ax.axvline(float(grid[place]), color=GREY, linewidth=0.8, linestyle=":")
        ax.set(yscale="log", xlim=(0, 1), xlabel="progress x")
        ax.set_title(f"{name}\nΔ / σ = {_ratio(ratio)} at x = {grid[place]:.2g}")
        since = supercollapse_from(deviation[name], floor[name], grid)
        words.append(f"{name} {_ratio(ratio)}, {_since(since)}")
        decades(ax.yaxis)
    lowest = min(float(curve[(grid >= 0.1) & (grid <= 0.99)].min()) for curve in deviation.values())
    axes[names[0]].set_ylim(max(lowest / 2, 1e-5), None)
    axes[names[0]].set_ylabel("relative standard deviation")
    figure.legend(handles=axes[names[0]].get_lines()[1::-1], loc="outside lower center", ncols=2)
    figure.alt = (
        f"Deviation Δ and noise floor σ over progress, a panel for each schedule. Δ / σ at x = {grid[place]:.2g}: "
        f"{'; '.join(words)}."
    )
    return figure


def sweep_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw `deviation_and_floor` of a sweep, of the seeds that have reached the end at every width of a schedule.

    Raises:
        ValueError: There are not two widths and two such seeds under any schedule.
    """
    deviation, floor = {}, {}
    for schedule in dict.fromkeys(row["schedule"] for row in rows):
        of = {(row["width"], row["seed"]): row for row in rows if row["schedule"] == schedule}
        ended = {run for run, row in of.items() if np.isfinite(row["losses"]).all()}
        widths, seeds = (sorted(set(each)) for each in zip(*of, strict=True))
        seeds = [seed for seed in seeds if all((width, seed) in ended for width in widths)]
        if len(widths) > 1 and len(seeds) > 1:
            steps, loss = (
                torch.tensor([[of[width, seed][name] for seed in seeds] for width in widths]).double()
                for name in ("steps", "losses")
            )
            progress, grid = steps / steps[..., -1:], torch.linspace(0, 1, loss.shape[-1]).double()
            deviation[schedule] = curves.collapse_deviation(curves.normalize(progress, loss, 0.0, grid))
            floor[schedule] = curves.noise_floor(curves.on_grid(progress, loss, grid), 0.0)
    if not deviation:
        raise ValueError("it takes two widths, and two seeds that have reached the end at both")
    return deviation_and_floor(grid=grid, deviation=deviation, floor=floor)


def variance_bars(
    *,
    grid: Tensor,
    parts: Mapping[str, tuple[Tensor, Tensor]],
    counts: tuple[int, int],
    at: Sequence[float] = (0.3, 0.5, 0.7, 0.9),
) -> Figure:
    """Draw how much of the variance of normalised curves lies between sizes, and how much between seeds.

    The bars are shares; above each stands the standard deviation. A line marks what the size part would be by
    chance, if the sizes did not differ at all. For each schedule there are the size part and the seed part of the
    variance; `counts` are those of sizes and seeds.
    """
    names, (sizes, seeds), places = list(parts), counts, [nearest(grid, x) for x in at]
    figure, axes = panels([names], height=280, sharey=True)
    hatched: dict[str, Any] = {"color": ORANGE, "hatch": "//", "edgecolor": "white"}
    words = []
    for name in names:
        of_sizes, of_seeds = parts[name]
        size, seed = of_sizes[places].double().numpy(), of_seeds[places].double().numpy()
        whole = size + seed
        # A mean over S seeds wobbles with seed / (S - 1), of which the variance over N sizes sees (N - 1) / N.
        chance = (sizes - 1) / sizes * seed / (seeds - 1) / whole
        ax, share, x = axes[name], size / whole, np.arange(len(places))
        ax.bar(x, share, color=BLUE, width=0.6, label="between sizes")
        ax.bar(x, 1 - share, bottom=share, width=0.6, label="between seeds", **hatched)
        ax.hlines(chance, x - 0.4, x + 0.4, color="black", linewidth=1.6, label="size part by chance")
        for column, value in enumerate(np.sqrt(whole)):
            ax.text(column, 1.03, about(float(value)), ha="center", fontsize="small")
        ax.text(0.5, 1.03, "standard deviation of ℓ:", transform=ax.transAxes, ha="center", fontsize="small")
        ax.set(ylim=(0, 1.15), yticks=[0, 0.5, 1], yticklabels=["0", "50 %", "100 %"], xlabel="progress x")
        ax.set_title(f"{name}\n")
        ax.set_xticks(x, [f"{grid[place]:.2g}" for place in places])
        words.append(f"{name} {', '.join(f'{10 * round(10 * part)} %' for part in share)}")
    axes[names[0]].set_ylabel("share of the variance")
    legend_below(figure, axes[names[0]], 3)
    figure.alt = (
        f"Stacked bars of the variance of normalised curves at x = {', '.join(f'{grid[p]:.2g}' for p in places)}. "
        f"The share between sizes, in tens of per cent: {'; '.join(words)}; the rest lies between seeds."
    )
    return figure


def _since(start: float | None) -> str:
    if start is None:
        return "not below the floor up to the end"
    return f"below the floor from x = {start:.1f} to the end"


def _ratio(value: float) -> str:
    """Write a ratio with one digit after the point, or with its first digit if that comes later."""
    return f"{value:.1f}" if value >= 0.1 else about(value)
