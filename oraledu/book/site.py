"""A folder of pages: their sources, and Sphinx's run on them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from zipfile import ZipFile

import nbformat

from oraledu.app import catalogue, cures
from oraledu.app.errors import UserError
from oraledu.book import printing

SETTINGS = Path(__file__).parent / "sphinx"
_NEEDED = ("sphinx", "myst_parser", "furo", "sphinx_copybutton", "math_core", "ziamath")


def require(*packages: str) -> None:
    """Raise UserError, with what to install, where a package of the extra `book` is missing."""
    if missing := [name for name in packages or _NEEDED if not find_spec(name)]:
        raise UserError(f"pages need {', '.join(missing)}; run: {cures.install('oraledu[book]')}")


def write_sources(
    folder: Path, *, files: Sequence[str] = (), whole: bool = False, alive: bool = False
) -> None:
    """Write the texts and pictures of all pages, and Sphinx's settings beside them.

    Args:
        folder: Where they go; it is new or empty.
        files: What lies beside the site to be taken away.
        whole: Begin with a bare cover, for all pages in one.
        alive: Explorers move, where their frames have been drawn.

    Raises:
        UserError: this copy of the course lacks a notebook.
        OSError: the folder cannot be written.
    """
    from oraledu.book import cells, explorers, formulas, gathered

    pictures = folder / "pictures"
    shutil.copytree(SETTINGS, folder, dirs_exist_ok=True)
    formulas.write_font(folder / "_static")
    kinds: tuple[Literal["lessons", "solutions"], ...] = ("lessons", "solutions")
    for kind in kinds:
        (folder / kind).mkdir()
        for lesson in catalogue.LESSONS:
            source = catalogue.source_folder(kind) / f"{lesson.name}.ipynb"
            if not source.is_file():
                raise UserError(
                    f"{source} is missing; in a checkout, 'oraledu build {lesson.number}' makes it"
                )
            shutil.copy(source, folder / kind)
            moving = explorers.placed(lesson, folder / "_static", "../_static") if alive else None
            notebook = nbformat.read(source, as_version=4)
            text = cells.page(notebook, pictures, name=lesson.name, explorer=moving)
            if kind == "solutions":
                text = text.replace("\n", ", solved\n", 1)
            (folder / kind / f"{lesson.name}.md").write_text(text, encoding="utf-8")
    for name, text in {
        "index": gathered.cover() if whole else gathered.first(pictures, files),
        "findings": gathered.findings(),
        "words": gathered.words(),
        "reading": gathered.reading(),
    }.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def make(target: Path, *, builder: str = "html", files: Sequence[str] = ()) -> None:
    """Write the pages, by one of Sphinx's builders; each warning of it is an error, and all are shown.

    Raises:
        UserError: there was one, or something is missing; the message says which.
        OSError: the folder cannot be written.
    """
    require()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        write_sources(source, files=files, whole=builder == "singlehtml", alive=builder == "html")
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", builder]
        command += ["-d", f"{folder}/doctrees", str(source), str(target)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise UserError(f"the pages have errors: {ended.stderr.strip() or ended.stdout.strip()}")


def make_pdf(folder: Path) -> list[Path]:
    """Print each lesson of a site, and all pages in one; return the files.

    Raises:
        UserError: there is no Chromium.
        OSError: the folder cannot be written.
    """
    printed = {lesson.name: folder / "lessons" / f"{lesson.name}.html" for lesson in catalogue.LESSONS}
    with tempfile.TemporaryDirectory() as whole:
        make(Path(whole), builder="singlehtml")
        printed["oraledu"] = Path(whole, "index.html")
        for name, page in printed.items():
            printing.write(page, folder / f"{name}.pdf")
    return [folder / f"{name}.pdf" for name in printed]


def make_epub(folder: Path) -> Path:
    """Write all pages as one book for readers, and return the file.

    Sphinx leaves out which chapters hold formulas; a reader may ask for it.

    Raises:
        OSError: the folder cannot be written.
    """
    target = folder / "oraledu.epub"
    with tempfile.TemporaryDirectory() as made:
        make(Path(made), builder="epub")
        with ZipFile(Path(made, "oraledu.epub")) as book, ZipFile(target, "w") as declared:
            for entry in book.infolist():  # the first one stays the first, and stored as it is
                text = book.read(entry)
                if entry.filename == "content.opf":
                    for name in book.namelist():
                        if name.endswith(".xhtml") and b"<math" in book.read(name):
                            href = f'href="{name}" media-type'.encode()
                            text = text.replace(href, b'properties="mathml" ' + href)
                declared.writestr(entry, text)
    return target
