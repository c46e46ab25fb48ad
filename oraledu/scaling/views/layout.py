"""What the views of this lesson share: colours of sizes and schedules, named panels, numbers in words."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from torch import Tensor

from oraledu.course.style import BLUE, GREEN, ORANGE, PALETTE, PURPLE, RED

PALE = "#d9d9d9"

#: What normalises curves: `curves.normalize`, or a learner's own.
Normalize = Callable[[Tensor, Tensor, float, Tensor], Tensor]
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: How a schedule looks wherever it is drawn; other names take the remaining looks in turn.
LOOKS = {"constant": (BLUE, "-"), "linear": (ORANGE, "--"), "cosine": (GREEN, "-.")}
OTHERS = ((RED, "-"), (PURPLE, "--"), (PALETTE[5], "-."), (PALETTE[9], ":"), ("black", "-"))


def look(names: Sequence[str], name: str) -> tuple[str, str]:
    """Return the colour and the line style of a schedule, or of whatever else has a name among others."""
    if name in LOOKS:
        return LOOKS[name]
    return OTHERS[[other for other in names if other not in LOOKS].index(name) % len(OTHERS)]


def shades(count: int) -> list[Any]:
    """Return a colour for each size, dark for small ones and light for large; they differ in brightness too."""
    return list(matplotlib.colormaps["viridis"](np.linspace(0, 0.85, count)))


def sizes_in_words(parameters: Tensor | Sequence[float]) -> list[str]:
    """Return short names of sizes, such as 48, 9,360 or 1.5M."""
    return [f"{x / 1e6:.3g}M" if x >= 1e6 else f"{x:,.0f}" for x in map(float, parameters)]


def size_legend(figure: MatplotlibFigure, parameters: Tensor | Sequence[float]) -> None:
    """Name the sizes' colours in one line below the panels."""
    shade_legend(figure, sizes_in_words(parameters), "parameters")


def shade_legend(figure: MatplotlibFigure, labels: Sequence[str], title: str) -> None:
    """Name the colours of `shades` in one line below the panels."""
    handles = [
        Line2D([], [], color=shade, linewidth=2.5, label=label)
        for shade, label in zip(shades(len(labels)), labels, strict=True)
    ]
    handles.insert(0, Line2D([], [], linestyle="", label=f"{title}:"))
    short: dict[str, Any] = {"handlelength": 1.2, "columnspacing": 1.2}
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), **short)


def legend_below(figure: MatplotlibFigure, ax: Axes, columns: int) -> None:
    """Name the lines of one panel, which look the same in all, in one line below the panels."""
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=columns)


def plain_log(ax: Axes) -> None:
    """Write the numbers of a logarithmic y-axis plainly, at 1, 2 and 5 or, where it is short, at more."""
    ax.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def decades(*axes: Axis) -> None:
    """Write powers of ten at few decades of logarithmic axes, as plain text: mathematical text is slow to draw."""
    for axis in axes:
        axis.set_major_locator(LogLocator(base=10, numticks=5))
        axis.set_major_formatter(FuncFormatter(lambda value, _: _power_of_ten(value)))
        axis.set_minor_locator(NullLocator())


def nearest(grid: Tensor, x: float) -> int:
    """Return the index of the grid point nearest to a progress."""
    return int((grid - x).abs().argmin())


def joined(curves: Tensor) -> Tensor:
    """Return curves (n, points) as one, with a gap after each, (n · (points + 1),): many lines are slow to draw."""
    gap = curves.new_full((len(curves), 1), math.nan, dtype=curves.double().dtype)
    return torch.cat([curves.double(), gap], dim=1).flatten()


def mean_floor(floor: Tensor) -> Tensor:
    """Return a noise floor of shape (points,) or (sizes, points) as one curve, the mean over sizes: (points,)."""
    return floor.mean(dim=0) if floor.ndim == 2 else floor


def about(value: float, digits: int = 1) -> str:
    """Write a number with one significant digit, or more, without an exponent; noise counts little in words."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])  # after rounding, which may add a digit
    places = digits - 1 - exponent
    return f"{round(value, places):.{max(places, 0)}f}"


def plain(value: float) -> str:
    """Write a number with one digit after the point, and never a zero with a minus."""
    return f"{round(value, 1) + 0:.1f}"


def cut(value: float, digits: int) -> str:
    """Write a number from 0 to 1 with some digits, rounded down, so that an R² close to 1 does not become 1."""
    return f"{int(value * 10**digits) / 10**digits:.{digits}f}"


def _power_of_ten(value: float) -> str:
    exponent = round(math.log10(value)) if value > 0 else 0
    return f"10{str(exponent).translate(SUPERSCRIPTS)}"
