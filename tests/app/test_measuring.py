import subprocess
import sys
from pathlib import Path

import pytest

from oraledu.app import catalogue, measuring
from oraledu.app.cli import main


def test_the_benchmarks_run_in_the_checkout_on_one_thread_with_what_they_are_handed(monkeypatch):
    calls = []

    def run(command, *, cwd, env):
        calls.append((command, cwd, env["ORALEDU_THREADS"]))
        return subprocess.CompletedProcess(command, 5)

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["bench", "--quick", "grokking"]) == 5
    command = [sys.executable, "-m", "benchmarks", "--quick", "grokking"]
    assert calls == [(command, catalogue.PACKAGE.parent, "1")]


def test_without_a_checkout_one_line_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(measuring.catalogue, "PACKAGE", tmp_path / "oraledu")
    assert main(["bench"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_part_that_there_is_not_is_named(capsys):
    from benchmarks.__main__ import PARTS
    from benchmarks.__main__ import main as bench

    with pytest.raises(SystemExit, match="2"):
        bench(["grocking"])
    assert "no part grocking" in capsys.readouterr().err
    assert {f"bench_{part}" for part in PARTS} == {
        path.stem for path in Path(catalogue.PACKAGE.parent, "benchmarks").glob("bench_*.py")
    }
