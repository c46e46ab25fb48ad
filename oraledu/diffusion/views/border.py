"""Part 4: what the border tells a pixel, and what that does to its estimate."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.patches import Rectangle
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import MISSING, Figure, panels, subplots
from oraledu.course.style import BLUE
from oraledu.diffusion.machines import denoise
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views.layout import Window, bare, difference, noisy, picture, show
from oraledu.diffusion.windows import pad

#: The learner's or the reference's ``same_border(size, patch, row, column)``.
SameBorder = Callable[[int, int, int, int], Tensor]
#: What can lie beyond the border.
PADDINGS = ("zeros", "circular")


def dictionary_sizes(same_border: SameBorder, size: int, patches: Sequence[int]) -> Figure:
    """Draw for every pixel how many places of a training image it may be compared with, under zero padding.

    The numbers can be read up to images of 16 pixels a side, and three maps.
    """
    figure, axes = subplots(1, len(patches), alt="not drawn yet", height=270, squeeze=False)
    words = []
    for ax, patch in zip(axes[0], patches, strict=True):
        counts = np.array(
            [[int(same_border(size, patch, r, c).sum()) for c in range(size)] for r in range(size)]
        )
        ax.imshow(counts, norm=LogNorm(1, size * size), cmap="viridis", interpolation="nearest")
        for (row, column), count in np.ndenumerate(counts):
            light = count > size
            ax.text(column, row, count, ha="center", va="center", size=5, color="black" if light else "white")
        bare(ax, f"k = {patch}")
        middle = size // 2
        words.append(
            f"k = {patch}: {counts[middle, middle]} in the middle, {counts[0, middle]} at the middle of an edge, "
            f"{counts[0, 0]} in a corner"
        )
    figure.alt = (
        f"For each patch size k a map of {size} by {size} numbers: with how many places of a training image a pixel "
        f"is compared. {'; '.join(words)}."
    )
    return figure


def padding_explorer(
    images: Tensor,
    image: Tensor,
    noise: Tensor,
    same_border: SameBorder,
    *,
    t: float = 0.6,
    patches: Sequence[int] = (3, 5, 7, 9, 11),
) -> Explorer:
    """Let a learner see what lies beyond the border, and which training patches a pixel near it is left with.

    The image (C, H, W) gets the noise of time t. The estimates are made beforehand from the training set,
    (N, C, H, W); a few hundred images keep that quick.
    """
    size, x = image.shape[-1], noisy(image, noise, t)
    options: dict[str, Any] = {"machine": "equivariant-local"}
    estimates = {
        (padding, patch): denoise(x, images, alpha_bar(t), patch=patch, padding=padding, **options)[0]
        for padding in PADDINGS
        for patch in patches
    }
    margin = max(patches) // 2
    padded = {padding: pad(x, margin, padding)[0] for padding in PADDINGS}
    figure, axes = panels([["around", "query", "allowed"], [*PADDINGS, "difference"]], height=500)
    around = show(axes["around"], padded["zeros"], "noisy $x$, and its window")
    outer = (-margin - 0.5, size + margin - 0.5)
    around.set_extent((*outer, *outer[::-1]))
    edge = Rectangle((-0.5, -0.5), size, size, fill=False, edgecolor=BLUE, linewidth=2)
    axes["around"].add_patch(edge)
    axes["around"].set(xlim=outer, ylim=outer[::-1])
    query = show(axes["query"], x[0], "what the pixel sees")
    colours = ListedColormap([MISSING, BLUE])
    allowed = axes["allowed"].imshow(np.zeros((size, size)), cmap=colours, vmin=0, vmax=1)
    bare(axes["allowed"])
    pictures = {padding: show(axes[padding], x[0], rf"$\hat x_0$, {padding}") for padding in PADDINGS}
    gaps = difference(axes["difference"], 0 * x[0, 0], 1, "zeros minus circular")
    window = Window(axes["around"])
    dots = [Window(axes[name]) for name in ("allowed", *PADDINGS, "difference")]

    def draw(padding: str = "zeros", patch: int = 5, row: int = 0, column: int = size // 2) -> Figure:
        around.set_data(picture(padded[padding]))
        window.set(row, column, patch)
        for dot in dots:
            dot.set(row, column, 1)
        top, left = row + margin - patch // 2, column + margin - patch // 2
        query.set_data(picture(padded[padding][:, top : top + patch, left : left + patch]))
        places = torch.ones(size, size, dtype=torch.bool)
        if padding == "zeros":
            places = same_border(size, patch, row, column)
        count = int(places.sum())
        allowed.set_data(places.cpu().numpy())
        axes["allowed"].set_title(f"compared with {count} of {size * size} places")
        for name, shown in pictures.items():
            shown.set_data(picture(estimates[name, patch]))
        gap = (estimates["zeros", patch] - estimates["circular", patch]).mean(0)
        gaps.set_data(gap.cpu().numpy())
        figure.alt = (
            f"A noisy image, surrounded by {'zeros' if padding == 'zeros' else 'its own opposite sides'}; framed the "
            f"{patch} × {patch} window around row {row}, column {column}, and beside it the window enlarged. The pixel "
            f"is compared with {count} of {size * size} places in each training image. Below, the estimates with "
            f"zeros and with circular padding; they differ by at most {gap.abs().max():.1f}."
        )
        return figure

    labels = {"padding": "beyond the border", "patch": "patch size k"}
    beyond, within = {"zeros": "zeros", "the opposite side (circular)": "circular"}, (0, size - 1)
    return explore(draw, labels=labels, padding=beyond, patch=list(patches), row=within, column=within)
