"""A receipt holds what was written and what the checks said, and the checks note each attempt."""

import json

import pytest

from oraledu.app import catalogue
from oraledu.app.cli import main
from oraledu.app.errors import UserError
from oraledu.course import results
from oraledu.course.exercise import Todo
from oraledu.grokking import checks
from oraledu.teach.receipt import pack, unpack

SOLUTION = (catalogue.source_folder("solutions") / "04_grokking.py").read_text("utf-8")
BLANK = (catalogue.source_folder("lessons") / "04_grokking.py").read_text("utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / ".oraledu").mkdir()
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "04_grokking.py").write_text(SOLUTION, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_receipt_brings_every_function_to_the_teacher(folder):
    packed = unpack(pack(folder, "ada").read_bytes())
    assert packed.student == "ada"
    ((lesson, functions),) = packed.functions
    assert set(functions) == {exercise.name for exercise in catalogue.exercises(lesson)}
    assert functions["psd_power"].statements[-1].startswith("def psd_power(matrix, power):")


def test_what_is_still_to_be_written_is_not_in_it(folder):
    unsolved = BLANK.replace(
        "def psd_power(matrix, power):\n    # Write your code here.\n    raise Todo",
        "def psd_power(matrix, power):\n    return matrix",
    )
    (folder / "lessons" / "04_grokking.py").write_text(unsolved, "utf-8")
    ((_, functions),) = unpack(pack(folder, "ada").read_bytes()).functions
    assert set(functions) == {"psd_power"}
    (folder / "lessons" / "04_grokking.py").write_text(BLANK, "utf-8")
    with pytest.raises(UserError, match="no exercise is written yet"):
        pack(folder, "ada")


def test_each_attempt_is_noted_with_source_verdict_seed_and_version(folder, capsys):
    def psd_power(matrix, power):
        return matrix

    def unwritten(matrix, power):
        raise Todo

    for function in (unwritten, psd_power):
        checks.psd_power(function)
    (noted,) = results.attempts(folder / ".oraledu")
    assert noted["exercise"] == "grokking.psd_power"
    assert noted["status"] == "wrong"
    assert "return matrix" in noted["source"]
    assert {"digest", "line", "seed", "course", "time"} <= set(noted)
    assert json.loads(pack(folder, "ada").read_text("utf-8"))["lessons"]["04_grokking"]["psd_power"][
        "checks"
    ] == [noted]


def test_a_torn_line_of_the_notes_is_left_out(folder):
    (folder / ".oraledu" / results.ATTEMPTS).write_text('{"exercise": "a"}\n{"exer\n3\n', "utf-8")
    assert results.attempts(folder / ".oraledu") == [{"exercise": "a"}]


@pytest.mark.parametrize("student", ["", "a/b", "..\\x", 'a"b'])
def test_an_identifier_that_cannot_name_a_file_is_refused(folder, student, capsys):
    assert main(["receipt", "--student", student]) == 2
    assert "identifier" in capsys.readouterr().err


def test_a_folder_without_lessons_is_refused(tmp_path, capsys):
    assert main(["receipt", str(tmp_path), "--student", "ada"]) == 2
    assert "is no folder of lessons" in capsys.readouterr().err
