"""The presets: all scales hold experiments that can be run, of the sizes that the lesson promises."""

from dataclasses import FrozenInstanceError, fields

import pytest
import torch

from oraledu.representations import settings
from oraledu.representations.tasks import TASKS
from oraledu.representations.vision import VisionTransformer

SCALES = ("quick", "middle", "full")
EVERY = pytest.mark.parametrize("preset", list(map(settings.preset, SCALES)), ids=SCALES)


def runs(preset):
    return [preset.vision, preset.live]


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
def test_every_vision_network_can_be_built(preset):
    for run in runs(preset):
        with torch.device("meta"):
            network = VisionTransformer(
                "supervised",
                side=28,
                patch=run.patch,
                width=run.width,
                depth=run.depth,
                heads=run.heads,
                generator=None,
            )
        assert network.layers == run.depth + 2


@EVERY
def test_no_image_both_trains_a_network_and_fits_a_probe(preset):
    for run in runs(preset):
        most, tests = (60_000, 10_000) if run.complete else (2000, 500)
        assert run.train + run.fit <= most
        assert max(run.test, run.tokens, run.viewed) <= tests
        assert all(count % 10 == 0 for count in (run.train, run.fit, run.test)), "classes in equal parts"
        assert run.views >= 2
        assert len(set(run.seeds)) == len(run.seeds) >= 1


@EVERY
def test_metrics_and_probes_have_what_they_need(preset):
    assert preset.models
    assert min(preset.prompts, preset.viewed, preset.views) >= 2
    assert min(preset.splits, preset.resamples) >= 1000, "enough for a 90 % interval"
    assert 8 <= preset.shots <= 16, "what the benchmark takes"


def test_quick_needs_nothing_that_does_not_come_with_the_course():
    quick = settings.QUICK
    assert quick.models == ("smollm2-135m", "minilm-l6")
    assert quick.tasks == ()
    assert not any(run.complete for run in runs(quick))


def test_full_has_the_papers_tasks_models_and_depth():
    full = settings.FULL
    assert full.tasks == tuple(TASKS)
    assert len(full.tasks) == 32
    assert {name.split("/")[-1].split("-")[0] for name in full.models} >= {"pythia", "mamba", "bert"}
    assert "EleutherAI/pythia-410m" in full.models
    assert (full.vision.depth, full.vision.complete) == (24, True)
    assert (full.prompts, full.views, full.permutations) == (1000, 16, 10)
