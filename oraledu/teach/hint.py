"""The next hint of an exercise: at most one after each further attempt.

How often a learner has attempted an exercise stands in the folder's results, how many hints were given in
`hints.json` beside them. Whoever edits these files, or unfolds the hints in a lesson, gets more: this is a pace, and
no lock. A hint is never the answer, which stands in the solved lesson.
"""

import json
import textwrap
from pathlib import Path

from oraledu.app import catalogue, workspace
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course import results
from oraledu.course.exercise import Exercise

FILE = "hints.json"
DONE = ("correct", "slow")


def next_hint(lesson: Lesson, name: str, folder: Path) -> str:
    """Return the next hint of an exercise, or the last one again and what brings the next.

    Args:
        lesson: the lesson of the exercise.
        name: the exercise's function.
        folder: the learner's folder.

    Raises:
        UserError: there is no such exercise, it is no folder of lessons, or its results cannot be read.
        OSError: the folder cannot be written.
    """
    exercise = _exercise(lesson, name)
    marker = workspace.existing(folder) / results.MARKER
    try:
        found = results.read(marker).get(exercise.id)
    except ValueError as error:
        raise UserError(f"{error}; the next check that you run sets it aside and begins a new one") from None
    if found and found.status in DONE:
        return f"Your {exercise.name} is right; it needs no hint."
    attempts = found.attempts if found else 0
    given = _read(marker)
    number, at = given.get(exercise.id, (0, 0))
    if attempts > at and number < len(exercise.hints):
        number, at = number + 1, attempts
        (marker / FILE).write_text(json.dumps(given | {exercise.id: (number, at)}) + "\n", encoding="utf-8")
    if not number:
        return f"Try {exercise.name} first: write what you have, and run the cell below it, which checks it."
    hint = " ".join(textwrap.dedent(exercise.hints[number - 1]).split())
    lines = [f"Hint {number} of {len(exercise.hints)}. {hint}"]
    if number == len(exercise.hints):
        lines.append("This is the last one.")
    else:
        lines.append("The next one comes after your next attempt.")
    return "\n".join(lines)


def _exercise(lesson: Lesson, name: str) -> Exercise:
    exercises = catalogue.exercises(lesson)
    for number, exercise in enumerate(exercises, start=1):
        if name in (exercise.name, str(number)):
            return exercise
    known = ", ".join(exercise.name for exercise in exercises)
    raise UserError(f"lesson {lesson.number} has no exercise {name!r}; choose one of: {known}")


def _read(marker: Path) -> dict[str, tuple[int, int]]:
    """Return how many hints were given and at which attempt the last; a damaged file counts as none."""
    try:
        stored = json.loads((marker / FILE).read_text("utf-8"))
        return {str(name): (int(number), int(at)) for name, (number, at) in stored.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}
