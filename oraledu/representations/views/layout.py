"""What the views of this lesson share: looks, axes, legends, and names at the ends of lines."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREEN, ORANGE, PURPLE

T = TypeVar("T")

#: How models look beside each other: colour is never alone.
LOOKS: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": ORANGE, "linestyle": "--", "marker": "s"},
    {"color": GREEN, "linestyle": ":", "marker": "^"},
    {"color": PURPLE, "linestyle": "-.", "marker": "D"},
    {"color": "black", "linestyle": "-", "marker": "v"},
)
#: What the conventions of `gram.under` are called on a control.
CONVENTIONS = {
    "raw": "raw",
    "rows of length one": "unit",
    "centred": "centred",
    "centred, then of length one": "centred-unit",
}
#: A legend in a row at the top of a panel.
IN_A_ROW: dict[str, Any] = {
    "loc": "upper center",
    "fontsize": "x-small",
    "columnspacing": 1,
    "handlelength": 1.5,
}


def with_looks(named: Mapping[str, T]) -> Iterable[tuple[str, T, dict[str, Any]]]:
    """Go through models, by name, with the look of each; more than can be told apart are an error."""
    return zip(named, named.values(), LOOKS[: len(named)], strict=True)


def layer_axis(ax: Axes, layers: int) -> None:
    """Let the horizontal axis be the layer, from 0 for the embedding to the last."""
    ax.set(xlim=(-0.03 * layers, 1.03 * layers - 1), xlabel="layer")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def log_axis(ax: Axes, ticks: Sequence[float]) -> None:
    """Let the horizontal axis be logarithmic, with these ticks in plain numbers."""
    ax.set_xscale("log")
    ax.minorticks_off()
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Give each whole number of the vertical axis a name, from the top down."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)


def legend_above(figure: Figure, handles: Sequence[Artist]) -> None:
    """Put a legend in one row above all panels."""
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)


def row(count: int, *, height: int, **options: Any) -> tuple[Figure, list[Axes]]:
    """Make a figure with one to four panels side by side."""
    figure, axes = panels([list("abcd"[:count])], height=height, **options)
    return figure, list(axes.values())


def depth(layers: int) -> Tensor:
    """Return the place of each layer between the embedding at 0 and the last at 1: (layers,)."""
    return torch.linspace(0, 1, layers)


def mean_run(values: Tensor) -> Tensor:
    """Return a curve (layers,) as it is, and the mean of several runs (runs, layers)."""
    return values.mean(dim=0) if values.ndim == 2 else values


def tokens_of(k: Tensor) -> Tensor:
    """Return rows with a given Gram matrix, for functions that take tokens: (..., T, T) -> (..., T, T) float64.

    Tokens are known by their Gram matrix up to a rotation, which no metric sees.
    """
    values, vectors = torch.linalg.eigh(k.double())
    return vectors * values.clamp(min=0).sqrt()[..., None, :]


def name_ends(ax: Axes, ends: Sequence[tuple[float, str, str]], *, gap: float = 0.075) -> None:
    """Write names beside the right ends of lines, pushed apart where they would overlap.

    An end is the height of a line there, its name and its colour; the gap is a share of the axes' height.
    """
    low, high = ax.get_ylim()
    ends = sorted(ends, key=lambda end: end[0])
    places = [(height - low) / (high - low) for height, _, _ in ends]
    for _ in range(200):
        for lower in range(len(places) - 1):
            excess = gap - (places[lower + 1] - places[lower])
            if excess > 1e-9:
                places[lower] -= excess / 2
                places[lower + 1] += excess / 2
    right = ax.get_xlim()[1]
    for place, (_, name, colour) in zip(places, ends, strict=True):
        text = ax.annotate(name, (right, low + place * (high - low)), (3, 0), textcoords="offset points")
        text.set(va="center", color=colour, annotation_clip=False)
