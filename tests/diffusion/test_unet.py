"""UNets: how far they see without and with attention, and which translations they respect."""

import pytest
import torch

from oraledu.diffusion.unet import AttentionUNet, UNet
from tests.diffusion.awake import awake, noise, seeded


def influenced(network, size, row, column):
    """Where the estimate changes if one pixel does: (size, size) bool."""
    x = noise(9, 1, size, size)
    changed = x.clone()
    changed[..., row, column] += 1
    return (network.denoise(changed, 0.5) != network.denoise(x, 0.5)).any(dim=0)[0]


def test_two_scales_see_far_and_yet_not_the_whole_of_a_large_image():
    network = awake(UNet(widths=(4, 6), generator=seeded()))
    seen = influenced(network, 40, 20, 20)
    assert seen[12:28, 12:28].all()
    assert not seen[0].any()
    assert not seen[:, -1].any()


def test_locality_fails_with_attention():
    network = awake(AttentionUNet(widths=(4, 6), heads=2, generator=seeded()))
    assert influenced(network, 40, 20, 20).all()


def test_three_scales_see_past_a_small_image():
    network = awake(UNet(widths=(3, 4, 5), generator=seeded()))
    assert influenced(network, 12, 6, 6).all()


@pytest.mark.parametrize("kind", [UNet, AttentionUNet])
def test_with_circular_padding_it_commutes_with_shifts_by_the_coarsest_pixel_alone(kind):
    network = awake(kind(widths=(4, 4, 4), padding="circular", generator=seeded()))
    x = noise(1, 1, 16, 16)
    answer = network.denoise(x, 0.5)
    for shift, respected in ((4, True), (8, True), (1, False), (2, False)):
        difference = network.denoise(x.roll(shift, 3), 0.5) - answer.roll(shift, 3)
        assert (difference.abs().max() < 1e-12) == respected


def test_without_coarser_scales_it_sees_four_pixels_far():
    seen = influenced(awake(UNet(widths=(5,), generator=seeded())), 13, 6, 6)
    expected = torch.zeros(13, 13, dtype=torch.bool)
    expected[4:9, 4:9] = True
    assert torch.equal(seen, expected)


def test_every_skip_connection_is_used():
    network = awake(UNet(widths=(3, 4, 5), generator=seeded()))
    x = noise(1, 1, 8, 8)
    before = network(x, 0.5)
    for block, width in zip(network.merge, (3, 4), strict=True):
        weight = block.first.conv.weight
        with torch.no_grad():
            kept = weight[:, width:].clone()
            weight[:, width:] = 0
            assert (network(x, 0.5) - before).abs().max() > 1e-3
            weight[:, width:] = kept


def test_the_parameters_are_as_many_as_the_sizes_say():
    def layer(inputs, outputs):
        return 9 * inputs * outputs + outputs + 20 * 2 * inputs

    down = layer(1, 32) + layer(32, 32) + layer(32, 64) + layer(64, 64)
    up = 4 * 64 * 32 + 32 + layer(64, 32) + layer(32, 32)
    assert UNet(generator=seeded()).parameter_count() == down + up + 33
    attention = 64 * 192 + 192 + 64 * 64 + 64
    assert AttentionUNet(generator=seeded()).parameter_count() == down + up + 33 + attention


def test_a_side_that_cannot_be_halved_is_refused():
    network = UNet(widths=(2, 2, 2), generator=seeded())
    with pytest.raises(ValueError, match=r"x must have height and width that 4 divides, got \(14, 14\)"):
        network(torch.zeros(1, 1, 14, 14), 0.5)


@pytest.mark.parametrize("widths", [(), (4, 0)])
def test_unfit_widths_are_refused(widths):
    with pytest.raises(ValueError, match="widths must hold at least one width, each at least 1"):
        UNet(widths=widths, generator=seeded())
