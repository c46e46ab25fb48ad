"""Random inputs that several exercises share, and the posterior mean by its definition."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw standard normal numbers, float64."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def random_images(count: int, size: int, generator: torch.Generator, *, channels: int = 1) -> Tensor:
    """Draw images without structure: (count, channels, size, size) float64 in [-1, 1]."""
    shape = (count, channels, size, size)
    return 2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1


def smooth_images(count: int, generator: torch.Generator) -> Tensor:
    """Draw images of the lesson's kind, blobs on a background of -1: (count, 1, 14, 14) float32."""
    coarse = torch.randn(count, 1, 4, 4, generator=generator)
    return (3 * functional.interpolate(coarse, size=14, mode="bilinear") - 1).clamp(-1, 1)


def noisy_images(images: Tensor, count: int, alpha_bar: float, generator: torch.Generator) -> Tensor:
    """Draw images a φ + b ε with φ one of the given images: (count, C, H, W)."""
    chosen = images[torch.randint(len(images), (count,), generator=generator)]
    noise = torch.randn(chosen.shape, generator=generator, dtype=images.dtype)
    return alpha_bar**0.5 * chosen + (1 - alpha_bar) ** 0.5 * noise


def window_at(images: Tensor, row: int, column: int, patch: int, padding: str) -> Tensor:
    """Return the window of every image around one pixel: (N, C * patch²)."""
    reach = patch // 2
    if padding == "circular":
        moved = images.roll((reach - row, reach - column), (-2, -1))
        return moved[..., :patch, :patch].flatten(1)
    padded = functional.pad(images, (reach,) * 4)
    return padded[..., row : row + patch, column : column + patch].flatten(1)


def all_windows(images: Tensor, patch: int) -> tuple[Tensor, Tensor]:
    """Return the wrapped windows of all images at all places, (N H H, C patch²), and their middle pixels."""
    places = [(row, column) for row in range(images.shape[2]) for column in range(images.shape[3])]
    patches = [window_at(images, row, column, patch, "circular") for row, column in places]
    return torch.cat(patches), torch.cat([images[:, :, row, column] for row, column in places])


def posterior_mean(query: Tensor, patches: Tensor, values: Tensor, alpha_bar: float) -> Tensor:
    """Return the mean of `values` (M, C), weighted by how well `patches` (M, D) explain the query (D,)."""
    logits = -(query - alpha_bar**0.5 * patches).square().sum(1) / (2 * (1 - alpha_bar))
    return logits.softmax(0) @ values


def differ(one: Tensor, other: Tensor, allowed: float = 1e-9) -> bool:
    """Tell whether two tensors differ by more than is allowed, or one of them is not finite."""
    return not float((one - other).abs().nan_to_num(nan=torch.inf).max()) <= allowed


def first_broken(*promises: tuple[Tensor, Tensor, str], allowed: float = 1e-9) -> str | None:
    """Return the sentence of the first two tensors that differ."""
    return next((sentence for one, other, sentence in promises if differ(one, other, allowed)), None)


def order_or_number(
    estimate: Callable[[Tensor], Tensor], images: Tensor, allowed: float = 1e-9
) -> str | None:
    """Ask for the same estimate after a shuffle of the training images, and with every image there twice."""
    once, rolled, twice = (
        estimate(each) for each in (images, images.roll(2, 0), torch.cat([images, images]))
    )
    return first_broken(
        (rolled, once, "the order of the training images should not matter"),
        (twice, once, "with every training image there twice, the estimate should stay as it is"),
        allowed=allowed,
    )
