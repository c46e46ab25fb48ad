"""From a run's settings to its images and to trained networks."""

import torch
from torch import Tensor

from oraledu import data
from oraledu.keep import NOWHERE, Keep
from oraledu.representations.settings import VisionRun
from oraledu.representations.vision.network import Objective, VisionTransformer
from oraledu.representations.vision.training import train


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
