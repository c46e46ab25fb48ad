"""What was handed in: notebooks, scripts, receipts, folders and zips, in any mixture, by student and lesson.

Everything is read in place, a zip in memory: nothing is unpacked, so no name in it can lead anywhere.
"""

import functools
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from oraledu.app import catalogue, generate
from oraledu.app.catalogue import Lesson
from oraledu.teach import names, receipt
from oraledu.teach.functions import Definition, definitions

#: Bytes of a file, and letters of its code: a lesson has less than two million, and a hundred thousand.
LARGEST, MOST_CODE = 50_000_000, 1_000_000
#: A file in a zip that is packed into less than one part in so many is no lesson.
_DENSEST = 200
_DEEPEST = 2
_ENDINGS = (".ipynb", ".py", ".zip", receipt.ENDING)
#: What students hand in by mistake.
_OTHERS = (".html", ".pdf", ".docx", ".rar", ".7z", ".tar", ".gz", ".tgz")
_PASSED_OVER = {
    "__MACOSX",
    ".ipynb_checkpoints",
    ".oraledu",
    "solutions",
    ".git",
    ".venv",
    "feedback",
    "source",
    "release",
}
_MUCH = "more than a million letters of code, and a lesson has under a tenth of that"
_NOTHING = "holds no exercise of any lesson that Python can read"
#: Folders that name no student.
_NEUTRAL = ("lessons", "work", "submitted", "submissions")
# lastnamefirstname_LATE_123_456_04_grokking-2.ipynb
_CANVAS = re.compile(r"^(?P<name>[^\W\d_]+)(?P<late>_LATE)?_(?P<user>\d+)_\d+_(?P<file>.+)$")
# Ada Doe_123_assignsubmission_file_
_MOODLE = re.compile(r"^(?P<name>.+)_(?P<user>\d+)_assignsubmission_\w+$")


