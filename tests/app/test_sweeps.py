"""The sweeps: every run once, the same rows whoever does them, and nothing lost when one is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from distributed import LocalCluster
from filelock import FileLock

import oraledu.app
from oraledu.app import cures, sweep_table, sweeps
from oraledu.app.catalogue import PACKAGE
from oraledu.app.cli import main
from tests.app.small_topic.sweep import FOLDER

SMALL = "tests.app.small_topic"
RUNS = [(0.7, 0), (0.7, 1), (0.7, 2), (0.7, 3), (0.5, 0), (0.5, 1), (0.5, 2)]


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the small sweep, which processes that outlive a test know from their environment."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("small")
        patch.setenv(FOLDER, str(folder))
        yield folder


@pytest.fixture
def folder(_shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the small sweep, empty; "small" is a sweep."""
    for left in _shared.iterdir():
        left.unlink()
    monkeypatch.setitem(sweeps.SWEEPS, "small", SMALL)
    return _shared


@pytest.fixture(scope="module")
def cluster(_shared: Path) -> Iterator[str]:
    """The address of a cluster of two processes."""
    with (
        warnings.catch_warnings(),
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as local,
    ):
        yield local.scheduler_address


def small(*words: str) -> int:
    """Run the small sweep into table.parquet, in this process unless the words say otherwise."""
    return main(["sweep", "small", "--out", "table.parquet", "--jobs", "1", *words])


def rows(path: str = "table.parquet") -> list[dict]:
    """Return the rows of a table, without their seconds."""
    return [{**row, "seconds": None} for row in pq.read_table(path).to_pylist()]


