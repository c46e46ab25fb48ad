"""Networks whose every weight is random, for tests of what an architecture can do at all."""

from typing import TypeVar

import torch

from oraledu.diffusion.predictor import Predictor

Network = TypeVar("Network", bound=Predictor)


def awake(network: Network, seed: int = 0) -> Network:
    """Draw all weights anew, also those that start at zero, and return the network in float64."""
    generator = torch.Generator().manual_seed(seed)
    network = network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.2, generator=generator)
    return network


def seeded(seed: int = 0) -> torch.Generator:
    """Return a generator."""
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return standard normal numbers in float64."""
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)
