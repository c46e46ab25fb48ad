"""Random inputs that several exercises share, and the posterior mean by its definition."""

import torch
from torch import Tensor
from torch.nn import functional


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


def posterior_mean(query: Tensor, patches: Tensor, values: Tensor, alpha_bar: float) -> Tensor:
    """Return the mean of `values` (M, C), weighted by how well `patches` (M, D) explain the query (D,)."""
    logits = -(query - alpha_bar**0.5 * patches).square().sum(1) / (2 * (1 - alpha_bar))
    return logits.softmax(0) @ values


def largest_difference(one: Tensor, other: Tensor) -> float:
    """Return the largest difference between two tensors, infinite if one of them is not finite."""
    return float((one - other).abs().nan_to_num(nan=torch.inf).max())
