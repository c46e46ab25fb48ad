"""The embedded curves of networks under weight decay, and the making of them."""

import hashlib
from dataclasses import replace

import pytest
import torch

from oraledu.data.embedded import FOLDER
from oraledu.data.store import store
from oraledu.scaling import decayed_runs
from oraledu.scaling.settings import QUICK
from oraledu.scaling.training import train


def all_runs(found):
    return [found.none, *found.scaled.values(), *found.constant.values()]


def test_the_embedded_ladders_are_those_of_the_lesson_under_three_timescales():
    found = decayed_runs.load()
    assert tuple(found.scaled) == tuple(found.constant) == decayed_runs.TIMESCALES
    for runs in all_runs(found):
        assert runs.loss.shape == (4, 12, 61)
        assert runs.loss.isfinite().all()
        assert runs.widths == QUICK.mlp.ladder.widths
        assert (runs.steps[:, -1] == torch.tensor([601, 1314, 2302, 5101])).all()
    assert decayed_runs.ladders()[0] == QUICK.mlp.ladder


def test_both_ways_to_hold_the_decay_are_one_at_the_narrowest_width_and_differ_at_the_others():
    found = decayed_runs.load()
    for timescale in decayed_runs.TIMESCALES:
        one, other = found.scaled[timescale].loss, found.constant[timescale].loss
        assert torch.equal(one[0], other[0])
        assert (one[1:, :, -1] != other[1:, :, -1]).all()


def test_they_were_made_with_the_settings_of_the_module():
    made = decayed_runs.load().recipe
    assert {**made, "torch": ""} == {**decayed_runs.recipe(), "torch": ""}


def test_the_embedded_file_is_small_and_what_its_curves_pack_to():
    content, found = (FOLDER / decayed_runs.FILE).read_bytes(), decayed_runs.load()
    assert len(content) < 100_000
    again = decayed_runs.pack(torch.stack([runs.loss for runs in all_runs(found)]), found.recipe)
    assert (
        hashlib.sha256(again).digest() == hashlib.sha256(content).digest()
    )  # a diff of the bytes takes minutes


def test_anyone_who_trains_them_again_gets_these_numbers_on_any_processor():
    """The narrowest width, to the end: weights on a grid forget what this processor rounds in its own way."""
    ladder = replace(decayed_runs.ladders()[1], widths=(8,))
    again = train(ladder, decayed_runs.SCHEDULE, seeds=decayed_runs.SEEDS[:2], records=decayed_runs.RECORDS)
    stored = decayed_runs.load().scaled[decayed_runs.TIMESCALES[0]].loss[0, :2]
    assert torch.allclose(again.loss[0], stored, rtol=1e-6, atol=0)


@pytest.fixture
def tiny(monkeypatch, mlp):
    """Ladders of some steps, and what is stored of them."""
    kept: dict[str, bytes] = {}
    for name, value in (("NETWORKS", mlp), ("RECORDS", 5), ("SEEDS", (0, 1)), ("store", kept.update)):
        monkeypatch.setattr(decayed_runs, name, value)
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    return kept


def test_what_is_trained_is_packed_and_loaded(tiny, mlp, tmp_path):
    decayed_runs.main()
    store(tiny, tmp_path)
    found = decayed_runs.load(tmp_path)
    for runs, ladder in (
        (found.none, mlp),
        (found.scaled[0.3], replace(mlp, timescale=0.3)),
        (found.constant[3.0], replace(mlp, timescale=3.0, decays_of=4)),
    ):
        expected = train(ladder, "linear", seeds=(0, 1), records=5)
        torch.testing.assert_close(runs.loss, expected.loss, rtol=1e-6, atol=0)
        for name in ("steps", "tau", "tokens", "parameters"):
            assert torch.equal(getattr(runs, name), getattr(expected, name)), name


def test_missing_or_damaged_curves_say_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"scaling_decayed.npz is missing; .oraledu doctor. says"):
        decayed_runs.load(tmp_path)
    store({decayed_runs.FILE: decayed_runs.pack(torch.ones(3, 4, 12, 61), {})}, tmp_path)
    with pytest.raises(ValueError, match="does not fit this version"):
        decayed_runs.load(tmp_path)
