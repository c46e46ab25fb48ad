"""Points into the gradebook that a teacher has exported from Canvas or Moodle, ready to be imported again.

The teacher's file is the template: it has the platform's own identifiers and columns, and whom it does not hold the
platform does not know either. Only the cells of grades change.
"""

import csv
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from oraledu.app import catalogue
from oraledu.app.errors import UserError
from oraledu.teach.sheet import Field, Sheet

Platform = Literal["canvas", "moodle"]
TOTALS = "totals.csv"
_SEPARATORS: dict[Platform, str] = {"canvas": ",;", "moodle": ",;\t"}
#: Columns by which a student is known; a name may also stand in two.
_IDENTITY = {"id", "sis user id", "sis login id", "integration id", "student", "username", "id number"}
_IDENTITY |= {"idnumber", "email address", "email", "identifier", "full name"}
_NAMES = (("first name", "last name"), ("firstname", "lastname"), ("first name", "surname"))
# What Canvas computes itself, and passes over.
_COMPUTED = re.compile(r"(Current|Final) (Score|Points|Grade)|^Override ")
_POINTS = "Points Possible"
#: Moodle stops at a grade above this one, whatever the item's own maximum.
_MOST_IN_MOODLE = 100


def export(
    platform: Platform, grades: Path, template: Path, out: Path, columns: Mapping[str, str] | None = None
) -> list[str]:
    """Write the template with the points in it; return a line for each student and lesson that has no place there.

    Args:
        platform: whose importer is to take it.
        grades: the folder that `oraledu grade` has written, or its `totals.csv`.
        template: the exported gradebook.
        out: the file to write.
        columns: the titles of columns by "04" or "total"; the others are found by the lesson's number or title.

    Raises:
        UserError: a file is not what it should be, a column is missing, or the importer would refuse the result.
        OSError: a file cannot be read or written.
    """
    points = _points(grades)
    sheet = Sheet(template, _SEPARATORS[platform])
    header = [field.value.strip() for field in sheet.rows[0]]
    if out.exists() and out.samefile(template):
        raise UserError(f"{out} is the template itself; give --out another name")
    rows = _canvas_rows(sheet, header) if platform == "canvas" else _moodle_rows(sheet, header)
    if not rows:
        raise UserError(f"{template} holds no student; export the gradebook of a course with students")
    lessons = [name for name in next(iter(points.values())) if name != "student"]
    places, lines = _places(sheet, header, lessons, columns or {})
    known, more = _students(rows, header, points)
    lines += more
    for student, row in known.items():
        for name, place in places.items():
            _fill(platform, sheet, row[place], float(points[student][name]), student)
    if platform == "canvas":
        lines += _above_what_is_possible(sheet, places, [points[student] for student in known])
    draft = out.with_name(f"{out.name}.{os.getpid()}.tmp")
    try:
        sheet.write(draft)
        os.replace(draft, out)
    finally:
        draft.unlink(missing_ok=True)
    return [*lines, f"{len(known)} students, {', '.join(header[place] for place in places.values())}: {out}"]


def _points(grades: Path) -> dict[str, dict[str, str]]:
    """Return the points of each student by "01" … "04" and "total"."""
    path = grades / TOTALS if grades.is_dir() else grades
    if not path.is_file():
        raise UserError(f"{path} is missing; 'oraledu grade SUBMISSIONS --out {grades}' makes it")
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            entries = list(csv.DictReader(file, strict=True))
            found = {
                entry["student"]: {key: value for key, value in entry.items() if key != "of"}
                for entry in entries
            }
            found = {
                student: {key.removeprefix("lesson "): value for key, value in entry.items()}
                for student, entry in found.items()
            }
            [float(value) for entry in found.values() for key, value in entry.items() if key != "student"]
        except (csv.Error, UnicodeDecodeError, KeyError, ValueError, TypeError):
            raise UserError(f"{path} is not what 'oraledu grade' writes; run it again") from None
    if not found:
        raise UserError(f"{path} holds no student")
    return found


def _canvas_rows(sheet: Sheet, header: list[str]) -> list[list[Field]]:
    """Return the rows of students, by the rules of Canvas's importer."""
    named = len(header) >= 4 and "Student" in header[0] and "ID" in header[1] and "Section" in header
    if not named:
        raise UserError(
            f"{sheet.path} is no gradebook of Canvas: its first line begins with Student and ID and has a Section; "
            "export it there with Grades, Export"
        )
    short = next((row for row in sheet.rows if len(row) != len(header)), None)
    if short:
        raise UserError(f"{sheet.path}: {_told(sheet, short, header)}; export the gradebook again")
    section = header.index("Section")
    return [
        row
        for row in sheet.rows[1:]
        if _POINTS not in row[0].value and any(f.value.strip() for f in row[:section])
    ]


def _moodle_rows(sheet: Sheet, header: list[str]) -> list[list[Field]]:
    """Return the rows of students, by the rules of Moodle's importer, which refuses a file for one bad line."""
    identity = [place for place, title in enumerate(header) if title.casefold() in _IDENTITY]
    if not identity:
        raise UserError(
            f"{sheet.path} has no column by which Moodle knows a student: Username, ID number or Email address; "
            "choose them when you export the grades"
        )
    for row in sheet.rows:
        if len(row) != len(header):
            raise UserError(f"{sheet.path}: {_told(sheet, row, header)}; Moodle would refuse the whole file")
        if not any(row[place].value.strip() for place in identity):
            line = sheet.text.count("\n", 0, row[0].start) + 1
            raise UserError(
                f"{sheet.path}, line {line}: nobody is named; Moodle would credit it to the line before"
            )
    return sheet.rows[1:]


