"""What the lesson's runs are said to take is right to a factor of two."""

from dataclasses import replace

import pytest

from oraledu.diffusion import costs, experiments, machines, sampling
from tests.counted import counted
from tests.diffusion.awake import seeded
from tests.diffusion.tiny import TINY


@pytest.mark.parametrize(
    ("architecture", "widths", "depth"),
    [("ResNet", (16,), 2), ("UNet", (8, 16), 0), ("AttentionUNet", (8, 16), 0)],
)
def test_a_training(architecture, widths, depth):
    run = replace(TINY, architecture=architecture, widths=widths, depth=depth, batch_size=8)
    images = experiments.training_images(run)
    operations, memory = counted(lambda: experiments.learn(run, images, seeded()))
    said = costs.training(run)
    assert operations / 2 < said[0] < operations * 2
    assert memory / 2 < said[1] < memory * 2


@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_calibration_and_prediction(padding):
    run = replace(TINY, padding=padding, candidates=(3, 5, 9), calibration_noises=2)
    images = experiments.training_images(run)
    network = experiments.build(run, 1, seeded())
    way, _ = counted(
        lambda: sampling.sample(network.denoise, experiments.noises(run, images, calibration=True))
    )
    operations, _ = counted(lambda: experiments.calibrated(run, network, images))
    assert (operations - way) / 2 < costs.calibration(run) < (operations - way) * 2
    noise = experiments.noises(run, images, calibration=False)
    predicting = [machines.Machine(images, "equivariant-local", patch, padding) for patch in run.candidates]
    each = [counted(lambda machine=machine: sampling.sample(machine, noise)) for machine in predicting]
    mean = sum(operations for operations, _ in each) / len(each)
    assert mean / 2 < costs.prediction(run) < mean * 2


def test_a_full_run_trains_calibrates_and_predicts_four_networks():
    names = [part.name for part in costs.parts("full")]
    assert sum(name.endswith("training") for name in names) == 4
    assert sum(name.endswith("calibration") for name in names) == 4
    assert {need.name for need in costs.needs("full")} == {
        "the complete Fashion-MNIST",
        "the complete MNIST",
        "CIFAR-10",
    }
    assert costs.needs("quick") == []
