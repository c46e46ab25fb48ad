import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import oraledu
from oraledu.app import build, doctor, lab, running, testing, workspace
from oraledu.app.cli import DEVICES, course, main

COMMANDS = ("lab", "reset", "doctor", "progress", "fetch", "build", "run", "sweep", "test", "bench", "hub")
COMMANDS += (
    "receipt",
    "grade",
    "guide",
    "slides",
    "cards",
    "quiz",
    "hint",
    "quiet",
    "handout",
    "export",
    "book",
)


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one line with which a command refuses."""
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_there_are_these_commands():
    assert set(course.commands) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(command: str, capsys):
    assert main([command, "--help"]) == 0
    assert f"Example: oraledu {command}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_every_command_with_a_whole_sentence(words: list[str], capsys):
    assert main(words) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {command} " in said for command in COMMANDS)
    assert ".." not in said.split("Commands:")[1]


def test_a_package_that_is_missing_is_the_doctors(capsys, monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> Callable[[], None]:
        def run() -> None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        return run

    monkeypatch.setattr(doctor, "main", missing("traitlets"))
    assert (
        complaint(capsys, "doctor")
        == "oraledu: No module named 'traitlets'; 'oraledu doctor' says what to do"
    )
    monkeypatch.setattr(doctor, "main", missing("oraledu.no_such_module"))  # a fault of ours
    with pytest.raises(ModuleNotFoundError):
        main(["doctor"])


def test_the_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert oraledu.__version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["lab", "--nonsense"], "No such option '--nonsense'"),
        (["lab", "--port", "99999"], "99999 is not in the range"),
        (["reset"], "Missing argument 'NN'"),
        (["reset", "99"], "there is no lesson '99'; choose one of: 01, "),
        (["reset", "04", "nowhere"], "nowhere is no folder of lessons; 'oraledu lab nowhere' makes it one"),
        (["progress", "nowhere"], "nowhere is no folder of lessons; 'oraledu lab nowhere' makes it one"),
        (["run", "04", "--scale", "huge"], "'huge' is not one of 'quick', 'middle', 'full'"),
        (["run", "04", "--device", "tpu"], "'tpu' is not one of"),
        (["build", "--check", "--robust"], "choose one of --check, --robust and --restore"),
        (["build", "99"], "there is no lesson '99'"),
        (["test", "--browser", "some"], "'some' is not one of 'auto', 'all'"),
    ],
)
def test_a_bad_argument_is_one_clear_line(words: list[str], said: str, capsys):
    assert said in complaint(capsys, *words)


def test_a_file_in_the_folders_place_is_one_clear_line(sources: Path, tmp_path: Path, capsys):
    (tmp_path / "file").touch()
    assert "is a file" in complaint(capsys, "lab", str(tmp_path / "file"))


def test_no_permission_to_write_is_one_clear_line(sources: Path, tmp_path: Path, monkeypatch, capsys):
    def refuse(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert "Permission denied; choose a place that you may write to" in complaint(capsys, "lab", "elsewhere")


def test_an_interrupted_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys):
    def interrupt() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "main", interrupt)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err.split("\n")[-2:] == ["oraledu: interrupted", ""]


def test_an_error_of_the_course_itself_is_not_hidden(monkeypatch: pytest.MonkeyPatch):
    def fail() -> int:
        raise OSError("not about a file")

    monkeypatch.setattr(doctor, "main", fail)
    with pytest.raises(OSError, match="not about a file"):
        main(["doctor"])


def test_lab_fills_the_folder_and_opens_the_first_lesson(sources: Path, tmp_path: Path, monkeypatch):
    served = []
    monkeypatch.setattr(lab, "serve", lambda *where, **how: served.append((where, how)) or 0)
    assert main(["lab", "mine", "--port", "9000", "--no-browser"]) == 0
    first = Path("lessons/07_sums.ipynb")
    how = {"port": 9000, "ip": "127.0.0.1", "browser": False, "check": False}
    assert served == [((Path("mine"), first), how)]
    assert (tmp_path / "mine" / first).exists()


def test_lab_is_for_work_where_nothing_else_is_said(sources: Path, monkeypatch):
    monkeypatch.setattr(lab, "serve", lambda folder, *rest, **how: 0 if folder == Path("work") else 1)
    assert main(["lab"]) == 0


def test_reset_says_where_the_old_copy_is(sources: Path, tmp_path: Path, capsys):
    workspace.prepare(tmp_path / "work")
    assert main(["reset", "7"]) == 0
    said = capsys.readouterr().out
    assert said.count("Your old copy is work/lessons/07_sums_") == 2


def test_build_hands_on_its_lessons_its_mode_and_its_exit_code(sources: Path, monkeypatch):
    calls = []
    monkeypatch.setattr(build, "main", lambda names, **mode: calls.append((names, mode)) or 1)
    assert main(["build", "7", "--check"]) == 1
    assert calls == [(["07_sums"], {"check": True, "robust": False, "restore": False})]


def test_run_hands_on_its_settings(sources: Path, monkeypatch):
    calls = []
    monkeypatch.setattr(running, "run", lambda lesson, **how: calls.append((lesson.name, how)) or 0)
    assert main(["run", "7", "--scale", "full", "--device", "cuda"]) == 0
    assert calls == [("07_sums", {"scale": "full", "device": "cuda", "resume": None})]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], (False, False, ())),
        (["--fast", "-k", "lab", "--maxfail=1"], (True, False, ("-k", "lab", "--maxfail=1"))),
        (["--browser", "all", "tests/browser"], (False, True, ("tests/browser",))),
    ],
)
def test_test_hands_to_pytest_what_it_does_not_know(words, expected, monkeypatch):
    calls = []
    monkeypatch.setattr(
        testing,
        "run",
        lambda *, fast, every_browser_test, arguments: (
            calls.append((fast, every_browser_test, tuple(arguments))) or 5
        ),
    )
    assert main(["test", *words]) == 5
    assert calls == [expected]


def test_the_devices_are_those_that_a_lesson_knows():
    from oraledu.course import runtime

    assert runtime.DEVICES == DEVICES


def test_every_refusal_of_the_course_exits_with_2():
    from oraledu.app.errors import UserError

    assert issubclass(UserError, click.ClickException)
    assert UserError("no").exit_code == 2


def test_a_full_disk_names_the_file_that_was_to_be_written_and_its_own_cure(
    sources: Path, tmp_path: Path, monkeypatch, capsys
):
    def fill(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr(shutil, "copyfile", fill)
    said = complaint(capsys, "lab", "elsewhere")
    assert said.endswith("07_sums.ipynb: No space left on device; make room, then run this again")
    assert said.startswith(f"oraledu: elsewhere{os.sep}")


def test_lab_says_before_it_serves_what_may_surprise(sources: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "serve", lambda *arguments, **options: 0)
    main(["lab", "work"])
    assert capsys.readouterr().out == ""
    (tmp_path / "work" / "lessons" / "07_sums.py").unlink()
    main(["lab", "work"])
    assert capsys.readouterr().out.startswith("Of lesson 07 only 07_sums.ipynb is here; 'oraledu reset 07'")
