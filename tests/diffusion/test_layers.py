"""The parts of the networks against their formulas, and where their weights come from."""

import pytest
import torch
from torch.nn.functional import conv2d, pad

from oraledu.diffusion import layers
from tests.diffusion.awake import noise, seeded


def conditioned(padding="zeros", classes=0):
    layer = layers.Conditioned(2, 3, steps=4, classes=classes, padding=padding, generator=seeded()).double()
    with torch.no_grad():
        layer.levels.copy_(noise(4, 4, seed=1))
        layer.classes.copy_(noise(classes, 4, seed=2))
    return layer


@pytest.mark.parametrize(("padding", "mode"), [("zeros", "constant"), ("circular", "circular")])
def test_a_conditioned_layer_is_its_formula(padding, mode):
    layer, h = conditioned(padding), noise(5, 2, 6, 7, seed=3)
    level = torch.tensor([0, 3, 1, 1, 2])
    scale, shift = layer.levels[level][:, :2, None, None], layer.levels[level][:, 2:, None, None]
    padded = pad(h * (1 + scale) + shift, (1, 1, 1, 1), mode=mode)
    expected = conv2d(padded, layer.conv.weight, layer.conv.bias).clamp(min=0)
    assert torch.allclose(layer(h, level, None), expected)


def test_a_class_adds_its_row_to_that_of_the_level():
    layer, plain, h = conditioned(classes=2), conditioned(classes=2), noise(3, 2, 5, 5, seed=3)
    with torch.no_grad():
        plain.levels.copy_(layer.levels + layer.classes[1])
    level = torch.tensor([0, 1, 2])
    assert torch.allclose(layer(h, level, torch.tensor([1, 1, 1])), plain(h, level, None))


def test_a_level_acts_on_its_own_image_alone():
    layer, h = conditioned(), noise(2, 2, 5, 5)
    both = layer(h, torch.tensor([0, 3]), None)
    for image, level in ((0, 0), (1, 3)):
        alone = layer(h[image : image + 1], torch.tensor([level]), None)
        assert torch.allclose(both[image : image + 1], alone)


def test_attention_is_that_of_a_loop_over_pixels():
    block = layers.SelfAttention(4, 2, generator=seeded()).double()
    h = noise(2, 4, 3, 2)
    normal = (h - h.mean(1, keepdim=True)) / (h.var(1, keepdim=True, correction=0) + 1e-5).sqrt()
    projected = block.queries_keys_values(normal).flatten(2)  # (2, 12, 6)
    expected = torch.zeros(2, 4, 6, dtype=torch.float64)
    for image in range(2):
        for head in (0, 1):
            q, k, v = (projected[image, 4 * part + 2 * head :][:2] for part in range(3))  # (2, 6) each
            for pixel in range(6):
                weights = (q[:, pixel] @ k / 2**0.5).softmax(0)
                expected[image, 2 * head : 2 * head + 2, pixel] = v @ weights
    assert torch.allclose(block(h), h + block.out(expected.reshape(2, 4, 3, 2)))


@pytest.mark.parametrize("heads", [0, 3])
def test_heads_that_do_not_divide_the_width_are_refused(heads):
    with pytest.raises(ValueError, match=f"heads must divide the coarsest width, 4, got {heads}"):
        layers.SelfAttention(4, heads, generator=seeded())


def test_the_weights_start_uniform_in_torchs_range():
    made = {
        9 * 16: layers.convolution(16, 64, 3, padding="zeros", generator=seeded()),
        16: layers.doubling(16, 64, generator=seeded()),
    }
    for fan_in, layer in made.items():
        for weights in layer.parameters():
            assert weights.abs().max() <= fan_in**-0.5
            assert weights.std().item() == pytest.approx((3 * fan_in) ** -0.5, rel=0.2)


def test_a_silent_layer_and_the_tables_start_at_zero():
    layer = layers.Conditioned(2, 3, steps=4, classes=5, padding="zeros", generator=seeded())
    for weights in (layer.levels, layer.classes, *layers.silent(3, 2, generator=seeded()).parameters()):
        assert torch.equal(weights, torch.zeros_like(weights))
    assert layer.levels.shape == (4, 4)
    assert layer.classes.shape == (5, 4)


def test_the_generator_alone_decides_the_weights():
    before = torch.get_rng_state()
    weights = [layers.doubling(3, 4, generator=seeded(seed)).weight for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), before)
