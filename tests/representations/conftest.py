"""Seeded randomness for the tests of lesson 2."""

import pytest
import torch


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(20250713)
