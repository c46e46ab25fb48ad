"""Views of an image: moved by some pixels, brighter or darker, with noise; what is in it stays the same.

They are to images what typing errors are to texts, and ask the same of a layer: to look past them.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

#: The most pixels by which a view is moved, the largest change of contrast, and the noise's standard deviation.
MOVE, CONTRAST, NOISE = 2, 0.3, 0.1
BLACK = -1.0


def views(images: Tensor, count: int, *, generator: torch.Generator) -> Tensor:
    """Return noisy views of images, drawn independently: (N, 1, S, S) -> (count, N, 1, S, S).

    Args:
        images: In [-1, 1].
        count: How many views of each, at least 1.
        generator: The source of randomness.

    Returns:
        In [-1, 1]: moved by up to `MOVE` pixels either way, brightness above black times a factor within
        `CONTRAST` of 1, and noise added to all pixels.

    Raises:
        ValueError: If ``count`` is below 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    return torch.stack([_view(images, generator) for _ in range(count)])


def _view(images: Tensor, generator: torch.Generator) -> Tensor:
    moved = shift(images, MOVE, generator=generator)
    factor = 1 + CONTRAST * (2 * torch.rand(len(images), 1, 1, 1, generator=generator) - 1)
    noise = NOISE * torch.randn(images.shape, generator=generator)
    return (BLACK + factor.to(images) * (moved - BLACK) + noise.to(images)).clamp(-1, 1)


def shift(images: Tensor, most: int, *, generator: torch.Generator) -> Tensor:
    """Move each image by up to some pixels along both axes, and fill with black: (N, 1, S, S) -> (N, 1, S, S).

    Args:
        images: Square.
        most: The largest move, 0 or more.
        generator: The source of randomness.

    Raises:
        ValueError: If ``most`` is negative.
    """
    if most < 0:
        raise ValueError(f"most must be at least 0, got {most}")
    count, side = len(images), images.shape[-1]
    padded = pad(images[:, 0], [most] * 4, value=BLACK)  # (N, S + 2 most, S + 2 most)
    corner = torch.randint(2 * most + 1, (2, count, 1), generator=generator)
    rows, columns = corner + torch.arange(side)  # each (N, S)
    each = torch.arange(count)[:, None, None]
    return padded[each, rows[:, :, None], columns[:, None, :]][:, None]  # index tensors may stay on the CPU
