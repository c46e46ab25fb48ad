"""Training a small vision transformer on one objective, and reading what it has learned."""

import math
import os
import warnings
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss
from tqdm.auto import tqdm

from oraledu.keep import NOWHERE, Keep, resume_training, training_state
from oraledu.representations.vision.distort import shift
from oraledu.representations.vision.network import VisionTransformer

#: Steps of warm-up; AdamW's decay of weights; the most pixels by which a training image is moved.
WARM_UP, DECAY, SHIFT = 50, 0.05, 2
#: Images whose states are computed at once.
BLOCK = 100


def train(
    network: VisionTransformer,
    images: Tensor,
    labels: Tensor,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
    keep: Keep = NOWHERE,
) -> Tensor:
    """Train a network in place with AdamW, on the patches alone or on the labels, as its objective says.

    Each step draws images with replacement, and moves each by up to `SHIFT` pixels, for all objectives. The
    learning rate rises over `WARM_UP` steps and falls as half a cosine. Interrupting keeps what is done: the network
    stays as it is by then, and a warning says after how many steps.

    Args:
        network: The network; its weights change. Images and labels are on its device.
        images: (N, 1, S, S) in [-1, 1], at least one.
        labels: (N,) integers; only the supervised objectives look at them.
        steps: Optimiser steps, at least 1.
        batch_size: Images in a batch, at least 1.
        learning_rate: The largest rate of AdamW, above 0.
        generator: The source of the batches and moves.
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Returns:
        (steps,) the loss before each step; fewer after an interruption.

    Raises:
        ValueError: If an argument is unfit, or the loss is not finite in the end.
    """
    _check(images, labels, steps, batch_size, learning_rate)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=learning_rate, betas=(0.9, 0.99), weight_decay=DECAY
    )
    losses = resume_training(keep.load(), network, optimizer, generator)
    left = range(len(losses), steps)
    try:
        for step in tqdm(left, desc="training", leave=False, disable=bool(os.environ.get("CI"))):
            optimizer.param_groups[0]["lr"] = learning_rate * rate(step, steps)
            chosen = torch.randint(len(images), (batch_size,), generator=generator)
            loss = batch_loss(network, shift(images[chosen], SHIFT, generator=generator), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
            if keep.due(step + 1, steps):
                keep.save(training_state(network, optimizer, generator, losses))
    except KeyboardInterrupt:
        if not losses:
            raise
        warnings.warn(f"training was interrupted after {len(losses)} of {steps} steps", stacklevel=2)
    result = torch.stack(losses).cpu()
    if not result.isfinite().all():
        raise ValueError(f"the loss is no longer finite: learning_rate {learning_rate} is too large")
    return result


def batch_loss(network: VisionTransformer, images: Tensor, labels: Tensor) -> Tensor:
    """Return the mean squared error of the next patch, or the cross-entropy of the class in nats: ()."""
    answer = network(images)
    return cross_entropy(answer, labels) if network.supervised else mse_loss(answer, network.patches(images))


def rate(step: int, steps: int) -> float:
    """Return the learning rate of a step as a share of the largest: up, then down along half a cosine."""
    return min(1.0, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2


@torch.no_grad()
def token_states(network: VisionTransformer, images: Tensor) -> Tensor:
    """Return the states of all tokens, the start token first: (N, 1, S, S) -> (N, layers, T, D)."""
    return torch.cat(list(_blocks(network, images)))


@torch.no_grad()
def pooled_states(network: VisionTransformer, images: Tensor) -> Tensor:
    """Return the mean state of the patches, without the start token: (N, 1, S, S) -> (layers, N, D)."""
    return torch.cat([block[:, :, 1:].mean(dim=2) for block in _blocks(network, images)]).transpose(0, 1)


def _blocks(network: VisionTransformer, images: Tensor) -> Iterator[Tensor]:
    yield from (network.hidden_states(block).cpu() for block in images.split(BLOCK))


def _check(images: Tensor, labels: Tensor, steps: int, batch_size: int, learning_rate: float) -> None:
    for name, value in (("steps", steps), ("batch_size", batch_size), ("images", len(images))):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate must be above 0 and finite, got {learning_rate}")
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"labels must have shape {tuple(images.shape[:1])}, one an image, got {tuple(labels.shape)}"
        )
    if not (images.abs() <= 1).all():
        raise ValueError("images must have values in [-1, 1], and no NaN")
