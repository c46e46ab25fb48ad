"""The presets: every study can be run, and the full one is the paper's."""

from dataclasses import FrozenInstanceError, fields

import pytest

from oraledu.scaling import settings
from oraledu.scaling.ladder import train, train_steps
from oraledu.scaling.schedules import resolve
from oraledu.scaling.training import record_steps

EVERY = pytest.mark.parametrize("scale", ["quick", "middle", "full"])


def studies(scale):
    preset = settings.preset(scale)
    return [getattr(preset, field.name) for field in fields(preset)]


def test_a_scale_names_its_preset():
    assert settings.preset("quick") is settings.QUICK
    assert settings.preset("middle") is settings.MIDDLE
    assert settings.preset("full") is settings.FULL


@pytest.mark.parametrize("scale", ["", "Quick", None])
def test_an_unknown_scale_is_refused(scale):
    with pytest.raises(ValueError, match="scale must be 'quick', 'middle' or 'full'"):
        settings.preset(scale)


@EVERY
def test_a_preset_cannot_be_changed(scale):
    for part in (settings.preset(scale), *studies(scale)):
        with pytest.raises(FrozenInstanceError):
            setattr(part, fields(part)[0].name, None)


@EVERY
def test_every_run_is_long_enough_for_its_records_and_its_pool(scale):
    for study in studies(scale):
        assert all(callable(resolve(name)) for name in study.schedules)
        assert len(study.seeds) >= 2
        for width in study.ladder.widths:
            steps = train_steps(study.ladder, width)
            assert record_steps(steps, study.records)[-1] == steps
            pool = getattr(study.ladder, "pool", None)
            assert pool is None or steps * study.ladder.tokens_per_step <= pool


@EVERY
def test_the_studies_of_a_network_change_what_they_are_about(scale):
    preset = settings.preset(scale)
    assert preset.without_mup.ladder.rates_of == preset.mlp.ladder.widths[0]
    assert preset.shared_data.ladder.shared_data
    assert preset.shared_data.ladder.horizon == preset.mlp.ladder.horizon
    assert preset.noise.trace
    assert len(preset.noise.ladder.widths) == 1
    assert preset.mlp.ladder.rates_of is None
    assert not preset.mlp.ladder.shared_data


def test_quick_is_the_ladder_of_a_laptop():
    assert [train_steps(settings.QUICK.linear.ladder, width) for width in (48, 96, 192, 384)] == [
        200,
        564,
        1596,
        4515,
    ]
    assert settings.QUICK.mlp.ladder.widths == (8, 12, 16, 24)
    assert [train_steps(settings.QUICK.mlp.ladder, width) for width in (8, 24)] == [601, 5101]
    assert len(settings.QUICK.mlp.seeds) == 6


def test_full_is_the_papers_ladder():
    full = settings.FULL.mlp.ladder
    assert full.widths == (384, 512, 645, 812, 1024, 1290, 1625, 2048)
    assert full.parameters(384) == 1_478_016
    assert train_steps(full, 384) == pytest.approx(33_308, rel=1e-4)
    assert train_steps(full, 2048) == pytest.approx(1.08e6, rel=0.01)
    rates = full.layer_rates(2048)
    assert rates["readout"] == rates["up.4"] == pytest.approx(1e-3 / 16)
    assert rates["down.4"] == pytest.approx(1.2 * rates["up.4"])


def test_a_study_is_trained_with_its_own_seeds_and_records(linear, mlp):
    for ladder, trace in ((linear, False), (mlp, True)):
        study = settings.Study(ladder, ("linear",), (3, 1), records=5, trace=trace)
        found = settings.train_study(study, "cosine")
        assert found.seeds == (3, 1)
        assert (found.trace is not None) is trace
        assert found.loss.equal(train(ladder, "cosine", seeds=(3, 1), records=5).loss)


def test_a_study_of_networks_computes_where_it_is_told(mlp):
    study = settings.Study(mlp, ("linear",), (0,), records=5)
    assert settings.train_study(study, "linear", "cpu").loss.isfinite().all()
    with pytest.raises(RuntimeError):
        settings.train_study(study, "linear", "nowhere")
