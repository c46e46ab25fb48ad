"""Trained networks that come with the course, each with its patch schedule and the recipe that made it."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from oraledu.data.embedded import FOLDER, packed
from oraledu.diffusion.experiments import build
from oraledu.diffusion.predictor import Predictor
from oraledu.diffusion.settings import NetworkRun

#: The networks there are, and their files.
FILES = {"fashion-zeros": "diffusion_fashion_zeros.npz", "mnist-circular": "diffusion_mnist_circular.npz"}


@dataclass(frozen=True)
class Checkpoint:
    """A trained network.

    Attributes:
        network: The network, in float32 on the CPU.
        patches: Its calibrated patch sizes, in the sampler's order.
        run: The settings with which it was made.
        recipe: The rest: ``"seed"`` of its weights and training, ``"torch"`` and ``"numpy"`` versions, and the mean
            ``"loss"`` of the last hundred steps.
    """

    network: Predictor
    patches: list[int]
    run: NetworkRun
    recipe: Mapping[str, Any]


def load(name: str, folder: Path = FOLDER) -> Checkpoint:
    """Load one of the networks of this package.

    Args:
        name: ``"fashion-zeros"`` or ``"mnist-circular"``.
        folder: Where the files lie.

    Raises:
        ValueError: If there is none of that name, or its file is damaged.
        FileNotFoundError: If its file or the list of checksums is missing.
    """
    if name not in FILES:
        raise ValueError(f"name must be one of {', '.join(map(repr, FILES))}, got {name!r}")
    with packed(FILES[name], folder) as (arrays, recipe):
        return _unpack({key: arrays[key] for key in arrays if key != "recipe"}, recipe)


def pack(checkpoint: Checkpoint) -> bytes:
    """Return the content of a checkpoint's file; the same checkpoint gives the same bytes."""
    arrays = {name: value.cpu().numpy() for name, value in checkpoint.network.state_dict().items()}
    recipe = {"run": asdict(checkpoint.run), "patches": checkpoint.patches, **checkpoint.recipe}
    arrays["recipe"] = np.frombuffer(json.dumps(recipe, sort_keys=True).encode(), np.uint8)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return content.getvalue()


def _unpack(arrays: dict[str, np.ndarray], recipe: dict[str, Any]) -> Checkpoint:
    # JSON has no tuples.
    settings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in recipe.pop("run").items()
    }
    run = NetworkRun(**settings)
    network = build(run, 1, torch.Generator())
    # Strict: every name must be there, with its shape, and no other.
    network.load_state_dict({name: torch.from_numpy(value) for name, value in arrays.items()})
    patches = recipe.pop("patches")
    return Checkpoint(network, patches, run, recipe)
