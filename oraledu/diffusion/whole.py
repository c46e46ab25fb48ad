"""The machines that see the whole image: the ideal one, and the equivariant one.

The ideal machine compares a noisy image with the training images; the equivariant one with all their circular
translates. Both give one set of weights for all pixels (the paper's IS and ES machines, sections 3 and 4).
"""

from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from oraledu.diffusion.arguments import Task
from oraledu.diffusion.posterior import LOG2_E, Heaviest, Mean, Posterior, tile_size
from oraledu.diffusion.precision import double, working_dtype
from oraledu.diffusion.provenance import Provenance, same_places

Kind = TypeVar("Kind", bound=Posterior)


def ideal_mean(task: Task) -> Tensor:
    """Return the mean of the training images under the posterior, (B, C, H, H)."""
    return _ideal(task, Mean()).mean.to(task.x).view_as(task.x)


def ideal_heaviest(task: Task) -> Provenance:
    """Return the training image of largest weight: every pixel comes from its own place there."""
    posterior = _ideal(task, Heaviest())
    row, column = same_places(task.x)
    image, weight = (
        one[:, None, None].expand_as(row) for one in (posterior.index, posterior.weight.to(task.x))
    )
    return Provenance(image, row, column, weight)


def _ideal(task: Task, posterior: Kind) -> Kind:
    """Show all training images to the posterior of each noisy image, (B,)."""
    pixels = task.x[0].numel()
    noisy = task.x.flatten(1).to(working_dtype(task, pixels))
    signal, variance = task.signal.to(noisy)[:, None], task.variance.to(noisy)[:, None]
    step = max(1, tile_size(noisy.device) // (len(noisy) * pixels))
    for images in task.images.flatten(1).split(step):
        part = images.to(noisy)
        # The difference itself: as |x|² - 2 a x·y + a² |y|² it would lose its last digits.
        error = torch.addcmul(noisy[:, None], -signal[:, None], part)
        log_weights = error.square_().sum(dim=2).mul_(-LOG2_E / 2 / variance)
        if posterior.reference is not None:
            log_weights -= posterior.reference[:, None]
        posterior.add(log_weights, partial(torch.matmul, other=part))
    return posterior


def equivariant_mean(task: Task) -> Tensor:
    """Return the mean of all circular translates of the training images under the posterior, (B, C, H, H)."""
    spectrum = _equivariant(task, Mean()).mean
    return torch.fft.irfft2(spectrum, s=task.x.shape[-2:]).to(task.x)


def equivariant_heaviest(task: Task) -> Provenance:
    """Return the translate of largest weight: pixel r of the image moved by s comes from place r - s."""
    posterior = _equivariant(task, Heaviest())
    size = task.x.shape[-1]
    row, column = same_places(task.x)
    image, weight, down, right = (
        one[:, None, None]
        for one in (
            posterior.index // size**2,
            posterior.weight.to(task.x),
            posterior.index // size % size,
            posterior.index % size,
        )
    )
    return Provenance(
        image.expand_as(row), (row - down) % size, (column - right) % size, weight.expand_as(row)
    )


def _equivariant(task: Task, posterior: Kind) -> Kind:
    """Show all translates to the posterior of each noisy image, (B,), in the order image, rows, columns moved.

    The products of x with all translates of y are one cross-correlation, and the mean of all translates is a
    convolution with their weights: Fourier transforms give both, and need float64.
    """
    x = task.x.to(double(task.x.device))
    signal, variance = (part.to(x) for part in (task.signal, task.variance))
    seen = torch.fft.rfft2(x)
    step = max(1, tile_size(x.device) // (len(x) * x[0].numel()))
    for images in task.images.split(step):
        part = images.to(x)
        half = part.square().sum(dim=(1, 2, 3)) / 2
        spectra = torch.fft.rfft2(part)
        products = torch.fft.irfft2((seen[:, None] * spectra.conj()).sum(dim=2), s=x.shape[-2:])
        gain = (LOG2_E * signal / variance)[:, None, None, None]
        shift = signal[:, None, None, None] * gain * half[:, None, None]
        log_weights = (gain * products - shift).flatten(1)
        if posterior.reference is not None:
            log_weights -= posterior.reference[:, None]
        posterior.add(log_weights, partial(_moved_sum, spectra=spectra))
    return posterior


def _moved_sum(weights: Tensor, spectra: Tensor) -> Tensor:
    """Return the spectrum of the translates' sum under weights (B, n H H): (B, C, H, H // 2 + 1)."""
    size = spectra.shape[-2]
    shares = torch.fft.rfft2(weights.view(len(weights), len(spectra), size, size))
    return (shares[:, :, None] * spectra).sum(dim=1)
