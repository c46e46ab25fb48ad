"""The presets: all scales hold experiments that can be run, of the sizes that the lesson promises."""

from dataclasses import FrozenInstanceError, fields

import pytest
import torch

from oraledu.diffusion import experiments, settings
from tests.diffusion.awake import seeded

SCALES = ("quick", "middle", "full")
EVERY = pytest.mark.parametrize("preset", list(map(settings.preset, SCALES)), ids=SCALES)
SIDES = {"fashion_mnist": 28, "mnist": 28, "cifar10": 32}


def runs(preset):
    return [preset.fashion, preset.mnist, preset.unet, *preset.large]


def test_a_scale_names_its_preset():
    assert settings.preset("quick") is settings.QUICK
    assert settings.preset("middle") is settings.MIDDLE
    assert settings.preset("full") is settings.FULL


@pytest.mark.parametrize("scale", ["", "Quick", "tiny", None])
def test_an_unknown_scale_is_refused(scale):
    with pytest.raises(ValueError, match="scale must be 'quick', 'middle' or 'full'"):
        settings.preset(scale)


@EVERY
def test_a_preset_cannot_be_changed(preset):
    for part in (preset, *runs(preset)):
        with pytest.raises(FrozenInstanceError):
            setattr(part, fields(part)[0].name, None)


@EVERY
def test_every_network_can_be_built_for_its_images(preset):
    for run in runs(preset):
        channels, side = (3 if run.data == "cifar10" else 1), SIDES[run.data] // run.pool
        network = experiments.build(run, channels, seeded())
        assert network.padding == run.padding
        assert network(torch.zeros(1, channels, side, side), 1.0).shape == (1, channels, side, side)


@EVERY
def test_the_candidates_are_windows_that_the_machines_have(preset):
    for run in runs(preset):
        side = SIDES[run.data] // run.pool
        largest = side if run.padding == "circular" else 2 * side - 1
        assert all(patch % 2 == 1 and 3 <= patch <= largest for patch in run.candidates)


@EVERY
def test_the_candidates_of_a_resnet_go_up_to_its_receptive_field(preset):
    for run in runs(preset):
        if run.architecture == "ResNet":
            assert max(run.candidates) == experiments.build(run, 1, seeded()).receptive_field


@EVERY
def test_there_are_enough_noises_for_a_median(preset):
    for run in runs(preset):
        assert run.noises >= 24
        assert run.calibration_noises >= 5


@EVERY
def test_fashion_mnist_has_the_border_and_mnist_has_none(preset):
    assert (preset.fashion.data, preset.fashion.padding) == ("fashion_mnist", "zeros")
    assert (preset.mnist.data, preset.mnist.padding) == ("mnist", "circular")
    assert (preset.unet.architecture, preset.unet.padding) == ("UNet", "zeros")


def test_quick_fits_the_embedded_images_and_full_takes_all():
    assert all(run.count <= 2000 and run.pool == 2 for run in runs(settings.QUICK))
    assert all(run.count is None and run.pool == 1 for run in runs(settings.FULL))


def test_full_has_the_papers_networks_and_its_main_data_set():
    sizes = {run.architecture: run.widths for run in runs(settings.FULL)}
    assert sizes == {"ResNet": (256,), "UNet": (64, 128, 256)}
    assert {run.padding for run in settings.FULL.large if run.data == "cifar10"} == {"zeros", "circular"}
    assert experiments.build(settings.FULL.fashion, 1, seeded()).receptive_field == 17
