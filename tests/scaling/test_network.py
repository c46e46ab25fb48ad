"""The residual MLP: its gradient against autograd and finite differences."""

import pytest
import torch

from oraledu.scaling import network

SHAPES = {
    "embed": (2, 5),
    "up.0": (5, 5),
    "down.0": (5, 5),
    "up.1": (5, 5),
    "down.1": (5, 5),
    "readout": (5, 1),
}


@pytest.fixture
def weights(generator):
    """Three seeds, no weight zero."""
    return {
        name: torch.randn(3, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for name, shape in SHAPES.items()
    }


@pytest.fixture
def batch(generator):
    x, y = (torch.randn(3, 7, size, generator=generator, dtype=torch.float64) for size in (2, 1))
    return x, y[..., 0]


def test_the_gradient_is_that_of_autograd(weights, batch):
    expected = torch.autograd.grad(network.losses(weights, batch).sum(), list(weights.values()))
    found = network.gradients(weights, batch)
    assert list(found) == list(weights)
    for name, value in zip(weights, expected, strict=True):
        assert torch.allclose(found[name], value, rtol=1e-10, atol=1e-13), name


def test_the_gradient_is_that_of_finite_differences(weights, batch, generator):
    found = network.gradients(weights, batch)
    for name, weight in weights.items():
        direction = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        high, low = (
            network.losses(weights | {name: weight + step * direction}, batch) for step in (1e-5, -1e-5)
        )
        slope = (found[name] * direction).flatten(1).sum(dim=1)
        assert torch.allclose((high - low) / 2e-5, slope, rtol=1e-6, atol=1e-8), name


def test_seeds_do_not_meet(weights, batch):
    found = network.gradients(weights, batch)
    weights = {name: weight.detach().clone() for name, weight in weights.items()}
    for weight in weights.values():
        weight[1] = torch.nan
    after = network.gradients(weights, batch)
    for name in weights:
        assert torch.equal(after[name][[0, 2]], found[name][[0, 2]])
        assert after[name][1].isnan().all()


def test_inputs_and_weights_are_left_alone(weights, batch):
    before = [part.clone() for part in (*weights.values(), *batch)]
    network.gradients(weights, batch)
    assert all(torch.equal(a, b) for a, b in zip(before, (*weights.values(), *batch), strict=True))


def test_one_block_is_a_network_too(weights, batch):
    small = {name: weight for name, weight in weights.items() if not name.endswith(".1")}
    assert network.count_blocks(small) == 1
    expected = torch.autograd.grad(network.losses(small, batch).sum(), list(small.values()))
    for name, value in zip(small, expected, strict=True):
        assert torch.allclose(network.gradients(small, batch)[name], value, rtol=1e-10, atol=1e-13)
