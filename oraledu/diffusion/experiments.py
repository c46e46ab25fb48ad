"""One experiment from its settings: load the images, train the network, calibrate, compare with the machines."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu import data
from oraledu.diffusion.calibrate import patch_schedule, pearson_r
from oraledu.diffusion.machines import Machine, sample
from oraledu.diffusion.networks import AttentionUNet, Predictor, ResNet, UNet, train
from oraledu.diffusion.settings import NetworkRun
from oraledu.keep import NOWHERE, Keep

#: Seeds of the noises, one for calibration and another for what is predicted afterwards.
CALIBRATION_SEED, PREDICTION_SEED = 77, 78


@dataclass(frozen=True)
class Result:
    """What an experiment found.

    Attributes:
        network: The trained network.
        losses: (steps,) of its training.
        patches: The calibrated patch sizes, in the sampler's order.
        agreement: For each machine Pearson's r with the network, (noises,).
    """

    network: Predictor
    losses: Tensor
    patches: list[int]
    agreement: Mapping[str, Tensor]


def training_images(run: NetworkRun) -> Tensor:
    """Load the training images of a run, (N, C, H, H); the complete set where the run has no count."""
    if run.data == "cifar10":
        return data.cifar10(run.count, pool=run.pool).pixels
    load = {"fashion_mnist": data.fashion_mnist, "mnist": data.mnist}[run.data]
    return load(run.count, pool=run.pool, complete=run.count is None).pixels


def build(run: NetworkRun, channels: int, generator: torch.Generator) -> Predictor:
    """Return the untrained network of a run, for images with so many channels."""
    padding = run.padding
    match run.architecture:
        case "ResNet":
            (width,) = run.widths
            return ResNet(
                width=width, depth=run.depth, padding=padding, channels=channels, generator=generator
            )
        case "UNet":
            return UNet(widths=run.widths, padding=padding, channels=channels, generator=generator)
        case "AttentionUNet":
            return AttentionUNet(widths=run.widths, padding=padding, channels=channels, generator=generator)
        case _:
            raise ValueError(
                f"architecture must be 'ResNet', 'UNet' or 'AttentionUNet', got {run.architecture!r}"
            )


def learn(
    run: NetworkRun, images: Tensor, generator: torch.Generator, keep: Keep = NOWHERE
) -> tuple[Predictor, Tensor]:
    """Build and train the network of a run, on the device of the images; return it and its losses."""
    network = build(run, images.shape[1], generator).to(images.device)
    return network, fit(run, network, images, generator, keep)


def fit(
    run: NetworkRun, network: Predictor, images: Tensor, generator: torch.Generator, keep: Keep = NOWHERE
) -> Tensor:
    """Train a network in place as a run says; return the losses, (steps,)."""
    return train(
        network,
        images,
        steps=run.steps,
        batch_size=run.batch_size,
        learning_rate=run.learning_rate,
        generator=generator,
        keep=keep,
    )


def trained(run: NetworkRun, seed: int, device: str, keep: Keep = NOWHERE) -> tuple[Predictor, Tensor]:
    """Return what `learn` does with the run's own images: settings alone decide it, so that it can be cached."""
    return learn(run, training_images(run).to(device), torch.Generator().manual_seed(seed), keep)


def noises(run: NetworkRun, images: Tensor, *, calibration: bool) -> Tensor:
    """Return the noises that calibrate a run, or those from which images are predicted: like the images."""
    seed, count = (CALIBRATION_SEED, run.calibration_noises) if calibration else (PREDICTION_SEED, run.noises)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *images.shape[1:], generator=generator).to(images)


def calibrated(run: NetworkRun, network: Predictor, images: Tensor, keep: Keep = NOWHERE) -> list[int]:
    """Return the patch schedule of a run's network."""
    noise = noises(run, images, calibration=True)
    chosen = images[: run.calibration_count]
    return patch_schedule(
        network.denoise, chosen, run.candidates, noise=noise, padding=run.padding, keep=keep
    )


def agreements(
    run: NetworkRun, network: Predictor, patches: list[int], images: Tensor, keep: Keep = NOWHERE
) -> dict[str, Tensor]:
    """Return for each machine the correlation of its images with the network's, (noises,)."""
    noise = noises(run, images, calibration=False)
    made = sample(network.denoise, noise).images
    machines = {
        "equivariant-local": Machine(images, "equivariant-local", patches, run.padding),
        "local": Machine(images, "local", patches, run.padding),
        "ideal": Machine(images, "ideal", None, run.padding),
    }
    return {
        name: pearson_r(made, sample(each, noise, keep=keep.part(name)).images)
        for name, each in machines.items()
    }


def experiment(run: NetworkRun, images: Tensor, seed: int, keep: Keep = NOWHERE) -> Result:
    """Do all of it: train from one seed, calibrate, and compare."""
    network, losses = learn(run, images, torch.Generator().manual_seed(seed), keep.part("training"))
    patches = calibrated(run, network, images, keep.part("calibration"))
    found = agreements(run, network, patches, images, keep.part("prediction"))
    return Result(network, losses, patches, found)
