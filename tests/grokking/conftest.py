"""Seeded randomness, and the definition of an AGOP by autograd, for the tests of lesson 4."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from oraledu.grokking import arithmetic, circulant


def feature_block(metric: Tensor, op: str, g: int | None = None) -> Tensor:
    """The lower left block of a metric, for * and / in discrete-log order: (2p, 2p) -> (p, p) or (p - 1, p - 1)."""
    p = len(metric) // 2
    block = metric[p:, :p]
    return block if op in "+-" else circulant.reorder(block, arithmetic.discrete_log_order(p, g))


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(20240729)


@pytest.fixture(scope="session")
def jacobians() -> Callable[..., Tensor]:
    """The derivative of a function (2p,) -> (c,) at every pair: (n, c, 2p)."""

    def differentiate(function: Callable[[Tensor], Tensor], pairs: Tensor, p: int) -> Tensor:
        return torch.func.vmap(torch.func.jacrev(function))(arithmetic.one_hot_pairs(pairs, p))

    return differentiate


@pytest.fixture(scope="session")
def average_outer_product() -> Callable[..., Tensor]:
    """The mean over points of J'J, the mean J taken off first where asked: (2p, 2p)."""

    def average(jacobian: Tensor, *, centre: bool) -> Tensor:
        if centre:
            jacobian = jacobian - jacobian.mean(dim=0)
        return torch.einsum("ncd,nce->de", jacobian, jacobian) / len(jacobian)

    return average


@pytest.fixture(scope="session")
def random_machine() -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """Half a table of an operation, random coefficients and a random positive definite metric."""

    def draw(op: str, p: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        pairs = arithmetic.split(*arithmetic.modular_table(op, p), 0.5, generator=generator)[0]
        coefficients = torch.randn(len(pairs), p, generator=generator, dtype=torch.float64)
        root = torch.randn(2 * p, 2 * p, generator=generator, dtype=torch.float64)
        return pairs, coefficients, root @ root.T / (2 * p)

    return draw
