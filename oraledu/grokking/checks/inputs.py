"""Random inputs that several exercises share."""

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


def random_coefficients(n: int, p: int, generator: torch.Generator) -> Tensor:
    """Draw dual coefficients: (n, p) float64."""
    return torch.randn(n, p, generator=generator, dtype=torch.float64)


def largest_error(one: Tensor, other: Tensor) -> float:
    """Return the largest difference, relative to the largest entry of the second."""
    return ((one - other).abs().max() / other.abs().max()).item()
