"""Embedded states of the two vision transformers, layer by layer, at one byte a coordinate."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oraledu.data.embedded import FOLDER, packed
from oraledu.data.layer_states import LayerStates

#: The networks there are, and their files.
FILES = {
    f"vit-{objective}": f"representations_vit_{objective}.npz"
    for objective in ("autoregressive", "supervised")
}
#: The largest level of a coordinate.
LEVELS = 127


def vision_states(name: str, folder: Path = FOLDER) -> LayerStates:
    """Load the states of a vision transformer on images that it has not been trained on.

    Args:
        name: ``"vit-autoregressive"`` or ``"vit-supervised"``.
        folder: Where the files lie.

    Returns:
        Layer 0 is the embedding, then the residual stream after each block, last the state after the final norm.
        ``prompts`` names the images whose token Gram matrices there are, start token first. ``pooled`` holds
        "fit" and "test", mean patches of the images after the training images and of the test images, in the
        order of `oraledu.data.fashion_mnist`; ``views`` the mean patches of views of test images.

    Raises:
        ValueError: If there is none of that name, or its file is damaged.
        FileNotFoundError: If its file or the list of checksums is missing.
    """
    if name not in FILES:
        raise ValueError(f"name must be one of {', '.join(map(repr, FILES))}, got {name!r}")
    with packed(FILES[name], folder) as (arrays, _):
        tokens, views, fit, test = (
            decompress(*(arrays[f"{part}_{each}"] for each in ("mean", "scale", "levels")))
            for part in ("tokens", "views", "fit", "test")
        )
    return LayerStates(
        name=name,
        prompts=tuple(f"test image {place}" for place in range(tokens.shape[1])),
        grams=tuple(each @ each.mT for each in tokens.transpose(0, 1)),  # each (layers, T, T)
        pooled={"fit": fit, "test": test},
        with_first={},
        views=views,
    )


def pack_vision(tokens: Tensor, pooled: dict[str, Tensor], views: Tensor, recipe: dict[str, Any]) -> bytes:
    """Return the content of a file; the same states give the same bytes.

    Args:
        tokens: (layers, images, T, D).
        pooled: "fit" and "test", each (layers, n, D).
        views: (layers, images, views, D).
        recipe: What made them.
    """
    arrays = {"recipe": np.frombuffer(json.dumps(recipe, sort_keys=True).encode(), np.uint8)}
    for name, states in {"tokens": tokens, "views": views, **pooled}.items():
        arrays |= {f"{name}_{part}": array for part, array in compress(states).items()}
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def compress(states: Tensor) -> dict[str, np.ndarray]:
    """Store states (layers, ..., D) as the mean of each layer, and each row's rest in `LEVELS` steps of its own.

    The error of a coordinate is at most half a step, 1/254 of the row's largest coordinate around the mean.
    """
    mean = states.flatten(1, -2).mean(dim=1).float()  # (layers, D)
    rest = states - _spread(mean, states)
    scale = rest.abs().amax(dim=-1) / LEVELS  # (layers, ...)
    levels = (rest / torch.where(scale > 0, scale, 1)[..., None]).round().to(torch.int8)
    parts = {"mean": mean, "scale": scale.float(), "levels": levels}
    return {name: part.numpy() for name, part in parts.items()}


def decompress(mean: np.ndarray, scale: np.ndarray, levels: np.ndarray) -> Tensor:
    """Return states (layers, ..., D) in float32 from what `compress` made of them."""
    rest = torch.from_numpy(levels).float() * torch.from_numpy(scale)[..., None]
    return rest + _spread(torch.from_numpy(mean), rest)


def _spread(mean: Tensor, states: Tensor) -> Tensor:
    """Give the means (layers, D) as many dimensions as the states (layers, ..., D)."""
    return mean.reshape(len(mean), *[1] * (states.ndim - 2), -1)
