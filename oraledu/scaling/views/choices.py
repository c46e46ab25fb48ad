"""Part 3: what the choice of an offset and of a normaliser does to the measured collapse."""

from collections.abc import Mapping

import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREEN, GREY, ORANGE
from oraledu.scaling import curves
from oraledu.scaling.frontier import fit_frontier
from oraledu.scaling.views.layout import Normalize, about, cut, decades, joined, nearest, shades, size_legend

#: The progress over which the offset explorer averages.
WINDOW = (0.2, 0.95)
#: How many offsets there are to choose from, from 0 to a little below the smallest loss.
OFFSETS = 25
#: What the offset explorer measures, and how it looks.
MEASURES = (("Δ", BLUE, "-"), ("Δ / σ", "black", "--"), ("Δ / (ℓ - 1)", GREEN, "-."))
NORMALISERS = {
    "each run's own end": "own",
    "the mean of the size's ends": "mean",
    "each run's first point": "first",
}


def offset_explorer(
    *,
    compute: Tensor,
    progress: Tensor,
    loss: Tensor,
    grid: Tensor,
    parameters: Tensor,
    fitted: float,
    normalize: Normalize = curves.normalize,
) -> Explorer:
    """Let a learner move the offset, and see the frontier, deviation and floor, and their ratio over all offsets.

    The slider starts at the offset that the frontier's fit found. Of each run we know the compute at its end; its
    progress, at the records or for each run, reaches beyond the grid, and the grid into `WINDOW`.
    """
    at_grid, ends = curves.on_grid(progress, loss, grid), loss[..., -1].mean(dim=1)
    window = (grid >= WINDOW[0]) & (grid <= WINDOW[1])
    fitted = float(f"{fitted:.4g}")  # as the slider writes it
    scan = torch.linspace(0, 0.96 * float(loss.min()), OFFSETS).tolist()
    offsets = sorted({*(float(f"{value:.3g}") for value in scan), fitted})

    def measured(offset: float) -> tuple[Tensor, Tensor, Tensor]:
        normalized = normalize(progress, loss, offset, grid)
        floor = curves.noise_floor(at_grid, offset).mean(dim=0)
        return curves.collapse_deviation(normalized), floor, normalized.mean(dim=(0, 1))

    def summary(offset: float) -> list[float]:
        deviation, floor, mean = (values[window] for values in measured(offset))
        return [
            float(v.square().mean().sqrt()) for v in (deviation, deviation / floor, deviation / (mean - 1))
        ]

    table = torch.tensor([summary(offset) for offset in offsets])
    figure, axes = panels([["frontier", "curves", "offsets"]], height=320)
    left, middle, right = axes["frontier"], axes["curves"], axes["offsets"]
    (line,) = left.plot([], [], "k--", linewidth=1.2)
    dots = [left.plot([], [], "o", color=c, markeredgecolor="black", zorder=3)[0] for c in shades(len(loss))]
    left.set(xscale="log", yscale="log", xlabel="compute c (FLOPs)", ylabel="end loss less the offset")
    left.set_xlim(float(compute.min()) / 3, float(compute.max()) * 3)
    left.set_ylim(float(ends.min()) / 30, float(ends.max()) * 2)
    inner = grid < 1
    (floor_line,) = middle.plot(grid[inner], grid[inner], color=ORANGE, linestyle="--", label="floor σ")
    (deviation_line,) = middle.plot(grid[inner], grid[inner], color=BLUE, label="deviation Δ")
    middle.set(yscale="log", xlim=(0, 1), xlabel="progress x")
    every = torch.cat([values for some in (offsets[0], fitted, offsets[-1]) for values in measured(some)[:2]])
    middle.set_ylim(float(every[every > 0].quantile(0.05)) / 2, float(every.max()) * 1.3)
    for values, (name, colour, style) in zip(table.T, MEASURES, strict=True):
        start = offsets[0], float(values[0])
        right.plot(offsets, values, color=colour, linestyle=style)
        right.annotate(name, start, (2, 3), textcoords="offset points", color=colour)
    right.axvline(fitted, color=GREY, linestyle=":", linewidth=1)
    cursor = right.axvline(0, color="black", linewidth=1)
    right.set(yscale="log", xlabel="offset L₀")
    middle.legend(loc="lower left", fontsize="small")
    decades(left.xaxis, left.yaxis, middle.yaxis, right.yaxis)
    size_legend(figure, parameters)

    def draw(offset: float = fitted) -> Figure:
        law = fit_frontier(compute, ends, offset=offset)
        line.set_data(compute, law(compute) - offset)
        for row, dot in enumerate(dots):
            dot.set_data(compute[row : row + 1], ends[row : row + 1] - offset)
        deviation, floor, _ = measured(offset)
        deviation_line.set_ydata(deviation[inner])
        floor_line.set_ydata(floor[inner])
        cursor.set_xdata([offset, offset])
        explained = law.r_squared(compute, ends)
        spread, ratio, share = table[offsets.index(offset)].tolist()
        left.set_title(f"L₀ = {about(offset, 3)}\nR² = {cut(explained, 4)}")
        middle.set_title("deviation and floor\n")
        right.set_title(f"root mean squares,\nx from {WINDOW[0]:g} to {WINDOW[1]:g}")
        best = [offsets[place] for place in table.argmin(dim=0).tolist()]
        figure.alt = (
            f"At an offset of {about(offset, 2)}, where the fit found {about(fitted, 2)}: the end losses less the "
            f"offset against compute, with R² {cut(explained, 3)}; deviation and floor over progress; "
            f"and over all offsets root mean squares, here {about(spread)} for Δ, {about(ratio)} for Δ / σ and "
            f"{about(share)} for Δ / (ℓ - 1). Δ alone is smallest at {about(best[0])}, Δ / σ at {about(best[1])}, "
            f"Δ / (ℓ - 1) at {about(best[2])}."
        )
        return figure

    return explore(draw, labels={"offset": "offset L₀"}, offset=offsets)