def _told(sheet: Sheet, row: list[Field], header: list[str]) -> str:
    line = sheet.text.count("\n", 0, row[0].start) + 1
    return f"line {line} has {len(row)} fields under {len(header)} titles"


def _places(
    sheet: Sheet, header: list[str], lessons: Sequence[str], columns: Mapping[str, str]
) -> tuple[dict[str, int], list[str]]:
    """Return the column of each lesson, and a line for each lesson without one."""
    places: dict[str, int] = {}
    lines = []
    for name, title in columns.items():
        if name not in lessons:
            raise UserError(f"there are no points for {name!r}; there are: {', '.join(lessons)}")
        matching = [place for place, each in enumerate(header) if title in (each, _plain(each))]
        if len(matching) != 1 or _COMPUTED.search(title):
            why = (
                "no column"
                if not matching
                else "more than one"
                if len(matching) > 1
                else "computes the column"
            )
            raise UserError(f"{sheet.path} has {why} {title!r}; it has: {', '.join(header)}")
        places[name] = matching[0]
    for name in lessons:
        if name in columns or name == "total":
            continue
        matching = [place for place, title in enumerate(header) if _is_for(name, title)]
        if len(matching) == 1:
            places[name] = matching[0]
        else:
            lines.append(f"lesson {name}: {'no' if not matching else 'more than one'} column of that name")
    if not places:
        raise UserError(
            f"{'; '.join(lines)}; name one: --column '{lessons[0]}=TITLE', of: {', '.join(header)}"
        )
    if len(set(places.values())) < len(places):
        raise UserError("two lessons cannot have one column; name one for each with --column")
    return places, [f"{line}; left out (--column '{line[7:9]}=TITLE' names it)" for line in lines]


def _is_for(number: str, title: str) -> bool:
    """Tell whether a column is a lesson's: by its number or its title."""
    if _COMPUTED.search(title):
        return False
    own = catalogue.lesson(number).title.casefold()
    return own in title.casefold() or bool(re.search(rf"\blesson 0?{int(number)}\b", title, re.IGNORECASE))


def _plain(title: str) -> str:
    """Return a title without what a platform adds: Canvas its number, Moodle the kind of display."""
    return re.sub(r" \((\d+|Real|Percentage|Letter)\)$", "", title)


def _students(
    rows: Sequence[list[Field]], header: list[str], points: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, list[Field]], list[str]]:
    """Return the row of each student, and a line for each that has none of their own."""
    titles = [title.casefold() for title in header]
    by_key: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        values = {title: field.value.strip().casefold() for title, field in zip(titles, row, strict=True)}
        keys = {values.get(title, "") for title in _IDENTITY}
        keys |= {
            f"{values[first]} {last_name}"
            for first, last in _NAMES
            if (last_name := values.get(last)) and first in values
        }
        if ", " in (name := values.get("student", "")):
            keys.add(" ".join(reversed(name.split(", ", 1))))
        # Canvas names a file that is handed in by the name and its own number of the student.
        keys.add(f"{re.sub(r'[^a-z]', '', name)}_{values.get('id', '')}")
        for key in keys - {""}:
            by_key.setdefault(key, []).append(number)
    found: dict[str, list[Field]] = {}
    taken: dict[int, str] = {}
    lines = []
    for student in points:
        matching = by_key.get(student.strip().casefold(), [])
        if len(matching) != 1:
            lines.append(
                f"{student}: {'is not' if not matching else 'stands twice'} in the gradebook; left out"
            )
        elif matching[0] in taken:
            raise UserError(
                f"{student!r} and {taken[matching[0]]!r} are one student in the gradebook; grade them as one"
            )
        else:
            taken[matching[0]] = student
            found[student] = rows[matching[0]]
    lines += [
        f"{_who(row, titles)}: no points; the cell stays as it is"
        for n, row in enumerate(rows)
        if n not in taken
    ]
    if not found:
        raise UserError(
            "no student of the grades is in the gradebook; name them in the roster by its identifiers"
        )
    return found, lines


def _who(row: list[Field], titles: list[str]) -> str:
    return next(field.value for field, title in zip(row, titles, strict=True) if field.value.strip())


def _fill(platform: Platform, sheet: Sheet, field: Field, value: float, student: str) -> None:
    if platform == "moodle" and value > _MOST_IN_MOODLE:
        raise UserError(
            f"{student} has {value:g} points, and Moodle refuses a file with a grade above 100; see rules.toml"
        )
    # A point in either language: Canvas reads "1,234" as 1.234.
    sheet.replace(field, f"{value:.2f}".rstrip("0").rstrip("."))


def _above_what_is_possible(
    sheet: Sheet, places: Mapping[str, int], points: Sequence[Mapping[str, str]]
) -> list[str]:
    lines = []
    for row in sheet.rows[1:]:
        if _POINTS not in row[0].value:
            continue
        for name, place in places.items():
            if "(read only)" in row[place].value:
                raise UserError(
                    f"{sheet.path}: Canvas does not let the column of {name} be changed; choose another"
                )
            try:
                possible = float(row[place].value)
            except ValueError:
                continue
            if (most := max(float(entry[name]) for entry in points)) > possible:
                lines.append(f"{name}: up to {most:g} points, and {possible:g} are possible in Canvas")
    return lines
