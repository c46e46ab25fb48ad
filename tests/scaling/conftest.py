"""Seeded randomness and small ladders for the tests of lesson 3."""

import pytest
import torch

from oraledu.scaling.horizon import Horizon
from oraledu.scaling.linear import LinearLadder
from oraledu.scaling.mlp import MLPLadder
from oraledu.scaling.transformer import TransformerLadder


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(20250702)


@pytest.fixture
def linear() -> LinearLadder:
    """Two widths of 20 and 46 steps."""
    return LinearLadder((4, 8), Horizon.through(4, 80, 1.2), batch=4, dtype=torch.float64)


@pytest.fixture
def mlp() -> MLPLadder:
    """Two widths of 20 and 50 steps."""
    return MLPLadder(
        (4, 6), Horizon.through(76, 160, 1.2), modes=20, batch=8, pool=512, tests=32, dtype=torch.float64
    )


@pytest.fixture
def transformer() -> TransformerLadder:
    """One width of 6 steps."""
    return TransformerLadder(
        (8,), Horizon.through(1472, 6 * 24, 1.0), context=8, batch=3, tests=8, probes=3, dtype=torch.float64
    )
