"""The machines by their definitions, in float64: one pixel at a time, one candidate at a time."""

from functools import cache

import torch
from torch import Tensor


def window(images: Tensor, row: int, column: int, patch: int, padding: str) -> Tensor:
    """The k x k window around a pixel of images (*, C, H, H), (*, C k²); beyond the border zeros, or wrapped."""
    size, reach = images.shape[-1], patch // 2
    rows = torch.arange(row - reach, row + reach + 1)
    columns = torch.arange(column - reach, column + reach + 1)
    seen = images[..., rows % size, :][..., columns % size]
    if padding == "zeros":
        inside = ((rows >= 0) & (rows < size))[:, None] & ((columns >= 0) & (columns < size))
        seen = seen * inside
    return seen.flatten(-3)


def places_to_look(size: int, row: int, column: int, machine: str, patch: int, padding: str) -> list:
    """Where a machine looks for patches that resemble that of a pixel."""
    everywhere = [(r, c) for r in range(size) for c in range(size)]
    if machine == "local":
        return [(row, column)]
    if padding == "circular":
        return everywhere
    own = inside(size, row, column, patch)
    return [place for place in everywhere if inside(size, *place, patch) == own]


@cache
def inside(size: int, row: int, column: int, patch: int) -> tuple:
    """Which part of a window lies inside the image."""
    return tuple(window(torch.ones(1, size, size), row, column, patch, "zeros").tolist())


def denoise(x, images, alpha_bar, *, machine, patch=None, padding="zeros") -> Tensor:
    """The posterior mean of x (B, C, H, H), in float64."""
    levels = torch.as_tensor(alpha_bar, dtype=torch.float64).expand(len(x)).tolist()
    if machine in ("ideal", "equivariant"):
        if machine == "equivariant":
            images = orbit(images)
        return torch.stack([whole(one, images, level) for one, level in zip(x, levels, strict=True)])
    images, size = images.double(), x.shape[-1]
    pixels = [(row, column) for row in range(size) for column in range(size)]
    patches = {place: window(images, *place, patch, padding) for place in pixels}  # each (N, C k²)
    centres = {place: images[:, :, place[0], place[1]] for place in pixels}  # each (N, C)
    answer = torch.empty(x.shape, dtype=torch.float64)
    for pixel in pixels:
        places = places_to_look(size, *pixel, machine, patch, padding)
        candidates = torch.cat([patches[place] for place in places])
        values = torch.cat([centres[place] for place in places])
        queries = window(x.double(), *pixel, patch, padding)
        for one, level in enumerate(levels):
            errors = (queries[one] - level**0.5 * candidates).square().sum(dim=1)
            answer[one, :, pixel[0], pixel[1]] = torch.softmax(-errors / (2 * (1 - level)), dim=0) @ values
    return answer


def whole(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    """The mean of whole images for one noisy image."""
    errors = torch.stack([(x.double() - alpha_bar**0.5 * image.double()).square().sum() for image in images])
    weights = torch.softmax(-errors / (2 * (1 - alpha_bar)), dim=0)
    return (weights[:, None, None, None] * images.double()).sum(dim=0)


def orbit(images: Tensor) -> Tensor:
    """All circular translates of all images."""
    size = images.shape[-1]
    return torch.stack(
        [image.roll((r, c), dims=(1, 2)) for image in images for r in range(size) for c in range(size)]
    )
