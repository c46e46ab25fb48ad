"""Seeded random matrices for the tests of lesson 2."""

import torch
from torch import Tensor


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def rotation(size: int, seed: int = 0) -> Tensor:
    return torch.linalg.qr(normal(size, size, seed=seed))[0]


def with_singular_values(values: Tensor, rows: int, columns: int, seed: int = 0) -> Tensor:
    """A matrix (rows, columns) of the given singular values, in random directions."""
    left, right = rotation(rows, seed)[:, : len(values)], rotation(columns, seed + 1)[:, : len(values)]
    return left * values @ right.T
