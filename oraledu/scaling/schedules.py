"""Learning-rate schedules: the share of the full rate as a function of progress x, from 0 to 1.

The sum of the shares of the steps done is the training time τ, in steps at full rate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: A schedule maps progress (n,) in [0, 1] to shares (n,) of the full rate in [0, 1].
Schedule = Callable[[Tensor], Tensor]

SHAPES: dict[str, Schedule] = {
    "constant": torch.ones_like,
    "linear": lambda u: 1 - u,
    "cosine": lambda u: (1 + torch.cos(math.pi * u)) / 2,
    "multi-cosine": lambda u: (1 + torch.cos(3 * math.pi * u)) / 2,
    "quadratic": lambda u: 1 - u.square(),
}


@dataclass(frozen=True)
class Shape:
    """A named schedule: a linear warm-up, the full rate, and a decay of a given shape over the last part.

    Attributes:
        shape: ``"constant"``, ``"linear"``, ``"cosine"``, ``"multi-cosine"`` (three half periods) or ``"quadratic"``
            (1 - u²), with u from 0 to 1 over the decay.
        decay: The share of the run that decays, in (0, 1]; the paper takes 1 and 0.2.
        warmup: The share of the run over which the rate also rises from 0, in [0, 1).
    """

    shape: str = "linear"
    decay: float = 1.0
    warmup: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no schedule."""
        if self.shape not in SHAPES:
            raise ValueError(f"shape must be one of {', '.join(SHAPES)}; got {self.shape!r}")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must lie in (0, 1], got {self.decay}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must lie in [0, 1), got {self.warmup}")

    def __call__(self, x: Tensor) -> Tensor:
        """Return the shares at progress x, of the shape of x."""
        u = ((x - (1 - self.decay)) / self.decay).clamp(0, 1)
        share = SHAPES[self.shape](u)
        return share * (x / self.warmup).clamp(max=1) if self.warmup else share


NAMED = {name: Shape(name) for name in SHAPES} | {"wsd": Shape("linear", decay=0.2, warmup=0.02)}


def resolve(schedule: str | Schedule) -> Schedule:
    """Return the schedule of a name, or the schedule itself.

    Args:
        schedule: A name: those of `Shape.shape` over the whole run, or ``"wsd"`` for warm-up–stable–decay (2 %
            warm-up, a linear decay over the last 20 %). Or any function of progress, such as a `Shape`.

    Raises:
        ValueError: If the name is unknown.
        TypeError: If it is neither a name nor a function.
    """
    if isinstance(schedule, str):
        if schedule not in NAMED:
            raise ValueError(f"schedule must be one of {', '.join(NAMED)}, or a function; got {schedule!r}")
        return NAMED[schedule]
    if not callable(schedule):
        raise TypeError(f"schedule must be a name or a function of progress, got {type(schedule).__name__}")
    return schedule


def step_rates(schedule: str | Schedule, steps: int) -> Tensor:
    """Return the share of the full rate that each step takes: the schedule at the middle of the step.

    Args:
        schedule: What `resolve` takes.
        steps: The length of the run, at least 1.

    Returns:
        (steps,) float64 in [0, 1].

    Raises:
        ValueError: If there is no step, or the schedule leaves [0, 1] or has another shape than its argument.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    middles = (torch.arange(steps, dtype=torch.float64) + 0.5) / steps
    rates = resolve(schedule)(middles)
    if rates.shape != middles.shape:
        raise ValueError(f"schedule must return shape {tuple(middles.shape)}, got {tuple(rates.shape)}")
    if not ((rates >= -1e-12) & (rates <= 1 + 1e-12)).all():
        raise ValueError("schedule must stay in [0, 1]: it is the share of the full rate")
    return rates.clamp(0, 1)


def training_time(rates: Tensor) -> Tensor:
    """Return the training time τ before the first step and after each: (steps + 1,), in steps at full rate.

    Args:
        rates: (steps,) the shares of the full rate.
    """
    return torch.cat([rates.new_zeros(1), rates.cumsum(0)])
