"""The input Jacobian: against finite differences, and where it must vanish."""

import pytest
import torch

from oraledu.diffusion import networks
from tests.diffusion.awake import awake, noise, seeded


def small(**keywords):
    return awake(networks.ResNet(width=4, depth=1, generator=seeded(), **keywords))


def test_the_jacobian_is_that_of_finite_differences():
    network, x, step = small(channels=2), noise(3, 2, 7, 6), 1e-6
    expected = torch.zeros(7, 6, dtype=torch.float64)
    for row in range(7):
        for column in range(6):
            for channel in range(2):
                there, back = x.clone(), x.clone()
                there[:, channel, row, column] += step
                back[:, channel, row, column] -= step
                with torch.no_grad():
                    change = network.denoise(there, 0.5) - network.denoise(back, 0.5)
                expected[row, column] += (change[:, :, 3, 3] / (2 * step)).abs().sum() / (3 * 2 * 2)
    assert torch.allclose(networks.input_jacobian(network.denoise, x, 0.5), expected, atol=1e-7)


def test_it_vanishes_outside_the_receptive_field_of_the_pixel():
    jacobian = networks.input_jacobian(small().denoise, noise(2, 1, 12, 12), 0.5, pixel=(2, 8))
    seen = torch.zeros(12, 12, dtype=torch.bool)
    seen[0:5, 6:11] = True
    assert torch.equal(jacobian > 0, seen)


@pytest.mark.parametrize(("share", "side"), [(0.5, 1), (0.7, 3), (0.9, 3), (0.95, 5), (1.0, 5)])
def test_the_window_that_holds_a_share_of_it_is_the_smallest_one(share, side):
    jacobian = torch.zeros(9, 8)
    jacobian[4, 4], jacobian[3, 5], jacobian[6, 3] = 6.0, 3.0, 1.0
    assert networks.seen(jacobian, share) == side


def test_nine_tenths_are_asked_for_unless_told():
    jacobian = torch.zeros(7, 7)
    jacobian[3, 3], jacobian[0, 0] = 9.01, 0.99
    assert networks.seen(jacobian) == 1
    jacobian[0, 0] = 1.01
    assert networks.seen(jacobian) == 7


def test_it_leaves_images_and_network_as_they_were():
    network, x = small(), noise(2, 1, 6, 6)
    with torch.no_grad():
        networks.input_jacobian(network.denoise, x, 0.5)
    assert not x.requires_grad
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("pixel", [(-1, 0), (0, 6), (6, 0)])
def test_a_pixel_outside_is_refused(pixel):
    with pytest.raises(ValueError, match="pixel must lie in 0 to 5, 0 to 5"):
        networks.input_jacobian(small().denoise, noise(1, 1, 6, 6), 0.5, pixel=pixel)


def test_something_other_than_a_batch_is_refused():
    with pytest.raises(ValueError, match="x must be a batch of images"):
        networks.input_jacobian(small().denoise, noise(1, 6, 6), 0.5)
