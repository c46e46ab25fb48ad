"""Training a network to predict v, at the sampler's own noise levels."""

import warnings

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from oraledu.diffusion.predictor import Predictor, check_labels, require_at_least, signal_and_noise
from oraledu.diffusion.progress import progress
from oraledu.keep import NOWHERE, Keep, resume_training, training_state

#: Steps of warm-up, and the share of all steps in which the learning rate falls to zero at the end.
WARM_UP, DECAY = 50, 0.5


def train(
    network: Predictor,
    images: Tensor,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
    labels: Tensor | None = None,
    keep: Keep = NOWHERE,
) -> Tensor:
    """Train a network in place with Adam on the squared error of v = a ε - b x₀.

    Each step draws images with replacement, a noise level of the sampler for each, and noise; so the network is
    trained at exactly the levels at which it will be asked. The learning rate rises over `WARM_UP` steps, stays,
    and falls linearly to zero. Interrupting keeps what is done: the network stays as it is by then, and a warning
    says after how many steps.

    Args:
        network: The network; its weights change. The device is its own.
        images: (N, C, H, W) in [-1, 1], at least one.
        steps: Optimiser steps, at least 1.
        batch_size: Images in a batch, at least 1.
        learning_rate: The largest step size of Adam, above 0.
        generator: The source of images, levels and noise.
        labels: (N,) integers, if the network has classes.
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Returns:
        (steps,) the loss before each step; fewer after an interruption.

    Raises:
        ValueError: If an argument is unfit, or the loss is not finite in the end.
        TypeError: If the images are not floating point, or the labels not integers.
    """
    require_at_least(steps=(steps, 1), batch_size=(batch_size, 1))
    if not 0 < learning_rate < float("inf"):
        raise ValueError(f"learning_rate must be above 0 and finite, got {learning_rate}")
    check_images(images, network.channels)
    check_labels(labels, len(images), network.classes)
    weight = next(network.parameters())
    images, labels = images.to(weight), None if labels is None else labels.to(weight.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate, betas=(0.9, 0.99))
    losses = resume_training(keep.load(), network, optimizer, generator)
    try:
        for step in progress(range(len(losses), steps), "training"):
            optimizer.param_groups[0]["lr"] = learning_rate * rate(step, steps)
            loss = batch_loss(network, images, labels, batch_size, generator)
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
        raise ValueError(
            f"the loss is no longer finite: learning_rate {learning_rate} is too large, or try fewer steps"
        )
    return result


def batch_loss(
    network: Predictor, images: Tensor, labels: Tensor | None, batch_size: int, generator: torch.Generator
) -> Tensor:
    """Return the mean squared error of v on one random batch."""
    device = generator.device
    chosen = torch.randint(len(images), (batch_size,), generator=generator, device=device).to(images.device)
    level = torch.randint(1, network.steps + 1, (batch_size,), generator=generator, device=device).cpu()
    clean = images[chosen]  # (batch_size, C, H, W)
    noise = torch.randn(clean.shape, generator=generator, device=device).to(clean)
    t = level.double() / network.steps
    a, b = signal_and_noise(t, clean)
    v = network(a * clean + b * noise, t, None if labels is None else labels[chosen])
    return mse_loss(v, a * noise - b * clean)


def rate(step: int, steps: int) -> float:
    """Return the learning rate of a step as a share of the largest: up, flat, and down to nearly zero."""
    return min(1.0, (step + 1) / WARM_UP, (steps - step) / (DECAY * steps))


def check_images(images: Tensor, channels: int) -> None:
    """Raise unless the images are a floating-point batch (N, channels, H, W), not empty, with values in [-1, 1]."""
    if not images.is_floating_point():
        raise TypeError(f"images must be floating point, got {images.dtype}")
    if images.ndim != 4 or images.shape[1] != channels or 0 in images.shape:
        raise ValueError(
            f"images must have shape (N, {channels}, H, W), none of them 0, got {tuple(images.shape)}"
        )
    if not (images.abs() <= 1).all():
        raise ValueError("images must have values in [-1, 1], and no NaN")
