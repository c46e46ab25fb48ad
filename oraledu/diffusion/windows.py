"""Windows: what a pixel sees of an image, and which pixels see the border in the same way."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, product

import torch
from torch import Tensor

PADDINGS = ("zeros", "circular")


@dataclass(frozen=True)
class Stretch:
    """Neighbouring places on one axis from which a window reaches equally far both ways.

    Attributes:
        start: The first of the places.
        length: How many there are.
        before: How far the visible part of a window reaches towards place 0.
        after: How far it reaches the other way.
    """

    start: int
    length: int
    before: int
    after: int

    @property
    def stop(self) -> int:
        """The place after the last."""
        return self.start + self.length

    @property
    def window(self) -> int:
        """How wide the visible part of a window is."""
        return self.before + 1 + self.after


@dataclass(frozen=True)
class Region:
    """A block of pixels whose windows overlap the border in the same way, as its rows and its columns."""

    rows: Stretch
    columns: Stretch

    @property
    def places(self) -> int:
        """How many pixels it has."""
        return self.rows.length * self.columns.length

    @property
    def window(self) -> int:
        """How many pixels the visible part of a window has."""
        return self.rows.window * self.columns.window

    @property
    def centre(self) -> int:
        """Where a window's own pixel stands in it, row-major."""
        return self.rows.before * self.columns.window + self.columns.before


def check_patch(patch: int, size: int, padding: str) -> None:
    """Raise unless there is such a window: odd, at most H (circular) or 2H - 1 (zeros) wide."""
    if padding not in PADDINGS:
        raise ValueError(f'padding must be "zeros" or "circular", got {padding!r}')
    if isinstance(patch, bool) or not isinstance(patch, int):
        raise TypeError(f"patch must be an odd whole number, got {patch!r}")
    largest = size if padding == "circular" else 2 * size - 1
    if patch % 2 == 0 or not 1 <= patch <= largest:
        raise ValueError(
            f'patch must be an odd number from 1 to {largest} with padding "{padding}"'
            f" and images of {size} pixels a side, got {patch}"
        )


def pad(images: Tensor, margin: int, padding: str) -> Tensor:
    """Return (N, C, H, W) with a margin of zeros, or wrapped around: (N, C, H + 2 margin, W + 2 margin)."""
    mode = "circular" if padding == "circular" else "constant"
    return torch.nn.functional.pad(images, (margin,) * 4, mode=mode)


def windows(images: Tensor, patch: int, padding: str) -> Tensor:
    """Return the window around each pixel.

    Args:
        images: (N, C, H, H) square images.
        patch: k, the side of a window: odd, at most H for circular and 2H - 1 for zero padding.
        padding: What lies beyond the border: ``"zeros"``, or ``"circular"`` for the opposite side.

    Returns:
        (N, H, H, C k²), row-major in (channel, row, column): the window's own pixel, in channel c, is
        entry c k² + k² // 2.

    Raises:
        ValueError: If the images are not a batch of square ones, or patch or padding is out of range.
        TypeError: If the patch is not a whole number.
    """
    if images.ndim != 4 or images.shape[2] != images.shape[3]:
        raise ValueError(f"images must be square, (N, C, H, H), got shape {tuple(images.shape)}")
    check_patch(patch, images.shape[-1], padding)
    views = pad(images, patch // 2, padding).unfold(2, patch, 1).unfold(3, patch, 1)
    return views.permute(0, 2, 3, 1, 4, 5).flatten(3)


def stretches(size: int, patch: int, padding: str) -> list[Stretch]:
    """Return one axis cut into stretches, in order; with circular padding it is a single one.

    With zero padding a window ends at the border. Place r of H sees min(r, d) and min(H - 1 - r, d) others on its
    two sides, d = k // 2: how far the borders are, as long as they are in sight.
    """
    reach = patch // 2
    if padding == "circular":
        return [Stretch(0, size, reach, reach)]
    found = []
    for (before, after), places in groupby(
        range(size), key=lambda place: (min(place, reach), min(size - 1 - place, reach))
    ):
        start, *others = places
        found.append(Stretch(start, 1 + len(others), before, after))
    return found


def regions(size: int, patch: int, padding: str) -> Iterator[Region]:
    """Yield an image cut into regions, in the order of their rows and columns.

    With zero padding and windows smaller than the image: the interior, the pixels along each edge for each
    distance to it, and 4 d² pixels in the corners, each of them alone.
    """
    axis = stretches(size, patch, padding)
    return (Region(rows, columns) for rows, columns in product(axis, axis))


def region_of(size: int, patch: int, padding: str, row: int, column: int) -> Region:
    """Return the region of one pixel."""
    axis = stretches(size, patch, padding)
    rows, columns = (next(part for part in axis if place < part.stop) for place in (row, column))
    return Region(rows, columns)


def same_border(size: int, patch: int, row: int, column: int) -> Tensor:
    """Return the positions whose windows overlap the border exactly as that of one pixel does.

    These are the patches that the boundary-broken machine compares that pixel with.

    Args:
        size: H, the side of an image.
        patch: k, the side of a window; odd, at most 2H - 1.
        row: The row of the pixel, from 0 to H - 1.
        column: Its column, from 0 to H - 1.

    Returns:
        (H, H) bool.

    Raises:
        ValueError: If the patch or the pixel is out of range.
        TypeError: If the patch is not a whole number.
    """
    check_patch(patch, size, "zeros")
    if not (0 <= row < size and 0 <= column < size):
        raise ValueError(f"row and column must lie in 0 … {size - 1}, got {row} and {column}")
    region = region_of(size, patch, "zeros", row, column)
    same = torch.zeros(size, size, dtype=torch.bool)
    same[region.rows.start : region.rows.stop, region.columns.start : region.columns.stop] = True
    return same


def visible_patches(images: Tensor, region: Region, padding: str) -> Tensor:
    """Return the visible part of the window around each pixel of a region, one patch a column.

    Args:
        images: (N, C, H, H).
        region: A block of pixels.
        padding: With ``"circular"``, windows reach around the border.

    Returns:
        (C, window height, window width, N, rows, columns) without a copy (of the padded images), so that patch
        pixels come first and positions last.
    """
    rows, columns = region.rows, region.columns
    margin = rows.before if padding == "circular" else 0
    if margin:
        images = pad(images, margin, padding)
    top, left = rows.start + margin - rows.before, columns.start + margin - columns.before
    block = images[:, :, top : top + rows.length + rows.window - 1]
    block = block[..., left : left + columns.length + columns.window - 1]
    return block.unfold(2, rows.length, 1).unfold(3, columns.length, 1).permute(1, 2, 3, 0, 4, 5)
