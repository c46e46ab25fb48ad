import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from oraledu.app import catalogue, progress
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError

EXERCISES = [
    SimpleNamespace(id="sums.add", title="Add", core=True),
    SimpleNamespace(id="sums.add_many", title="Add many", core=True),
    SimpleNamespace(id="sums.subtract", title="Subtract", core=False),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's folder of a course with one lesson and three exercises; nothing is done yet."""
    (tmp_path / ".oraledu").mkdir()
    monkeypatch.setattr(catalogue, "LESSONS", (Lesson("07", "07_sums", "sums", "Sums"),))
    monkeypatch.setattr(catalogue, "exercises", lambda lesson: EXERCISES)
    return tmp_path


def record(folder: Path, **exercises: dict[str, object]) -> None:
    stored = {f"sums.{name}": result for name, result in exercises.items()}
    (folder / ".oraledu" / "results.json").write_text(json.dumps({"version": 1, "exercises": stored}))


def test_before_the_first_check_nothing_is_done(folder: Path):
    assert progress.report(folder).splitlines() == [
        "07  Sums",
        "  core: 0 of 2 done",
        "    Add       not attempted yet",
        "    Add many  not attempted yet",
        "  further: 0 of 1 done",
        "    Subtract  not attempted yet",
    ]


def test_each_exercise_shows_how_it_stands(folder: Path):
    record(
        folder,
        add={"status": "correct", "attempts": 1, "changed": "2026-01-30"},
        add_many={"status": "wrong", "attempts": 3, "changed": "2026-01-31"},
        subtract={"status": "slow", "attempts": 2, "changed": "2026-02-01"},
    )
    assert progress.report(folder).splitlines() == [
        "07  Sums",
        "  core: 1 of 2 done",
        "    Add       correct (1 attempt, 2026-01-30)",
        "    Add many  not yet right (3 attempts, 2026-01-31)",
        "  further: 1 of 1 done",
        "    Subtract  correct, but slow (2 attempts, 2026-02-01)",
    ]


def test_what_is_borrowed_is_not_done(folder: Path):
    record(folder, add={"status": "borrowed", "attempts": 1, "changed": "2026-01-30"})
    assert "core: 0 of 2 done" in progress.report(folder)


def test_a_damaged_file_is_one_clear_line(folder: Path):
    (folder / ".oraledu" / "results.json").write_text("{")
    with pytest.raises(UserError, match=r"results\.json is damaged.*sets it aside") as caught:
        progress.report(folder)
    assert "\n" not in str(caught.value)


def test_the_real_lessons_have_a_report(tmp_path: Path):
    (tmp_path / ".oraledu").mkdir()
    report = progress.report(tmp_path)
    for lesson in catalogue.LESSONS:
        assert lesson.title in report
        assert all(exercise.title in report for exercise in catalogue.exercises(lesson))
