import numpy as np
import pytest
import torch

from oraledu.data import codec


def layers(*, count: int = 60, width: int = 12, depth: int = 5) -> torch.Tensor:
    """Return vectors of which neighbouring layers are alike, and few directions hold most."""
    generator = torch.Generator().manual_seed(0)
    steps = torch.randn(depth, count, width, generator=generator) * torch.linspace(2, 0.05, width)
    steps[1:] *= 0.3
    return (steps.cumsum(dim=0) + 3) * torch.logspace(0, 2, depth)[:, None, None]


def error(found: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Return for each layer the share of the variance that is lost."""
    spread = states - states.mean(dim=1, keepdim=True)
    return (found - states).square().sum(dim=(1, 2)) / spread.square().sum(dim=(1, 2))


@pytest.mark.parametrize("noise", [0.1, 0.01, 0.001])
def test_rounding_changes_the_share_of_the_variance_that_is_asked_for(noise):
    states = layers(count=800)
    found = codec.decode(codec.encode(states, noise=noise))
    assert found.dtype == torch.float32
    assert found.shape == states.shape
    assert error(found, states).mean().item() == pytest.approx(noise, rel=0.3)


def test_the_mean_of_each_layer_stays():
    states = layers()
    found = codec.decode(codec.encode(states, noise=0.05))
    torch.testing.assert_close(found.mean(dim=1), states.mean(dim=1), rtol=0.05, atol=0.05)


def test_no_layer_pays_for_another():
    lost = error(codec.decode(codec.encode(layers(), noise=0.03)), layers())
    assert lost.max() < 4 * lost.min()


def test_layers_that_are_one_are_kept_once():
    states = layers()
    alike = states[:1].expand(5, -1, -1)
    once, often = (codec.encode(each, noise=0.01)["codes"] for each in (states[:1], alike))
    assert len(often) == len(once)
    assert len(codec.encode(states, noise=0.01)["codes"]) > 2 * len(once)


def test_less_noise_keeps_more_numbers():
    sizes = [(codec.encode(layers(), noise=noise)["codes"] != 0).sum() for noise in (0.1, 0.01)]
    assert sizes[1] > 2 * sizes[0]


def test_a_vector_of_twice_the_fineness_has_half_the_error():
    states = layers(count=800)
    fineness = torch.ones(800)
    fineness[::2] = 2
    lost = codec.decode(codec.encode(states, noise=1e-3, fineness=fineness)) - states
    fine, coarse = (lost[0, start::2].square().mean().sqrt() for start in (0, 1))
    assert (coarse / fine).item() == pytest.approx(2, rel=0.15)


def test_left_out_all_vectors_have_the_fineness_of_one():
    states = layers()
    plain, ones = (
        codec.encode(states, noise=0.01, fineness=each) for each in (None, torch.ones(states.shape[1]))
    )
    assert all(np.array_equal(plain[name], ones[name]) for name in codec.PARTS)


def test_numbers_beyond_one_byte_are_exact():
    states = layers()
    states[:, 0] *= 300
    arrays = codec.encode(states, noise=1e-6)
    assert len(arrays["places"]) > 0
    assert np.abs(arrays["large"]).min() > 127
    assert error(codec.decode(arrays), states).max() < 1e-5


def test_vectors_that_are_all_alike_come_back():
    states = torch.ones(2, 9, 4)
    torch.testing.assert_close(codec.decode(codec.encode(states, noise=0.01)), states)
