"""Slides of a lesson, from its own cells: headings, formulas, pictures, quizzes and what was seen.

A lesson's texts are too long for a wall. A slide takes the question of a part, the sentence that leads to a formula,
the picture of a figure or an explorer; the whole text of each cell stands in the speaker's notes (key S). nbconvert
writes the pages; reveal.js and MathJax are copied beside them, so that nothing is asked of the network.
"""

import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from nbconvert import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from oraledu.app import cures
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.teach import outline
from oraledu.teach.outline import SAW, Part

WIDTH, HEIGHT = 1280, 720
ASSETS = "assets"
_FORMULAS, _ITEMS = 2, 5
#: What of MathJax no slide uses: other forms, and messages in other languages.
_UNUSED = shutil.ignore_patterns("localization", "SVG", "MathML", "*.map", "source", "LICENSE.txt")


def write(lesson: Lesson, folder: Path) -> Path:
    """Write the slides of a lesson, and once what they load; return the page to open.

    Raises:
        UserError: reveal.js or MathJax is not installed, or this copy of the course has no solutions.
        OSError: the folder cannot be written.
    """
    sources = {
        "reveal": _place("sphinx_revealjs", "_static/revealjs"),
        "mathjax": _place("jupyter_server_mathjax", "static"),
    }
    exporter = SlidesExporter(
        template_name="deck",
        extra_template_basedirs=[str(Path(__file__).parent)],
        reveal_url_prefix=f"{ASSETS}/reveal",
        mathjax_url=f"{ASSETS}/mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe",
        reveal_theme="white",
        reveal_width=str(WIDTH),
        reveal_height=str(HEIGHT),
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    page, _ = exporter.from_notebook_node(deck(lesson), {"metadata": {"name": lesson.title}})
    for name, source in sources.items():
        shutil.copytree(source, folder / ASSETS / name, ignore=_UNUSED, dirs_exist_ok=True)
    target = folder / f"{lesson.name}.html"
    target.write_text(page, encoding="utf-8")
    return target


def deck(lesson: Lesson) -> NotebookNode:
    """Return a notebook whose cells are the slides, with what nbconvert has to know of each."""
    first, glance, *rest = outline.parts(lesson)
    about = next(each for each in outline.paragraphs(first.cells[0]) if each.startswith("*Lesson"))
    cells = [_page(f"# {lesson.title}\n\n{about}", new=True), _notes(first.cells[0].source)]
    for number, some in enumerate(_by(outline.objectives(glance), _ITEMS)):
        cells.append(_page("## Objectives\n\n" + "\n".join(f"* {each}" for each in some), new=not number))
    for part in rest:
        if part.saw or any(part.figures()):
            cells += _numbered(lesson, part)
        elif part.quizzes():
            cells += [_page(f"## {part.title}", new=True), *_quizzes(lesson, part)]
        elif part.title == "Summary":
            cells += _listed(part, r"^\* ")
        elif part.title.startswith("What the paper"):
            cells += _listed(part, r"^\d+\. ")
    return new_notebook(cells=cells)


def _numbered(lesson: Lesson, part: Part) -> Iterator[NotebookNode]:
    yield _page(f"## {part.title}\n\n*{part.question}*", new=True)
    asked = ""
    for cell, following in pairwise([*part.cells, new_markdown_cell("")]):
        if "solution" in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "markdown":
            yield from _text(cell)
            # What announces "the next cell" says nothing on a wall.
            told = [
                each for each in outline.sentences(cell.source) if not re.search(r"\bcells?\b|:$|^\(", each)
            ]
            asked = "".join((outline.questions(cell.source) or told)[-1:])
            if asked.startswith("The next cell"):
                asked = asked.rpartition(": ")[2].capitalize()
        elif outline.words_of_picture(cell):
            yield _page(asked or f"### {part.title}")
            yield _picture(cell)
            if following.cell_type == "markdown" and not following.source.startswith(("#", SAW)):
                yield _notes(following.source)
    if part.saw:
        yield _page(f"### What we saw\n\n{part.saw}")
    yield from _quizzes(lesson, part)


def _text(cell: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the pages of a text: an exercise's task, or its formulas, each after the sentence that leads to it."""
    parts = outline.paragraphs(cell)
    found = re.match(r"### .+", parts[0])
    heading = found[0] if found else ""
    if heading.startswith("### Exercise"):
        yield _page("\n\n".join([heading, *parts[1:2]]))
        yield _notes(cell.source)
        return
    blocks = []
    for before, formula in pairwise(parts):
        if formula.startswith("$$"):
            led = "" if before.startswith(("#", "$$", "*", "|")) else outline.sentences(before)[-1]
            blocks.append(f"{led}\n\n{formula}")
    for some in _by(blocks, _FORMULAS):
        yield _page("\n\n".join([heading, *some]).strip())
        yield _notes(cell.source)


def _quizzes(lesson: Lesson, part: Part) -> Iterator[NotebookNode]:
    for name in part.quizzes():
        quiz = outline.quiz(lesson, name)
        options = "\n".join(f"* {option.text}" for option in quiz.options)
        yield _page(f"**{quiz.question}**\n\n{options}")
        right = "\n\n".join(
            f"**{option.text}.** {option.explanation}" for option in quiz.options if option.right
        )
        yield new_markdown_cell(right, metadata={"slideshow": {"slide_type": "fragment"}})


def _listed(part: Part, bullet: str) -> Iterator[NotebookNode]:
    """Yield pages with the first words of each item of a part's lists."""
    text = "\n\n".join(cell.source for cell in part.cells if cell.cell_type == "markdown")
    found = re.split(bullet, text, flags=re.MULTILINE)[1:]
    items = [" ".join(outline.sentences(item.partition("\n\n")[0])[:2]) for item in found]
    for number, some in enumerate(_by(items, _ITEMS)):
        yield _page(f"## {part.title}\n\n" + "\n".join(f"* {item}" for item in some), new=not number)


def _by(items: list[str], most: int) -> list[list[str]]:
    """Divide items among as few pages as hold them, as evenly as they go."""
    pages = -(-len(items) // most)
    ends = [len(items) * number // pages for number in range(pages + 1)] if pages else [0]
    return [items[start:end] for start, end in pairwise(ends)]


def _page(text: str, *, new: bool = False) -> NotebookNode:
    """Return a page: to the right of the one before, or else below it."""
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": "slide" if new else "subslide"}})


def _notes(text: str) -> NotebookNode:
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": "notes"}})


def _picture(cell: NotebookNode) -> NotebookNode:
    shown = [output for output in cell.outputs if "image/png" in output.get("data", {})][:1]
    for output in shown:
        output.metadata = {"image/png": {"alt": outline.words_of_picture(cell)}}
        output.data = {"image/png": output.data["image/png"]}
    return new_code_cell("", outputs=shown, metadata={"slideshow": {"slide_type": "-"}})


def _place(package: str, below: str) -> Path:
    """Return a folder of an installed package, without importing it."""
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (folder := Path(place, below)).is_dir():
            return folder
    raise UserError(f"slides need {package.replace('_', '-')}; run: {cures.install('oraledu[slides]')}")
