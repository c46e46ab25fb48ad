"""A receipt: what a student has written and what the checks said, in one small file to hand in anywhere.

Nothing in it is proof. The checks leave a line for each attempt in the student's folder, which helps a student's
memory and a teacher's questions; a grade comes from examining the functions again.
"""

import functools
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import oraledu
from oraledu.app import catalogue, generate, workspace
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course import results
from oraledu.teach.functions import Definition, definitions

ENDING = ".receipt.json"
VERSION = 1


@dataclass(frozen=True)
class Packed:
    """What a receipt holds: the student, and each lesson's functions by their names."""

    student: str
    functions: list[tuple[Lesson, dict[str, Definition]]]


def pack(folder: Path, student: str) -> Path:
    """Write a student's receipt into the folder of lessons; return its path.

    Args:
        folder: the folder that `oraledu lab` or `oraledu handout` has made.
        student: the identifier that the teacher asks for.

    Raises:
        UserError: it is no such folder, no exercise is written, or the identifier cannot be a file's name.
        OSError: the folder cannot be written.
    """
    if not student or any(letter in student for letter in '/\\:\0"<>|?*'):
        raise UserError(f"{student!r} cannot name a student; give the identifier that your teacher asks for")
    workspace.existing(folder)
    attempts = results.attempts(folder / results.MARKER)
    lessons = {}
    for lesson in catalogue.LESSONS:
        script = folder / "lessons" / f"{lesson.name}.py"
        if not script.is_file():
            continue
        cells = [
            cell.source
            for cell in generate.parse(script.read_text("utf-8")).cells
            if cell.cell_type == "code"
        ]
        exercises = {exercise.name: exercise.id for exercise in catalogue.exercises(lesson)}
        blank = stubs(lesson)
        lessons[lesson.name] = {
            name: {
                "statements": list(found.statements),
                "checks": [each for each in attempts if each.get("exercise") == exercises[name]],
            }
            for name, found in definitions(cells, list(exercises)).items()
            if found.digest != blank.get(name)
        }
    if not any(lessons.values()):
        raise UserError(f"no exercise is written yet in {folder}; a receipt would be empty")
    content = {"receipt": VERSION, "course": oraledu.__version__, "student": student, "lessons": lessons}
    content["made"] = datetime.now(UTC).isoformat(timespec="seconds")
    target = folder / f"{student}{ENDING}"
    target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def unpack(content: bytes) -> Packed:
    """Read a receipt, believing nothing but its form.

    Raises:
        ValueError: it is none, or one of another version.
    """
    stored = json.loads(content.decode("utf-8-sig"))
    if not isinstance(stored, dict) or "receipt" not in stored:
        raise ValueError("no receipt of this course")
    if stored["receipt"] != VERSION:
        raise ValueError(f"a receipt of version {stored['receipt']!r}; this course reads version {VERSION}")
    known = {lesson.name: lesson for lesson in catalogue.LESSONS}
    functions = []
    for name, entries in stored["lessons"].items():
        if name in known:
            names = [exercise.name for exercise in catalogue.exercises(known[name])]
            found: dict[str, Definition] = {}
            for key, entry in entries.items():
                # Read as a notebook is: what a statement needs is seen in it, and not told.
                there = definitions([_text(each) for each in entry["statements"]], names)
                found |= {key: there[key]} if key in there else {}
            functions.append((known[name], found))
    return Packed(_text(stored["student"]), functions)


def stubs(lesson: Lesson) -> dict[str, str]:
    """Return the digest of each exercise's function as the lesson hands it out."""
    script = catalogue.source_folder("lessons") / f"{lesson.name}.py"
    return _digests(script.read_text("utf-8"), tuple(each.name for each in catalogue.exercises(lesson)))


@functools.cache
def _digests(script: str, names: tuple[str, ...]) -> dict[str, str]:
    """Return the digests of functions in a script; a class hands in the same lesson many times."""
    cells = [cell.source for cell in generate.parse(script).cells if cell.cell_type == "code"]
    return {name: found.digest for name, found in definitions(cells, names).items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a receipt holds texts")
    return value
