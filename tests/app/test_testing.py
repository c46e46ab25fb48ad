import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from oraledu.app import catalogue, testing
from oraledu.app.errors import UserError

ROOT = catalogue.PACKAGE.parent


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The one call of pytest: its command, folder and variables."""
    call: dict[str, Any] = {}

    def run(command: list[str], *, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        cache = Path(env["ORALEDU_CACHE"])
        call.update(words=command[3:], python=command[:3], cwd=cwd, env=env, cached=list(cache.iterdir()))
        return subprocess.CompletedProcess(command, 5)

    monkeypatch.setattr(subprocess, "run", run)
    return call


def test_notebooks_run_under_strict_nbval(called: dict[str, Any]):
    assert testing.run() == 5
    assert called["python"] == [sys.executable, "-m", "pytest"]
    assert called["cwd"] == ROOT
    assert called["words"] == [
        *testing.EVERY_CORE,
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout=900",
        "--nbval-sanitize-with=tests/sanitize.cfg",
    ]


def test_fast_leaves_out_notebooks_browser_and_slow_tests(called: dict[str, Any]):
    testing.run(fast=True)
    assert called["words"] == [
        *testing.EVERY_CORE,
        "-m",
        "not browser and not slow",
    ]


def test_further_arguments_are_pytests_own(called: dict[str, Any]):
    testing.run(fast=True, arguments=["-k", "lab"])
    assert called["words"][-2:] == ["-k", "lab"]


@pytest.mark.parametrize(("every", "expected"), [(True, "1"), (False, None)])
def test_a_skipped_browser_test_can_be_made_a_failure(called, monkeypatch, every, expected):
    monkeypatch.delenv("ORALEDU_REQUIRE_BROWSER", raising=False)
    testing.run(every_browser_test=every)
    assert called["env"].get("ORALEDU_REQUIRE_BROWSER") == expected


def test_a_run_is_comparable_with_the_stored_one(called: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("ORALEDU_SCALE", "full")
    testing.run()
    env = called["env"]
    assert (env["OMP_NUM_THREADS"], env["ORALEDU_SCALE"], env["CI"]) == ("1", "quick", "true")
    assert called["cached"] == []
    assert not Path(env["ORALEDU_CACHE"]).exists()


def test_these_tests_themselves_run_under_those_variables():
    assert (os.environ["OMP_NUM_THREADS"], os.environ["CI"]) == ("1", "true")
    assert Path(os.environ["ORALEDU_CACHE"]).is_dir()


def test_outside_a_checkout_it_says_where_the_tests_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogue, "PACKAGE", tmp_path / "site-packages" / "oraledu")
    with pytest.raises(UserError, match="in a checkout"):
        testing.run()


def notebook_project(folder: Path, source: str, stored: str) -> None:
    """Write a project of one notebook, whose one cell has a stored output, with the course's own test settings."""
    (folder / "tests").mkdir()
    for name in ("pyproject.toml", "tests/conftest.py", "tests/sanitize.cfg"):
        shutil.copyfile(ROOT / name, folder / name)
    output = nbformat.v4.new_output("stream", name="stdout", text=stored)
    cell = nbformat.v4.new_code_cell(source, execution_count=1, outputs=[output])
    (folder / "lessons").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "lessons" / "07_sums.ipynb")


def run_there(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *testing.NOTEBOOKS, "tests", "lessons"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_an_equal_notebook_passes_and_the_last_line_is_pytests(tmp_path: Path):
    notebook_project(tmp_path, "print(object())", "<object object at 0x7f0123456789>\n")
    (tmp_path / "test-results").mkdir()
    (tmp_path / "test-results" / "of_an_earlier_run.txt").touch()
    done = run_there(tmp_path)
    assert done.returncode == 0
    assert "1 passed" in done.stdout.splitlines()[-1]
    assert not (tmp_path / "test-results").exists()


def test_a_differing_notebook_fails_and_leaves_the_cells_difference(tmp_path: Path):
    notebook_project(tmp_path, "print(1 + 1)", "3\n")
    assert run_there(tmp_path).returncode == 1
    (left,) = (tmp_path / "test-results").iterdir()
    assert left.name == "lessons_07_sums.ipynb_Cell_0.txt"
    said = left.read_text()
    assert "print(1 + 1)" in said
    assert r"'3\n' == '2\n'" in said
    assert "\x1b" not in said
