"""The references that are the library's functions in a plainer form, and those that the library has no use for."""

from torch import Tensor

from oraledu.scaling import curves
from oraledu.scaling.frontier import check_offset, fit_frontier
from oraledu.scaling.noise import predict


def fit_line(compute: Tensor, loss: Tensor, offset: float) -> tuple[float, float]:
    """Return coefficient and exponent of loss = offset + coefficient · compute^(-exponent), by a line in log-log."""
    check_offset(loss, offset)
    x, y = compute.double().log(), (loss.double() - offset).log()
    away = x - x.mean()
    slope = float((away * y).sum() / away.square().sum())
    return float((y.mean() - slope * x.mean()).exp()), -slope


def find_offset(compute: Tensor, loss: Tensor) -> float:
    """Return the offset above which the end losses of a ladder are nearest to a power law."""
    return fit_frontier(compute, loss).offset


def optimal_tokens(parameters: Tensor, mu: float, nu: float, a: float, b: float) -> Tensor:
    """Return the tokens t*(p) that make L = a t^(-μ) + b p^(-ν) smallest at equal compute 6 t p."""
    factor = nu / mu * (b / a)
    growth = parameters ** (nu / mu)
    return factor ** (-1 / mu) * growth


def universal_curve(x: Tensor, mu: float, nu: float) -> Tensor:
    """Return ℓ(x), the normalised curve of every size that is trained for its optimal horizon."""
    r = nu / mu
    power = x**-mu
    return (r * power + 1) / (r + 1)


def variance_parts(normalized: Tensor) -> tuple[Tensor, Tensor]:
    """Return the variance between sizes and the one between seeds, each (points,)."""
    parts = curves.variance_parts(normalized)
    return parts.size, parts.seed


def mean_step(moments: Tensor, eigenvalues: Tensor, rate: float, batch: int, noise: float) -> Tensor:
    """Return the mean squared errors (p,) of the weights after one step of stochastic gradient descent."""
    risk = eigenvalues @ moments + noise
    squared = eigenvalues.square() * moments
    gradient = (eigenvalues * risk + 2 * squared) / batch + (1 - 1 / batch) * squared
    return moments * (1 - 2 * rate * eigenvalues) + rate**2 * gradient


def predict_loss(tau: Tensor, constant_loss: Tensor, schedule: Tensor, trace: Tensor, alpha: float) -> Tensor:
    """Return the loss before the first step of a schedule and after each, from the loss at a constant rate."""
    return predict(tau, constant_loss, schedule, trace, alpha)


def end_slope(grid: Tensor, deviation: Tensor) -> float:
    """Return the slope of log Δ(x) on log(1 - x) over 0.975 ≤ x ≤ 0.995, by least squares."""
    kept = (grid >= 0.975) & (grid <= 0.995)
    x, y = (1 - grid[kept]).log(), deviation[kept].log()
    away = x - x.mean()
    return float((away * y).sum() / away.square().sum())


def layer_rates(width: int, base_rate: float, base_width: int) -> dict[str, float]:
    """Return Adam's rates in muP for the embedding ("embed"), the blocks ("inner") and the readout ("readout")."""
    r = base_width / width
    embed, inner, readout = 1.0, r, r
    parts = {"embed": embed, "inner": inner, "readout": readout}
    return {name: base_rate * part for name, part in parts.items()}
