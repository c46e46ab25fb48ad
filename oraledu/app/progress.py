"""What a learner has done so far, lesson by lesson."""

from pathlib import Path

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course import results
from oraledu.course.results import Result
from oraledu.course.verdict import Status

DONE: tuple[Status, ...] = ("correct", "slow")
WORDS: dict[Status, str] = {
    "not attempted": "not attempted yet",
    "wrong": "not yet right",
    "borrowed": "borrowed from the library",
    "correct": "correct",
    "slow": "correct, but slow",
}


def report(folder: Path) -> str:
    """Return the exercises of every lesson, core first, and how each stands in a learner's folder.

    Raises:
        UserError: the file of results cannot be read.
    """
    try:
        found = results.read(folder / results.MARKER)
    except ValueError as error:
        raise UserError(f"{error}; the next check that you run sets it aside and begins a new one") from None
    return "\n\n".join(_lesson(lesson, found) for lesson in catalogue.LESSONS)


def _lesson(lesson: Lesson, found: dict[str, Result]) -> str:
    exercises = catalogue.exercises(lesson)
    lines = [f"{lesson.number}  {lesson.title}"]
    for heading, core in (("core", True), ("further", False)):
        group = [exercise for exercise in exercises if exercise.core is core]
        if not group:
            continue
        standing = [found.get(exercise.id) for exercise in group]
        done = sum(result is not None and result.status in DONE for result in standing)
        lines.append(f"  {heading}: {done} of {len(group)} done")
        width = max(len(exercise.title) for exercise in group)
        for exercise, result in zip(group, standing, strict=True):
            lines.append(f"    {exercise.title:{width}}  {_standing(result)}")
    return "\n".join(lines)


def _standing(result: Result | None) -> str:
    if result is None or result.status == "not attempted":
        return WORDS["not attempted"]
    attempts = f"{result.attempts} attempt{'' if result.attempts == 1 else 's'}"
    return f"{WORDS[result.status]} ({attempts}, {result.changed})"
