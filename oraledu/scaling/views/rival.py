"""A rival: ladders under weight decay, held constant or scaled with the size."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREY, ORANGE
from oraledu.scaling.views.layout import about, decades, nearest, plain_log, shade_legend, shades

#: How each way to hold the decay is drawn.
LINES = {"constant": (ORANGE, "s--"), "scaled": (BLUE, "o-")}


def weight_decay(
    *,
    timescales: Sequence[float],
    deviation: Mapping[str, Sequence[float]],
    without: float,
    grid: Tensor,
    normalized: Mapping[str, Tensor],
    widths: Sequence[int],
    at: float = 0.5,
) -> Figure:
    """Draw the deviation of the exact ladder over the timescale, and the networks' mean curves by width.

    For each way to hold the decay, ``"constant"`` and ``"scaled"``, there is a deviation at each timescale and an array
    of normalised curves; ``without`` is the deviation without decay. The curves are told at one progress.
    """
    figure, axes = panels([["deviation", *normalized]], height=310)
    left, place, words = axes["deviation"], nearest(grid, at), []
    for name, values in deviation.items():
        colour, style = LINES[name]
        left.plot(timescales, values, style, color=colour, markersize=4, label=f"decay {name}")
        words.append(f"with the decay {name} between {about(min(values))} and {about(max(values))}")
    left.axhline(without, color=GREY, linestyle=":", label="no decay")
    left.set(xscale="log", yscale="log", xlabel="timescale θ at the narrowest", ylabel="Δ of the exact means")
    left.set_title("solvable ladder:\ndeviation between sizes")
    left.set_ylim(min(without, *map(min, deviation.values())) / 2, 2 * max(map(max, deviation.values())))
    decades(left.yaxis)
    left.set_xticks(timescales, [f"{timescale:g}" for timescale in timescales])
    left.minorticks_off()
    left.legend(loc="center right", fontsize="small")
    highest = max(float(each.mean(dim=1)[:, grid >= 0.1].max()) for each in normalized.values())
    told = []
    for name, curves in normalized.items():
        means, ax = curves.mean(dim=1), axes[name]
        for row, colour in zip(means, shades(len(widths)), strict=True):
            ax.plot(grid, row, color=colour)
        first, last = float(means[0, place]), float(means[-1, place])
        ax.axvline(float(grid[place]), color=GREY, linewidth=0.8, linestyle=":")
        ax.set(yscale="log", xlim=(0, 1), ylim=(0.95, 1.05 * highest), xlabel="progress x")
        plain_log(ax)
        ax.set_title(f"networks, decay {name}\nℓ({grid[place]:.2g}) from {first:.1f} to {last:.1f}")
        told.append(
            f"with the decay {name} width {widths[0]} stands at {first:.1f} and width {widths[-1]} at {last:.1f}"
        )
    axes[next(iter(normalized))].set_ylabel("normalised loss ℓ(x), mean of seeds")
    shade_legend(figure, [str(width) for width in widths], "width")
    figure.alt = (
        f"Left, on logarithmic scales: the deviation of the solvable ladder for timescales from {min(timescales):g} to "
        f"{max(timescales):g}: {', '.join(words)}; without decay {about(without)}. Right: normalised curves of the "
        f"networks by width. At x = {grid[place]:.2g}, {', '.join(told)}."
    )
    return figure
