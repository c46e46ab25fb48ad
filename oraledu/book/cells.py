"""From an executed notebook to the text of a page, in MyST Markdown."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from nbformat import NotebookNode

from oraledu.app.generate import BEGIN, END
from oraledu.book import formulas

#: From the id of an explorer's cell, its stored picture and that picture's words to HTML, or "" for the picture.
Explorer = Callable[[str, bytes, str], str]
_LINK = re.compile(r"\]\((\.\./solutions/\w+)\.ipynb#((?:[^()\s]|\([^()\s]*\))+)\)")
#: A cell that only asks a question, which the page shows as well.
_ASKS = re.compile(r"checks\.questions\.\w+")
#: What an author writes around a solution.
_MARKS = re.compile(rf"^ *({BEGIN}|{END})\n", re.MULTILINE)
_STAYS = "In the notebook its controls move this picture."


def page(notebook: NotebookNode, pictures: Path, *, name: str = "", explorer: Explorer | None = None) -> str:
    """Return the page of a notebook.

    Args:
        notebook: With its outputs.
        pictures: Where its pictures go: a folder beside the one that the page goes to.
        name: Of a notebook beside the page, to be offered at its beginning and at its exercises; "" for none.
        explorer: What to show for an explorer.

    Raises:
        OSError: a picture cannot be written.
    """
    blocks: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            blocks.append(linked(cell.source))
            if name and (len(blocks) == 1 or blocks[-1] != cell.source):
                beside = "\n\n" if len(blocks) == 1 else "\u2003"
                blocks[-1] += f"{beside}{{download}}`The notebook of this lesson <{name}.ipynb>`"
            continue
        source = _MARKS.sub("", cell.source + "\n").strip("\n")
        if source.strip() and not _ASKS.fullmatch(source.strip()):
            blocks.append(_fenced("code-block", "python", source))
        blocks += _outputs(cell, pictures, explorer)
    return "\n\n".join(blocks) + "\n"


def linked(text: str) -> str:
    """Return a text with its links to cells of notebooks as links to sections of pages."""
    return _LINK.sub(lambda found: f"]({found[1]}.md#{slug(found[2])})", text)


def slug(heading: str) -> str:
    """Return the end of the address of a section; `heading` is its title as Jupyter's links have it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace(" ", "-"))


def picture(
    png: bytes, words: str, pictures: Path, *, width: float | None = None, classes: str = "figure"
) -> str:
    """Store a picture under a name from its content, and return what shows it, with its words.

    Args:
        png: The picture.
        words: What it shows, in words.
        pictures: The folder, beside that of the page.
        width: In pixels; None leaves it to the page.
        classes: By which the style knows it.

    Raises:
        ValueError: it has no words.
        OSError: the folder cannot be written.
    """
    if not words.strip():
        raise ValueError("a picture has no words; give its figure an alt text.")
    name = f"{hashlib.sha256(png).hexdigest()[:16]}.png"
    pictures.mkdir(parents=True, exist_ok=True)
    (pictures / name).write_bytes(png)
    size = f":width: {width:g}px\n" if width else ""
    options = f":alt: {json.dumps(' '.join(words.split()), ensure_ascii=False)}\n:class: {classes}\n{size}"
    return f"```{{image}} ../{pictures.name}/{name}\n{options}```"


def stored_picture(cell: NotebookNode) -> tuple[bytes, str, float | None] | None:
    """Return the first picture among a cell's outputs, its words and its width; None where there is none."""
    return next(filter(None, map(_stored, cell.get("outputs", []))), None)


def raw(markup: str) -> str:
    """Return what puts HTML into a page as it is."""
    return _fenced("raw", "html", markup)


def printed(cell: NotebookNode) -> str:
    """Return what a cell printed."""
    streams = (output.text for output in cell.get("outputs", []) if output.output_type == "stream")
    return "".join(streams).rstrip()


def output_block(text: str) -> str:
    """Return what shows a printed text."""
    return _fenced("code-block", "text", text, ":class: output\n\n")


def verdict(text: str) -> str:
    """Return what shows the words of a judgement."""
    return raw(f'<p class="verdict">{html.escape(" ".join(text.split()))}</p>')


def table(output: NotebookNode) -> str:
    """Return what shows an output that is a table; "" for another."""
    markup = _markup(output)
    if not markup.startswith("<table"):
        return ""
    return raw(f'<div class="table-wrapper">{formulas.in_html(markup)}</div>')


def _outputs(cell: NotebookNode, pictures: Path, explorer: Explorer | None) -> Iterator[str]:
    """Yield what a cell shows: first what it prints, then pictures, tables, questions and verdicts in their order."""
    if text := printed(cell):
        yield output_block(text)
    alive = any('role="status"' in _markup(output) and _hidden(output) for output in cell.outputs)
    for output in cell.outputs:
        markup = _markup(output)
        if found := _stored(output):
            png, words, width = found
            if alive and explorer and (made := explorer(cell.id, png, words)):
                yield raw(made)
            else:
                stays = f"\n\n{{.stays}}\n{_STAYS}" if alive else ""
                yield picture(png, words, pictures, width=width) + stays
        elif shown := table(output):
            yield shown
        elif markup.startswith("<fieldset"):
            yield raw(formulas.in_html(markup))
        elif markup and not _hidden(output):
            yield verdict(output.data["text/plain"])


def _stored(output: NotebookNode) -> tuple[bytes, str, float | None] | None:
    if not (png := output.get("data", {}).get("image/png")):
        return None
    about = output.metadata.get("image/png", {})
    return base64.b64decode(png), about.get("alt") or output.data["text/plain"], about.get("width")


def _markup(output: NotebookNode) -> str:
    return str(output.get("data", {}).get("text/html", "")).strip()


def _hidden(output: NotebookNode) -> bool:
    """Say whether an output repeats a picture's words for those who do not see it, as the page does itself."""
    return "jp-sr-only" in _markup(output)


def _fenced(directive: str, argument: str, text: str, options: str = "") -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}{{{directive}}} {argument}\n{options}{text}\n{fence}"
