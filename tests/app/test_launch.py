import ast
import importlib.metadata
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import oraledu.__main__
from oraledu.app import cli, install, launch
from oraledu.app.catalogue import PACKAGE
from oraledu.app.install import InstallError

ROOT = PACKAGE.parent
PYTHON = Path("/python/of/venv")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose environment is missing; what would be installed is noted in `installed`."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / install.LOCK).write_text("")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(launch, "checkout", lambda: tmp_path)
    monkeypatch.setattr(launch, "unmet", lambda root, extras: ["numpy>=2.4"])
    monkeypatch.setattr(install, "install", lambda root, extras: pytest.fail("nothing is to be installed"))
    return tmp_path


@pytest.fixture
def installed(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The extras of each install that was asked for."""
    done: list[tuple[str, ...]] = []
    monkeypatch.setattr(install, "install", lambda root, extras: done.append(extras))
    return done


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would take this process's place."""
    commands: list[list[str]] = []
    monkeypatch.setattr(launch, "hand_over", lambda command: commands.append(command) or 0)
    return commands


@pytest.mark.parametrize(("command", "extras"), [("lab", ()), ("test", ("dev",))])
def test_from_a_bare_checkout_both_commands_install_and_go_on_there(
    root, installed, handed_over, command, extras
):
    assert launch.launch([command, "--fast"]) == 0
    assert installed == [extras]
    python = str(install.python_of(root / ".venv"))
    assert handed_over == [[python, "-m", "oraledu", command, "--fast"]]


@pytest.mark.parametrize("command", ["doctor", "progress", "run", "nonsense"])
def test_another_command_says_what_to_run_first(root: Path, command: str, capsys):
    assert launch.launch([command]) == 2
    assert capsys.readouterr().err == (
        "oraledu: the course is not installed here yet; run 'python3 -m oraledu lab' first\n"
    )


@pytest.mark.parametrize(("lacking", "runs"), [(["torch>=2.13"], True), (["oraledu"], False)])
def test_doctor_looks_at_an_environment_that_has_the_course_and_lacks_something(
    root: Path, monkeypatch, lacking: list[str], runs: bool
):
    monkeypatch.setattr(launch, "unmet", lambda root, extras: lacking)
    monkeypatch.setattr(launch, "_installed_from", lambda root: runs)
    if runs:
        assert launch.choose(root, ["doctor"]) is None
    else:
        with pytest.raises(InstallError, match="not installed here yet"):
            launch.choose(root, ["doctor"])


@pytest.mark.parametrize("words", [[], ["--help"], ["lab", "--help"]])
def test_help_installs_nothing(root: Path, words: list[str], capsys):
    assert launch.launch(words) == 0
    assert "python3 -m oraledu lab" in capsys.readouterr().out


def test_an_environment_that_satisfies_the_package_is_used_as_it_is(root: Path, monkeypatch, handed_over):
    monkeypatch.setattr(launch, "unmet", lambda root, extras: [])
    monkeypatch.setattr(cli, "main", lambda words: 42)
    assert launch.launch(["lab"]) == 42
    assert handed_over == []


def test_a_ready_environment_is_used_without_asking_anything(root: Path, monkeypatch, handed_over):
    monkeypatch.setattr(install, "ready", lambda root, extras: True)
    assert launch.launch(["doctor"]) == 0
    assert handed_over[0][1:] == ["-m", "oraledu", "doctor"]


def test_inside_a_ready_environment_the_command_runs_at_once(root: Path, monkeypatch):
    (root / ".venv").mkdir()
    (root / ".venv" / install.LOG).touch()
    monkeypatch.setattr(sys, "prefix", str(root / ".venv"))
    monkeypatch.setattr(install, "ready", lambda root, extras: True)
    monkeypatch.setattr(launch, "unmet", lambda root, extras: pytest.fail("the stamp is enough"))
    assert launch.choose(root, ["lab"]) is None


def test_an_active_environment_that_does_not_do_is_told_what_it_lacks(root, installed, monkeypatch, capsys):
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere")
    assert launch.choose(root, ["lab"]) == install.python_of(root / ".venv")
    assert "lacks numpy>=2.4; .venv is used instead" in capsys.readouterr().out


def own_venv(root: Path, answer: str) -> Path:
    """A `.venv` of the user's own, whose Python gives one answer to every question."""
    python = install.python_of(root / ".venv")
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\necho '{answer}'\n")
    python.chmod(0o755)
    return python


def test_a_venv_of_the_users_own_is_used_where_it_satisfies(root: Path):
    python = own_venv(root, "")
    assert launch.choose(root, ["lab"]) == python


def test_a_venv_of_the_users_own_is_never_touched(root: Path):
    python = own_venv(root, "scipy>=1.17")
    with pytest.raises(InstallError, match=r"lacks scipy>=1\.17; move it away, or run: ") as error:
        launch.choose(root, ["test"])
    words = shlex.split(str(error.value).partition("or run: ")[2])
    assert str(python) in words  # and no other environment's pip
    assert words[-2:] == ["-e", f"{root}[dev]"]
    assert python.exists()
    assert not install.made_here(root / ".venv")


def test_a_checkout_that_cannot_be_written_is_one_line(root: Path, monkeypatch, capsys):
    def refuse(root: Path, extras: tuple[str, ...]) -> None:
        raise PermissionError(13, "Permission denied", str(root / ".venv"))

    monkeypatch.setattr(install, "install", refuse)
    assert launch.launch(["lab"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "use a checkout that you may write to" in said


def test_what_an_environment_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "_installed_from", lambda root: True)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["numpy>=1", "torch>=99", "no-such-package-of-oraledu"]\n'
        '[project.optional-dependencies]\ndev = ["pytest<1"]\n'
    )
    assert launch.unmet(tmp_path, ()) == ["torch>=99", "no-such-package-of-oraledu"]
    assert launch.unmet(tmp_path, ("dev",))[2:] == ["pytest<1"]


def test_an_environment_with_another_checkout_installed_does_not_do(tmp_path: Path):
    assert launch.unmet(tmp_path, ()) == ["oraledu, installed from this checkout"]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ({"url": "file:///my%20course", "dir_info": {"editable": True}}, True),
        ({"url": "file:///my%20course", "dir_info": {}}, False),
        ({"url": "file:///another", "dir_info": {"editable": True}}, False),
        (None, False),
    ],
)
def test_kernels_import_this_checkout_only_where_it_is_installed_editable(origin, expected, monkeypatch):
    installed = SimpleNamespace(read_text=lambda name: None if origin is None else json.dumps(origin))
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: installed)
    assert launch._installed_from(Path("/my course")) is expected


