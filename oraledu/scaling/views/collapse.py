"""Part 1: the frontier, and what normalisation does to the curves of a ladder."""

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.figures import Figure, panels
from oraledu.scaling.frontier import PowerLaw
from oraledu.scaling.views.layout import about, decades, nearest, plain_log, shades, size_legend


def frontier(
    *,
    compute: Tensor,
    loss: Tensor,
    law: PowerLaw,
    parameters: Sequence[float] | Tensor,
    ends: Sequence[int] | Tensor | None = None,
) -> Figure:
    """Draw the curves of a ladder over compute with the power law through their end points, raw and less the offset.

    Losses are (sizes, points), averaged over seeds; a record before any compute is left out. `ends` are the records
    that are the end points, (sizes,); the last one if left out.
    """
    last = torch.full((len(loss),), loss.shape[1] - 1) if ends is None else torch.as_tensor(ends)
    rows = torch.arange(len(loss))
    points = compute[rows, last], loss[rows, last]
    explained = _share(law.r_squared(*points))
    names = ["raw", "less"] if law.offset > 0 else ["raw"]
    figure, axes = panels([names], height=300, width=720 if law.offset > 0 else 480)
    less = f"less the offset {about(law.offset, 2)}, they" if law.offset > 0 else "they"
    figure.alt = (
        f"Loss over compute in logarithmic axes for {len(loss)} sizes. The end points fall from "
        f"{about(float(points[1][0]), 2)} to {about(float(points[1][-1]), 2)} while compute grows "
        f"{about(float(points[0][-1] / points[0][0]))}-fold; {less} lie near a power law with exponent "
        f"-{law.exponent:.2f}, R² {explained}."
    )
    for name in names:
        offset = 0.0 if name == "raw" else law.offset
        _curves_and_law(axes[name], compute, loss, points, law, offset)
        axes[name].set_xlabel("compute c = 6 t p (FLOPs)")
    axes["raw"].set(ylabel="loss L", title="the loss bends towards its offset")
    if law.offset > 0:
        axes["less"].set_ylabel("L - L₀")
    axes[names[-1]].set_title(f"end points: exponent -{law.exponent:.2f}, R² {explained}")
    size_legend(figure, parameters)
    return figure


def raw_shifted_collapsed(
    *,
    compute: Tensor,
    loss: Tensor,
    offset: float,
    grid: Tensor,
    normalized: Tensor,
    parameters: Sequence[float] | Tensor,
) -> Figure:
    """Draw the same runs three times: as recorded, less the offset, and normalised.

    Compute at the records is (sizes, points); a record before any is left out. The normalised curves are at the grid.
    """
    at = nearest(grid, 0.5)
    names = ["raw", "less", "collapsed"] if offset > 0 else ["raw", "collapsed"]
    figure, axes = panels([names], height=290)
    lines: dict[str, Any] = {"linewidth": 0.8, "alpha": 0.7}
    for row, shade in enumerate(shades(len(loss))):
        known = compute[row] > 0
        for run in range(loss.shape[1]):
            for name in names[:-1]:
                reducible = loss[row, run][known] - (offset if name == "less" else 0)
                axes[name].plot(compute[row][known], reducible, color=shade, **lines)
            axes["collapsed"].plot(grid, normalized[row, run], color=shade, **lines)
    for name in names[:-1]:
        axes[name].set(xscale="log", yscale="log", xlabel="compute c (FLOPs)")
        _few_numbers(axes[name])
    axes["collapsed"].set(yscale="log", xlabel="progress x = t / t*", ylabel="ℓ(x)")
    _few_numbers(axes["collapsed"])
    axes["raw"].set(ylabel="loss", title="the losses" if offset else "the losses (their offset is 0)")
    if offset:
        axes["less"].set_title(f"less the offset {about(offset, 2)}")
    axes["collapsed"].set_title("and divided by each run's end" if offset else "divided by each run's end")
    size_legend(figure, parameters)
    ends, middle = loss[..., -1].mean(dim=1), normalized[..., at].mean(dim=1)
    less = f", as they are and less the offset {about(offset, 2)}" if offset else ""
    runs = "one run each" if loss.shape[1] == 1 else f"{loss.shape[1]} runs each"
    figure.alt = (
        f"The loss curves of {loss.shape[0]} sizes, {runs}. Over compute they lie apart{less}; "
        f"their ends fall from {about(float(ends[0]), 2)} for the smallest size to {about(float(ends[-1]), 2)} for "
        "the largest. Over progress, and divided by each run's own end, they are drawn on each other: at x = "
        f"{grid[at]:.1f} the means over seeds lie between {middle.min():.1f} and {middle.max():.1f}."
    )
    return figure


def _curves_and_law(
    ax: Axes, compute: Tensor, loss: Tensor, points: tuple[Tensor, Tensor], law: PowerLaw, offset: float
) -> None:
    for row, shade in enumerate(shades(len(loss))):
        known = compute[row] > 0
        ax.plot(compute[row][known], loss[row][known] - offset, color=shade, linewidth=1, alpha=0.8)
        ax.plot(points[0][row], points[1][row] - offset, "o", color=shade, markeredgecolor="black", zorder=3)
    span = points[0].log()
    ends = torch.linspace(float(span.min()) - 0.7, float(span.max()) + 0.7, 60).exp()
    ax.plot(ends, law(ends.double()) - offset, "k--", linewidth=1.2)
    ax.set(xscale="log", yscale="log")
    _few_numbers(ax)


def _few_numbers(ax: Axes) -> None:
    """Write a few plain numbers at a logarithmic loss axis, and powers of ten at one of compute."""
    low, high = ax.get_ylim()
    if high / low < 100:
        plain_log(ax)
    else:
        decades(ax.yaxis)
    if ax.get_xscale() == "log":
        decades(ax.xaxis)


def _share(value: float) -> str:
    """Write an R² close to 1 without rounding it up to 1."""
    near = next((bound for bound in (0.999, 0.99) if value > bound), None)
    return f"= {value:.2f}" if near is None else f"> {near:g}"
