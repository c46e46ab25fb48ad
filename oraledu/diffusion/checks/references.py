"""The references that are one call of the library with its options fixed, and one that the library has no use for."""

import math

import torch
from torch import Tensor

from oraledu.diffusion import machines, mosaic


def ideal_denoiser(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    """Return the posterior mean of a pixel given the whole noisy image."""
    return machines.denoise(x, images, alpha_bar, machine="ideal")


def local_denoiser(x: Tensor, images: Tensor, alpha_bar: float, patch: int, padding: str = "zeros") -> Tensor:
    """Return the posterior mean of a pixel given its window, each pixel with a belief of its own."""
    return machines.denoise(x, images, alpha_bar, machine="local", patch=patch, padding=padding)


def equivariant_local_denoiser(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    """Return the posterior mean of a pixel given its window but not its position, on a torus."""
    return machines.denoise(
        x, images, alpha_bar, machine="equivariant-local", patch=patch, padding="circular"
    )


def log_marginal(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    """Return the log density of noisy patches, up to a constant: the log of a mean of Gaussians.

    Args:
        queries: (Q, D) noisy patches.
        patches: (P, D) clean patches.
        alpha_bar: ᾱ, in (0, 1).

    Returns:
        (Q,) the log of the mean over patches of exp(-|q - a p|² / 2b²).
    """
    squares = (queries[:, None] - math.sqrt(alpha_bar) * patches).square().sum(-1)
    return torch.logsumexp(-squares / (2 * (1 - alpha_bar)), 1) - math.log(len(patches))


def nearest_centres(image: Tensor, images: Tensor, patch: int) -> Tensor:
    """Return for every pixel the centre of the training patch nearest to its window, on a torus."""
    return mosaic.nearest_centres(image, images, patch, padding="circular")
