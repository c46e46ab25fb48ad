"""The patch mosaic: what a local machine's images are made of, and how far they are from what it has seen.

As t → 0 the posterior of a pixel settles on a single training patch. If the flow has a limit, every pixel of it is
the centre of the training patch that is nearest to its own window (paper, theorem 4.1): the image is *locally
consistent*. Only the centre is copied; the rest of the window must merely be nearer to this patch than to any other.
"""

import math

import torch
from torch import Tensor

from oraledu.devices import exact
from oraledu.diffusion.arguments import LOCAL, check_images, check_level
from oraledu.diffusion.posterior import tile_size
from oraledu.diffusion.provenance import Provenance
from oraledu.diffusion.windows import Region, check_patch, regions, visible_patches, windows


@torch.no_grad()
def nearest_centres(image: Tensor, images: Tensor, patch: int, padding: str = "zeros") -> Tensor:
    """Return for every pixel the centre of the training patch that is nearest to its window.

    This is the map whose fixed points the theorem speaks of. Distances are compared in float64, where the square of a
    difference may be multiplied out. Between patches that are equally near, rounding decides.

    Args:
        image: (B, C, H, H) the images to look at.
        images: (N, C, H, H) training images.
        patch: k, the side of a window: odd, at most H for circular and 2H - 1 for zero padding.
        padding: ``"circular"`` compares with the patches of all positions; with ``"zeros"`` a window ends at the
            border, and is compared with those that overlap it in the same way.

    Returns:
        (B, C, H, H).

    Raises:
        ValueError: If an argument has the wrong shape, is not finite or is out of range.
        TypeError: If one is of the wrong type.
    """
    _check_alike("image", image, images)
    check_patch(patch, images.shape[-1], padding)
    centres = torch.empty_like(image)
    for region in regions(images.shape[-1], patch, padding):
        rows = slice(region.rows.start, region.rows.stop)
        columns = slice(region.columns.start, region.columns.stop)
        choices = images[:, :, rows, columns].transpose(0, 1).flatten(1)  # (C, N · places)
        for one, target in zip(image.split(1), centres, strict=True):
            found = choices[:, _nearest(one, images, region, padding)]  # (C, places)
            target[:, rows, columns] = found.view_as(target[:, rows, columns])
    return centres


