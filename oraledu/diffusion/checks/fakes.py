"""Networks that are machines in disguise, whose patch sizes are therefore known."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.diffusion.machines import Machine
from oraledu.diffusion.sampling import Trajectory, sample


@dataclass(frozen=True)
class Faulty:
    """A machine with an error, as networks have them: a wrong contrast and a wrong brightness."""

    machine: Machine
    contrast: float
    brightness: float

    def __call__(self, x: Tensor, t: float) -> Tensor:
        return self.contrast * self.machine(x, t) + self.brightness


@dataclass(frozen=True)
class Divided:
    """A network that answers each image as that machine does on whose way from noise to image it lies.

    Off these ways it sees nothing but grey.
    """

    machines: list[Machine]
    runs: list[Trajectory]

    def __call__(self, x: Tensor, t: float) -> Tensor:
        step = min(range(len(self.runs[0].denoised)), key=lambda step: abs(self.runs[0].times[step] - t))
        places = torch.stack([run.noisy[step, 0].flatten() for run in self.runs])
        distances, nearest = torch.cdist(x.flatten(1), places).min(1)
        answers = [self.machines[own](each[None], t) for each, own in zip(x, nearest.tolist(), strict=True)]
        return torch.cat(answers) * (distances < 1e-6).view(-1, 1, 1, 1)


def divided(images: Tensor, noise: Tensor, schedules: list[list[int]]) -> Divided:
    """Return the network in which each noise has a schedule of its own."""
    own = [machine(images, patches) for patches in schedules]
    starts = zip(own, noise.split(1), schedules, strict=True)
    return Divided(own, [sample(each, start, steps=len(patches)) for each, start, patches in starts])


def machine(images: Tensor, patches: list[int], padding: str = "circular") -> Machine:
    """Return the equivariant-local machine with one patch size for each step."""
    return Machine(images, "equivariant-local", patches, padding)
