"""Bring a new version of the course into folders that students have worked in."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from oraledu.app import catalogue, generate, workspace
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course import results
from oraledu.teach import handout
from oraledu.teach.handout import Handed
from oraledu.teach.merging import merge


def update(folder: Path) -> list[str]:
    """Bring every lesson of a folder, or of the folders in it, to the course's present text.

    The student's cells stay (see `merging`). What a lesson was before is kept beside it, under a name with today's
    date. A lesson that the course has not changed is not touched, and neither are results.

    Returns:
        A line for each lesson that has changed, each conflict, and each folder that cannot be read.

    Raises:
        UserError: nothing here was handed out.
        OSError: a folder cannot be written.
    """
    marked = [folder, *(sorted(folder.iterdir()) if folder.is_dir() else [])]
    folders = [each for each in marked if (each / results.MARKER / results.HANDED_OUT).is_file()]
    if not folders:
        raise UserError(f"{folder} was not handed out, nor was a folder in it; --update needs one that was")
    lines = []
    for each in folders:
        try:
            handed = handout.read(each)
        except UserError as error:  # one damaged folder does not stop a class
            lines.append(error.message)
            continue
        for lesson in map(catalogue.lesson, handed.lessons):
            lines += [f"{each.name}: {line}" for line in _lesson(each, lesson, handed)]
        handout.fill(each)
        handout.mark(each, handed)
    return lines


def _lesson(folder: Path, lesson: Lesson, handed: Handed) -> list[str]:
    new = handout.lesson_for(lesson, handed)
    kept = folder / results.MARKER / f"{lesson.name}.py"
    before = kept.read_text("utf-8") if kept.is_file() else None
    if before == generate.render(new):
        return []
    base = generate.parse(before or "")
    mine, conflicts = _students(folder, lesson)
    if mine is None and not conflicts:
        return []  # the lesson was taken away; `fill` puts the new one
    if before is None:
        conflicts.append(
            "what was handed out is not kept in .oraledu; every cell that differs counts as yours"
        )
    merged, more = merge(base, mine, new) if mine else (new, [])
    untouched = mine and not conflicts and _texts(mine) == _texts(base)
    old = [] if untouched else workspace.set_aside(folder / "lessons", lesson)
    for half in workspace.pair(folder / "lessons", lesson.name):
        half.unlink()
    path = workspace.write_pair(folder, lesson, merged)
    handout.keep_text(folder, lesson, new)
    workspace.trust(folder, [path])
    where = f"; yours as it was: {', '.join(each.name for each in old)}" if old else ""
    return [
        f"lesson {lesson.number} is new{where}",
        *(f"lesson {lesson.number}: {each}" for each in conflicts + more),
    ]


def _students(folder: Path, lesson: Lesson) -> tuple[NotebookNode | None, list[str]]:
    """Return the student's notebook, from the half that was written last where they differ."""
    found: list[tuple[float, Path, NotebookNode]] = []
    problems = []
    for path in workspace.pair(folder / "lessons", lesson.name):
        try:
            found.append((path.stat().st_mtime, path, _read(path)))
        except Exception as error:  # a broken notebook raises what it likes
            problems.append(f"{path.name} cannot be read ({type(error).__name__}); it is kept as it was")
    texts = {_texts(notebook) for _, _, notebook in found}
    if not found:
        return None, problems
    _, path, notebook = max(found, key=lambda each: each[0]) if len(texts) > 1 else found[0]
    if len(texts) > 1:
        problems.append(
            f"notebook and script differ; {path.name} was written last and is taken, both are kept"
        )
    return notebook, problems


def _read(path: Path) -> NotebookNode:
    if path.suffix == ".py":
        return generate.parse(path.read_text("utf-8"))
    return nbformat.read(path, as_version=4)


def _texts(notebook: NotebookNode) -> tuple[str, ...]:
    return tuple(cell.source for cell in notebook.cells)