def consistency(
    image: Tensor, images: Tensor, patch: int, padding: str = "zeros", tolerance: float = 1e-3
) -> Tensor:
    """Return the share of pixels that lie within a tolerance of the nearest training patch's centre: (B,).

    The theorem promises 1 in the limit t → 0. A sampler stops before, so expect a trend. The tolerance, at least 0, is
    the largest difference in any channel that passes; other arguments and the errors are those of `nearest_centres`.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be at least 0, got {tolerance}")
    away = (image - nearest_centres(image, images, patch, padding)).abs().amax(dim=1)  # (B, H, H)
    return (away <= tolerance).to(image.dtype).mean(dim=(1, 2))


def two_image_denoiser(x: Tensor, alpha_bar: float | Tensor, patch: int = 3) -> Tensor:
    """Return the local machines' answer for the smallest training set, {all black, all white}, wrapped around.

    There are two patches, p = +1 and p = -1 everywhere. With n entries q in a window and their sum s,
    |q - a p|² = |q|² - 2 a p s + n a²: the patches differ in the middle term alone. Their weights are
    e^{±a s / b²} over the sum of both, and the mean of the two centres is

        x̂₀ = (e^{a s / b²} - e^{-a s / b²}) / (e^{a s / b²} + e^{-a s / b²}) = tanh(a s / b²).

    Every pixel follows the mean of its window, the more strictly the less noise there is; as b → 0 it takes the
    window's majority.

    Args:
        x: (B, C, H, H) noisy images.
        alpha_bar: ᾱ = a² in (0, 1), a number or one per image, (B,); b² = 1 - ᾱ.
        patch: k, the side of a window: odd, at most H.

    Returns:
        (B, C, H, H); the channels are equal.

    Raises:
        ValueError: If an argument is out of its range.
        TypeError: If the patch is not a whole number.
    """
    level = check_level(alpha_bar, x).view(-1, 1, 1, 1)
    box_sum = windows(x, patch, "circular").sum(dim=-1)[:, None]  # (B, 1, H, H)
    return torch.tanh((level.sqrt() / (1 - level)).to(x) * box_sum).expand_as(x)


@torch.no_grad()
def nearest_distance(samples: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far each sample is from the training image nearest to it, and which one that is.

    Args:
        samples: (B, C, H, H) images to look at.
        images: (N, C, H, H) training images.

    Returns:
        distance: (B,) the root mean square of the differences over pixels and channels: 0 is a copy, 2 is black
            against white.
        index: (B,) int64, the place among the training images.

    Raises:
        ValueError: If an argument has the wrong shape or is not finite.
        TypeError: If one is of the wrong type.
    """
    _check_alike("samples", samples, images)
    there = exact(samples.device)
    flat = samples.flatten(1).to(there, torch.float64)
    step = max(1, tile_size(images.device) // flat.shape[1])
    distances = [
        torch.cdist(
            flat, part.flatten(1).to(there, torch.float64), compute_mode="donot_use_mm_for_euclid_dist"
        )
        for part in images.split(step)
    ]
    distance, index = torch.cat(distances, dim=1).min(dim=1)
    return (distance / math.sqrt(flat.shape[1])).to(samples), index.to(samples.device)


def sources(provenance: Provenance) -> Tensor:
    """Return from how many training images the pixels of each answer come, (B,) int64: 1 is a copy of one image."""
    counts = [len(image.unique()) for image in provenance.image]
    return torch.tensor(counts, device=provenance.image.device)


def log10_mosaics(
    count: int, size: int, patch: int, padding: str = "zeros", machine: str = "equivariant-local"
) -> float:
    """Return in how many ways every pixel may choose a training patch, as a decimal logarithm.

    A bound on how many images the machine can make; an ideal machine can make as many as it was shown. Most of
    the choices contradict each other, so far fewer are locally consistent.

    Args:
        count: N, how many training images there are, at least 1.
        size: H, the side of an image.
        patch: k, the side of a window: odd, at most H for circular and 2H - 1 for zero padding.
        padding: ``"zeros"`` or ``"circular"``.
        machine: ``"equivariant-local"``, or ``"local"``, where a pixel chooses among the N patches at its own place.

    Raises:
        ValueError: If an argument is out of its range.
        TypeError: If the patch is not a whole number.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1 training image, got {count}")
    if machine not in LOCAL:
        raise ValueError(f"machine must be one of {', '.join(map(repr, LOCAL))}, got {machine!r}")
    check_patch(patch, size, padding)
    if machine == "local":
        return size**2 * math.log10(count)
    return sum(region.places * math.log10(count * region.places) for region in regions(size, patch, padding))


def _nearest(one: Tensor, images: Tensor, region: Region, padding: str) -> Tensor:
    """Return which patch of a region is nearest to each window of one image (1, C, H, H): (places,) int64.

    The patches are counted row-major in (image, row, column).
    """
    queries = _columns(one, region, padding)  # (D, places)
    best = queries.new_full((region.places,), math.inf)
    index = torch.zeros(region.places, dtype=torch.int64, device=one.device)
    step = max(1, tile_size(one.device) // (region.places * max(region.places, len(queries))))
    for start in range(0, len(images), step):
        patches = _columns(images[start : start + step], region, padding)  # (D, step · places)
        half_squares = patches.square().sum(dim=0) / 2
        # |q - p|² / 2 without |q|² / 2, which all patches share.
        least, where = torch.addmm(half_squares, queries.T, patches, alpha=-1).min(dim=1)
        nearer = least < best
        best = torch.where(nearer, least, best)
        index = torch.where(nearer, where + start * region.places, index)
    return index


def _columns(images: Tensor, region: Region, padding: str) -> Tensor:
    """Return the patches of a region as columns, in float64: (entries of a patch, N · places)."""
    return visible_patches(images, region, padding).double().flatten(3).flatten(0, 2)


def _check_alike(name: str, given: Tensor, images: Tensor) -> None:
    """Raise unless these are finite images, (B, C, H, H), of the training images' size."""
    check_images(images)
    if given.shape[1:] != images.shape[1:]:
        wanted = ", ".join(str(side) for side in images.shape[1:])
        raise ValueError(
            f"{name} must be like the training images, (B, {wanted}), got shape {tuple(given.shape)}"
        )
    if not given.isfinite().all():
        raise ValueError(f"{name} must be finite; some pixels are NaN or infinite")
