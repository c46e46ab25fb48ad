"""The frontier: the end losses of a ladder as a power law in compute, with an offset."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Tensor

#: Where the robust fit goes from squares to absolute values, in log loss (paper, appendix C).
HUBER = 1e-3
OFFSETS = 2000

#: A number gives a number, a tensor a tensor.
Value = TypeVar("Value", float, Tensor)


@dataclass(frozen=True)
class PowerLaw:
    """loss = offset + coefficient · compute^(-exponent), the exponent positive."""

    coefficient: float
    exponent: float
    offset: float = 0.0

    def __call__(self, compute: Value) -> Value:
        """Return the loss at some compute, in the unit of the fit."""
        return self.offset + self.coefficient * compute**-self.exponent

    def r_squared(self, compute: Tensor, loss: Tensor) -> float:
        """Return the explained share of the variance of log (loss - offset).

        Args:
            compute: (n,) positive.
            loss: (n,) above the offset.

        Raises:
            ValueError: If a loss is not above the offset.
        """
        check_offset(loss, self.offset)
        found = (loss - self.offset).log()
        residual = found - np.log(self.coefficient) + self.exponent * compute.log()
        return 1 - (residual.square().sum() / (found - found.mean()).square().sum()).item()


def fit_frontier(compute: Tensor, loss: Tensor, offset: float | None = None) -> PowerLaw:
    """Fit loss = offset + coefficient · compute^(-exponent) to one point for each size.

    With the offset given, this is a line fit of log (loss - offset) against log compute. Otherwise every offset
    of a fine scan gets its line, each point weighted by (loss - offset) / loss so that errors count in log loss;
    from the best one, a robust fit (Huber, δ = 10⁻³, in log loss; paper, appendix C) moves all three numbers.

    Args:
        compute: (n,) positive and distinct, in any unit; FLOPs by default in this package.
        loss: (n,) positive, averaged over seeds.
        offset: The irreducible loss, at least 0; fitted in [0, min loss) if left out.

    Returns:
        The `PowerLaw`, its coefficient in the loss's unit at compute 1.

    Raises:
        ValueError: If there are fewer than two points (three to fit the offset too), a value is not positive and
            finite, the offset is not below every loss, or the loss does not fall as compute grows.
    """
    needed = 3 if offset is None else 2
    if compute.ndim != 1 or compute.shape != loss.shape:
        raise ValueError(
            f"compute and loss must have one shape (n,), got {tuple(compute.shape)} and {tuple(loss.shape)}"
        )
    if len(compute.unique()) < needed:
        raise ValueError(
            f"compute must hold {needed} or more sizes, got {len(compute.unique())}: train more widths"
        )
    for name, values in (("compute", compute), ("loss", loss)):
        if not (values.isfinite() & (values > 0)).all():
            raise ValueError(f"{name} must be positive and finite: leave diverged runs out")
    logs, losses = compute.double().log().cpu().numpy(), loss.double().cpu().numpy()
    centre = logs.mean()
    if offset is None:
        start = _scan(logs - centre, losses)
        level, exponent, offset = _polish(logs - centre, losses, start) if start[1] > 0 else start
    else:
        check_offset(loss, offset)
        (level,), (slope,) = _lines(logs - centre, losses, np.array([offset]), weighted=False)
        exponent = -slope
    if not exponent > 0:
        raise ValueError("loss must fall as compute grows; it does not, so that no frontier can be fitted")
    return PowerLaw(float(np.exp(level + exponent * centre)), float(exponent), float(offset))


def check_offset(loss: Tensor, offset: float) -> None:
    """Raise a ValueError unless the offset is at least 0 and below every loss."""
    if not offset >= 0:
        raise ValueError(f"offset must be at least 0, got {offset}")
    if not (loss > offset).all():
        raise ValueError(
            f"offset must lie below every loss, got {offset:.6g} and a smallest loss of {loss.min().item():.6g}: "
            "fit it to this ladder with fit_frontier, or leave diverged runs out"
        )


def _lines(
    logs: np.ndarray, losses: np.ndarray, offsets: np.ndarray, *, weighted: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return level and slope of the line through log (loss - offset), for each offset (k,): two of (k,)."""
    reducible = losses - offsets[:, None]  # (k, n)
    heights = np.log(reducible)
    weights = (reducible / losses) ** 2 if weighted else np.ones_like(reducible)
    total = weights.sum(axis=1)
    mean_x, mean_y = (weights * logs).sum(axis=1) / total, (weights * heights).sum(axis=1) / total
    away = logs - mean_x[:, None]
    slopes = (weights * away * heights).sum(axis=1) / (weights * away**2).sum(axis=1)
    return mean_y - slopes * mean_x, slopes


def _scan(logs: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Return (level, exponent, offset) of the offset whose line leaves the smallest error in log loss."""
    gaps = np.concatenate([np.geomspace(1e-6, 1, OFFSETS), [1.0]])
    offsets = losses.min() * (1 - np.unique(gaps))  # dense near the smallest loss
    levels, slopes = _lines(logs, losses, offsets)
    fitted = offsets[:, None] + np.exp(levels[:, None] + slopes[:, None] * logs)
    errors = np.abs(np.log(fitted / losses))
    cost = np.where(errors < HUBER, errors**2 / 2, HUBER * (errors - HUBER / 2)).sum(axis=1)
    best = cost.argmin()
    return np.array([levels[best], -slopes[best], offsets[best]])


def _polish(logs: np.ndarray, losses: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the (level, exponent, offset) nearby with the smallest Huber cost in log loss."""

    def errors(values: np.ndarray) -> np.ndarray:
        level, exponent, offset = values
        heights = np.minimum(level - exponent * logs, 700)  # a far step of the search would overflow
        return np.log((offset + np.exp(heights)) / losses)

    bounds = [-np.inf, 0, 0], [np.inf, np.inf, losses.min()]
    inside = np.clip(start, [-np.inf, 1e-9, 0], [np.inf, np.inf, losses.min()])
    from scipy.optimize import least_squares  # slow to load, and no figure waits for it

    found = least_squares(
        errors,
        inside,
        bounds=bounds,
        loss="huber",
        f_scale=HUBER,
        x_scale="jac",
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
    )
    return found.x
