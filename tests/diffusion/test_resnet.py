"""The two assumptions of the theory hold exactly: it sees its window only, and commutes with translations."""

import pytest
import torch

from oraledu.diffusion.resnet import ResNet
from tests.diffusion.awake import awake, noise, seeded

SHIFT = (3, -5)


def resnet(depth, padding, **keywords):
    return awake(ResNet(width=6, depth=depth, padding=padding, generator=seeded(), **keywords))


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_a_pixel_influences_its_receptive_field_and_not_one_pixel_more(depth, padding):
    network, x = resnet(depth, padding), noise(9, 1, 15, 15)
    changed = x.clone()
    changed[..., 7, 7] += 1
    # In several images, because a ReLU may be silent in one.
    influenced = (network.denoise(changed, 0.5) != network.denoise(x, 0.5)).any(dim=0)[0]
    half = network.receptive_field // 2
    expected = torch.zeros(15, 15, dtype=torch.bool)
    expected[7 - half : 8 + half, 7 - half : 8 + half] = True
    assert torch.equal(influenced, expected)


def test_the_receptive_fields_are_those_of_the_lesson_and_of_the_paper():
    assert ResNet(width=1, generator=seeded()).receptive_field == 11
    assert ResNet(width=1, depth=7, generator=seeded()).receptive_field == 17


@pytest.mark.parametrize("classes", [0, 2])
def test_with_circular_padding_it_commutes_with_translations(classes):
    network, x = resnet(4, "circular", classes=classes), noise(2, 1, 14, 14)
    labels = torch.tensor([0, 1]) if classes else None
    moved = network.denoise(x.roll(SHIFT, (2, 3)), 0.35, labels)
    assert torch.allclose(moved, network.denoise(x, 0.35, labels).roll(SHIFT, (2, 3)), atol=1e-12)


def test_with_zero_padding_it_commutes_away_from_the_border_only():
    network, x = resnet(2, "zeros"), noise(9, 1, 24, 24)
    moved = network.denoise(x.roll((1, 0), (2, 3)), 0.35)
    wrong = (moved - network.denoise(x, 0.35).roll((1, 0), (2, 3))).abs().amax(dim=0)[0] > 1e-12
    half = network.receptive_field // 2
    # Rows that see the border before or after the move; the columns of the border do not move.
    expected = torch.zeros(24, 24, dtype=torch.bool)
    expected[: half + 1] = expected[-half:] = True
    assert torch.equal(wrong, expected)


def test_the_parameters_are_as_many_as_the_sizes_say():
    network = ResNet(width=32, depth=4, generator=seeded())
    first, layer, last = 9 * 32 + 32, 9 * 32 * 32 + 32 + 20 * 2 * 32, 32 + 1
    assert network.parameter_count() == first + 4 * layer + last == 42465
    conditioned = ResNet(width=32, depth=4, classes=10, channels=3, generator=seeded())
    assert conditioned.parameter_count() == 42465 + 4 * 10 * 64 + 2 * (9 * 32 + 32 + 1)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [({"width": 0}, "width must be at least 1, got 0"), ({"depth": -1}, "depth must be at least 0, got -1")],
)
def test_unfit_sizes_are_refused(keywords, words):
    with pytest.raises(ValueError, match=words):
        ResNet(generator=seeded(), **keywords)
