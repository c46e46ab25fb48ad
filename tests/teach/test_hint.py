"""Hints one by one, and the request for silence."""

import json

import pytest

from oraledu.app import catalogue
from oraledu.app.cli import main
from oraledu.grokking import checks
from oraledu.teach import hint, quiet

LESSON = catalogue.lesson("04")
HINTS = len(checks.quadratic_gram.hints)


@pytest.fixture
def folder(tmp_path):
    """A learner's folder in which nothing is attempted."""
    (tmp_path / ".oraledu").mkdir()
    return tmp_path


def attempt(folder, number, status="wrong"):
    entry = {"status": status, "attempts": number, "changed": "2026-01-30"}
    stored = {"version": 1, "exercises": {"grokking.quadratic_gram": entry}}
    (folder / ".oraledu" / "results.json").write_text(json.dumps(stored))


def given(folder, name="quadratic_gram"):
    return hint.next_hint(LESSON, name, folder)


def test_without_an_attempt_there_is_none(folder):
    assert given(folder).startswith("Try quadratic_gram first")
    attempt(folder, 1)
    assert given(folder).startswith(f"Hint 1 of {HINTS}. ")


def test_there_is_one_after_each_further_attempt_and_the_same_until_then(folder):
    for number in range(1, HINTS + 1):
        attempt(folder, number)
        first, again = given(folder), given(folder)
        assert first == again
        assert first.startswith(f"Hint {number} of {HINTS}. ")
    attempt(folder, HINTS + 5)
    assert given(folder) == first
    assert "last one" in first


def test_attempts_in_advance_bring_one_hint_only(folder):
    attempt(folder, 10)
    assert given(folder).startswith("Hint 1 ")
    assert given(folder).startswith("Hint 1 ")
    attempt(folder, 11)
    assert given(folder).startswith("Hint 2 ")


@pytest.mark.parametrize("content", ["", "[]", '{"grokking.quadratic_gram": 3}', "\0"])
def test_a_damaged_memory_gives_the_first_hint_again(folder, content):
    attempt(folder, 2)
    (folder / ".oraledu" / hint.FILE).write_text(content)
    assert given(folder).startswith("Hint 1 ")


def test_what_is_right_needs_none_and_numbers_name_exercises_too(folder):
    attempt(folder, 1, "correct")
    assert given(folder) == given(folder, "1") == "Your quadratic_gram is right; it needs no hint."


def test_no_hint_holds_a_whole_answer():
    for lesson in catalogue.LESSONS:
        source = (catalogue.source_folder("solutions") / f"{lesson.name}.py").read_text("utf-8")
        answers = [part.partition("# END SOLUTION")[0] for part in source.split("# BEGIN SOLUTION")[1:]]
        bodies = [[line.strip() for line in answer.splitlines() if line.strip()] for answer in answers]
        assert len(bodies) == len(catalogue.exercises(lesson))
        for exercise, body in zip(catalogue.exercises(lesson), bodies, strict=True):
            assert not any(all(line in text for line in body) for text in exercise.hints), exercise.id


def test_the_command_says_what_there_is(folder, capsys):
    attempt(folder, 1)
    assert main(["hint", "04", "quadratic_gram", str(folder)]) == 0
    assert "Hint 1 of" in capsys.readouterr().out
    assert main(["hint", "04", "nothing", str(folder)]) == 2
    assert "choose one of: quadratic_gram, quadratic_agop" in capsys.readouterr().err
    (folder / ".oraledu" / "results.json").write_text("{")
    assert main(["hint", "04", "quadratic_gram", str(folder)]) == 2
    assert "damaged" in capsys.readouterr().err


def test_the_request_for_silence_keeps_other_settings(folder, capsys):
    settings = folder / ".vscode" / "settings.json"
    assert main(["quiet", str(folder)]) == 0
    assert json.loads(settings.read_text()) == quiet.VSCODE
    settings.write_text('{"editor.fontSize": 14, "chat.disableAIFeatures": false}')
    quiet.ask(folder)
    assert json.loads(settings.read_text()) == {"editor.fontSize": 14, "chat.disableAIFeatures": True}
    settings.write_text('{"editor.fontSize": 14} // mine')
    assert main(["quiet", str(folder)]) == 2
    assert "by hand" in capsys.readouterr().err
    assert settings.read_text().endswith("// mine")
