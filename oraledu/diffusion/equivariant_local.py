"""The equivariant-local machine: each pixel compares what its window sees with windows everywhere.

One matrix product of queries and a patch bank for each tile, then a streaming softmax: attention, with noisy
patches as queries, training patches as keys and their own pixels as values (the paper's ELS machine). With zero
padding a window is compared with those that overlap the border in the same way (its boundary-broken machine).
"""

from functools import partial
from math import ceil
from typing import TypeVar

import torch
from torch import Tensor

from oraledu.diffusion.arguments import Task
from oraledu.diffusion.banks import EXTRA, Shelf, shelf_of
from oraledu.diffusion.local import local_heaviest, local_mean
from oraledu.diffusion.posterior import LOG2_E, Heaviest, Mean, Posterior, tile_size
from oraledu.diffusion.precision import working_dtype
from oraledu.diffusion.provenance import Provenance, same_places
from oraledu.diffusion.windows import Region, regions, stretches, visible_patches

Kind = TypeVar("Kind", bound=Posterior)

#: How many queries share a tile on a processor; the rest of its cache is for patches.
QUERIES = 512

#: Tiles are as wide as a multiple of this, which makes products faster.
WIDTH = 64


def equivariant_local_mean(task: Task) -> Tensor:
    """Return the posterior mean of each pixel, (B, C, H, H)."""
    count, channels = task.x.shape[:2]
    estimate = torch.empty_like(task.x)
    places = _alone(task)
    if len(places):
        estimate[:, :, places[:, None], places] = local_mean(task, places)
    shelf = shelf_of(task.images, task.owner, task.label)
    for region in _shared_regions(task):
        means = torch.cat([posterior.mean for posterior in _posteriors(task, shelf, region, Mean)])
        block = means.view(count, region.rows.length, region.columns.length, channels)
        rows, columns = _slices(region)
        estimate[:, :, rows, columns] = block.permute(0, 3, 1, 2)
    return estimate


def equivariant_local_heaviest(task: Task) -> Provenance:
    """Return the training patch of largest weight for each pixel."""
    row, column = same_places(task.x)
    image, weight = torch.empty_like(row), torch.empty_like(task.x[:, 0])
    places = _alone(task)
    if len(places):
        corners = local_heaviest(task, places)
        image[:, places[:, None], places] = corners.image
        weight[:, places[:, None], places] = corners.weight
    shelf = shelf_of(task.images, task.owner, task.label)
    for region in _shared_regions(task):
        parts = _posteriors(task, shelf, region, Heaviest)
        here = (slice(None), *_slices(region))
        index = torch.cat([part.index for part in parts]).view_as(row[here])
        weight[here] = torch.cat([part.weight for part in parts]).view_as(index)
        image[here] = index // region.places
        row[here] = index // region.columns.length % region.rows.length + region.rows.start
        column[here] = index % region.columns.length + region.columns.start
    return Provenance(image, row, column, weight)


def _alone(task: Task) -> Tensor:
    """Return the places on one axis that no other resembles; a pixel with two of them can only be local."""
    axis = stretches(task.x.shape[-1], task.patch, task.padding)
    return torch.tensor(
        [part.start for part in axis if part.length == 1], dtype=torch.int64, device=task.x.device
    )


def _shared_regions(task: Task) -> list[Region]:
    return [part for part in regions(task.x.shape[-1], task.patch, task.padding) if part.places > 1]


def _slices(region: Region) -> tuple[slice, slice]:
    return slice(region.rows.start, region.rows.stop), slice(region.columns.start, region.columns.stop)


def _queries(task: Task, region: Region) -> Tensor:
    """Return the noisy patches of a region, one a row, (B · places, 3 + D).

    They are (0, -a²/b², -a²/b², q a/b²), times log₂ e.
    """
    dtype = working_dtype(task, task.x.shape[1] * region.window)
    patches = visible_patches(task.x.to(dtype), region, task.padding)
    # Rounded once and then used for both factors; else a rounding error would act like another noise level.
    ratio = (LOG2_E * task.signal.square() / task.variance).to(dtype)
    gain = (ratio / task.signal).to(patches)
    queries = patches.new_zeros(EXTRA + patches.shape[:3].numel(), *patches.shape[3:])
    queries[1:EXTRA] = -ratio.to(patches)[:, None, None]
    queries[EXTRA:] = (patches * gain[:, None, None]).flatten(0, 2)
    return queries.flatten(1).T.contiguous()


def _posteriors(task: Task, shelf: Shelf, region: Region, kind: type[Kind]) -> list[Kind]:
    """Return the posteriors of the pixels of a region, ordered by image, row and column, some of them at a time."""
    queries = _queries(task, region)
    tile = tile_size(queries.device)
    most = QUERIES if queries.device.type == "cpu" else int(tile**0.5)
    groups = queries.split(ceil(len(queries) / ceil(len(queries) / most)))
    longest = task.images.abs().max() * (queries.shape[1] - EXTRA) ** 0.5
    posteriors = [kind(_bounds(group, longest)) for group in groups]
    told: list[Tensor | None] = [None] * len(groups)  # the reference that stands in a group's first column
    width = max(1, tile // len(groups[0]))
    if width > WIDTH:
        width -= width % WIDTH
    buffer = queries.new_empty(len(groups[0]) * width)
    for bank in shelf.banks(region, task.padding):
        for keys, values in zip(bank.keys.split(width, 1), bank.values.split(width, 1), strict=True):
            for place, (group, posterior) in enumerate(zip(groups, posteriors, strict=True)):
                if posterior.reference is not None and told[place] is not posterior.reference:
                    told[place] = posterior.reference
                    group[:, 0] = -posterior.reference
                log_weights = buffer[: len(group) * keys.shape[1]].view(len(group), -1)
                torch.mm(group, keys.to(group), out=log_weights)
                posterior.add(log_weights.to(values), partial(_sum, values=values))
    return posteriors


def _bounds(queries: Tensor, longest: Tensor) -> tuple[Tensor, Tensor]:
    """Return between which numbers (R,) the log-weights lie of patches that are no longer than `longest`.

    With q' = q a/b² and r = a²/b² they are q' · p - r |p|²/2. The largest has p = q'/r, which fits exactly; no other
    one is below that of p = -q' longest / |q'|.
    """
    squares, ratio = queries[:, EXTRA:].square().sum(dim=1), -queries[:, 1]
    return -(squares.sqrt() + ratio * longest / 2) * longest, squares / (2 * ratio)


def _sum(weights: Tensor, values: Tensor) -> Tensor:
    """Return the values (C, M) summed under weights (R, M): (R, C)."""
    if len(values) == 1:
        return weights.mv(values[0])[:, None]
    # A matrix-vector product for each channel: a matrix product with two or three columns is slower.
    return torch.stack([weights.mv(channel) for channel in values], dim=1)
