"""Part 4: what the border tells a pixel, and what that does to its estimate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.patches import Rectangle
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import MISSING, Figure, panels, subplots
from oraledu.diffusion.machines import denoise
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views.layout import BLUE, Window, bare, picture, show
from oraledu.diffusion.windows import pad

SameBorder = Callable[[int, int, int, int], Tensor]


def dictionary_sizes(same_border: SameBorder, size: int, patches: Sequence[int]) -> Figure:
    """Draw for every pixel how many places of a training image it may be compared with, under zero padding.

    Args:
        same_border: The learner's or the reference's ``same_border(size, patch, row, column)``.
        size: The side of an image; the numbers can be read up to 16 pixels and three maps.
        patches: The patch sizes to draw side by side; odd.
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

    The estimates are made beforehand; a few hundred training images keep that quick.

    Args:
        images: (N, C, H, W) the training set.
        image: (C, H, W) the image that is made noisy.
        noise: (C, H, W) standard normal.
        same_border: The learner's or the reference's ``same_border(size, patch, row, column)``.
        t: The time whose noise it gets.
        patches: The patch sizes to choose from; odd, at most H.
    """
    share, size = alpha_bar(t), image.shape[-1]
    x = (math.sqrt(share) * image + math.sqrt(1 - share) * noise)[None]
    estimates = {
        (padding, patch): denoise(
            x, images, share, machine="equivariant-local", patch=patch, padding=padding
        )[0]
        for padding in PADDINGS
        for patch in patches
    }
    view = _PaddingView(x, estimates, max(patches) // 2, same_border)

    def draw(padding: str = "zeros", patch: int = 5, row: int = 0, column: int = size // 2) -> Figure:
        return view.show(padding, patch, row, column)

    return explore(
        draw,
        labels={"padding": "beyond the border", "patch": "patch size k"},
        padding={"zeros": "zeros", "the opposite side (circular)": "circular"},
        patch=list(patches),
        row=(0, size - 1),
        column=(0, size - 1),
    )


#: What can lie beyond the border.
PADDINGS = ("zeros", "circular")


class _PaddingView:
    """What the pixel sees and where it may look, and the estimates under both paddings."""

    def __init__(
        self,
        x: Tensor,
        estimates: Mapping[tuple[str, int], Tensor],
        margin: int,
        same_border: SameBorder,
    ) -> None:
        self.x, self.estimates, self.margin, self.same_border = x, estimates, margin, same_border
        self.padded = {padding: pad(x, margin, padding)[0] for padding in PADDINGS}
        names = [["around", "query", "allowed"], [*PADDINGS, "difference"]]
        self.figure, self.axes = panels(names, height=500)
        size = x.shape[-1]
        self.around = show(self.axes["around"], self.padded["zeros"], "noisy $x$, and its window")
        outer = (-margin - 0.5, size + margin - 0.5)
        self.around.set_extent((*outer, *outer[::-1]))
        edge = Rectangle((-0.5, -0.5), size, size, fill=False, edgecolor=BLUE, linewidth=2)
        self.axes["around"].add_patch(edge)
        self.axes["around"].set(xlim=outer, ylim=outer[::-1])
        self.query = show(self.axes["query"], x[0], "what the pixel sees")
        self.allowed = self.axes["allowed"].imshow(
            np.zeros((size, size)), cmap=ListedColormap([MISSING, BLUE]), vmin=0, vmax=1
        )
        bare(self.axes["allowed"])
        self.pictures = {
            padding: show(self.axes[padding], x[0], rf"$\hat x_0$, {padding}") for padding in PADDINGS
        }
        self.difference = self.axes["difference"].imshow(
            np.zeros((size, size)), cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest"
        )
        bare(self.axes["difference"], "zeros minus circular")
        self.window = Window(self.axes["around"])
        self.dots = [Window(self.axes[name]) for name in ("allowed", *PADDINGS, "difference")]

    def show(self, padding: str, patch: int, row: int, column: int) -> Figure:
        """Show what the pixel sees under this padding, and where it may look."""
        size, half = self.x.shape[-1], patch // 2
        self.around.set_data(picture(self.padded[padding]))
        self.window.set(row, column, patch)
        for dot in self.dots:
            dot.set(row, column, 1)
        top, left = row + self.margin - half, column + self.margin - half
        seen = self.padded[padding][:, top : top + patch, left : left + patch]
        self.query.set_data(picture(seen))
        allowed = torch.ones(size, size, dtype=torch.bool)
        if padding == "zeros":
            allowed = self.same_border(size, patch, row, column)
        count = int(allowed.sum())
        self.allowed.set_data(allowed.cpu().numpy())
        self.axes["allowed"].set_title(f"compared with {count} of {size * size} places")
        zeros, circular = (self.estimates[name, patch] for name in PADDINGS)
        for name, estimate in zip(PADDINGS, (zeros, circular), strict=True):
            self.pictures[name].set_data(picture(estimate))
        gap = (zeros - circular).mean(0)
        self.difference.set_data(gap.cpu().numpy())
        self.figure.alt = (
            f"A noisy image, surrounded by {'zeros' if padding == 'zeros' else 'its own opposite sides'}; framed the "
            f"{patch} × {patch} window around row {row}, column {column}, and beside it the window enlarged. The pixel "
            f"is compared with {count} of {size * size} places in each training image. Below, the estimates with "
            f"zeros and with circular padding; they differ by at most {gap.abs().max():.1f}."
        )
        return self.figure
