"""Hidden states of images, from a vision transformer: ViT, MAE, DINOv2 and others of transformers."""

from typing import Any

import torch
from torch import Tensor

from oraledu.representations.models.capture import capture
from oraledu.representations.models.load import load


def image_states(
    name: str, images: Tensor, *, batch_size: int = 16, device: torch.device | str = "cpu"
) -> list[Tensor]:
    """Return the states of every patch of each image in every layer.

    Layers are those of `hidden_states`. The first token is the model's class token, where it has one; the patches
    follow row by row. Of a masked autoencoder all patches are shown, in their order.

    Args:
        name: Of a model on the hub, or the folder of a saved one.
        images: (n, 3, H, W) float in [0, 1]; the model's own processor scales and normalises them.
        batch_size: How many images at a time.
        device: Where to compute; the states come back on the CPU.

    Returns:
        For each image (layers, T, D) float32.

    Raises:
        ValueError: If the images are not of this shape or range, or ``batch_size`` is below 1.
        ImportError: If transformers is not installed.
        FileNotFoundError: If the model is not here and cannot be had.
    """
    if images.ndim != 4 or images.shape[1] != 3 or len(images) == 0:
        raise ValueError(f"images must have shape (n, 3, H, W), got {tuple(images.shape)}")
    if not images.is_floating_point() or not ((images >= 0) & (images <= 1)).all():
        raise ValueError("images must be float in [0, 1]; divide bytes by 255")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    model = load(name, "images")
    network = model.network.to(device)
    found: list[Tensor] = []
    for batch in images.split(batch_size):
        pixels = model.reader(list(batch), return_tensors="pt", do_rescale=False)["pixel_values"].to(device)
        found += capture(network, pixel_values=pixels, **_unmasked(network, pixels)).unbind(dim=1)
    return found


def _unmasked(network: Any, pixels: Tensor) -> dict[str, Tensor]:
    """Return what makes a masked autoencoder see every patch in its order; nothing for other models."""
    if not hasattr(network.config, "mask_ratio"):
        return {}
    network.config.mask_ratio = 0.0
    patches = network.embeddings.patch_embeddings.num_patches
    return {"noise": torch.arange(patches, device=pixels.device).float().expand(len(pixels), -1)}
