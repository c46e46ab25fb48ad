"""An explorer on a page without a kernel: its stored picture, and controls that show frames drawn beforehand.

`frames.collect(lesson)` draws them, in minutes. Whoever writes pages calls `placed` once a lesson: it puts the frames
into the site's folder of static files, and returns a function `(cell_id, picture, words) -> str`, which gives the HTML
of an explorer, or "" where it has no frames. The pages load `sphinx/_static/live.js` and `live.css`.

The same script makes the quizzes of `course.quiz` ask before they answer; their HTML stays as it is stored.
"""

from __future__ import annotations

import html
import io
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from oraledu.app.catalogue import Lesson
from oraledu.book import frames
from oraledu.course.figures import SHARPNESS


def placed(lesson: Lesson, static: Path, address: str) -> Callable[[str, bytes, str], str]:
    """Put the frames of a lesson into a folder of a site.

    Args:
        lesson: Whose explorers.
        static: The folder.
        address: Where the lesson's page finds this folder, such as `../_static`.

    Returns:
        A function that returns the HTML for an explorer's cell, its stored picture and that picture's words; "" for a
        cell without frames.

    Raises:
        OSError: The folder cannot be written.
    """
    kept, target = frames.kept(lesson), static / "frames" / lesson.name
    target.mkdir(parents=True, exist_ok=True)
    for file in kept.iterdir() if kept else ():
        if file.suffix != ".json":
            shutil.copy(file, target)

    def write(cell: str, picture: bytes, words: str) -> str:
        if kept is None or not (
            written := explorer_html(kept, cell, picture, words, f"{address}/frames/{lesson.name}")
        ):
            return ""
        (target / f"{cell}.png").write_bytes(picture)
        return written

    return write


def explorer_html(folder: Path, cell: str, picture: bytes, words: str, address: str) -> str:
    """Write the HTML of an explorer, or "" where there are no frames that begin as the stored picture does.

    Args:
        folder: What `frames.collect` returned.
        cell: The cell's id.
        picture: What the notebook stores.
        words: Its alt text there.
        address: Where the page finds the files of `folder`, and the picture beside them.
    """
    about = folder / f"{cell}.json"
    known = json.loads(about.read_text("utf-8")) if about.is_file() else {}
    if known.get("alt") != words:  # frames of another state of the lesson would contradict its text
        return ""
    width, height = (side // SHARPNESS for side in Image.open(io.BytesIO(picture)).size)
    source = f"{html.escape(address)}/{cell}"
    return (
        f'<figure class="explorer" data-frames="{source}">'
        '<div class="explorer-controls" role="group" aria-label="Controls of the picture" hidden>'
        f"{''.join(map(_control, known['controls']))}</div>"
        f'<img src="{source}.png" alt="{html.escape(words)}" width="{width}" height="{height}">'
        f'<p class="explorer-words" role="status"></p><figcaption>{_note(known)}</figcaption></figure>'
    )


def _control(control: dict[str, Any]) -> str:
    label, words, start = html.escape(control["label"]), control["words"], control["start"]
    if control["kind"] == "checkbox":
        return f'<label><input type="checkbox"{" checked" if start else ""}> <span>{label}</span></label>'
    if control["kind"] == "select":
        options = "".join(
            f"<option{' selected' if i == start else ''}>{html.escape(word)}</option>"
            for i, word in enumerate(words)
        )
        return f"<label><span>{label}</span> <select>{options}</select></label>"
    said = html.escape(json.dumps(words, ensure_ascii=False))
    return (
        f'<label><span>{label}</span> <input type="range" min="0" max="{len(words) - 1}" value="{start}" '
        f'aria-valuetext="{html.escape(words[start])}" data-words="{said}"> '
        f'<output aria-hidden="true">{html.escape(words[start])}</output></label>'
    )


def _note(known: dict[str, Any]) -> str:
    held, every = math.prod(len(control["words"]) for control in known["controls"]), known["positions"]
    if held == every:
        return "Drawn beforehand for every position of the controls."
    return f"Drawn beforehand for {held:,} of the {every:,} positions that the controls have in the notebook."
