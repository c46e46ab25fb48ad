"""An explorer on a page without a kernel: its stored picture and, where its frames are kept, its controls.

A page needs, for each lesson:

* `frames.collect(lesson)` (draws, minutes) or `frames.kept(lesson)` (looks whether they are there): a folder, whose
  `.webp` and `.js` files are copied to where the page reaches them;
* `explorer_html(folder, cell.id, …)` in the place of each stored picture of a cell that shows an explorer
  (`is_explorer`);
* `static/live.js` (as a classic script, before or after the rest) and `static/live.css`.

The same script makes the quizzes of `course.quiz` answer: their HTML stays as it is stored.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

STATIC = Path(__file__).parent / "static"
SCRIPT, STYLE = STATIC / "live.js", STATIC / "live.css"


def is_explorer(cell: NotebookNode) -> bool:
    """Say whether an executed cell shows an explorer: its words, unlike those of a figure, are a live region."""
    shown = [output.data.get("text/html", "") for output in cell.get("outputs", []) if "data" in output]
    return any('class="jp-sr-only" role="status"' in "".join(each) for each in shown)


def explorer_html(
    folder: Path | None, cell: str, *, picture: str, alt: str, size: tuple[int, int], address: str
) -> str:
    """Write the HTML of an explorer.

    Args:
        folder: What `frames.collect` returned, or None where no frames are kept.
        cell: The cell's id.
        picture: Address of the stored picture, as the page writes it.
        alt: Its words, as they are stored.
        size: Its width and height on the page, CSS pixels.
        address: Where the page finds the files of `folder`, without a slash at the end.
    """
    image = (
        f'<img src="{html.escape(picture)}" alt="{html.escape(alt)}" width="{size[0]}" height="{size[1]}">'
    )
    about = folder / f"{cell}.json" if folder else None
    known = json.loads(about.read_text("utf-8")) if about and about.is_file() else {}
    if known.get("alt") != alt:  # frames of another state of the lesson would contradict its text
        note = "In the notebook this picture has controls."
        return f'<figure class="explorer">{image}<figcaption>{note}</figcaption></figure>'
    controls = "".join(_control(each) for each in known["controls"])
    return (
        f'<figure class="explorer" data-frames="{html.escape(address)}/{cell}">'
        f'<div class="explorer-controls" role="group" aria-label="Controls of the picture" hidden>{controls}</div>'
        f'{image}<p class="explorer-words" role="status"></p>'
        f"<figcaption>{_note(known)}</figcaption></figure>"
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
    held = 1
    for control in known["controls"]:
        held *= len(control["words"])
    if held == known["positions"]:
        return "Drawn beforehand for every position of the controls."
    every = known["positions"]
    return f"Drawn beforehand for {held:,} of the {every:,} positions that the controls have in the notebook."
