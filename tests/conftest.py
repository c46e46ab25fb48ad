"""For all tests: variables that make two runs comparable, and what a failure leaves behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from oraledu.app import catalogue
from oraledu.app.execute import comparable_environment
from tests import replay

#: What each kernel runs at its start.
STARTUP = """import sys
sys.path.append({root!r})
from tests import readback, replay
replay.watch(get_ipython())
readback.watch(get_ipython())
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class FailureFolder:
    """Writes what each failed test says into `test-results/`; of a notebook's cell, input and difference."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.folder.mkdir(exist_ok=True)
            name = re.sub(r"[^\w.-]+", "_", report.nodeid).strip("_")[-200:]
            (self.folder / f"{name}.txt").write_text(COLOUR.sub("", report.longreprtext), encoding="utf-8")


class Replays:
    """Has the kernels of the lessons compare every right answer and go back cell by cell; asks whether they did."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "replayed"
        startup = folder / "ipython" / "profile_default" / "startup"
        for made in (self.log, startup):
            made.mkdir(parents=True)
        (startup / "replay.py").write_text(
            STARTUP.format(root=str(Path(__file__).parents[1])), encoding="utf-8"
        )
        self.environment = {replay.LOG: str(self.log), "IPYTHONDIR": str(folder / "ipython")}
        self.lessons: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        path = Path(report.nodeid.partition("::")[0])
        if report.when == "call" and path.parts[0] == "lessons":
            self.lessons |= {path.stem} & {lesson.name for lesson in catalogue.LESSONS}

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        for ending, what in ((".json", "right answer was compared"), (".cells", "cell was run once more")):
            if missed := [name for name in self.lessons if not (self.log / f"{name}{ending}").exists()]:
                print(f"\nno {what} in {', '.join(sorted(missed))}")
                session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_configure(config: pytest.Config) -> None:
    """Set the variables before anything imports torch, or starts a kernel or a worker that inherits them."""
    # What a shell has started in the background ignores Ctrl-C, which some tests send to themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        return
    cache = tempfile.mkdtemp(prefix="oraledu-test-cache-")
    config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))
    os.environ.update(comparable_environment(cache))
    replays = Replays(Path(cache))
    os.environ.update(replays.environment)
    folder = config.rootpath / "test-results"
    if not config.option.collectonly:
        shutil.rmtree(folder, ignore_errors=True)
    # As a plugin of its own it also hears of the notebooks, which lie outside this folder.
    config.pluginmanager.register(FailureFolder(folder))
    config.pluginmanager.register(replays)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in a folder of its own, so that none writes into the checkout."""
    monkeypatch.chdir(tmp_path)
