"""What the views of this lesson share: named panels, axes over layers, names at the ends of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from oraledu.course.figures import PALETTE

BLUE, ORANGE, GREEN, RED, PURPLE = PALETTE[:5]
GREY = "#8c8c8c"
#: How models look beside each other: colour is never alone.
LOOKS: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": ORANGE, "linestyle": "--", "marker": "s"},
    {"color": GREEN, "linestyle": ":", "marker": "^"},
    {"color": PURPLE, "linestyle": "-.", "marker": "D"},
)
#: What the conventions of `gram.under` are called on a control.
CONVENTIONS = {
    "raw": "raw",
    "rows of length one": "unit",
    "centred": "centred",
    "centred, then of length one": "centred-unit",
}

#: Of a score: in words, or its text set and its own name.
Name = str | tuple[str, ...]
#: Values by layer, by name.
Curves = Mapping[str, Tensor]
#: The same by model.
Models = Mapping[str, Curves]


def layer_axis(ax: Axes, layers: int) -> None:
    """Let the horizontal axis be the layer, from 0 for the embedding to the last."""
    ax.set(xlim=(-0.03 * layers, 1.03 * layers - 1), xlabel="layer")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def check_curves(curves: Curves, name: str) -> int:
    """Raise unless there are curves, all finite and over the same layers, 2 or more; return how many layers.

    Raises:
        ValueError: If there is no curve, or one of them is unfit.
    """
    if not curves:
        raise ValueError(f"{name} is empty; give at least one curve, a tensor (layers,).")
    layers = len(next(iter(curves.values())))
    for key, values in curves.items():
        if values.ndim != 1 or len(values) != layers or layers < 2:
            raise ValueError(
                f"{name} has a curve of shape {tuple(values.shape)} at {key!r}; all must be (layers,) over the same "
                "layers, 2 or more."
            )
        if not values.isfinite().all():
            raise ValueError(f"{name} has a value at {key!r} that is not finite.")
    return layers


def check_models(models: Models, name: str) -> dict[str, int]:
    """Raise unless each model has curves of the same names; return how many layers each model has.

    Raises:
        ValueError: If there is no model, the names differ, or a curve is unfit.
    """
    if not models:
        raise ValueError(f"{name} is empty; give the curves of at least one model.")
    if len(models) > len(LOOKS):
        raise ValueError(f"{name} has {len(models)} models; {len(LOOKS)} can be told apart.")
    names = list(next(iter(models.values())))
    for model, curves in models.items():
        if list(curves) != names:
            raise ValueError(
                f"{name} has {', '.join(curves) or 'nothing'} for {model!r}; expected {', '.join(names)}."
            )
    return {model: check_curves(curves, f"{name}[{model!r}]") for model, curves in models.items()}


def check_grams(grams: Sequence[Tensor], prompts: Sequence[str]) -> None:
    """Raise unless there is one Gram matrix per layer (layers, T, T) for each prompt, over the same layers.

    Raises:
        ValueError: If the counts do not fit, or a shape is unfit.
    """
    if not grams or len(grams) != len(prompts):
        raise ValueError(
            f"grams has {len(grams)} and prompts {len(prompts)} entries; give one each a prompt."
        )
    for gram in grams:
        if (
            gram.ndim != 3
            or gram.shape[1] != gram.shape[2]
            or gram.shape[1] < 3
            or len(gram) != len(grams[0])
        ):
            raise ValueError(
                f"grams has an entry of shape {tuple(gram.shape)}; each must be (layers, T, T) over the same "
                "layers, with at least 3 tokens."
            )


def depth(layers: int) -> Tensor:
    """Return the place of each layer between the embedding at 0 and the last at 1: (layers,)."""
    return torch.linspace(0, 1, layers)


def tokens_of(k: Tensor) -> Tensor:
    """Return rows with a given Gram matrix, for functions that take tokens: (..., T, T) -> (..., T, T) float64.

    Tokens are known by their Gram matrix up to a rotation, which no metric sees.
    """
    values, vectors = torch.linalg.eigh(k.double())
    return vectors * values.clamp(min=0).sqrt()[..., None, :]


def name_ends(ax: Axes, ends: Sequence[tuple[float, float, str, str]], *, gap: float = 0.075) -> None:
    """Write names beside the right ends of lines, pushed apart where they would overlap.

    Args:
        ax: Where to write; its limits must be set.
        ends: For each line x and y of its end, its name and its colour.
        gap: The least distance of two names, as a share of the axes' height.
    """
    low, high = ax.get_ylim()
    order = sorted(range(len(ends)), key=lambda index: ends[index][1])
    places = [(ends[index][1] - low) / (high - low) for index in order]
    for _ in range(200):
        for lower in range(len(places) - 1):
            excess = gap - (places[lower + 1] - places[lower])
            if excess > 1e-9:
                places[lower] -= excess / 2
                places[lower + 1] += excess / 2
    right = ax.get_xlim()[1]
    for place, index in zip(places, order, strict=True):
        _, _, name, colour = ends[index]
        ax.annotate(
            name,
            (right, low + place * (high - low)),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            annotation_clip=False,
        )


def shortened(text: str, length: int = 60) -> str:
    """Cut a text at a word, with an ellipsis, where it is too long for a menu."""
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0] + " …"


def number(value: float) -> str:
    """Write a number of any size with two digits that count, without an exponent where it is readable so."""
    if 10 <= abs(value) < 1e6:
        return f"{float(f'{value:.2g}'):,.0f}"
    return f"{value:.2g}".replace("e+0", "e")


def plain(value: float | Tensor, digits: int = 2) -> str:
    """Write a number with so many digits after the point, and never a minus before zeros."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}"


def signed(value: float | Tensor) -> str:
    """Write a difference with its sign and one digit after the point; a rounded zero is +0.0."""
    return f"{round(float(value), 1) + 0.0:+.1f}"


def written(name: Name) -> str:
    """Write a name; of a text set and a score "noun, clustering", or one of them if they are the same."""
    return name if isinstance(name, str) else ", ".join(dict.fromkeys(name))


def extremes(values: Tensor) -> str:
    """Say where a curve over layers begins and ends, and where it is lowest and highest."""
    low, high = int(values.argmin()), int(values.argmax())
    return (
        f"{plain(values[0])} at layer 0, {plain(values[-1])} at the last, lowest {plain(values[low])} at {low}, "
        f"highest {plain(values[high])} at {high}"
    )
