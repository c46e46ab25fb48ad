"""The local machine: each pixel compares what its window sees with the same window of each training image.

Squared differences are summed over windows by two products with band matrices, one for rows and one for columns;
the cost does not depend on the size of the window (the paper's LS machine, section 4).
"""

from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from oraledu.diffusion.arguments import Task
from oraledu.diffusion.posterior import LOG2_E, Heaviest, Mean, Posterior, tile_size
from oraledu.diffusion.precision import working_dtype
from oraledu.diffusion.provenance import Provenance, same_places

Kind = TypeVar("Kind", bound=Posterior)


def band(size: int, patch: int, padding: str) -> Tensor:
    """Return which places a window reaches on one axis: (H, H), 1 where |i - j| ≤ k // 2, around the border or not."""
    places = torch.arange(size)
    gap = (places[:, None] - places).abs()
    if padding == "circular":
        gap = torch.minimum(gap, size - gap)
    return (gap <= patch // 2).float()


def local_mean(task: Task, places: Tensor | None = None) -> Tensor:
    """Return the posterior mean of each pixel, (B, C, H, H); or of those in some rows and the same columns.

    Args:
        task: What is asked.
        places: (r,) the rows, and the columns; the answer is (B, C, r, r).
    """
    parts = [posterior.mean for posterior in _posteriors(task, places, Mean)]
    return torch.cat(parts).permute(0, 3, 1, 2).to(task.x)


def local_heaviest(task: Task, places: Tensor | None = None) -> Provenance:
    """Return the training image of largest weight; of all pixels, or of those that `local_mean` names."""
    parts = _posteriors(task, places, Heaviest)
    row, column = same_places(task.x)
    if places is not None:
        row, column = (one[:, places[:, None], places] for one in (row, column))
    weight = torch.cat([part.weight for part in parts]).to(task.x)
    return Provenance(torch.cat([part.index for part in parts]), row, column, weight)


def _posteriors(task: Task, places: Tensor | None, kind: type[Kind]) -> list[Kind]:
    """Return the posteriors (b, r, r) of the noisy images, some of them at a time."""
    if places is None:
        places = torch.arange(task.x.shape[-1], device=task.x.device)
    size = task.x.shape[-1]
    pixels = task.x.shape[1] * min(task.patch, size) ** 2
    noisy = task.x.to(working_dtype(task, pixels))
    reach = band(size, task.patch, task.padding).to(noisy)[places]
    seen = reach.any(dim=0).nonzero()[:, 0]
    # Images last: then both products with the band, and the sum over images, read memory in its order.
    images = task.images.permute(1, 2, 3, 0).to(noisy).contiguous()
    tile = max(1, tile_size(images.device) // len(seen) ** 2)
    together = max(1, tile // images.shape[-1])
    posteriors = []
    for x, signal, variance in zip(
        noisy[:, :, seen[:, None], seen].split(together),
        task.signal.to(noisy).split(together),
        task.variance.to(noisy).split(together),
        strict=True,
    ):
        posterior = kind()
        for part in images.split(tile, dim=-1):
            squares = _squares(x, signal, part[:, seen[:, None], seen])
            log_weights = _window_sums(squares, reach[:, seen])
            log_weights.mul_(-LOG2_E / 2 / variance[:, None, None, None])
            if posterior.reference is not None:
                log_weights -= posterior.reference[..., None]
            posterior.add(log_weights, partial(_sum, values=part[:, places[:, None], places]))
        posteriors.append(posterior)
    return posteriors


def _squares(x: Tensor, signal: Tensor, images: Tensor) -> Tensor:
    """Return |x - a y|² at each pixel: x (b, C, H, H) and images (C, H, H, n) give (b, H, H, n)."""
    level = -signal[:, None, None, None]
    total = torch.addcmul(x[:, 0, ..., None], level, images[0]).square_()
    for channel in range(1, len(images)):
        total += torch.addcmul(x[:, channel, ..., None], level, images[channel]).square_()
    return total


def _window_sums(squares: Tensor, reach: Tensor) -> Tensor:
    """Return the sums over windows: squares (b, H, H, n) and reach (r, H) give (b, r, r, n)."""
    count, size, _, images = squares.shape
    rows = reach @ squares.view(count, size, size * images)
    return (reach @ rows.view(-1, size, images)).view(count, len(reach), len(reach), images)


def _sum(weights: Tensor, values: Tensor) -> Tensor:
    """Return the values (C, r, r, n) summed under weights (b, r, r, n): (b, r, r, C)."""
    return torch.stack([(weights * channel).sum(dim=-1) for channel in values], dim=-1)
