"""Random inputs that several exercises share, and what every average gradient outer product is."""

import torch
from torch import Tensor


def random_pairs(p: int, n: int, generator: torch.Generator) -> Tensor:
    """Draw n different digit pairs: (n, 2) int64."""
    chosen = torch.randperm(p * p, generator=generator)[:n]
    return torch.stack([chosen // p, chosen % p], dim=1)


def random_square(size: int, generator: torch.Generator) -> Tensor:
    """Draw a square matrix with no symmetry: (size, size) float64."""
    return torch.randn(size, size, generator=generator, dtype=torch.float64)


def random_metric(p: int, generator: torch.Generator) -> Tensor:
    """Draw a symmetric positive definite metric: (2p, 2p) float64."""
    factor = random_square(2 * p, generator)
    return factor @ factor.T / (2 * p)


def random_machine(p: int, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw n training pairs, dual coefficients (n, p) and a metric (2p, 2p)."""
    pairs = random_pairs(p, n, generator)
    coefficients = torch.randn(n, p, generator=generator, dtype=torch.float64)
    return pairs, coefficients, random_metric(p, generator)


def largest_error(one: Tensor, other: Tensor) -> float:
    """Return the largest difference, relative to the largest entry of the second."""
    return ((one - other).abs().max() / other.abs().max()).item()


def unlike_the_agop(found: Tensor, jacobians: Tensor, how: str = "") -> str | None:
    """Return what a matrix lacks to be the mean of J J' over Jacobians (n, 2p, p), or None."""
    if not largest_error(found, found.T) < 1e-12:
        return "an AGOP is symmetric: a sum of products J J'"
    if not torch.linalg.eigvalsh(found)[0] > -1e-12 * found.trace():
        return "an AGOP has no negative eigenvalue"
    ratio = (found.trace() / jacobians.square().sum(dim=(1, 2)).mean()).item()
    if not abs(ratio - 1) < 1e-10:
        return f"{how}its trace should be the mean squared size of the Jacobian, not {ratio:.3g} of it"
    error = largest_error(found, (jacobians @ jacobians.mT).mean(0))
    if not error < 1e-10:
        return f"{how}it differs from automatic differentiation by {error:.1g} of its largest entry"
    return None
