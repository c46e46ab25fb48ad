"""The learner's own folder: lessons and solutions to work in. What is there is never overwritten."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

import nbformat
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary

from oraledu.app import catalogue, cures, generate
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.app.hiding import hiding
from oraledu.course import results

Kind = Literal["lessons", "solutions"]
KINDS: tuple[Kind, ...] = ("lessons", "solutions")
ENDINGS = (".ipynb", ".py")
DEFAULT = "work"
PAIRING = """# Saving a notebook in JupyterLab writes both halves of its pair.
formats = "ipynb,py:percent"
notebook_metadata_filter = "kernelspec,-all"
cell_metadata_filter = "tags,-all"
# When a pair is opened its script decides. A notebook that another editor has saved later, and that holds
# something else, is not passed over: JupyterLab then says how the two differ.
outdated_text_notebook_margin = 1
"""


def default_folder() -> Path:
    """Return the learner's folder that the working directory lies in, or else `work` below it."""
    marked = results.find_folder()
    return marked.parent if marked else Path(DEFAULT)


def existing(folder: Path) -> Path:
    """Return the folder if `prepare` has made it.

    Raises:
        UserError: it is missing, or holds no lessons of the course.
    """
    if not (folder / results.MARKER).is_dir():
        raise UserError(f"{folder} is no folder of lessons; 'oraledu lab {folder}' makes it one")
    return folder


def prepare(folder: Path) -> list[Path]:
    """Copy into a folder the lessons and solutions that it does not have yet; return the new notebooks.

    A pair of which either half is there is left alone: beside a learner's notebook, a fresh script would win. A
    folder that a teacher has handed out gets what belongs into it, and no more.

    Raises:
        UserError: the folder is a part of the checkout, or no lesson can be found to copy.
        OSError: the folder cannot be written.
    """
    refuse_the_checkout(folder)
    outer = next((each for each in folder.resolve().parents if (each / results.MARKER).is_dir()), None)
    if outer and not (folder / results.MARKER).is_dir():
        raise UserError(f"{folder} lies in your folder of lessons {outer}; run 'oraledu lab {outer}'")
    if (folder / results.MARKER / results.HANDED_OUT).is_file():
        from oraledu.teach import handout

        return handout.fill(folder)
    if not any(catalogue.source_folder("lessons").glob("*.ipynb")):
        raise UserError("this copy of the course has no lessons; in a checkout, 'oraledu build' makes them")
    marker = folder / results.MARKER
    marker.mkdir(parents=True, exist_ok=True)
    if not os.access(marker, os.W_OK):
        raise UserError(f"{folder} cannot be written; choose another folder: oraledu lab DIR")
    new = []
    for kind in KINDS:
        target = folder / kind
        keep_pairs(target)
        for source in sorted(catalogue.source_folder(kind).glob("*.ipynb")):
            if not any(pair(target, source.stem)):
                _copy_pair(source.parent, target, source.stem)
                new.append(target / source.name)
                if kind == "lessons":  # what was handed out, to know it from a later version
                    shutil.copyfile(source.with_suffix(".py"), marker / f"{source.stem}.py")
    trust(folder, new)
    return new


def keep_pairs(target: Path) -> None:
    """Have JupyterLab write both halves of each notebook in a folder, which is made if it is missing."""
    target.mkdir(exist_ok=True)
    settings = target / "jupytext.toml"
    there = settings.read_text("utf-8") if settings.exists() else ""
    # A margin of 60 seconds, which earlier folders have, loses what another editor wrote within it.
    wanted = there.replace("notebook_margin = 60\n", "notebook_margin = 1\n") or PAIRING
    if wanted != there:
        settings.write_text(wanted, "utf-8")


def notes(folder: Path) -> list[str]:
    """Return a line for each thing in a learner's folder that may surprise: an old lesson, half a pair, a name."""
    lines = []
    # The command finds a folder that it is run in, or that has the usual name; any other must be named.
    named = [] if folder.resolve() == default_folder().resolve() else [str(folder)]
    for lesson in catalogue.LESSONS:
        reset = cures.command("oraledu", "reset", lesson.number, *named)
        fresh = f"'{reset}' puts a fresh one here, and keeps yours."
        halves = [path.name for path in pair(folder / "lessons", lesson.name)]
        if len(halves) == 1:
            lines.append(f"Of lesson {lesson.number} only {halves[0]} is here; {fresh}")
        elif _is_old(folder, lesson):
            lines.append(f"Lesson {lesson.number} comes from another version of the course; {fresh}")
    said = "has the name of a package, which it hides from the lessons; rename it."
    return [*lines, *(f"{path} {said}" for kind in KINDS for path in hiding(folder / kind))]


