"""The presets: both scales hold experiments that can be run, of the sizes that the lesson promises."""

from dataclasses import FrozenInstanceError, fields

import pytest
import torch

from oraledu.grokking import arithmetic, kernels, settings

BOTH = pytest.mark.parametrize("preset", [settings.QUICK, settings.FULL], ids=["quick", "full"])


def runs(preset):
    """Every experiment of a preset, the several large ones in a row."""
    for field in fields(preset):
        value = getattr(preset, field.name)
        if field.name != "repeats":
            yield from value if isinstance(value, tuple) else (value,)


def test_a_scale_names_its_preset():
    assert settings.preset("quick") is settings.QUICK
    assert settings.preset("full") is settings.preset("middle") is settings.FULL


@pytest.mark.parametrize("scale", ["", "Quick", "tiny", None])
def test_an_unknown_scale_is_refused(scale):
    with pytest.raises(ValueError, match="scale must be 'quick', 'middle' or 'full'"):
        settings.preset(scale)


@BOTH
def test_a_preset_cannot_be_changed(preset):
    for part in (preset, *runs(preset)):
        with pytest.raises(FrozenInstanceError):
            setattr(part, fields(part)[0].name, None)


@BOTH
def test_every_task_can_be_made_and_split(preset, generator):
    for run in runs(preset):
        table = arithmetic.modular_table("/", run.p)
        fractions = run.fractions if hasattr(run, "fractions") else (run.fraction,)
        for fraction in fractions:
            assert len(arithmetic.split(*table, fraction, generator=generator)) == 4


@BOTH
def test_every_kernel_is_known(preset):
    for run in runs(preset):
        if isinstance(run, settings.KernelRun | settings.PhaseMap):
            assert isinstance(kernels.resolve(run.kernel, 2.5), kernels.Kernel)


@BOTH
def test_the_last_epoch_of_a_network_is_recorded(preset):
    for run in (preset.network, preset.circulant_network):
        assert run.epochs % run.record_every == 0


def test_a_quick_verdict_stands_on_three_splits():
    assert settings.QUICK.repeats == settings.QUICK.phase_map.seeds == 3


def test_quick_stays_small_and_full_reaches_the_papers_sizes():
    assert {run.p for run in runs(settings.QUICK)} == {19, 31, 61}
    assert {97, 113} <= {run.p for run in runs(settings.FULL)}
    assert all(run.dtype == torch.float32 for run in settings.FULL.large if run.p == 113)