def normaliser_explorer(
    *, grid: Tensor, losses: Mapping[str, Tensor], offset: float, parameters: Tensor
) -> Explorer:
    """Let a learner divide each run by its own end, by the mean of the ends, or by its first point."""
    names = list(losses)
    floors = {name: curves.noise_floor(values, offset).mean(dim=0) for name, values in losses.items()}
    sizes, seeds, _ = losses[names[0]].shape
    figure, axes = panels([["curves", "spread"]], height=320)
    left, right = axes["curves"], axes["spread"]
    every_x = joined(grid.expand(seeds, -1))
    lines = [left.plot(every_x, every_x, color=c, linewidth=0.8, alpha=0.7)[0] for c in shades(sizes)]
    (floor_line,) = right.plot(grid, grid, color=ORANGE, linestyle="--", label="noise floor σ")
    (spread_line,) = right.plot(grid, grid, color=BLUE, label="spread of what is shown, Δ")
    left.set(xlim=(0, 1), xlabel="progress x", ylabel="reducible loss, divided")
    left.yaxis.set_major_formatter("{x:.1f}")  # of one width in every picture
    right.set(xlim=(0, 1), xlabel="progress x", ylabel="relative standard deviation")
    highest = max(float(floor[grid >= 0.1].max()) for floor in floors.values())
    right.set_ylim(0, 1.8 * highest)
    right.legend(loc="upper right")
    size_legend(figure, parameters)
    place = nearest(grid, 0.9)

    def draw(schedule: str = names[-1], divisor: str = "own") -> Figure:
        reducible = losses[schedule] - offset
        record = reducible[..., :1] if divisor == "first" else reducible[..., -1:]
        shown = reducible / (record.mean(dim=1, keepdim=True) if divisor == "mean" else record)
        spread, floor = curves.collapse_deviation(shown), floors[schedule]
        for rows, drawn in zip(shown, lines, strict=True):
            drawn.set_ydata(joined(rows))
        floor_line.set_ydata(floor)
        spread_line.set_ydata(spread)
        left.set_ylim(0, 1.05 * float(shown[..., grid >= 0.1].max()))
        word = next(label for label, key in NORMALISERS.items() if key == divisor)
        left.set_title(f"{schedule}: divided by {word}")
        end, before = float(spread[-1]), float(spread[place])
        right.set_title(f"x = {grid[place]:.2g}: Δ = {about(before, 2)}, σ = {about(float(floor[place]), 2)}")
        figure.alt = (
            f"The reducible losses under the schedule {schedule}, divided by {word}, over progress, and their spread "
            f"over all runs beside the noise floor. At x = {grid[place]:.2g} the spread is {about(before, 2)} and the "
            f"floor {about(float(floor[place]), 2)}; at the end the spread is {about(end, 2)} and the floor "
            f"{about(float(floor[-1]), 2)}."
        )
        return figure

    return explore(draw, labels={"divisor": "divided by"}, schedule=names, divisor=NORMALISERS)
