"""The trained side of the comparison: networks, their training, and where they look."""

import torch
from torch import Tensor

from oraledu.diffusion.predictor import Predictor
from oraledu.diffusion.resnet import ResNet
from oraledu.diffusion.sampling import Denoiser
from oraledu.diffusion.training import train
from oraledu.diffusion.unet import AttentionUNet, UNet

__all__ = ["AttentionUNet", "Predictor", "ResNet", "UNet", "distances", "input_jacobian", "seen", "train"]


def input_jacobian(
    denoiser: Denoiser, x: Tensor, t: float, *, pixel: tuple[int, int] | None = None
) -> Tensor:
    """Return how much each input pixel moves one pixel of the estimate: the mean of |∂x̂₀(pixel) / ∂x|.

    Args:
        denoiser: A differentiable denoiser, such as `network.denoise`.
        x: (B, C, H, W) noisy images at time t, to average over.
        t: The noise level.
        pixel: (row, column) of the estimate; the centre, (H // 2, W // 2), if left out.

    Returns:
        (H, W), at least 0; averaged over images, and over channels of both input and estimate.

    Raises:
        ValueError: If x is not a batch of images, or the pixel lies outside.
    """
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"x must be a batch of images (B, C, H, W), none of them 0, got {tuple(x.shape)}")
    height, width = x.shape[2:]
    row, column = (height // 2, width // 2) if pixel is None else pixel
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"pixel must lie in 0 to {height - 1}, 0 to {width - 1}, got {(row, column)}")
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        estimate = denoiser(x, t)[:, :, row, column].sum(0)  # (C,): one image's estimate depends on it alone
        gradients = [torch.autograd.grad(each, x, retain_graph=True)[0] for each in estimate]
    return torch.stack(gradients).abs().mean(dim=(0, 1, 2))


def seen(jacobian: Tensor, share: float = 0.9) -> int:
    """Return the side of the smallest centred window that holds a share of a central pixel's Jacobian, (H, W)."""
    away = distances((jacobian.shape[0] // 2, jacobian.shape[1] // 2), jacobian)
    within = torch.stack([jacobian[away <= d].sum() for d in range(int(away.max()) + 1)])
    return 2 * int((within < share * jacobian.sum()).sum()) + 1


def distances(pixel: tuple[int, int], images: Tensor) -> Tensor:
    """Return how many pixels away from one each pixel of (..., H, W) is, along the axis that is further, (H, W)."""
    rows, columns = (
        (torch.arange(side, device=images.device) - place).abs()
        for side, place in zip(images.shape[-2:], pixel, strict=True)
    )
    return torch.maximum(rows[:, None], columns)