@dataclass
class Submission:
    """What one student has handed in for one lesson.

    Attributes:
        student: as the files name the student.
        lesson: which lesson.
        found: the different definitions of each exercise's function.
        files: where they stand.
        late: whether the platform has marked a file as late.
        own: the code cells that are not the lesson's.
    """

    student: str
    lesson: Lesson
    found: dict[str, list[Definition]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    late: bool = False
    own: tuple[str, ...] = ()


@dataclass(frozen=True)
class _File:
    place: PurePosixPath  # below what was named on the command line
    content: bytes
    above: str  # the folder or zip that a lone file lies in


def collect(paths: Iterable[Path], listed: Iterable[str] = ()) -> tuple[list[Submission], list[str]]:
    """Read all submissions; return them by student and lesson, and a line for each file that could not be read.

    Args:
        paths: files and folders.
        listed: students of a roster, whose names count however a file has their capitals.
    """
    merged: dict[tuple[str, str], Submission] = {}
    spelled = {student.casefold(): student for student in listed}
    problems: list[str] = []
    scripts: list[PurePosixPath] = []
    for path in paths:
        for file in _files(path, problems):
            try:
                found = _read(file)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                problems.append(f"{file.place}: cannot be read ({_first_line(error)})")
                continue
            if not found:
                if file.place.suffix.lower() == ".py":
                    scripts.append(file.place)
                else:
                    problems.append(f"{file.place}: {_NOTHING}")
                continue
            for each in found:
                each.student = names.plain(each.student) or "nameless"
                each.student = spelled.get(each.student.casefold(), each.student)
                _merge(merged.setdefault((each.student, each.lesson.name), each), each)
    # A script beside a lesson may be a helper of its author's.
    beside = {PurePosixPath(file).parent for each in merged.values() for file in each.files}
    beside -= {PurePosixPath()}
    problems += [f"{place}: {_NOTHING}" for place in scripts if place.parent not in beside]
    problems = [names.shown(line) for line in problems]
    return sorted(merged.values(), key=lambda each: (each.student, each.lesson.number)), problems


def _merge(kept: Submission, other: Submission) -> None:
    if kept is other:
        return
    for name, found in other.found.items():
        there = kept.found.setdefault(name, [])
        there += [each for each in found if each.digest not in {one.digest for one in there}]
    kept.files += other.files
    kept.late = kept.late and other.late
    kept.own += tuple(cell for cell in other.own if cell not in kept.own)


def _files(path: Path, problems: list[str]) -> Iterator[_File]:
    if not path.exists():
        problems.append(f"{path}: is not there")
    elif path.is_dir():
        for each in sorted(path.rglob("*")):
            place = PurePosixPath(each.relative_to(path).as_posix())
            if _PASSED_OVER & set(place.parts) or not each.is_file():
                continue
            if place.name.lower().endswith((*_ENDINGS, *_OTHERS)) and each.is_symlink():
                problems.append(f"{place}: is a link to another file, and not followed")
            elif place.name.lower().endswith(_ENDINGS):
                yield from _content(place, each, problems, path.resolve().name)
            elif place.name.lower().endswith(_OTHERS):
                problems.append(f"{place}: is no notebook, script, receipt or zip; ask for one")
    else:
        yield from _content(PurePosixPath(path.name), path, problems, path.resolve().parent.name)


def _content(place: PurePosixPath, path: Path, problems: list[str], above: str) -> Iterator[_File]:
    try:
        if path.suffix.lower() == ".zip":
            yield from _unzipped(place, path.read_bytes(), problems)
        elif path.stat().st_size > LARGEST:
            problems.append(_too_large(place, path.stat().st_size))
        else:
            yield _File(place, path.read_bytes(), above)
    except OSError as error:
        problems.append(f"{place}: cannot be read ({_first_line(error)})")


def _unzipped(place: PurePosixPath, content: bytes, problems: list[str], depth: int = 1) -> Iterator[_File]:
    """Yield the files of a zip as if they lay beside it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                name = PurePosixPath(entry.filename.replace("\\", "/"))
                # Where the platform has written whose the zip is, names in it do not count.
                own = (place.name,) if _CANVAS.match(place.name) else ()
                parts = (part for part in name.parts if part not in ("..", "/"))
                inner = PurePosixPath(place.parent, *own, *parts)
                unread = not inner.name.lower().endswith(_ENDINGS) or _PASSED_OVER & set(inner.parts)
                if entry.is_dir() or unread:
                    continue
                if entry.file_size > LARGEST or entry.file_size > _DENSEST * max(entry.compress_size, 5000):
                    problems.append(_too_large(inner, entry.file_size))
                elif inner.suffix.lower() != ".zip":
                    yield _File(inner, archive.read(entry), place.stem)
                elif depth < _DEEPEST:
                    yield from _unzipped(inner, archive.read(entry), problems, depth + 1)
                else:
                    problems.append(f"{inner}: a zip within a zip within a zip is not opened")
    except Exception as error:  # a broken zip raises what it likes
        problems.append(f"{place}: cannot be read ({_first_line(error)})")


def _too_large(place: PurePosixPath, size: int) -> str:
    return f"{place}: {size / 1e6:.0f} MB, and a lesson has under 2"


def _read(file: _File) -> list[Submission]:
    if file.place.name.endswith(receipt.ENDING):
        if len(file.content) > 2 * MOST_CODE:
            raise ValueError(_MUCH)
        packed = receipt.unpack(file.content)
        return [
            Submission(
                packed.student, lesson, {name: [each] for name, each in found.items()}, [str(file.place)]
            )
            for lesson, found in packed.functions
            if found
        ]
    text = file.content.decode("utf-8-sig")
    notebook = file.place.suffix.lower() == ".ipynb"
    if not notebook and len(text) > MOST_CODE:
        raise ValueError(_MUCH)
    cells = _cells(json.loads(text) if notebook else generate.parse(text))
    if sum(map(len, cells)) > MOST_CODE:
        raise ValueError(_MUCH)
    best: Lesson | None = None
    found: dict[str, Definition] = {}
    for lesson in catalogue.LESSONS:
        exercises = [exercise.name for exercise in catalogue.exercises(lesson)]
        here = definitions(cells, exercises)
        if len(here) > len(found):
            best, found = lesson, here
    if best is None:
        return []
    student, late = _student(file, best)
    functions = {name: [each] for name, each in found.items()}
    own = tuple(cell for cell in cells if cell not in _course_cells(best) and "checks." not in cell)
    return [Submission(student, best, functions, [str(file.place)], late, own)]


@functools.cache
def _course_cells(lesson: Lesson) -> frozenset[str]:
    """Return the code cells of a lesson and its solution."""
    scripts = (catalogue.source_folder(kind) / f"{lesson.name}.py" for kind in ("lessons", "solutions"))
    return frozenset(cell for each in scripts for cell in _cells(generate.parse(each.read_text("utf-8"))))


def _cells(notebook: Any) -> list[str]:
    """Return the texts of the code cells, whichever form of the format they have."""
    if "cells" not in notebook:
        raise ValueError("no notebook of the format 4, which Jupyter has written since 2015")
    return [
        "".join(cell["source"]) if isinstance(cell["source"], list) else str(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def _student(file: _File, lesson: Lesson) -> tuple[str, bool]:
    """Return the student's name, from the names that platforms give to files and folders, and whether it is late."""
    place = file.place
    for part in place.parts:
        if part.lower().endswith(_ENDINGS) and (canvas := _CANVAS.match(part)):
            return f"{canvas['name']}_{canvas['user']}", bool(canvas["late"])
        if part != place.name and (moodle := _MOODLE.match(part)):
            return moodle["name"], False
    folders = [part for part in place.parts[:-1] if part not in (*_NEUTRAL, lesson.name)]
    own = re.sub(rf"(^|[_\- ]+){lesson.name}.*$|^{lesson.name}[_\- ]*", "", place.stem).strip("_- ")
    return (folders[0] if folders else own or file.above), False


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
