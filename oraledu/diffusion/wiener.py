"""Denoisers that know of the training images how their pixels vary together, and nothing of the plane.

The best affine denoiser is the Wiener filter; its matrix says which pixels belong together. Lukoianov and others
(arXiv 2509.09672) take these for the windows of a local machine.
"""

import torch
from torch import Tensor

from oraledu.diffusion.arguments import check_images, check_level, check_noisy

#: Which share of the largest entry counts as seen, as in the released code of arXiv 2509.09672.
THRESHOLD = 0.02
#: A pixel whose own entry is less than this is left as it is, as there.
FAINTEST = 1e-6


def wiener_matrix(images: Tensor, alpha_bar: float) -> Tensor:
    """Return M = a Σ (a² Σ + b²)⁻¹, with Σ the covariance of the training images: how x moves the best affine estimate.

    It is symmetric. As b → 0 it becomes the projection on the span of the images without their mean, as a → 0 the
    covariance times a.

    Args:
        images: (N, C, H, H) training images.
        alpha_bar: ᾱ = a² in (0, 1); b² = 1 - ᾱ.

    Returns:
        (C H², C H²) float64.

    Raises:
        ValueError: If an argument has the wrong shape, is not finite or is out of range.
        TypeError: If one is of the wrong type.
    """
    check_images(images)
    level = float(check_level(alpha_bar, images[:1]))
    rows = images.flatten(1).double()
    rows = rows - rows.mean(0)
    # The covariance is not inverted: fewer images than pixels leave it without full rank.
    variances, axes = torch.linalg.eigh(rows.T @ rows / len(rows))
    variances = variances.clamp(min=0)
    return (axes * (level**0.5 * variances / (level * variances + 1 - level))) @ axes.T


@torch.no_grad()
def wiener_denoiser(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    """Return the best affine estimate of the clean images, μ + M (x - a μ), (B, C, H, H).

    Args:
        x: (B, C, H, H) noisy images.
        images: (N, C, H, H) training images, of the same type; μ is their mean.
        alpha_bar: ᾱ = a² in (0, 1); errors are those of `wiener_matrix`.
    """
    matrix = wiener_matrix(images, alpha_bar)
    check_noisy(x, images)
    mean = images.flatten(1).double().mean(0)
    return (mean + (x.flatten(1).double() - alpha_bar**0.5 * mean) @ matrix).view_as(x).to(x)


@torch.no_grad()
def covariance_denoiser(x: Tensor, images: Tensor, alpha_bar: float, threshold: float = THRESHOLD) -> Tensor:
    """Return the local machine's estimate with windows that the Wiener filter draws, wherever their pixels lie.

    The window of a pixel holds those for which |M| over the other's own entry of the diagonal reaches a share of the
    largest such ratio. Arguments, result and errors are those of `wiener_denoiser`; the threshold lies in 0 to 1.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in 0 to 1, got {threshold}")
    matrix = wiener_matrix(images, alpha_bar).abs()
    check_noisy(x, images)
    own = matrix.diagonal()
    ratio = matrix / torch.where(own < FAINTEST, 1.0, own)[:, None]
    windows = (ratio >= threshold * ratio.max()).double()  # a column for each pixel
    clean = images.flatten(1).double()
    estimates = []
    for noisy in x.flatten(1).double():
        squares = (noisy - alpha_bar**0.5 * clean).square() @ windows  # (N, pixels)
        weights = torch.softmax(-squares / (2 * (1 - alpha_bar)), dim=0)
        estimates.append((weights * clean).sum(0))
    return torch.stack(estimates).view_as(x).to(x)
