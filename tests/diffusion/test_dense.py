"""A network without a plane: every pixel sees all, and it is no other where pixels are shuffled."""

import pytest
import torch

from oraledu.diffusion.dense import Dense
from tests.diffusion.awake import awake, noise, seeded


def dense(**keywords):
    return awake(Dense(**{"width": 24, "depth": 2, "side": 5, "generator": seeded()} | keywords))


def test_every_pixel_influences_every_other():
    network, x = dense(), noise(9, 1, 5, 5)
    for row, column in ((0, 0), (2, 2), (4, 1)):
        changed = x.clone()
        changed[..., row, column] += 1
        assert (network.denoise(changed, 0.5) != network.denoise(x, 0.5)).any(dim=0).all()


def test_with_its_first_and_last_weights_shuffled_it_is_the_same_network_for_shuffled_images():
    network, other, x = dense(channels=2), dense(channels=2), noise(3, 2, 5, 5)
    order = torch.randperm(50, generator=seeded(4))
    with torch.no_grad():
        other.first.weight.copy_(network.first.weight[:, order])
        other.last.weight.copy_(network.last.weight[order])
        other.last.bias.copy_(network.last.bias[order])

    def shuffle(images):
        return images.flatten(1)[:, order].view_as(images)

    torch.testing.assert_close(other.denoise(shuffle(x), 0.4), shuffle(network.denoise(x, 0.4)))


def test_a_layer_is_h_plus_the_relu_of_a_matrix():
    network, x = dense(depth=1), noise(3, 1, 5, 5)
    level, layer = 9, network.layers[0]
    h = x.flatten(1) @ network.first.weight[:, :, 0, 0].T + network.first.bias
    scale, shift = layer.levels[level].chunk(2)
    h = h + torch.relu((h * (1 + scale) + shift) @ layer.conv.weight[:, :, 0, 0].T + layer.conv.bias)
    expected = h @ network.last.weight[:, :, 0, 0].T + network.last.bias
    torch.testing.assert_close(network(x, 0.5).flatten(1), expected)


def test_it_starts_at_v_equals_zero():
    x = noise(2, 1, 5, 5).float()
    assert torch.equal(Dense(side=5, generator=seeded())(x, 0.5), torch.zeros_like(x))


def test_the_parameters_are_as_many_as_the_sizes_say():
    first, layer, last = 196 * 256 + 256, 256 * 256 + 256 + 20 * 2 * 256, 256 * 196 + 196
    assert Dense(generator=seeded()).parameter_count() == first + 3 * layer + last


@pytest.mark.parametrize("name", ["width", "side"])
def test_unfit_sizes_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        dense(**{name: 0})