def _is_old(folder: Path, lesson: Lesson) -> bool:
    """Tell whether what was handed out (where that was not kept, the solution) is not what the course has now."""
    script = f"{lesson.name}.py"
    if (folder / results.MARKER / results.HANDED_OUT).is_file():
        from oraledu.teach import handout

        return handout.is_old(folder, lesson)
    kept, kind = folder / results.MARKER / script, KINDS[0]
    if not kept.is_file():
        kept, kind = folder / KINDS[1] / script, KINDS[1]
    now = catalogue.source_folder(kind) / script
    return kept.is_file() and kept.read_text("utf-8") != now.read_text("utf-8")


def reset(folder: Path, lesson: Lesson) -> list[Path]:
    """Put a fresh lesson and its solution into the learner's folder; return where the old files are kept.

    Raises:
        UserError: it is no learner's folder.
        OSError: the folder cannot be written.
    """
    if (existing(folder) / results.MARKER / results.HANDED_OUT).is_file():
        from oraledu.teach import handout

        handout.require(folder, lesson)
    old: list[Path] = []
    for kind in KINDS:
        old += set_aside(folder / kind, lesson)
    prepare(folder)
    return old


def set_aside(place: Path, lesson: Lesson) -> list[Path]:
    """Give a lesson's files a name with today's date; return where they are."""
    kept = _free_name(place, f"{lesson.name}_{date.today().isoformat()}")
    return [path.rename(place / f"{kept}{path.suffix}") for path in pair(place, lesson.name)]


def first_lesson(folder: Path) -> Path:
    """Return the notebook to open first, relative to the learner's folder that `prepare` has filled."""
    halves = (path for lesson in catalogue.LESSONS for path in pair(folder / "lessons", lesson.name))
    return next(halves).relative_to(folder)


def refuse_the_checkout(folder: Path) -> None:
    """Refuse a folder that is a part of the course itself.

    Raises:
        UserError: it is.
    """
    root = catalogue.PACKAGE.parent
    taken = [catalogue.PACKAGE, *(root / name for name in (*KINDS, "tests", "benchmarks", "making"))]
    place = folder.resolve()
    if place == root or any(place.is_relative_to(path) for path in taken):
        raise UserError(
            f"{folder} belongs to the course itself; choose a folder of your own, such as {DEFAULT}"
        )


def pair(folder: Path, stem: str) -> Iterator[Path]:
    """Yield the halves of a notebook that are there."""
    return (path for ending in ENDINGS if (path := folder / f"{stem}{ending}").exists())


def _copy_pair(source: Path, target: Path, stem: str) -> None:
    """Copy both halves of a notebook, with one time: jupytext warns of a script older than its notebook.

    They get their names when both are whole: a full disk leaves no half.
    """
    with tempfile.TemporaryDirectory(dir=target.parent / results.MARKER) as drafts:
        copies = [Path(shutil.copyfile(path, Path(drafts, path.name))) for path in pair(source, stem)]
        now = copies[-1].stat().st_mtime
        for copy in copies:
            os.utime(copy, (now, now))
            os.replace(copy, target / copy.name)


def write_pair(folder: Path, lesson: Lesson, notebook: NotebookNode) -> Path:
    """Write both halves of a lesson into a learner's folder, whole or not at all; return the notebook."""
    keep_pairs(folder / "lessons")
    with tempfile.TemporaryDirectory(dir=folder / results.MARKER) as drafts:
        nbformat.write(notebook, Path(drafts, f"{lesson.name}.ipynb"))
        Path(drafts, f"{lesson.name}.py").write_text(generate.render(notebook), encoding="utf-8")
        _copy_pair(Path(drafts), folder / "lessons", lesson.name)
    return folder / "lessons" / f"{lesson.name}.ipynb"


def trust(folder: Path, notebooks: list[Path]) -> None:
    """Sign the course's own notebooks, so that JupyterLab shows their stored outputs in full."""
    notary = NotebookNotary(data_dir=str(folder / results.MARKER))
    for path in notebooks:
        notary.sign(nbformat.read(path, as_version=4))
    notary.store.close()


def _free_name(folder: Path, stem: str) -> str:
    name, number = stem, 1
    while any(pair(folder, name)):
        number += 1
        name = f"{stem}_{number}"
    return name
