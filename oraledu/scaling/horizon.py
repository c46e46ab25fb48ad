"""The compute-optimal horizon: for how many tokens a model of each size is to be trained.

Compute is counted in FLOPs as c = 6 · tokens · parameters, forwards and backwards.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from oraledu.scaling.frontier import Value

PETA = 1e15


@dataclass(frozen=True)
class Horizon:
    """The horizon t*(p) = (p / scale)^exponent, in tokens; the compute there is c*(p) = 6 p t*(p), in FLOPs.

    Attributes:
        scale: The number of parameters that is to see one token. Positive.
        exponent: How the horizon grows with the number of parameters; γ in the paper.
    """

    scale: float
    exponent: float

    def __post_init__(self) -> None:
        """Refuse a scale that is no number, as an exponent near 0 would need."""
        if not 0 < self.scale < math.inf:
            raise ValueError(
                f"scale must be positive and finite, got {self.scale} with exponent {self.exponent}"
            )

    @classmethod
    def through(cls, parameters: float, tokens: float, exponent: float) -> "Horizon":
        """Return the horizon of an exponent, not 0, that gives a model of so many parameters so many tokens."""
        return cls(parameters * math.exp(-math.log(tokens) / exponent), exponent)

    @classmethod
    def from_compute(cls, compute_scale: float, compute_exponent: float) -> "Horizon":
        """Return the horizon with c*(p) = (p / compute_scale)^compute_exponent petaFLOPs, as papers publish it."""
        return cls.through(compute_scale, PETA / (6 * compute_scale), compute_exponent - 1)

    @property
    def compute_exponent(self) -> float:
        """The exponent of c*(p): one more than that of the tokens."""
        return 1 + self.exponent

    @property
    def compute_scale(self) -> float:
        """The number of parameters that is to be trained for one petaFLOP (10¹⁵ FLOPs)."""
        log = math.log(PETA / 6) + self.exponent * math.log(self.scale)
        return math.exp(log / self.compute_exponent)

    def tokens(self, parameters: Value) -> Value:
        """Return the horizon t*(p), in tokens."""
        return (parameters / self.scale) ** self.exponent

    def compute(self, parameters: Value) -> Value:
        """Return the compute at the horizon c*(p), in FLOPs."""
        return 6 * parameters * self.tokens(parameters)


@dataclass(frozen=True)
class Envelope:
    """The lowest loss at each compute, and who reaches it.

    Attributes:
        compute: (n,) FLOPs, log-spaced.
        loss: (n,) the lowest loss of all sizes there.
        best: (n,) int64, the size that reaches it, as a row of the curves.
    """

    compute: Tensor
    loss: Tensor
    best: Tensor


def envelope(compute: Tensor, loss: Tensor, *, points: int = 1000) -> Envelope:
    """Return the lower envelope of loss curves over compute, interpolated linearly in log-log.

    Args:
        compute: (sizes, points) FLOPs, increasing along each row, from above 0.
        loss: (sizes, points) positive; one curve a size, averaged over seeds.
        points: How many values of compute to look at, log-spaced over what the curves cover.

    Raises:
        ValueError: If the shapes differ, a row does not increase, or a value is not positive and finite.
    """
    if compute.ndim != 2 or compute.shape != loss.shape:
        raise ValueError(
            f"compute and loss must have one shape (sizes, points), got {tuple(compute.shape)} and {tuple(loss.shape)}"
        )
    for name, values in (("compute", compute), ("loss", loss)):
        if not (values.isfinite() & (values > 0)).all():
            raise ValueError(f"{name} must be positive and finite: leave out step 0 and diverged runs")
    if not (compute.diff(dim=1) > 0).all():
        raise ValueError(
            "compute must increase along each row: sort the records by step, and drop repeated ones"
        )
    logs, heights = compute.double().log().numpy(), loss.double().log().numpy()
    grid = np.linspace(logs.min(), logs.max(), points)
    grid[-1] = logs.max()  # the last point is reached, whatever the rounding
    rows = [
        np.interp(grid, row, height, left=np.inf, right=np.inf)
        for row, height in zip(logs, heights, strict=True)
    ]
    curves = torch.from_numpy(np.stack(rows))  # (sizes, points)
    lowest, best = curves.min(dim=0)
    return Envelope(torch.from_numpy(grid).exp(), lowest.exp(), best)


def optimal_horizon(compute: Tensor, loss: Tensor, parameters: Tensor, *, points: int = 1000) -> Horizon:
    """Find the compute-optimal horizon from curves at a constant rate (paper, appendix C).

    At each of many values of compute, take the size whose curve is lowest. Drop the smallest and the largest of the
    sizes found: nothing competes with them on one side. A least-squares line of log compute on log parameters
    through the rest is c*(p).

    Args:
        compute: (sizes, points) FLOPs, 6 · tokens · parameters, increasing along each row, from above 0.
        loss: (sizes, points) positive; one curve a size, averaged over seeds, all at the same constant rate.
        parameters: (sizes,) increasing.
        points: How many values of compute to look at.

    Raises:
        ValueError: If the curves are unfit (see `envelope`), sizes do not increase, a size other than the largest is
            still the best where its curve ends, or fewer than two sizes are left after dropping the ends.
    """
    if parameters.shape != (len(compute),) or not (parameters.double().diff() > 0).all():
        raise ValueError(f"parameters must hold {len(compute)} increasing sizes, one for each curve")
    found = envelope(compute, loss, points=points)
    _check_long_enough(compute, loss, parameters)
    inner = (found.best > found.best.min()) & (found.best < found.best.max())
    if len(found.best[inner].unique()) < 2:
        raise ValueError(
            f"compute must lie where at least four sizes are the best in turn, got {len(found.best.unique())}: "
            "the two at the ends are dropped, and a line needs two more; train more widths, or longer"
        )
    x = parameters.double()[found.best[inner]].log()
    y = found.compute[inner].log()
    exponent = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    pivot = x.mean().exp().item()  # the line goes through the means
    return Horizon.through(pivot, y.mean().exp().item() / (6 * pivot), exponent.item() - 1)


def _check_long_enough(compute: Tensor, loss: Tensor, parameters: Tensor) -> None:
    """Raise unless each size but the largest has been overtaken by a larger one before its curve ends."""
    logs, heights = compute.double().log().numpy(), loss.double().log().numpy()
    for size in range(len(parameters) - 1):
        end = logs[size, -1]
        larger = [
            np.interp(end, logs[other], heights[other], left=np.inf, right=np.inf)
            for other in range(size + 1, len(parameters))
        ]
        if min(larger) > heights[size, -1]:
            raise ValueError(
                f"the curve of {parameters[size].item():.0f} parameters ends while no larger size is better: "
                "train it longer, or the frontier shows where the data end"
            )
