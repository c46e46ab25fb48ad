"""An experiment does what its settings say, at every size."""

from dataclasses import replace

import pytest
import torch

from oraledu import data
from oraledu.course.cache import cached
from oraledu.diffusion import calibrate, experiments, networks, settings
from oraledu.diffusion.machines import Machine, sample
from oraledu.keep import NOWHERE
from tests.diffusion.awake import awake, noise, seeded
from tests.diffusion.tiny import TINY


def test_the_images_are_the_first_of_their_set():
    for name in ("fashion_mnist", "mnist"):
        images = experiments.training_images(replace(TINY, data=name))
        assert torch.equal(images, getattr(data, name)(20, pool=2).pixels)


def test_all_images_are_asked_of_the_complete_set(monkeypatch):
    asked = []
    for name in ("fashion_mnist", "mnist", "cifar10"):
        monkeypatch.setattr(
            data, name, lambda count, name=name, **keywords: asked.append((name, count, keywords)) or PIXELS
        )
        experiments.training_images(replace(TINY, data=name, count=None))
    assert asked == [
        ("fashion_mnist", None, {"pool": 2, "complete": True}),
        ("mnist", None, {"pool": 2, "complete": True}),
        ("cifar10", None, {"pool": 2}),
    ]


PIXELS = data.Images(torch.zeros(1, 1, 14, 14), torch.zeros(1, dtype=torch.int64), ("nothing",))


@pytest.mark.parametrize(
    ("architecture", "widths", "kind"),
    [
        ("ResNet", (4,), networks.ResNet),
        ("UNet", (3, 4), networks.UNet),
        ("AttentionUNet", (3, 4), networks.AttentionUNet),
    ],
)
def test_the_network_has_the_architecture_and_the_sizes_of_the_run(architecture, widths, kind):
    run = replace(TINY, architecture=architecture, widths=widths, padding="circular")
    network = experiments.build(run, 3, seeded())
    assert type(network) is kind
    assert (network.channels, network.padding) == (3, "circular")
    assert {layer.out_channels for layer in network.modules() if hasattr(layer, "kernel_size")} >= {*widths}


def test_an_unknown_architecture_is_refused():
    with pytest.raises(
        ValueError, match="architecture must be 'ResNet', 'UNet' or 'AttentionUNet', got 'MLP'"
    ):
        experiments.build(replace(TINY, architecture="MLP"), 1, seeded())


def test_learning_is_building_and_training_with_one_generator():
    images = experiments.training_images(TINY)
    network, losses = experiments.learn(TINY, images, seeded(3))
    generator = seeded(3)
    reference = networks.ResNet(width=4, depth=1, generator=generator)
    options = {"steps": 3, "batch_size": 4, "learning_rate": 1e-3}
    assert torch.equal(losses, networks.train(reference, images, generator=generator, **options))
    for mine, expected in zip(network.parameters(), reference.parameters(), strict=True):
        assert torch.equal(mine, expected)


def test_a_network_is_trained_from_settings_alone_and_can_be_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("ORALEDU_CACHE", str(tmp_path))
    expected, losses = experiments.learn(TINY, experiments.training_images(TINY), seeded(3))
    kept = cached(experiments.trained)
    for _ in range(2):
        network, same = kept(TINY, 3, "cpu")
        assert torch.equal(same, losses)
        for mine, theirs in zip(network.parameters(), expected.parameters(), strict=True):
            assert torch.equal(mine, theirs)


def test_the_noises_of_prediction_are_not_those_of_calibration():
    images = experiments.training_images(TINY)
    first, second = (experiments.noises(TINY, images, calibration=each) for each in (True, False))
    assert first.shape == (3, 1, 14, 14)
    assert second.shape == (2, 1, 14, 14)
    assert (first[:2] - second).abs().min() > 0


def test_calibration_is_that_of_the_runs_settings_on_the_first_images(monkeypatch):
    asked = []
    monkeypatch.setattr(
        experiments, "patch_schedule", lambda *args, **keywords: asked.append((args, keywords)) or [5] * 20
    )
    run, network = replace(TINY, padding="circular"), experiments.build(TINY, 1, seeded())
    images = experiments.training_images(run)
    assert experiments.calibrated(run, network, images) == [5] * 20
    (((denoiser, chosen, candidates), keywords),) = asked
    assert denoiser == network.denoise
    assert torch.equal(chosen, images[:10])
    assert candidates == (3, 5)
    assert keywords.pop("padding") == "circular"
    assert torch.equal(keywords.pop("noise"), experiments.noises(run, images, calibration=True))
    assert keywords == {"keep": NOWHERE}


def test_without_a_count_calibration_takes_all_images():
    run = replace(TINY, calibration_count=None)
    images = experiments.training_images(run)
    hidden = Machine(images, "equivariant-local", 5)

    class Disguised:
        denoise = staticmethod(hidden)

    assert experiments.calibrated(run, Disguised(), images) == [5] * 20


def test_agreement_is_with_the_images_of_each_machine():
    images = experiments.training_images(TINY)
    network = awake(experiments.build(TINY, 1, seeded())).float()
    with torch.no_grad():
        network.last.weight.mul_(0.1)
    found = experiments.agreements(TINY, network, [5] * 20, images)
    start = experiments.noises(TINY, images, calibration=False)
    made = sample(network.denoise, start).images
    for name, patch in (("equivariant-local", 5), ("local", 5), ("ideal", None)):
        expected = calibrate.pearson_r(made, sample(Machine(images, name, patch), start).images)
        assert torch.equal(found[name], expected)
        assert found[name].shape == (2,)


WIDE = pytest.mark.slow
FULL_SIZES = [
    pytest.param(settings.FULL.fashion, (1, 28), marks=WIDE, id="fashion"),
    pytest.param(settings.FULL.mnist, (1, 28), marks=WIDE, id="mnist"),
    pytest.param(settings.FULL.unet, (1, 28), id="unet"),
    pytest.param(replace(settings.FULL.unet, architecture="AttentionUNet"), (1, 28), id="attention"),
    *(pytest.param(run, (3, 32), marks=WIDE, id=f"cifar-{run.padding}") for run in settings.FULL.large),
]


@pytest.mark.parametrize(("run", "shape"), FULL_SIZES)
def test_the_full_sizes_run(run, shape):
    channels, side = shape
    few = replace(
        run, steps=2, batch_size=2, candidates=(3, max(run.candidates)), calibration_noises=1, noises=1
    )
    images = noise(4, channels, side, side, seed=2).clamp(-1, 1).float()
    result = experiments.experiment(few, images, seed=0)
    assert result.losses.shape == (2,)
    assert len(result.patches) == 20
    assert set(result.patches) <= set(few.candidates)
    assert list(result.agreement) == ["equivariant-local", "local", "ideal"]
    assert all(r.shape == (1,) for r in result.agreement.values())
    assert all(r.isfinite().all() for r in result.agreement.values())
