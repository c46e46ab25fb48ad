"""What the views of this lesson share: images in rows, named panels, weights above pictures, a window's frame."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath
from numpy.typing import NDArray
from torch import Tensor

from oraledu.course.figures import WIDTH, Figure, subplots
from oraledu.course.style import BLUE, GREY, ORANGE, PIXELS_PER_INCH, STYLE
from oraledu.diffusion.schedule import alpha_bar

POINTS_PER_INCH = 72

#: CSS pixels: the largest side of an image in a row of many, and a line of text.
CELL, LINE = 130, 18


def picture(image: Tensor) -> NDArray[np.floating]:
    """Return an image (C, H, W) in [-1, 1] as `imshow` takes it: (H, W) or, for three channels, (H, W, 3) in [0, 1]."""
    values = ((image.detach().cpu().double() + 1) / 2).clamp(0, 1).numpy()
    return values[0] if len(values) == 1 else values.transpose(1, 2, 0)


def noisy(image: Tensor, noise: Tensor, t: float) -> Tensor:
    """Return an image (C, H, W) with the noise of a time, (1, C, H, W)."""
    share = alpha_bar(t)
    return (math.sqrt(share) * image + math.sqrt(1 - share) * noise)[None]


def montage(images: Tensor) -> NDArray[np.floating]:
    """Lay images (n, C, H, W) side by side in one picture, a white pixel apart."""
    pictures = [picture(image) for image in images]
    white = np.ones((pictures[0].shape[0], 1, *pictures[0].shape[2:]))
    return np.concatenate([part for shown in pictures for part in (shown, white)][:-1], axis=1)


def show(ax: Axes, image: Tensor, title: str = "") -> AxesImage:
    """Draw an image (C, H, W), black at -1 and white at 1; `set_data(picture(...))` on the result shows another."""
    drawn = ax.imshow(picture(image), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    bare(ax, title)
    return drawn


def difference(ax: Axes, gap: Tensor, limit: float, title: str = "") -> AxesImage:
    """Draw a difference of images, (H, W), blue at minus the limit, red at the limit."""
    drawn = ax.imshow(gap.cpu().numpy(), cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    bare(ax, title)
    return drawn


def bare(ax: Axes, title: str = "") -> None:
    """Take ticks off, and draw a thin line around the picture, which may be as white as the page."""
    ax.set(xticks=[], yticks=[], title=title)
    for spine in ax.spines.values():
        spine.set(visible=True, color=GREY, linewidth=0.6)


def image_rows(
    rows: Mapping[str, Tensor],
    *,
    alt: str,
    titles: Sequence[str] = (),
    notes: Sequence[str] = (),
    width: int = WIDTH,
) -> Figure:
    """Show aligned rows of images, (n, C, H, W) in [-1, 1], each row beside its name.

    Titles stand above the columns and notes below them; the width, in CSS pixels, is the largest on the page.
    """
    first = next(iter(rows.values()))
    count, (tall, wide) = len(first), first.shape[-2:]
    margin = 12 + round(max(_width(line) for label in rows for line in label.split("\n")))
    side = min(CELL, (width - margin) // count)
    lines = sum(1 + max(text.count("\n") for text in words) for words in (titles, notes) if words)
    height = round(len(rows) * side * tall / wide) + LINE * lines + 8
    size = {"width": margin + count * side, "height": height}
    figure, axes = subplots(len(rows), count, alt=alt, squeeze=False, **size)
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02)
    for line, (label, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=True):
            show(ax, image)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title)
    for ax, note in zip(axes[-1], notes, strict=False):
        ax.set_xlabel(note)
    return figure


def _width(text: str) -> float:
    """Return the width of a line of a label in CSS pixels."""
    size = float(STYLE["axes.labelsize"])
    return TextPath((0, 0), text, size=size).get_extents().width * PIXELS_PER_INCH / POINTS_PER_INCH


class Ranking:
    """Pictures in a row, each with its weight as a bar above it and its name below, in one panel."""

    PLACES = 5
    # In sides of a picture: from one to the next, the highest bar, the room above the pictures and below them.
    STEP, BAR, ABOVE, BELOW = 1.4, 0.4, 0.7, 0.25

    def __init__(self, ax: Axes, title: str) -> None:
        lefts = [place * self.STEP for place in range(self.PLACES)]
        self._pictures = [show(ax, torch.zeros(1, 1, 1)) for _ in lefts]
        for drawn, left in zip(self._pictures, lefts, strict=True):
            drawn.set_extent((left, left + 1, 0, 1))
        self._frames = [
            ax.add_patch(Rectangle((left, 0), 1, 1, fill=False, edgecolor=GREY, linewidth=0.6))
            for left in lefts
        ]
        centres = [left + 0.5 for left in lefts]
        self._bars = ax.bar(centres, [0.0] * self.PLACES, bottom=1.08, width=1, color=BLUE)
        self._weights = [ax.text(centre, 0, "", ha="center", va="bottom") for centre in centres]
        self._names = [ax.text(centre, -0.05, "", ha="center", va="top") for centre in centres]
        ax.set(xlim=(-0.2, lefts[-1] + 1.2), ylim=(-self.BELOW, 1 + self.ABOVE), title=title)
        ax.set_axis_off()

    def set(self, pictures: Sequence[Tensor], weights: Sequence[float], names: Sequence[str]) -> None:
        """Show other pictures (C, H, W), their weights, and a name below each; places that are left stay empty."""
        parts = zip(self._pictures, self._frames, self._bars, self._weights, self._names, strict=True)
        for place, (drawn, frame, bar, weight, name) in enumerate(parts):
            for part in (drawn, frame, bar, weight, name):
                part.set_visible(place < len(pictures))
            if place < len(pictures):
                drawn.set_data(picture(pictures[place]))
                bar.set_height(self.BAR * weights[place])
                text = f"{weights[place]:.2f}" if weights[place] >= 0.005 else "< 0.01"
                weight.set(text=text, y=1.1 + self.BAR * weights[place])
                name.set_text(names[place])


class Window:
    """The frame of the k × k window around a pixel, as far as it lies in the picture; a dot on the pixel for k > 1."""

    def __init__(self, ax: Axes) -> None:
        self._ax = ax
        self._frame = Rectangle((0, 0), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2)
        ax.add_patch(self._frame).set_clip_on(False)
        (self._dot,) = ax.plot([], [], "s", color=ORANGE, markersize=5, markeredgecolor="white")

    def set(self, row: int, column: int, patch: int) -> None:
        """Move the frame."""
        (left, right), (bottom, top) = self._ax.get_xlim(), self._ax.get_ylim()  # rows grow downwards
        x, y = max(left, column - patch / 2), max(top, row - patch / 2)
        width, height = min(right, column + patch / 2) - x, min(bottom, row + patch / 2) - y
        self._frame.set_bounds(x, y, width, height)
        self._dot.set_data([column], [row])
        self._dot.set_visible(patch > 1)
