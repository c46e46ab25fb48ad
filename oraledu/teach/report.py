"""What a teacher and a student read: totals, a page for each student, and a page for the class."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from oraledu.app import catalogue
from oraledu.teach.examined import STATUSES
from oraledu.teach.rules import Rules

if TYPE_CHECKING:
    from oraledu.teach.grade import Row

STUDENTS = "students"
#: A letter beside each colour, so that nothing hangs on colour.
LETTERS = dict(zip(STATUSES, "SLWBTX-", strict=True))


def totals(table: Sequence[Row], settings: Rules, listed: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return a row for each student with the points of every lesson, after late days, and of all together.

    Args:
        table: the outcomes.
        settings: says what late days take off.
        listed: students who get a row even without a submission.
    """
    lessons = sorted({row.lesson for row in table})
    students = sorted({row.student for row in table} | set(listed))
    full = {
        number: sum(settings.full(each) for each in catalogue.exercises(catalogue.lesson(number)))
        for number in lessons
    }
    rows = []
    for student in students:
        points = {
            number: sum(row.points for row in table if (row.student, row.lesson) == (student, number))
            * settings.kept(student, number)
            for number in lessons
        }
        entry: dict[str, Any] = {"student": student}
        entry |= {f"lesson {number}": round(points[number], 2) for number in lessons}
        entry |= {"total": round(sum(points.values()), 2), "of": round(sum(full.values()), 2)}
        rows.append(entry)
    return rows


def write(
    out: Path,
    table: Sequence[Row],
    settings: Rules,
    alike: Sequence[tuple[str, list[str]]],
    problems: Sequence[str],
    protection: str,
) -> None:
    """Write `class.html`, and a page for each student below `students/`.

    Args:
        out: the folder of grades.
        table: the outcomes.
        settings: the points.
        alike: groups of students whose functions read alike.
        problems: what could not be read, and who is missing.
        protection: what held while submitted functions ran.
    """
    pages = jinja2.Environment(
        loader=jinja2.PackageLoader("oraledu.teach"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    (out / STUDENTS).mkdir(exist_ok=True)
    summary = {entry["student"]: entry for entry in totals(table, settings)}
    for student, entry in summary.items():
        rows = [row for row in table if row.student == student]
        page = pages.get_template("student.html").render(student=student, rows=rows, total=entry)
        (out / STUDENTS / page_name(student)).write_text(page, encoding="utf-8")
    exercises = list(dict.fromkeys((row.lesson, row.exercise) for row in table))
    cells = {(row.student, row.exercise): row for row in table}
    page = pages.get_template("class.html").render(
        exercises=exercises,
        students=list(summary.values()),
        cells=cells,
        letters=LETTERS,
        shares=shares(table),
        slips=frequent_slips(table),
        alike=alike,
        problems=problems,
        protection=protection,
        page_name=page_name,
    )
    (out / "class.html").write_text(page, encoding="utf-8")


def page_name(student: str) -> str:
    """Return the name of a student's page: readable where the student's name allows it, and never a path."""
    plain = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in student)[:60]
    return f"{plain}-{hashlib.sha256(student.encode()).hexdigest()[:6]}.html"


def shares(table: Sequence[Row]) -> list[tuple[str, str, float, Counter[str]]]:
    """Return for each exercise the part of the class that has solved it, and how many have each status."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in table:
        found.setdefault((row.lesson, row.exercise), Counter())[row.status] += 1
    return [(*key, (each["solved"] + each["slow"]) / each.total(), each) for key, each in found.items()]


def frequent_slips(table: Sequence[Row]) -> list[tuple[int, str, str]]:
    """Return how many students made each mistake that the checks know by name, the most frequent first."""
    counted: Counter[tuple[str, str]] = Counter()
    known = {
        exercise.name: [wrong.mistake for wrong in exercise.wrong_answers]
        for lesson in catalogue.LESSONS
        if any(row.lesson == lesson.number for row in table)
        for exercise in catalogue.exercises(lesson)
    }
    for row in table:
        counted.update((row.exercise, mistake) for mistake in known[row.exercise] if mistake in row.line)
    return [(count, exercise, mistake) for (exercise, mistake), count in counted.most_common()]
