"""The regression task: a random function on a box, a sum of cosines whose frequencies have a power-law tail."""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.scaling.seeds import stream

#: Points at which all cosines are held at once.
BLOCK = 4096


@dataclass(frozen=True)
class FourierTask:
    """φ(x) = Σ_i w_i √2 cos(2π k_i·x + b_i) for x uniform in [-1/2, 1/2]^d (paper, appendix B).

    The frequencies are k_i = round(s_i v_i), with v_i a uniform direction and P(s_i > s) = s^(-2); the phases are 0
    or π/2; the weights are Gaussian with Σ w² = 1.

    Attributes:
        dimension: d.
        modes: How many cosines.
        target: Which function: the key of its random numbers.
    """

    dimension: int
    modes: int
    target: int = 0

    def coefficients(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return frequencies k (modes, d), phases b (modes,) and weights w (modes,), all float64."""
        return _coefficients(self)

    def evaluate(self, x: Tensor) -> Tensor:
        """Return φ at points (…, d): (…) in their type and on their device."""
        k, b, w = (part.to(x) for part in self.coefficients())
        angles = (torch.addmm(b, part, k.T, alpha=2 * torch.pi) for part in x.flatten(0, -2).split(BLOCK))
        return 2**0.5 * torch.cat([part.cos_() @ w for part in angles]).reshape(x.shape[:-1])

    def inputs(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw points uniformly from the box: (count, d) float32."""
        return torch.rand(count, self.dimension, generator=generator) - 0.5


def examples(task: FourierTask, count: int, *purpose: str | int) -> tuple[Tensor, Tensor]:
    """Draw examples: points (count, d) and values (count,), float32 on the CPU.

    Args:
        task: What the values are of.
        count: How many.
        purpose: What they are for: other names, other points.
    """
    x = task.inputs(count, stream("points", task.dimension, task.target, *purpose))
    # By way of float64, so that every machine rounds to the same numbers.
    return x, task.evaluate(x.double()).to(x)


@functools.lru_cache(maxsize=2)
def pool(task: FourierTask, count: int) -> tuple[Tensor, Tensor]:
    """Return the `examples` that training picks from. They are drawn once in a process; do not change them."""
    return examples(task, count, "pool")


@functools.lru_cache(maxsize=8)
def _coefficients(task: FourierTask) -> tuple[Tensor, Tensor, Tensor]:
    generator = stream("target", task.target, task.dimension, task.modes)
    directions = torch.randn(task.modes, task.dimension, generator=generator, dtype=torch.float64)
    directions /= directions.norm(dim=1, keepdim=True)
    lengths = (1 - torch.rand(task.modes, generator=generator, dtype=torch.float64)) ** -0.5
    phases = torch.randint(2, (task.modes,), generator=generator).double() * (torch.pi / 2)
    weights = torch.randn(task.modes, generator=generator, dtype=torch.float64)
    return (lengths[:, None] * directions).round(), phases, weights / weights.norm()
