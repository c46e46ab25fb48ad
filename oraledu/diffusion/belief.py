"""What one pixel believes: the training patches it takes for its own surroundings, and how sure it is."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from oraledu.diffusion.arguments import LOCAL, Task, check
from oraledu.diffusion.posterior import tile_size
from oraledu.diffusion.precision import working_dtype
from oraledu.diffusion.windows import Region, pad, region_of, visible_patches


@dataclass(frozen=True)
class Belief:
    """What one pixel believes.

    Attributes:
        image: (top,) int64, the training images of the patches, heaviest first.
        row: (top,) int64, the rows of their centres.
        column: (top,) int64, the columns.
        weight: (top,) their posterior weights.
        patches: (top, C, k, k) the patches, without noise; padded as the machine pads.
        entropy: Of all posterior weights, in nats; at most log(size).
        size: How many candidates there are.
    """

    image: Tensor
    row: Tensor
    column: Tensor
    weight: Tensor
    patches: Tensor
    entropy: float
    size: int


@torch.no_grad()
def belief(
    x: Tensor,
    images: Tensor,
    alpha_bar: float | Tensor,
    *,
    pixel: tuple[int, int],
    machine: str = "equivariant-local",
    patch: int,
    padding: str = "zeros",
    top: int = 5,
    labels: Tensor | None = None,
    label: int | None = None,
) -> Belief:
    """Return the belief of one pixel of one noisy image, under a machine that sees a window.

    Args:
        x: (1, C, H, H) the noisy image.
        images: (N, C, H, H) training images.
        alpha_bar: ᾱ in (0, 1).
        pixel: The row and the column of the pixel, each from 0 to H - 1.
        machine: ``"equivariant-local"`` or ``"local"``.
        patch: k, the side of a window, as in `machines.denoise`.
        padding: As in `machines.denoise`, and so labels, label and all errors.
        top: How many of the heaviest patches to return, at least 1; fewer come if there are fewer.
        labels: (N,) the classes of the training images.
        label: Use the training images of this class alone.
    """
    task = check(
        x, images, alpha_bar, machine=machine, patch=patch, padding=padding, labels=labels, label=label
    )
    if machine not in LOCAL:
        raise ValueError(
            f"machine must be one of {', '.join(map(repr, LOCAL))} for a belief, got {machine!r}"
        )
    if len(x) != 1:
        raise ValueError(f"x must be one noisy image, (1, C, H, H), got shape {tuple(x.shape)}")
    size, (row, column) = x.shape[-1], pixel
    if not (0 <= row < size and 0 <= column < size):
        raise ValueError(f"pixel must lie in 0 … {size - 1} on both axes, got {pixel}")
    if top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    region = region_of(size, patch, padding, row, column)
    own = Region(replace(region.rows, start=row, length=1), replace(region.columns, start=column, length=1))
    return _heaviest(task, own, own if machine == "local" else region, top)


def _heaviest(task: Task, own: Region, region: Region, top: int) -> Belief:
    """Return the belief of the pixel `own` about the patches of a region."""
    log_weights = _log_weights(task, own, region)
    log_posterior = torch.log_softmax(log_weights, dim=0)
    weight, which = log_posterior.exp().topk(min(top, len(log_posterior)))
    image = which // region.places
    row = which // region.columns.length % region.rows.length + region.rows.start
    column = which % region.columns.length + region.columns.start
    reach = torch.arange(task.patch, device=task.x.device)
    padded = pad(task.images[image], task.patch // 2, task.padding)
    patches = torch.stack(
        [one[:, r + reach[:, None], c + reach] for one, r, c in zip(padded, row, column, strict=True)]
    )
    entropy = -(log_posterior.exp() * log_posterior).sum().item()
    return Belief(task.index[image], row, column, weight.to(task.x), patches, entropy, len(log_posterior))


def _log_weights(task: Task, own: Region, region: Region) -> Tensor:
    """Return -|q - a p|² / 2b² for all patches p of a region: (N · places,)."""
    dtype = working_dtype(task, task.x.shape[1] * own.window)
    query = visible_patches(task.x.to(dtype), own, task.padding).flatten(0, 2).flatten(1)
    step = max(1, tile_size(query.device) // (len(query) * region.places))
    signal, variance = task.signal.to(query), task.variance.to(query)
    errors = []
    for images in task.images.split(step):
        patches = visible_patches(images.to(query), region, task.padding).flatten(0, 2).flatten(1)
        errors.append((query - signal * patches).square_().sum(dim=0))
    return torch.cat(errors) / (-2 * variance)