def done(folder: Path) -> list[tuple[float, int]]:
    """Return what was run, in the order in which it began."""
    lines = [line.split() for line in (folder / "log").read_text().splitlines()]
    return [(float(fraction), int(seed)) for _, fraction, seed in lines]


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one line with which the command refuses."""
    assert main(["sweep", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_each_run_is_a_row_in_the_order_of_the_axes_with_all_that_made_it(folder: Path, capsys):
    torch.set_num_threads(2)
    assert small() == 0
    assert done(folder) == [(row["fraction"], row["seed"]) for row in rows()] == RUNS
    assert {(row["state"], row["error"], row["threads"]) for row in rows()} == {("done", None, 1)}
    versions = sweeps._versions()
    for row in pq.read_table("table.parquet").to_pylist():
        assert row.items() >= {"sweep": "small", "scale": "quick", "device": "cpu", **versions}.items()
        assert row["settings"] == "p 7, quick"
        assert row["seconds"] > 0
    assert Path("table.png").read_bytes().startswith(b"\x89PNG")
    assert Path("table.txt").read_text("utf-8") == "7 runs\n"
    assert "7 runs, 0 of them done before." in capsys.readouterr().out


def test_processes_give_the_bits_that_this_one_gives(folder: Path):
    small()
    main(["sweep", "small", "--out", "two.parquet", "--jobs", "2"])
    assert Counter(done(folder)) == Counter(2 * RUNS)
    assert rows("two.parquet") == rows()


def test_a_worker_that_is_killed_costs_its_runs_only_and_the_table_is_the_serial_one(
    folder: Path, cluster: str
):
    small()
    (folder / "log").unlink()
    (folder / "0.7-2.kill").touch()
    assert main(["sweep", "small", "--out", "far.parquet", "--cluster", cluster]) == 0
    ran: dict[tuple[str, str], list[str]] = {}
    for pid, *run in map(str.split, (folder / "log").read_text().splitlines()):
        ran.setdefault(tuple(run), []).append(pid)
    killed = ran["0.7", "2"][0]
    assert len(ran["0.7", "2"]) == 2
    assert {run for run, pids in ran.items() if len(pids) > 1 and pids[0] != killed} == set()
    assert rows("far.parquet") == rows()


def test_what_a_run_says_when_it_fails_is_in_its_row_and_it_is_tried_again(
    folder: Path, cluster: str, capsys
):
    (folder / "0.7-1.fail").touch()
    assert main(["sweep", "small", "--out", "table.parquet", "--cluster", cluster]) == 1
    assert "1 runs failed and will be tried again; the first with ValueError: asked to fail\n" in (
        capsys.readouterr().out
    )
    failed = rows()[1]
    assert (failed["state"], failed["error"], failed["losses"]) == (
        "failed",
        "ValueError: asked to fail",
        None,
    )
    (folder / "log").unlink()
    assert small() == 0
    assert done(folder) == [(0.7, 1)]
    assert [row["state"] for row in rows()] == ["done"] * 7


def test_ctrl_c_keeps_what_is_done_and_the_next_start_does_the_rest(folder: Path, capsys):
    (folder / "0.7-2.interrupt").touch()
    assert small() == 130
    assert len(rows()) == 2
    assert small() == 0
    assert "7 runs, 2 of them done before." in capsys.readouterr().out
    assert Counter(done(folder)) == Counter([*RUNS, (0.7, 2)])
    assert small() == 0
    assert len(done(folder)) == 8
    Path("table.parquet").rename("interrupted.parquet")
    small()
    assert rows("interrupted.parquet") == rows()


def test_a_sweep_that_is_killed_leaves_a_whole_table(folder: Path, tmp_path: Path):
    script = f"from oraledu.app import cli, sweeps; sweeps.SWEEPS['small'] = {SMALL!r}; cli.main({{}})"
    words = ["sweep", "small", "--out", "table.parquet", "--jobs", "1"]
    (folder / "0.5-0.kill").touch()  # the process that runs it is that of the sweep
    path = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", script.format(words)]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert [(row["fraction"], row["seed"]) for row in rows()] == RUNS[:4]
    assert small() == 0
    assert Counter(done(folder)) == Counter([*RUNS, (0.5, 0)])


def test_a_table_that_cannot_be_replaced_is_still_whole(folder: Path, monkeypatch, capsys):
    small("--only", "seed=0")
    before = Path("table.parquet").read_bytes()

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    said = complaint(capsys, "small", "--out", "table.parquet", "--jobs", "1")
    assert "table.parquet cannot be written (No space left on device); all rows before are kept" in said
    assert Path("table.parquet").read_bytes() == before


def test_an_axis_can_be_restricted_and_later_completed(folder: Path, capsys):
    assert small("--only", "seed=3,0", "--only", "fraction=0.5") == 0
    assert done(folder) == [(0.5, 0)]
    assert "There is no picture yet: it takes two runs.\n" in capsys.readouterr().out
    small("--only", "seed=0,2")
    assert done(folder) == [(0.5, 0), (0.7, 0), (0.7, 2), (0.5, 2)]
    assert [(row["fraction"], row["seed"]) for row in rows()] == [(0.7, 0), (0.7, 2), (0.5, 0), (0.5, 2)]


def test_plot_draws_and_runs_nothing(folder: Path, capsys):
    small("--only", "seed=0")
    Path("table.png").unlink()
    assert small("--plot") == 0
    assert Path("table.png").exists()
    assert len(done(folder)) == 2
    assert "new.parquet has no runs yet to draw" in complaint(
        capsys, "small", "--plot", "--out", "new.parquet"
    )


def test_the_list_has_every_sweep_its_axes_and_how_many_runs(capsys):
    assert main(["sweep", "--list"]) == 0
    said = capsys.readouterr().out
    assert "accuracy: 168 runs at scale quick\n  operation=+,-,*,/\n  kernel=quadratic,gaussian\n" in said
    assert "agreement: 150 runs at scale quick\n  seed=0,1,2\n" in said
    assert "ladder: 72 runs at scale quick\n  schedule=constant,linear,cosine\n  width=8,12,16,24\n" in said
    assert "scores: 312 runs at scale quick\n  model=smollm2-135m,minilm-l6\n" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which sweep? 'oraledu sweep --list' says which there are"),
        (["nonsense"], "there is no sweep 'nonsense'; choose one of: agreement, scores, ladder, accuracy"),
        (
            ["accuracy", "--only", "colour=red"],
            "there is no axis 'colour' in --only; choose one of: operation,",
        ),
        (["accuracy", "--only", "seed"], "seed has no '' in --only; choose from: 0, 1, 2"),
        (["accuracy", "--only", "seed=0,9"], "seed has no '9' in --only; choose from: 0, 1, 2"),
        (["accuracy", "--out", "table.csv"], "table.csv must end in .parquet"),
        (["accuracy", "--device", "mps"], "torch finds no mps here; choose --device cpu or --device auto"),
        (
            ["accuracy", "--cluster", "tcp://127.0.0.1:1", "--device", "auto"],
            "what devices do the workers have?",
        ),
        (["accuracy", "--jobs", "0"], "0 is not in the range"),
        (["accuracy", "--out", "file/table.parquet"], "choose a place that you may write to"),
    ],
)
def test_a_bad_argument_is_one_clear_line(words: list[str], said: str, capsys, monkeypatch):
    monkeypatch.setattr(sweeps.torch.backends.mps, "is_available", lambda: False)
    Path("file").touch()
    assert said in complaint(capsys, *words)


def test_a_table_of_something_else_is_refused_and_left_as_it_is(folder: Path, capsys):
    small("--only", "seed=0")
    before = Path("table.parquet").read_bytes()
    other = "table.parquet is a table of {}; choose another file with --out"
    said = other.format("sweep small, asked for is accuracy")
    assert said in complaint(capsys, "accuracy", "--out", "table.parquet")
    said = other.format("scale quick, asked for is full")
    assert said in complaint(capsys, "small", "--out", "table.parquet", "--scale", "full", "--device", "cpu")
    assert Path("table.parquet").read_bytes() == before
    Path("table.parquet").write_bytes(b"no table")
    assert "table.parquet cannot be read as a table" in complaint(capsys, "small", "--out", "table.parquet")


def test_a_table_of_another_version_is_refused(folder: Path, monkeypatch, capsys):
    small("--only", "seed=0")
    monkeypatch.setattr(sweeps.oraledu, "__version__", "9.9.9")
    assert "table.parquet is a table of course " in complaint(capsys, "small", "--out", "table.parquet")


def test_a_worker_of_another_version_does_no_run(folder: Path):
    identity = {"scale": "quick", "device": "cpu", **sweeps._versions(), "torch": "1.0"}
    row = sweeps.attempt(SMALL, {"fraction": 0.7, "seed": 0}, identity)
    assert row["state"] == "failed"
    assert row["error"].startswith("RuntimeError: the worker has other versions: {'course': ")
    assert not (folder / "log").exists()


def test_two_sweeps_do_not_write_one_table(folder: Path, capsys):
    with FileLock("table.parquet.lock"):
        said = complaint(capsys, "small", "--out", "table.parquet")
    assert "another sweep is writing table.parquet; wait for it" in said


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://here"])
def test_a_cluster_that_does_not_answer_is_one_clear_line(address: str, folder: Path, monkeypatch, capsys):
    monkeypatch.setattr(sweeps, "PATIENCE", 1)
    began = time.monotonic()
    said = complaint(capsys, "small", "--out", "table.parquet", "--cluster", address)
    assert f"the cluster {address} has no answer or no worker (" in said
    assert time.monotonic() - began < 60
    assert not Path("table.parquet").exists()


@pytest.mark.parametrize("package", ["pyarrow", "distributed"])
def test_without_the_extra_it_says_what_to_install(package: str, folder: Path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, sweep_table.__name__)
    monkeypatch.delattr(oraledu.app, "sweep_table")
    said = complaint(capsys, "small", "--cluster", "tcp://127.0.0.1:1")
    assert f"this needs {package}; run: {cures.install('oraledu[cluster]')}" in said


def test_a_process_that_dies_is_one_clear_line_and_what_was_done_is_kept(folder: Path, capsys):
    small("--only", "seed=0")
    (folder / "0.7-1.kill").touch()
    said = complaint(capsys, "small", "--out", "table.parquet", "--jobs", "2")
    assert "a process died, as it does without memory; run this again with fewer --jobs" in said
    assert {(0.7, 0), (0.5, 0)} <= {(row["fraction"], row["seed"]) for row in rows()}
    assert small() == 0
    assert len(rows()) == 7


def test_a_gpu_has_one_process_unless_more_are_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(sweeps.joblib, "cpu_count", lambda: 8)
    monkeypatch.setattr(sweeps.joblib, "Parallel", lambda n_jobs, **_: asked.append(n_jobs) or (lambda _: []))
    for jobs, device in ((None, "cpu"), (None, "cuda"), (3, "cuda")):
        list(sweeps._here([], jobs, device))
    assert asked == [8, 1, 3]


def test_a_table_is_read_back_with_what_only_some_rows_have(tmp_path: Path):
    path = tmp_path / "table.parquet"
    sweep_table.write(path, [{"seed": 0, "r": 0.1 + 0.2}, {"seed": 1, "error": "no"}])
    assert sweep_table.read(path, {}) == [
        {"seed": 0, "r": 0.1 + 0.2, "error": None},
        {"seed": 1, "r": None, "error": "no"},
    ]
