import random
from collections.abc import Iterator
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
import torch

from oraledu.course.runtime import Run, progress, start
from oraledu.course.style import PALETTE


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch) -> Iterator[None]:
    for name in ("SCALE", "DEVICE", "THREADS"):
        monkeypatch.delenv(f"ORALEDU_{name}", raising=False)
    monkeypatch.delenv("CI", raising=False)
    threads = torch.get_num_threads()
    with matplotlib.rc_context():
        yield
    torch.set_num_threads(threads)


def present(monkeypatch, **devices: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: devices.get("cuda", False))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: devices.get("mps", False))


def test_a_lesson_starts_quick_on_the_cpu_with_one_thread(capsys):
    run = start("04_grokking")
    assert run == Run(lesson="04_grokking", scale="quick", device=torch.device("cpu"), threads=1)
    assert torch.get_num_threads() == 1
    assert capsys.readouterr().out == "Lesson 04_grokking: scale quick, device cpu.\n"


def test_the_line_does_not_depend_on_the_threads(monkeypatch, capsys):
    start("04_grokking")
    line = capsys.readouterr().out
    monkeypatch.setenv("ORALEDU_THREADS", "2")
    assert start("04_grokking").threads == torch.get_num_threads() == 2
    assert capsys.readouterr().out == line


@pytest.mark.parametrize("scale", ["middle", "full"])
def test_a_larger_run_takes_every_core_and_the_best_device(monkeypatch, scale):
    monkeypatch.setenv("ORALEDU_SCALE", scale)
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    present(monkeypatch)
    assert start("04_grokking").device.type == "cpu"
    present(monkeypatch, mps=True)
    assert start("04_grokking").device.type == "mps"
    present(monkeypatch, mps=True, cuda=True)
    assert start("04_grokking") == Run("04_grokking", scale, torch.device("cuda"), 3)


def test_a_quick_run_on_the_cpu_has_a_worker_a_core_and_others_one(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    present(monkeypatch, cuda=True)
    assert start("04_grokking").workers == 3
    monkeypatch.setattr("joblib.cpu_count", lambda: 64)
    assert start("04_grokking").workers == 4
    monkeypatch.setenv("ORALEDU_THREADS", "1")
    assert start("04_grokking").workers == 1
    monkeypatch.setenv("ORALEDU_THREADS", "2")
    assert start("04_grokking").workers == 2
    monkeypatch.setenv("ORALEDU_DEVICE", "cuda")
    assert start("04_grokking").workers == 1
    monkeypatch.setenv("ORALEDU_DEVICE", "cpu")
    for scale in ("middle", "full"):
        monkeypatch.setenv("ORALEDU_SCALE", scale)
        assert start("04_grokking").workers == 1


def test_a_quick_run_stays_on_the_cpu_unless_asked(monkeypatch):
    present(monkeypatch, cuda=True)
    assert start("04_grokking").device.type == "cpu"
    monkeypatch.setenv("ORALEDU_DEVICE", "auto")
    assert start("04_grokking").device.type == "cuda"


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_missing_is_an_error(monkeypatch, device):
    present(monkeypatch)
    monkeypatch.setenv("ORALEDU_DEVICE", device)
    with pytest.raises(RuntimeError, match=f"ORALEDU_DEVICE asks for {device}"):
        start("04_grokking")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCALE", "huge"),
        ("SCALE", ""),
        ("DEVICE", "gpu"),
        ("DEVICE", "cuda:1"),
        ("THREADS", "0"),
        ("THREADS", "-1"),
        ("THREADS", "two"),
        ("THREADS", "1.5"),
        ("THREADS", ""),
        ("THREADS", "²"),
    ],
)
def test_a_value_that_means_nothing_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"ORALEDU_{name}", value)
    with pytest.raises(ValueError, match=f"ORALEDU_{name} is '{value}'"):
        start("04_grokking")


@pytest.mark.parametrize("lesson", ["grokking", "4_grokking", "04_", "04_grokking.ipynb"])
def test_a_lesson_without_number_and_word_is_refused(lesson):
    with pytest.raises(ValueError, match="lesson is"):
        start(lesson)


def test_starting_again_repeats_every_random_number():
    def draws() -> tuple[float, float, float]:
        start("04_grokking")
        return random.random(), np.random.random(), torch.rand(1).item()

    assert draws() == draws()


def test_a_generator_depends_on_its_seed_alone():
    run = start("04_grokking")
    first = torch.rand(4, generator=run.generator(5))
    assert torch.equal(first, torch.rand(4, generator=run.generator(5)))
    assert not torch.equal(first, torch.rand(4, generator=run.generator(6)))
    assert torch.equal(torch.rand(4, generator=run.generator()), torch.rand(4, generator=run.generator(0)))
    assert run.generator().device.type == "cpu"


def test_another_student_draws_and_picks_something_else_unless_it_is_shared():
    course = start("04_grokking")
    runs = [course, *(replace(course, offset=1000 * step) for step in (1, 2))]
    assert len({run.generator(5).initial_seed() for run in runs}) == 3
    assert {run.generator(5, shared=True).initial_seed() for run in runs} == {5}
    assert [run.pick(3, 5) for run in runs] == [3, 4, 0]


def test_shortened_floats_are_switched_off(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    torch.set_float32_matmul_precision("high")
    start("04_grokking")
    assert torch.get_float32_matmul_precision() == "highest"
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cudnn.benchmark


def test_what_a_start_up_file_has_set_does_not_reach_a_lesson():
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    try:
        start("04_grokking")
        made = torch.ones(1)
        assert (made.dtype, made.device.type, torch.is_grad_enabled()) == (torch.float32, "cpu", True)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_grad_enabled(True)


def test_a_lesson_has_the_theme_and_nothing_of_the_learners_settings():
    matplotlib.rcParams.update({"image.origin": "lower", "lines.linewidth": 9, "axes.grid": True})
    start("04_grokking")
    assert matplotlib.rcParams["image.origin"] == "upper"
    assert matplotlib.rcParams["axes.grid"] is False
    assert matplotlib.rcParams["lines.linewidth"] < 9
    assert matplotlib.rcParams["axes.prop_cycle"].by_key()["color"] == list(PALETTE)


def test_progress_shows_a_bar_and_passes_everything_on(capsys):
    assert list(progress(range(3), "Seeds")) == [0, 1, 2]
    assert "Seeds" in capsys.readouterr().err


def test_progress_is_silent_under_ci(monkeypatch, capsys):
    monkeypatch.setenv("CI", "true")
    assert list(progress(range(3), "Seeds")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
