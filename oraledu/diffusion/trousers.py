"""Nothing but trousers: networks of three kinds that were trained on them, what they make, and how many legs it has.

    python -m oraledu.diffusion.trousers

makes the embedded pictures anew, in about ten minutes on one core.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oraledu import data
from oraledu.data import embedded
from oraledu.data.embedded import FOLDER
from oraledu.data.store import store
from oraledu.diffusion.experiments import calibrated, learn
from oraledu.diffusion.machines import sample
from oraledu.diffusion.progress import progress
from oraledu.diffusion.study import RUNS as STUDIED

FILE = "diffusion_trousers.npz"
SEEDS = (0, 1)
RUNS = {name: replace(run, steps=1000) for name, run in STUDIED.items()}
#: Where legs are counted: the last three rows, of 0 to 13.
ROWS = (11, 12, 13)
#: What a pixel is brighter than on a leg.
BRIGHT = -0.5


@dataclass(frozen=True)
class Trousers:
    """What the networks made.

    Attributes:
        images: For each architecture (seeds, noises, 1, 14, 14), from the noises of `noises`; kept at one byte a pixel.
        patches: For each architecture the calibrated patch sizes of the first seed, in the sampler's order.
        recipe: The settings of each architecture (``"runs"``), and the version of ``"torch"``.
    """

    images: Mapping[str, Tensor]
    patches: Mapping[str, list[int]]
    recipe: Mapping[str, Any]


def training_images() -> Tensor:
    """Return all trousers of the embedded Fashion-MNIST, (200, 1, 14, 14)."""
    clothes = data.fashion_mnist(pool=2)
    return clothes.pixels[clothes.labels == clothes.classes.index("Trouser")]


def noises() -> Tensor:
    """Return the noises from which trousers are made, (96, 1, 14, 14)."""
    return torch.randn(96, 1, 14, 14, generator=torch.Generator().manual_seed(3))


def legs(images: Tensor, row: int) -> Tensor:
    """Count the legs in one row of images (B, 1, H, W): the runs of pixels brighter than `BRIGHT`, (B,)."""
    bright = (images[:, 0, row] > BRIGHT).int()
    return (bright.diff(dim=1, prepend=torch.zeros_like(bright[:, :1])) == 1).sum(1)


def third_legs(images: Tensor) -> list[int]:
    """Return how many of the images (…, 1, H, W) have more than two legs, in each of `ROWS`."""
    flat = images.flatten(0, -4)
    return [int((legs(flat, row) > 2).sum()) for row in ROWS]


def load(folder: Path = FOLDER) -> Trousers:
    """Load the embedded pictures; errors are those of `embedded.packed`."""
    with embedded.packed(FILE, folder) as (arrays, recipe):
        images = torch.from_numpy(arrays["images"]).float()[:, :, :, None] / 127.5 - 1
        patches, names = arrays["patches"].tolist(), list(recipe["runs"])
        return Trousers(dict(zip(names, images, strict=True)), dict(zip(names, patches, strict=True)), recipe)


def pack(made: Trousers) -> bytes:
    """Return the content of the file; the same pictures give the same bytes."""
    pixels = torch.stack(list(made.images.values()))[:, :, :, 0]
    return embedded.pack(
        made.recipe,
        images=((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().numpy(),
        patches=np.array(list(made.patches.values()), np.uint8),
    )


def main() -> None:
    """Train all networks, let them make trousers, and write these."""
    torch.set_num_threads(1)
    training = training_images()
    images: dict[str, Tensor] = {}
    patches: dict[str, list[int]] = {}
    for name, run in progress(list(RUNS.items()), "architectures"):
        networks = [learn(run, training, torch.Generator().manual_seed(seed))[0] for seed in SEEDS]
        images[name] = torch.stack([sample(network.denoise, noises()).images for network in networks])
        patches[name] = calibrated(run, networks[0], training)
    recipe = {"runs": {name: asdict(run) for name, run in RUNS.items()}, "torch": torch.__version__}
    store({FILE: pack(Trousers(images, patches, recipe))})


if __name__ == "__main__":
    main()
