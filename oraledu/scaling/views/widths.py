"""Part 7: widths that do not learn alike, and a ladder of transformers."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREEN, GREY, ORANGE
from oraledu.scaling.curves import supercollapse_from
from oraledu.scaling.mup import CoordinateCheck
from oraledu.scaling.views.layout import (
    about,
    decades,
    look,
    mean_floor,
    nearest,
    plain,
    plain_log,
    shade_legend,
    shades,
    size_legend,
)


def mup_drift(
    *,
    grid: Tensor,
    normalized: Mapping[str, Tensor],
    widths: Sequence[int],
    checks: Mapping[str, CoordinateCheck],
    at: float = 0.5,
) -> Figure:
    """Draw normalised curves by width for each way to set rates, and how far the first steps move each width.

    There are normalised curves and a coordinate check for each way, such as with muP and at one rate; the drift is
    told at one progress.
    """
    names, place = list(normalized), nearest(grid, at)
    figure, axes = panels([[*names, "change"]], height=310)
    highest = max(float(values.mean(dim=1)[:, grid >= 0.1].max()) for values in normalized.values())
    words = []
    for name in names:
        means = normalized[name].mean(dim=1)
        for row, colour in zip(means, shades(len(widths)), strict=True):
            axes[name].plot(grid, row, color=colour)
        first, last = float(means[0, place]), float(means[-1, place])
        axes[name].axvline(float(grid[place]), color=GREY, linewidth=0.8, linestyle=":")
        axes[name].set(yscale="log", xlim=(0, 1), ylim=(0.95, 1.05 * highest), xlabel="progress x")
        plain_log(axes[name])
        axes[name].set_title(f"{name}\nℓ({grid[place]:.2g}) from {first:.1f} to {last:.1f}")
        words.append(
            f"{name}: at x = {grid[place]:.2g} the curve of width {widths[0]} stands at {first:.1f}, that of width "
            f"{widths[-1]} at {last:.1f}; the change of features goes with width to the power "
            f"{plain(checks[name].slope)}"
        )
    axes[names[0]].set_ylabel("normalised loss ℓ(x), mean of seeds")
    ax = axes["change"]
    for (name, check), marker in zip(checks.items(), "os^v", strict=False):
        colour, style = look(names, name)
        label = f"{name}: slope {check.slope:.2f}"
        ax.plot(check.widths, check.change, marker, color=colour, linestyle=style, label=label)
    ax.set(xscale="log", yscale="log", xlabel="width", title="change of the features\nin the first steps")
    widest = max(checks.values(), key=lambda check: len(check.widths)).widths.tolist()
    ax.set_xticks(widest, [str(width) for width in widest])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    ax.set_ylim(low / 1.2, high * 1.8)
    plain_log(ax)
    ax.legend(loc="upper left", fontsize="small")
    shade_legend(figure, [str(width) for width in widths], "width")
    figure.alt = f"Normalised curves by width, and how far the first steps move features. {'. '.join(words)}."
    return figure


def text_ladder(
    *,
    grid: Tensor,
    normalized: Tensor,
    deviation: Tensor,
    floor: Tensor,
    parameters: Sequence[float] | Tensor,
) -> Figure:
    """Draw the curves of the transformers, and their deviation beside the floor and what is left to fall."""
    figure, axes = panels([["curves", "spread"]], height=310)
    left, right = axes["curves"], axes["spread"]
    for rows, colour in zip(normalized, shades(len(normalized)), strict=True):
        for row in rows:
            left.plot(grid, row, color=colour, linewidth=1, alpha=0.8)
    sigma, inner = mean_floor(floor), (grid < 1) & (grid >= 0.02)
    to_fall = normalized.mean(dim=(0, 1)) - 1
    right.plot(grid[inner], to_fall[inner], color=GREEN, linestyle="-.", label="ℓ - 1, what is left to fall")
    right.plot(grid[inner], deviation[inner], color=BLUE, label="deviation Δ")
    right.plot(grid[inner], sigma[inner], color=ORANGE, linestyle="--", label="noise floor σ")
    left.set(xlim=(0, 1), xlabel="progress x", title="the curves of the transformers")
    left.set_ylabel("normalised loss ℓ(x)")
    right.set(xlim=(0, 1), yscale="log", xlabel="progress x", title="a small deviation may be cheap")
    decades(right.yaxis)
    right.legend(loc="lower left")
    size_legend(figure, parameters)
    since = supercollapse_from(deviation, floor, grid)
    below = (
        "not below the floor up to the end" if since is None else f"below the floor from x = {since:.1f} on"
    )
    figure.alt = (
        f"Left: the normalised curves of {len(normalized)} sizes. Right, on a logarithmic scale: deviation, floor, and "
        f"what the mean curve has left to fall. {_beside(deviation, sigma, to_fall, grid, 0.5)}. "
        f"{_beside(deviation, sigma, to_fall, grid, 0.9)}. The deviation is {below}."
    )
    return figure


def _beside(deviation: Tensor, floor: Tensor, to_fall: Tensor, grid: Tensor, at: float) -> str:
    place = nearest(grid, at)
    delta, sigma, left = (float(values[place]) for values in (deviation, floor, to_fall))
    return (
        f"At x = {grid[place]:.2g} Δ is {about(delta)}, {about(delta / sigma)} times the floor and "
        f"{about(delta / left)} of what is left to fall"
    )
