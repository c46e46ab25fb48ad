"""The closed-form denoisers: what the best machine would answer, given what it is allowed to see.

A noisy image is x = a x₀ + b ε. The best denoiser is the posterior mean of x₀, and each machine below is one: a
mean of training pixels, weighted by how well their surroundings fit. The machines differ in how much they see (the
whole image, or a window) and in where they look (at the same place, or everywhere).
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from oraledu.devices import exact
from oraledu.diffusion import schedule
from oraledu.diffusion.arguments import Task, check, check_images, check_level, check_machine, chosen
from oraledu.diffusion.belief import Belief, belief
from oraledu.diffusion.equivariant_local import equivariant_local_heaviest, equivariant_local_mean
from oraledu.diffusion.local import local_heaviest, local_mean
from oraledu.diffusion.precision import full_precision
from oraledu.diffusion.provenance import Provenance
from oraledu.diffusion.sampling import Trajectory, sample
from oraledu.diffusion.tiles import within_memory
from oraledu.diffusion.whole import equivariant_heaviest, equivariant_mean, ideal_heaviest, ideal_mean

__all__ = [
    "Belief",
    "Machine",
    "Provenance",
    "Trajectory",
    "belief",
    "denoise",
    "provenance",
    "sample",
    "score",
]

T = TypeVar("T")

MEANS = {
    "ideal": ideal_mean,
    "equivariant": equivariant_mean,
    "local": local_mean,
    "equivariant-local": equivariant_local_mean,
}
HEAVIEST = {
    "ideal": ideal_heaviest,
    "equivariant": equivariant_heaviest,
    "local": local_heaviest,
    "equivariant-local": equivariant_local_heaviest,
}


@torch.no_grad()
def denoise(
    x: Tensor,
    images: Tensor,
    alpha_bar: float | Tensor,
    *,
    machine: str,
    patch: int | None = None,
    padding: str = "zeros",
    labels: Tensor | None = None,
    label: int | None = None,
) -> Tensor:
    """Return a machine's estimate of the clean images: the posterior mean, without gradients.

    Args:
        x: (B, C, H, H) noisy images.
        images: (N, C, H, H) training images, of the same dtype (float32 or float64) and on the same device.
        alpha_bar: ᾱ in (0, 1), a number or one per noisy image, (B,).
        machine: ``"ideal"`` compares whole images, ``"equivariant"`` all their translates, ``"local"`` windows
            at the same place, ``"equivariant-local"`` windows at all places.
        patch: k, the side of a window: odd, at most H for circular and 2H - 1 for zero padding. Only for the two
            local machines, and necessary there.
        padding: ``"circular"`` wraps windows around. With ``"zeros"`` they end at the border, and the
            equivariant-local machine is the boundary-broken one: it compares a window with those that overlap
            the border in the same way. ``"equivariant"`` needs ``"circular"``.
        labels: (N,) the classes of the training images.
        label: Use the training images of this class alone.

    Returns:
        (B, C, H, H).

    Raises:
        ValueError: If an argument is out of its range; the message names both.
        TypeError: If one is of the wrong type or dtype.
    """
    task = check(
        x, images, alpha_bar, machine=machine, patch=patch, padding=padding, labels=labels, label=label
    )
    with full_precision(x.device):
        return _computed(MEANS[machine], task)


@torch.no_grad()
def provenance(
    x: Tensor,
    images: Tensor,
    alpha_bar: float | Tensor,
    *,
    machine: str,
    patch: int | None = None,
    padding: str = "zeros",
    labels: Tensor | None = None,
    label: int | None = None,
) -> Provenance:
    """Return where each pixel of the answer mostly comes from. The arguments and errors are those of `denoise`."""
    task = check(
        x, images, alpha_bar, machine=machine, patch=patch, padding=padding, labels=labels, label=label
    )
    with full_precision(x.device):
        found = _computed(HEAVIEST[machine], task)
    return replace(found, image=task.index[found.image])


def _computed(compute: Callable[[Task], T], task: Task) -> T:
    """Compute on the device of the images, as its memory allows; on the CPU where it has no float64."""
    asked = task.x.device
    if (there := exact(asked)) != asked:
        return _moved(compute(_moved(task, there)), asked)
    return within_memory(partial(compute, task), asked)


def _moved(value: T, device: torch.device) -> T:
    """Return a tensor, or what holds some on the device of the images, on another device."""
    if isinstance(value, Tensor):
        return cast(T, value.to(device))
    held: Any = value
    parts = {each.name: getattr(value, each.name) for each in fields(held)}
    moved = {name: part.to(device) for name, part in parts.items() if isinstance(part, Tensor)}
    return cast(T, replace(held, **moved))


def score(x: Tensor, denoised: Tensor, alpha_bar: float | Tensor) -> Tensor:
    """Return the score (a x̂₀ - x) / b² that belongs to an estimate x̂₀ (Tweedie's formula).

    Args:
        x: (B, C, H, W) noisy images.
        denoised: The same shape, the estimate of the clean images.
        alpha_bar: ᾱ in (0, 1), a number or one per image, (B,).

    Raises:
        ValueError: If the shapes differ, or an ᾱ is outside its range.
    """
    if x.shape != denoised.shape:
        raise ValueError(f"denoised must have the shape of x, {tuple(x.shape)}, got {tuple(denoised.shape)}")
    level = check_level(alpha_bar, x).view(-1, *[1] * (x.ndim - 1))
    return (level.sqrt().to(x) * denoised - x) / (1 - level).to(x)


@dataclass(frozen=True, eq=False)
class Machine:
    """A machine with its training images and patch sizes: a denoiser for `sample` to follow.

    Attributes:
        images: (N, C, H, H) training images.
        machine: The name of the machine, as in `denoise`.
        patches: One patch size for all times, or a list with one for each step of the sampler, in its order (the
            first belongs to t = 1); None for the machines that see the whole image.
        padding: ``"zeros"`` or ``"circular"``.
        labels: (N,) the classes of the training images.
        label: Use the training images of this class alone.

    Raises:
        ValueError: If an attribute is out of its range.
        TypeError: If one is of the wrong type or dtype.
    """

    images: Tensor
    machine: str
    patches: int | list[int] | None = None
    padding: str = "zeros"
    labels: Tensor | None = None
    label: int | None = None

    def __post_init__(self) -> None:
        """Raise at once what `denoise` would raise later."""
        check_images(self.images)
        chosen(self.images, self.labels, self.label)
        if self.patches == []:
            raise ValueError("patches must hold one patch size for each step, got an empty list")
        for patch in self.patches if isinstance(self.patches, list) else [self.patches]:
            check_machine(self.machine, patch, self.padding, self.images.shape[-1])

    def patch(self, t: float) -> int | None:
        """Return the patch size at time t.

        Raises:
            ValueError: If there is one patch size for each step, and t is the time of none.
        """
        if not isinstance(self.patches, list):
            return self.patches
        steps = len(self.patches)
        step = round((1 - t) * steps)
        if not (0 <= step < steps and abs(schedule.times(steps)[step] - t) < 1e-9):
            raise ValueError(
                f"t must be the time of one of the {steps} patches: 1, …, {1 / steps:.3g}; got {t}"
            )
        return self.patches[step]

    def __call__(self, x: Tensor, t: float) -> Tensor:
        """Return the estimate of the clean images x at time t in (0, 1], (B, C, H, H)."""
        return denoise(
            x,
            self.images,
            schedule.alpha_bar(t),
            machine=self.machine,
            patch=self.patch(t),
            padding=self.padding,
            labels=self.labels,
            label=self.label,
        )
