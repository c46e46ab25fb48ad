import importlib.metadata
import json
import os
import shlex
import site
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

from oraledu.app import cures, launch


@pytest.fixture(autouse=True)
def asked_anew():
    cures._undone.cache_clear()
    yield
    cures._undone.cache_clear()


def test_a_command_is_taken_whole_by_the_shell():
    words = ["/Mes cours/python", "-m", "pip", "install", "numpy>=2.4", "it's"]
    said = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {cures.command(*words)}"], capture_output=True, text=True
    )
    assert said.stdout.splitlines() == words


def test_the_shell_of_windows_gets_its_own_quotes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert cures.command("pip", "install", "numpy>=2.4") == 'pip install "numpy>=2.4"'


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ("[install]\nuser = true\n", ["--no-user"]),
        ("[install]\nuser = false\n", []),
        ("[install]\ntarget = elsewhere\n[global]\nprefix = /opt\n", ["--target=", "--prefix="]),
        ("[global]\ntimeout = 60\n", []),
    ],
)
def test_pip_installs_here_whatever_place_the_user_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, options: list[str]
):
    (tmp_path / "pip.conf").write_text(settings)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setattr(launch, "checkout", lambda: None)
    words = shlex.split(cures.install("numpy"))
    assert words[words.index("install") :] == ["install", *options, "numpy"]


def test_what_is_installed_is_what_was_tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "checkout", lambda: tmp_path)
    words = shlex.split(cures.install("numpy"))
    assert words[-3:] == ["-c", str(tmp_path / "constraints.txt"), "numpy"]


def test_everything_is_installed_anew_by_what_made_the_environment(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(launch, "checkout", lambda: tmp_path)
    monkeypatch.setattr(cures, "made_here", lambda venv: True)
    assert "'python3 -m oraledu lab'" in cures.reinstall()
    monkeypatch.setattr(cures, "made_here", lambda venv: False)
    assert shlex.split(cures.reinstall())[-3:] == ["--force-reinstall", "-e", str(tmp_path)]


ORIGINS = {
    "file:///here/a.whl": {"url": "file:///here/a.whl", "archive_info": {}},
    "git+https://example.org/a.git": {"url": "https://example.org/a.git", "vcs_info": {"vcs": "git"}},
    "oraledu": None,
}


@pytest.mark.parametrize("source", ORIGINS)
def test_a_wheel_is_installed_anew_from_where_it_came(monkeypatch: pytest.MonkeyPatch, source: str):
    monkeypatch.setattr(launch, "checkout", lambda: None)
    monkeypatch.setattr(cures, "made_here", lambda venv: False)
    recorded = json.dumps(ORIGINS[source]) if ORIGINS[source] else None
    metadata = SimpleNamespace(read_text={"direct_url.json": recorded}.get)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: metadata)
    assert shlex.split(cures.reinstall())[-2:] == ["--force-reinstall", source]
    assert shlex.split(cures.restore(Path("a set")))[-3:] == ["--force-reinstall", "--no-deps", source]


def test_where_nothing_says_that_it_was_installed_a_cure_names_the_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "checkout", lambda: None)
    monkeypatch.setattr(cures, "made_here", lambda venv: False)

    def missing(name: str):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert shlex.split(cures.reinstall())[-1] == "oraledu"


@pytest.mark.parametrize(
    ("own", "managed", "settings", "options"),
    [
        (True, True, "user = true", ["--user", "--break-system-packages"]),
        (False, True, "", ["--break-system-packages"]),
        (True, False, "target = elsewhere", ["--target=", "--user"]),
        (False, False, "user = true", ["--no-user"]),
    ],
)
def test_outside_of_a_virtual_environment_a_cure_installs_beside_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own, managed, settings, options
):
    """As on a system whose Python has another name than `python`, or one that forbids to install for all."""
    monkeypatch.setattr(launch, "checkout", lambda: None)
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    there = Path(cures.__file__).parents[2] if own else tmp_path
    monkeypatch.setattr(site, "getusersitepackages", lambda: str(there))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    if managed:
        (tmp_path / "EXTERNALLY-MANAGED").touch()
    (tmp_path / "pip.conf").write_text(f"[install]\n{settings}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert shlex.split(cures.install("numpy")) == [sys.executable, "-m", "pip", "install", *options, "numpy"]


def test_a_damaged_file_gets_its_content_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, git = tmp_path / "a set", ["git", "-c", "user.name=a", "-c", "user.email=b"]
    path.write_bytes(b"a\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "c"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    times = path.stat()
    path.write_bytes(b"b\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    monkeypatch.setattr(launch, "checkout", lambda: tmp_path)
    first, _, line = cures.restore(path).partition(", then: ")
    assert first.startswith("delete it")
    path.unlink()
    subprocess.run(line, shell=True, check=True)
    assert path.read_bytes() == b"a\n"


def test_where_there_is_no_git_a_file_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "checkout", lambda: tmp_path)
    assert cures.restore(tmp_path / "set") == "copy it from a fresh copy of the course"
