"""The frames of every explorer of a lesson, drawn once and kept, so that a page can show them without a kernel.

What an explorer draws from exists only while its notebook runs. `collect` runs the solution once more, draws each
explorer at the positions of its controls right after its cell, and leaves three files an explorer in the cache:

* `CELL.webp`: all frames in one picture (`sprite`);
* `CELL.js`: how they lie in it, and the words of each; loaded by the page's script, from a disk too;
* `CELL.json`: the controls, from which `explorers` writes the page.
"""

from __future__ import annotations

import json
import os
import shutil
import textwrap
from pathlib import Path

import matplotlib
import nbformat
import torch
from nbformat import NotebookNode
from platformdirs import user_cache_path

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.execute import comparable_run, execute
from oraledu.book.positions import Choices, choices, combinations, count, thinned
from oraledu.book.sprite import MOST_TILES, Sprite, text
from oraledu.course.explorer import Explorer
from oraledu.course.figures import subplots
from oraledu.course.fingerprint import fingerprint
from oraledu.course.frames import Frame

MOST_BYTES = 1_500_000
#: Positions that are drawn of one explorer: a tenth of a second each.
MOST_DRAWN = 200
#: Levels of each colour; the second set is tried where the first takes too many bytes, and looks the same.
LEVELS = (256, 32)


def collect(lesson: Lesson) -> Path:
    """Return the folder with the frames of a lesson; run its solution to draw them where they are not kept.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raised, or a frame could not be drawn.
        OSError: The cache cannot be written.
    """
    folder = _folder(lesson)
    if folder.is_dir():
        return folder
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with comparable_run() as environment:
        execute(
            _with_frames(_notebook(lesson), unfinished), catalogue.source_folder("solutions"), environment
        )
    for earlier in set(folder.parent.iterdir()) - {unfinished}:
        shutil.rmtree(earlier)
    return unfinished.rename(folder)


def kept(lesson: Lesson) -> Path | None:
    """Return the folder with the frames of a lesson as it is now, or None where there are none."""
    folder = _folder(lesson)
    return folder if folder.is_dir() else None


def keep(found: object, target: Path) -> None:
    """Draw an explorer and write its frames beside `target`, with three endings; anything else is passed over.

    Where the files would take more than `MOST_BYTES`, there are fewer positions.

    Raises:
        ValueError: Not even the fewest positions are small enough.
    """
    if not isinstance(found, Explorer):
        return
    every = choices(found)
    size = found.frame(found.values).size

    def frame(values: dict[str, object]) -> Frame:
        try:
            return found.frame(values)
        except Exception as error:  # the notebook shows it in the place of the picture
            return _said(f"The figure could not be drawn. {type(error).__name__}: {error}", size)

    most, before = MOST_DRAWN, count(every) + 1
    while count(some := thinned(every, most)) < before:
        frames = [frame(values) for values in combinations(some)]
        for levels in LEVELS:
            packed, excess = _packed(frames, levels)
            if excess <= 1:
                sprite, script = packed
                target.with_suffix(".webp").write_bytes(sprite)
                target.with_suffix(".js").write_text(
                    f'oraledu.frames("{target.name}", "{script}");\n', "utf-8"
                )
                target.with_suffix(".json").write_text(_described(found, every, some), "utf-8")
                return
        before = count(some)
        most = int(0.95 * before / excess)
    raise ValueError(f"{before} positions take more than {MOST_BYTES} bytes, and none can be left out.")


def _packed(frames: list[Frame], levels: int) -> tuple[tuple[bytes, str], float]:
    """Pack frames; say beside it how many times too large that is. Above 1 the pack may be empty."""
    sprite = Sprite(levels)
    for frame in frames:
        sprite.add(frame.png)
    if (excess := len(sprite) / MOST_TILES) > 1:
        return (b"", ""), excess
    picture, index = sprite.packed()
    script = text(index | {"words": [frame.alt for frame in frames]})
    return (picture, script), (len(picture) + len(script)) / MOST_BYTES


def _said(words: str, size: tuple[int, int]) -> Frame:
    figure, ax = subplots(alt=words, width=size[0], height=size[1])
    ax.set_axis_off()
    ax.text(0.5, 0.5, textwrap.fill(words, size[0] // 9), ha="center", va="center")
    return Frame(figure.png(), words, size)


def _described(explorer: Explorer, every: list[Choices], some: list[Choices]) -> str:
    controls = [
        {"label": each.label, "kind": each.kind, "words": each.words, "start": each.start} for each in some
    ]
    said = {"alt": explorer.alt, "positions": count(every), "controls": controls}
    return json.dumps(said, ensure_ascii=False) + "\n"


def _with_frames(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Put a cell that draws the frames behind each cell that shows an explorer."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if _shows_explorer(cell):
            source = (
                "from oraledu.book import frames as _frames\n"
                f"_frames.keep(Out.get(len(In) - 2), _frames.Path({str(folder / cell.id)!r}))"
            )
            cells.append(nbformat.v4.new_code_cell(source))
    notebook.cells = cells
    return notebook


def _notebook(lesson: Lesson) -> NotebookNode:
    """Read the solution of a lesson up to its last explorer."""
    notebook = nbformat.read(catalogue.source_folder("solutions") / f"{lesson.name}.ipynb", as_version=4)
    last = max((n for n, cell in enumerate(notebook.cells) if _shows_explorer(cell)), default=-1)
    notebook.cells = notebook.cells[: last + 1]
    return notebook


def _shows_explorer(cell: NotebookNode) -> bool:
    """Say whether an executed cell shows an explorer: its words, unlike those of a figure, are a live region."""
    shown = [output.data.get("text/html", "") for output in cell.get("outputs", []) if "data" in output]
    return any('class="jp-sr-only" role="status"' in each for each in shown)


def _folder(lesson: Lesson) -> Path:
    """Return the place in the cache for the frames of a lesson's present text, drawn by the present code."""
    package = catalogue.PACKAGE
    parts = [lesson.topic, "course", "data", "book/frames.py", "book/positions.py", "book/sprite.py"]
    files = [file for part in parts for file in sorted((package / part).rglob("*.py")) or [package / part]]
    cells = [cell.source for cell in _notebook(lesson).cells]
    versions = [torch.__version__, matplotlib.__version__]
    key = fingerprint(cells, versions, [(str(f.relative_to(package)), f.read_bytes()) for f in files])
    cache = os.environ.get("ORALEDU_CACHE") or user_cache_path("oraledu", appauthor=False)
    return Path(cache, "frames", lesson.name, key)
