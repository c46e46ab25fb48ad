"""Part 6: a run's fluctuations now and at its end, and how fast the deviation closes."""

from collections.abc import Mapping

import torch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels, subplots
from oraledu.course.style import BLUE, GREEN, GREY, ORANGE
from oraledu.scaling.views.layout import PALE, about, decades, joined, look, nearest, plain

#: Where the cursor of the fluctuation explorer can stand, in shares of the run.
CURSOR = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
#: The progress between which end slopes are fitted.
END = (0.975, 0.995)


def fluctuation_explorer(*, grid: Tensor, losses: Mapping[str, Tensor], offset: float = 0.0) -> Explorer:
    """Let a learner compare the fluctuations of runs at a cursor with those at their end.

    A fluctuation is ψ(x) = (L(x) - L₀) / mean over seeds - 1. Losses are those of one size, (seeds, points).
    """
    names = list(losses)
    reducible = {name: values - offset for name, values in losses.items()}
    psi = {name: values / values.mean(dim=0) - 1 for name, values in reducible.items()}
    places = {x: nearest(grid, x) for x in CURSOR if float(grid[0]) <= x}
    seeds = len(psi[names[0]])
    figure, axes = panels([["paths", "scatter", "bars"]], height=290, width_ratios=[1.7, 1.15, 0.75])
    paths, scatter, bars = axes["paths"], axes["scatter"], axes["bars"]
    every_x = joined(grid.expand(seeds, -1))
    (pale,) = paths.plot(every_x, every_x, color=PALE, linewidth=0.6)
    bold = [paths.plot(grid, grid, color=c, linewidth=1.6)[0] for c in (ORANGE, GREEN)]
    cursor = paths.axvline(0.5, color="black", linewidth=1)
    (cloud,) = scatter.plot([], [], "o", color=GREY, markersize=3.5, alpha=0.7)
    (diagonal,) = scatter.plot([], [], color="black", linewidth=0.8, linestyle=":")
    marks = [scatter.plot([], [], m, color=c, markersize=8)[0] for c, m in ((ORANGE, "s"), (GREEN, "^"))]
    columns = bars.bar([0, 1], [0, 0], color=[BLUE, PALE], width=0.6, edgecolor="black", linewidth=0.5)
    numbers = [bars.text(place, 0, "", ha="center", va="bottom", fontsize="small") for place in (0, 1)]
    bars.set_xticks([0, 1], ["Δ", "σ"])
    paths.set(xlim=(float(grid[0]), 1), xlabel="progress x", ylabel="fluctuation ψ(x)")
    scatter.set(xlabel="ψ at the cursor", ylabel="ψ at the end")
    bars.set_yticks([])
    for axis, form in ((paths.yaxis, "{x:.2f}"), (scatter.yaxis, "{x:.3f}"), (scatter.xaxis, "{x:.2g}")):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(form)  # numbers of one width in every picture

    def draw(schedule: str = names[0], x: float = 0.9, first: int = 0, second: int = 1) -> Figure:
        found, place = psi[schedule], places[x]
        now, end = found[:, place], found[:, -1]
        pale.set_ydata(joined(found))
        cloud.set_data(now, end)
        for line, mark, seed in zip(bold, marks, (first, second), strict=True):
            line.set_ydata(found[seed])
            mark.set_data(now[seed : seed + 1], end[seed : seed + 1])
        cursor.set_xdata([x, x])
        later = found[:, grid >= 0.5]
        top = 1.1 * max(float(later.max()), -2 * float(later.min()))
        paths.set_ylim(-top / 2, top)
        reach = 1.15 * float(torch.cat([now, end]).abs().max())
        scatter.set(xlim=(-reach, reach), ylim=(-reach, reach))
        diagonal.set_data([-reach, reach], [-reach, reach])
        own = (1 + now) / (1 + end)
        sigma, delta = float(now.std(correction=0)), float(own.std(correction=0) / own.mean())
        for column, number, value in zip(columns, numbers, (delta, sigma), strict=True):
            column.set_height(value)
            number.set(y=value, text=about(value))
        bars.set_ylim(0, 1.2 * max(sigma, delta))
        correlation = float(torch.corrcoef(torch.stack([now, end]))[0, 1])
        paths.set_title(f"{schedule}: seeds {first} and {second} of {seeds}")
        scatter.set_title(f"at x = {x:g}: correlation {correlation:.2f}")
        bars.set_title("spread")
        figure.alt = (
            f"Schedule {schedule}: the fluctuations of {seeds} seeds over progress, with seeds {first} and {second} "
            f"marked and a cursor at x = {x:g}; a scatter plot of the fluctuation there against that at the end, whose "
            f"correlation is {plain(correlation)}; and two bars: the deviation Δ is {about(delta)}, the floor σ "
            f"{about(sigma)}."
        )
        return figure

    labels = {"x": "cursor at x", "first": "seed in orange", "second": "seed in green"}
    choices = (0, seeds - 1)
    return explore(draw, labels=labels, schedule=names, x=list(places), first=choices, second=choices)


def end_slopes(
    *, grid: Tensor, deviation: Mapping[str, Tensor], slopes: Mapping[str, float], theory: Mapping[str, float]
) -> Figure:
    """Draw the deviation near the end against what is left of the run, with guides of theory's slopes.

    Slopes are those of log Δ on log (1 - x), fitted for x in `END`; theory knows those of some schedules.
    """
    names = list(deviation)
    fitted = (grid >= END[0] - 1e-9) & (grid <= END[1] + 1e-9)
    shown = (grid >= 0.5) & (grid < 1)
    left = 1 - grid[shown].double()
    words = "; ".join(
        f"{name} {slopes[name]:.1f}" + (f" (theory {theory[name]:g})" if name in theory else "")
        for name in names
    )
    figure, ax = subplots(
        alt="Near the end, in logarithmic axes, the deviation Δ falls with a power of 1 - x, what is left of the "
        f"run. Slopes fitted for x from {END[0]:g} to {END[1]:g}: {words}.",
        width=560,
        height=330,
    )
    ax.axvspan(1 - END[1], 1 - END[0], color=PALE, alpha=0.6, linewidth=0)
    for name in names:
        colour, style = look(names, name)
        values = deviation[name][shown].double()
        ax.plot(left, values, color=colour, linestyle=style, label=f"{name}: {slopes[name]:.2f}", linewidth=2)
        if name in theory:
            centre = deviation[name][fitted].double().log().mean()
            centre -= theory[name] * (1 - grid[fitted]).log().mean()
            span = torch.tensor([0.4 * (1 - END[1]), 3 * (1 - END[0])], dtype=torch.float64)
            ax.plot(span, centre.exp() * span ** theory[name], color="black", linewidth=0.9)
            low = float(span[0]), float(centre.exp() * span[0] ** theory[name])
            ax.annotate(f"{theory[name]:g}", low, (4, 0), textcoords="offset points", va="center")
    ax.set(xscale="log", yscale="log", xlabel="1 - x, what is left of the run", ylabel="deviation Δ(x)")
    decades(ax.xaxis, ax.yaxis)
    ax.invert_xaxis()
    ax.legend(title="slope in the grey band; black: theory", loc="lower left")
    return figure
