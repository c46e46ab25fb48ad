"""Hidden states of images, from a vision transformer: ViT, MAE, DINOv2 and others of transformers."""

import inspect
from typing import Any, NamedTuple

import torch
from torch import Tensor

from oraledu.representations.models.capture import capture
from oraledu.representations.models.load import load

#: Tokens that no patch is behind, by the end of the name of what they are learned in.
EXTRA = {
    "cls_token": "class",
    "class_embedding": "class",
    "distillation_token": "distillation",
    "register_tokens": "register",
    "detection_tokens": "detection",
}


class ImageStates(NamedTuple):
    """The states of images, and what each of their T tokens is.

    "class", "register", "distillation", "detection" or "extra" if no patch is behind it; "patch", row by row, or
    "padding". SigLIP, for one, has patches alone.
    """

    states: list[Tensor]  # for each image (layers, T, D) float32
    tokens: tuple[str, ...]


def image_states(
    name: str, images: Tensor, *, batch_size: int = 16, device: torch.device | str = "cpu"
) -> ImageStates:
    """Return the states of every token of each image in every layer, and what each token is.

    Layers are those of `hidden_states`. Of a masked autoencoder all patches are shown, in their order.
    ``pool(states, tokens=tokens)`` is the mean patch.

    Args:
        name: Of a model on the hub, or the folder of a saved one.
        images: (n, 3, H, W) float in [0, 1]; the model's own processor scales and normalises them.
        batch_size: How many images at a time.
        device: Where to compute; the states come back on the CPU.

    Raises:
        ValueError: If images have another shape or range, ``batch_size`` is below 1, or the model is of another kind.
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
        inputs = _inputs(model.reader, network, batch, device)
        found += capture(network, **inputs).unbind(dim=1)
    return ImageStates(found, _names(network, inputs, found[0].shape[1]))


def _inputs(reader: Any, network: Any, images: Tensor, device: torch.device | str) -> dict[str, Tensor]:
    """Return what the processor makes of images, as far as the network takes it."""
    taken = inspect.signature(network.forward).parameters
    made = reader(list(images), return_tensors="pt", do_rescale=False)
    inputs = {key: value.to(device) for key, value in made.items() if key in taken}
    if network.config.model_type == "vit_mae":
        network.config.mask_ratio = 0.0
        patches = network.embeddings.patch_embeddings.num_patches
        inputs["noise"] = torch.arange(patches, device=device).float().expand(len(images), -1)
    return inputs


def _names(network: Any, inputs: dict[str, Tensor], count: int) -> tuple[str, ...]:
    """Return what each token is: the extra ones stand before the patches, but for those that detect."""
    front: list[str] = []
    behind: list[str] = []
    for key, weight in network.named_parameters():
        if "embeddings" in key and (kind := EXTRA.get(key.rpartition(".")[2])):
            (behind if kind == "detection" else front).extend([kind] * weight.shape[-2:-1].numel())
    size = getattr(network.config, "patch_size", 1)
    height, width = (size, size) if isinstance(size, int) else size
    patches = (inputs["pixel_values"].shape[-2] // height) * (inputs["pixel_values"].shape[-1] // width)
    if "pixel_attention_mask" in inputs:
        patches = int(inputs["pixel_attention_mask"][0].sum())
        behind = ["padding"] * (count - patches)
    unknown = count - len(front) - patches - len(behind)
    if unknown < 0:
        told = f"{type(network).__name__}, of the kind {network.config.model_type!r}, has {count} tokens"
        raise ValueError(f"{told} of {patches} patches: choose a plain transformer")
    return (*front, *["extra"] * unknown, *["patch"] * patches, *behind)
