"""From a run's settings to networks, and to their states on images that they have not seen."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu import data
from oraledu.keep import NOWHERE, Keep
from oraledu.representations.settings import VisionRun
from oraledu.representations.vision.distort import views
from oraledu.representations.vision.network import Objective, VisionTransformer
from oraledu.representations.vision.training import pooled_states, token_states, train

#: The seed of the views, which are the same for every network.
VIEW_SEED = 77


@dataclass(frozen=True, eq=False)
class States:
    """The states of a network.

    Attributes:
        tokens: (layers, images, T, D), the start token first.
        pooled: "fit" and "test", (layers, n, D) mean patches.
        views: (layers, images, views, D) mean patches.
    """

    tokens: Tensor
    pooled: dict[str, Tensor]
    views: Tensor


def images(run: VisionRun, device: str = "cpu") -> dict[str, data.Images]:
    """Load the images of a run onto a device: "train" for the networks, "fit" and "test" for the probes.

    Raises:
        FileNotFoundError: If the run takes the complete set, and it is not there; it says what to put where.
    """
    both = data.fashion_mnist(run.train + run.fit, complete=run.complete)
    test = data.fashion_mnist(run.test, split="test", complete=run.complete)
    parts = {
        "train": (both, slice(run.train)),
        "fit": (both, slice(run.train, None)),
        "test": (test, slice(None)),
    }
    return {
        name: data.Images(of.pixels[part].to(device), of.labels[part].to(device), of.classes)
        for name, (of, part) in parts.items()
    }


def learn(
    run: VisionRun,
    objective: Objective,
    training: data.Images,
    generator: torch.Generator,
    keep: Keep = NOWHERE,
) -> tuple[VisionTransformer, Tensor]:
    """Build a network and train it on one objective, on the device of the images; return it and its losses."""
    network = VisionTransformer(
        objective,
        side=training.pixels.shape[-1],
        patch=run.patch,
        width=run.width,
        depth=run.depth,
        heads=run.heads,
        classes=len(training.classes),
        generator=generator,
    ).to(training.pixels.device)
    losses = train(
        network,
        training.pixels,
        training.labels,
        steps=run.steps,
        batch_size=run.batch_size,
        learning_rate=run.learning_rate,
        generator=generator,
        keep=keep,
    )
    return network, losses


def extract(run: VisionRun, network: VisionTransformer, sets: dict[str, data.Images]) -> States:
    """Return the states of a network on the images of the probes and on views of some."""
    test = sets["test"].pixels
    generator = torch.Generator().manual_seed(VIEW_SEED)
    seen = views(test[: run.viewed], run.views, generator=generator)  # (views, images, 1, S, S)
    return States(
        tokens=token_states(network, test[: run.tokens]).transpose(0, 1),
        pooled={part: pooled_states(network, sets[part].pixels) for part in ("fit", "test")},
        views=torch.stack([pooled_states(network, each) for each in seen], dim=2),
    )