def test_the_environment_that_runs_these_tests_satisfies_the_package():
    assert launch.unmet(ROOT, ("dev",)) == []


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("4", "4")])
def test_one_thread_unless_the_user_says_otherwise(root, monkeypatch, before, after):
    monkeypatch.delenv("OMP_NUM_THREADS")
    if before:
        monkeypatch.setenv("OMP_NUM_THREADS", before)
    launch.launch(["doctor"])
    assert os.environ["OMP_NUM_THREADS"] == after


def test_handing_over_replaces_this_process_and_leaves_other_packages_behind(monkeypatch: pytest.MonkeyPatch):
    called = []
    monkeypatch.setenv("PYTHONPATH", "/older/packages")
    monkeypatch.setattr(
        os, "execv", lambda path, words: called.append((path, words, "PYTHONPATH" in os.environ))
    )
    launch.hand_over(["/python", "-m", "oraledu"])
    assert called == [("/python", ["/python", "-m", "oraledu"], False)]


@pytest.mark.parametrize(("entry", "begins_anew"), [("/older/packages", True), (None, False)])
def test_inside_our_own_environment_other_packages_stay_out_of_the_way(
    root: Path, monkeypatch: pytest.MonkeyPatch, handed_over, entry: str | None, begins_anew: bool
):
    # Only who has the course itself from there means it.
    monkeypatch.setenv("PYTHONPATH", entry or str(root))
    monkeypatch.setattr(install, "made_here", lambda venv: venv == Path(sys.prefix))
    launch.launch(["doctor"])
    assert handed_over == ([[sys.executable, "-m", "oraledu", "doctor"]] if begins_anew else [])


def test_an_old_python_is_told_so_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    assert oraledu.__main__.main() == 2
    assert capsys.readouterr().err == (
        "oraledu needs Python 3.11 or later, and this is Python 3.10.4; run the same with a newer one.\n"
    )


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_an_old_python_can_read_what_tells_it_so(name: str):
    ast.parse((PACKAGE / name).read_text("utf-8"), feature_version=(3, 7))


def test_the_launcher_runs_on_the_standard_library_alone():
    program = "import sys; sys.path.insert(0, sys.argv[1]); import oraledu.__main__, oraledu.app.launch"
    subprocess.run([sys.executable, "-I", "-S", "-c", program, str(ROOT)], check=True)


def test_importing_the_package_imports_nothing_else():
    program = (
        "import sys; before = set(sys.modules); import oraledu; print(sorted(set(sys.modules) - before))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == "['oraledu']\n"
