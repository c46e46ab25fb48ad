"""Part 3: the path of a prompt's tokens, and the angles by which it turns."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure
from oraledu.course.style import BLUE, GREY, ORANGE, PURPLE
from oraledu.representations import geometry
from oraledu.representations.views.layout import IN_A_ROW, row
from oraledu.representations.views.words import plain

DIMENSIONS = (2, 4, 16, 64, 512)
KINDS = {
    "straight line": "line",
    "back and forth": "zigzag",
    "regular polygon": "polygon",
    "random walk": "walk",
    "independent tokens": "independent",
}
#: What the mean turn is in theory, in words for a title; the last two in many dimensions.
LIMITS = {"line": "0", "zigzag": "π", "polygon": "2π/n", "walk": "π/2", "independent": "2π/3"}


def path_explorer(*, curvature: Callable[[Tensor], Tensor] = geometry.curvature) -> Explorer:
    """Let a learner choose a short path, move its middle token aside, and see each turn and their mean."""
    figure, (left, right) = row(2, height=300, width_ratios=[1, 1.2])
    (line,) = left.plot([], [], "-o", color=BLUE, markersize=5, linewidth=1.5)
    (start,) = left.plot([], [], "o", color="black", markersize=8, zorder=3)
    (moved,) = left.plot([], [], "s", color=ORANGE, markersize=8, zorder=3)
    left.set(aspect="equal", xticks=[], yticks=[], xlabel="black: the first token; square: the middle one")
    (turns,) = right.plot([], [], "o", color=PURPLE, label="each turn")
    (mean,) = right.plot([], [], color=ORANGE, linewidth=2, label="curvature, their mean")
    (limit,) = right.plot([], [], color=GREY, linestyle="--", label="what theory says")
    right.set(ylim=(-0.1, np.pi * 1.35), xlabel="token", ylabel="turn (radians)")
    right.set_yticks([0, np.pi / 3, np.pi / 2, 2 * np.pi / 3, np.pi], ["0", "π/3", "π/2", "2π/3", "π"])
    right.legend(**IN_A_ROW, ncols=3)

    def draw(kind: str = "polygon", tokens: int = 8, dimensions: int = 2, aside: float = 0.0) -> Figure:
        z = path(kind, tokens, dimensions, aside)
        flat = _flattened(z)
        middle = tokens // 2
        line.set_data(*flat.T)
        start.set_data(*flat[:1].T)
        moved.set_data(*flat[middle : middle + 1].T)
        _frame(left, flat)
        angles = torch.stack([curvature(z[place : place + 3]) for place in range(tokens - 2)])
        found, expected = float(curvature(z)), theory(kind, tokens)
        places = np.arange(1, tokens - 1)
        turns.set_data(places, angles)
        mean.set_data(places[[0, -1]], [found, found])
        limit.set_data([0.5, tokens - 1.5], [expected, expected])
        right.set_xlim(0.2, tokens - 1.2)
        flattened = ", flattened" if dimensions > 2 else ""
        left.set_title(f"{tokens} tokens in {dimensions} dimensions{flattened}")
        right.set_title(f"curvature {found:.2f}; theory {LIMITS[kind]} = {expected:.2f}")
        name = next(name for name, value in KINDS.items() if value == kind)
        where = " in many dimensions" if kind in ("walk", "independent") else ""
        figure.alt = (
            f"A path of {tokens} tokens in {dimensions} dimensions, {name}, its middle token moved aside by "
            f"{aside:g}. Its turns lie between {plain(angles.min())} and {plain(angles.max())} "
            f"radians; their mean, the curvature, is {plain(found)}. For the path as it was, theory says "
            f"{LIMITS[kind]} = {expected:.2f}{where}."
        )
        return figure

    return explore(
        draw,
        labels={"kind": "path", "tokens": "number of tokens", "aside": "middle token moved aside"},
        kind=KINDS,
        tokens=(4, 24),
        dimensions=list(DIMENSIONS),
        aside=[round(float(aside), 2) for aside in np.arange(0, 3.1, 0.25)],
    )


def path(kind: str, tokens: int, dimensions: int, aside: float = 0.0) -> Tensor:
    """Return a path (T, D) float64 with steps of about length one, its middle token moved across it.

    Its kind is a value of `KINDS`; the first three lie in a plane. A polygon is walked round once, so that n tokens
    are n corners.
    """
    generator = torch.Generator().manual_seed(tokens)
    place = torch.arange(tokens, dtype=torch.float64)
    z = torch.zeros(tokens, dimensions, dtype=torch.float64)
    if kind == "line":
        z[:, 0] = place
    elif kind == "zigzag":
        z[:, 0] = place % 2
    elif kind == "polygon":
        angle = 2 * torch.pi * place / tokens
        z[:, 0], z[:, 1] = angle.cos(), angle.sin()
        z /= 2 * np.sin(np.pi / tokens)
    else:
        z = torch.randn(tokens, dimensions, generator=generator, dtype=torch.float64)
        z = z.cumsum(0) / dimensions**0.5 if kind == "walk" else z / (2 * dimensions) ** 0.5
    z[tokens // 2, 1] += aside
    return z


def theory(kind: str, tokens: int) -> float:
    """Return the curvature of a kind of path in theory, radians; of random ones in many dimensions."""
    half_turns = {"line": 0, "zigzag": 1, "polygon": 2 / tokens, "walk": 1 / 2, "independent": 2 / 3}
    return np.pi * half_turns[kind]


def _flattened(z: Tensor) -> np.ndarray:
    """Return the path in the plane in which it is widest, or as it is in two dimensions: (T, 2)."""
    if z.shape[1] == 2 or not z[:, 2:].any():
        return z[:, :2].numpy()
    centred = z - z.mean(dim=0)
    _, _, right = torch.linalg.svd(centred, full_matrices=False)
    return (centred @ right[:2].T).numpy()


def _frame(ax: Axes, flat: np.ndarray) -> None:
    """Let the axes hold a path with some room."""
    x, y = (flat.max(axis=0) + flat.min(axis=0)) / 2
    half = max(0.8, 0.58 * float(np.ptp(flat, axis=0).max()))
    ax.set(xlim=(x - half, x + half), ylim=(y - half, y + half))
