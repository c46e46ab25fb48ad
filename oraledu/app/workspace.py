"""The learner's own folder: lessons and solutions to work in. What is there is never overwritten."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

import nbformat
from nbformat.sign import NotebookNotary

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course import results

Kind = Literal["lessons", "solutions"]
KINDS: tuple[Kind, ...] = ("lessons", "solutions")
ENDINGS = (".ipynb", ".py")
DEFAULT = "work"
PAIRING = """# Saving a notebook in JupyterLab writes both halves of its pair.
formats = "ipynb,py:percent"
notebook_metadata_filter = "kernelspec,-all"
cell_metadata_filter = "tags,-all"
# When a pair is opened its script decides. Copying a folder may leave the script some seconds older: that is
# forgiven. A notebook that another editor has saved later is not: JupyterLab then says how the two differ.
outdated_text_notebook_margin = 60
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

    A pair of which either half is there is left alone: beside a learner's notebook, a fresh script would win.

    Raises:
        UserError: the folder is a part of the checkout, or no lesson can be found to copy.
        OSError: the folder cannot be written.
    """
    _refuse_the_checkout(folder)
    if not any(catalogue.source_folder("lessons").glob("*.ipynb")):
        raise UserError("this copy of the course has no lessons; in a checkout, 'oraledu build' makes them")
    (folder / results.MARKER).mkdir(parents=True, exist_ok=True)
    new = []
    for kind in KINDS:
        target = folder / kind
        target.mkdir(exist_ok=True)
        if not (target / "jupytext.toml").exists():
            (target / "jupytext.toml").write_text(PAIRING, "utf-8")
        for source in sorted(catalogue.source_folder(kind).glob("*.ipynb")):
            if not any(_pair(target, source.stem)):
                _copy_pair(source.parent, target, source.stem)
                new.append(target / source.name)
    _trust(folder, new)
    return new


def reset(folder: Path, lesson: Lesson) -> list[Path]:
    """Put a fresh copy of a lesson into the learner's folder; return where the old files are kept.

    Raises:
        UserError: it is no learner's folder.
        OSError: the folder cannot be written.
    """
    lessons = existing(folder) / "lessons"
    kept = _free_name(lessons, f"{lesson.name}_{date.today().isoformat()}")
    old = [path.rename(lessons / f"{kept}{path.suffix}") for path in _pair(lessons, lesson.name)]
    prepare(folder)
    return old


def first_lesson(folder: Path) -> Path:
    """Return the notebook to open first, relative to the learner's folder that `prepare` has filled."""
    halves = (path for lesson in catalogue.LESSONS for path in _pair(folder / "lessons", lesson.name))
    return next(halves).relative_to(folder)


def _refuse_the_checkout(folder: Path) -> None:
    root = catalogue.PACKAGE.parent
    taken = [catalogue.PACKAGE, *(root / name for name in (*KINDS, "tests", "benchmarks"))]
    place = folder.resolve()
    if place == root or any(place.is_relative_to(path) for path in taken):
        raise UserError(
            f"{folder} belongs to the course itself; choose a folder of your own, such as {DEFAULT}"
        )


def _pair(folder: Path, stem: str) -> Iterator[Path]:
    """Yield the halves of a notebook that are there."""
    return (path for ending in ENDINGS if (path := folder / f"{stem}{ending}").exists())


def _copy_pair(source: Path, target: Path, stem: str) -> None:
    """Copy both halves of a notebook, with one time: jupytext warns of a script older than its notebook."""
    copies = [Path(shutil.copyfile(path, target / path.name)) for path in _pair(source, stem)]
    now = copies[-1].stat().st_mtime
    for copy in copies:
        os.utime(copy, (now, now))


def _trust(folder: Path, notebooks: list[Path]) -> None:
    """Sign the course's own notebooks, so that JupyterLab shows their stored outputs in full."""
    notary = NotebookNotary(data_dir=str(folder / results.MARKER))
    for path in notebooks:
        notary.sign(nbformat.read(path, as_version=4))
    notary.store.close()


def _free_name(folder: Path, stem: str) -> str:
    name, number = stem, 1
    while any(_pair(folder, name)):
        number += 1
        name = f"{stem}_{number}"
    return name
