"""A lesson as a teacher sees it: parts with a question, figures with what comes before and after them, quizzes.

All of it is read from the solved notebook, whose structure every lesson keeps.
"""

import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course.quiz import Quiz

SAW = "**What we saw.**"
_HEADING = re.compile(r"^(?=#{1,4} )", re.MULTILINE)
_MINUTES = re.compile(r"^\| (\d+\. .+?) \| (\d+) \|$", re.MULTILINE)
_QUIZ = re.compile(r"checks\.questions\.(\w+)")
_FOLDED = re.compile(r"<details><summary>An answer</summary>\s*(.*?)\s*</details>", re.DOTALL)
_FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)
# A formula with a question mark in it, or an abbreviation, ends no sentence.
_SENTENCE = re.compile(r"(?<=[.?!:])\s+(?=[A-Z*(])")


@dataclass
class Figure:
    """A picture: the call that draws it, its words, and the texts around it."""

    call: str
    alt: str
    before: str
    after: str = ""


@dataclass
class Part:
    """What stands below a heading of the second level; `cells` begin with that heading."""

    title: str
    cells: list[NotebookNode] = field(default_factory=list)

    @property
    def question(self) -> str:
        """The question in italics below the heading; "" where there is none."""
        found = re.search(r"^## .*\n+\*(?!\*)(.+?\?)\*$", self.cells[0].source, re.MULTILINE | re.DOTALL)
        return flat(found[1]) if found else ""

    @property
    def saw(self) -> str:
        """What the part says at its end of what was seen."""
        texts = (
            paragraph for cell in self.cells if cell.cell_type == "markdown" for paragraph in paragraphs(cell)
        )
        return next((flat(text.removeprefix(SAW)) for text in texts if text.startswith(SAW)), "")

    def figures(self) -> list[Figure]:
        """Return the part's pictures, in order."""
        found: list[Figure] = []
        before = ""
        for cell in self.cells:
            if cell.cell_type == "markdown":
                if found and not found[-1].after:
                    found[-1].after = cell.source
                before = cell.source
            elif alt := words_of_picture(cell):
                found.append(Figure(cell.source.strip().splitlines()[-1], alt, before))
        return found

    def quizzes(self) -> list[str]:
        """Return the names of the part's questions in the topic's `checks.questions`."""
        return [
            found[1]
            for cell in self.cells
            if cell.cell_type == "code" and (found := _QUIZ.search(cell.source))
        ]


def notebook(lesson: Lesson) -> NotebookNode:
    """Return the solved notebook with its outputs, its markdown cells divided so that a heading begins a cell.

    Raises:
        UserError: this copy of the course has no solutions.
    """
    path = catalogue.source_folder("solutions") / f"{lesson.name}.ipynb"
    if not path.is_file():
        raise UserError("this copy of the course has no solutions; in a checkout, 'oraledu build' makes them")
    whole = nbformat.read(path, as_version=4)
    whole.cells = [piece for cell in whole.cells for piece in _divided(cell)]
    return whole


def parts(lesson: Lesson) -> list[Part]:
    """Return what stands below each heading of the second level, and first what stands above them all."""
    found = [Part(lesson.title)]
    for cell in notebook(lesson).cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            found.append(Part(cell.source.splitlines()[0].removeprefix("## ")))
        found[-1].cells.append(cell)
    return found


def minutes(glance: Part) -> dict[str, int]:
    """Return the minutes that "At a glance" gives to each part, by the part's title."""
    return {title: int(number) for cell in glance.cells for title, number in _MINUTES.findall(cell.source)}


def objectives(glance: Part) -> list[str]:
    """Return what "At a glance" says that one can do after the lesson."""
    text = glance.cells[0].source
    listed = text[text.index("**Objectives.**") : text.index("**Prerequisites.**")]
    return [flat(item) for item in re.split(r"^\* ", listed, flags=re.MULTILINE)[1:]]


def quiz(lesson: Lesson, name: str) -> Quiz:
    """Return a question of a lesson by its name."""
    found = getattr(importlib.import_module(f"oraledu.{lesson.topic}.checks").questions, name)
    if not isinstance(found, Quiz):
        raise TypeError(f"{name} of {lesson.name} is no question")
    return found


def words_of_picture(cell: NotebookNode) -> str:
    """Return the words of the picture that a cell shows; "" where it shows none."""
    for output in cell.get("outputs", []):
        if "image/png" in output.get("data", {}):
            return str(output.data.get("text/plain", ""))
    return ""


def paragraphs(cell: NotebookNode) -> list[str]:
    """Return the paragraphs of a markdown cell; lists, tables and formulas are paragraphs too."""
    return [part.strip() for part in re.split(r"\n\s*\n", cell.source) if part.strip()]


def questions(text: str) -> list[str]:
    """Return the sentences of a text that ask, without folded answers, headings and quizzes."""
    return [each for each in sentences(text) if each.endswith("?")]


def answers(text: str) -> list[str]:
    """Return the answers that a text folds away."""
    return [flat(each) for each in _FOLDED.findall(text)]


def sentences(text: str) -> list[str]:
    """Divide a text's prose into sentences: headings, formulas set apart, tables and folded answers are left out."""
    text = _FORMULA.sub("", _FOLDED.sub("", text))
    kept = [
        part
        for part in re.split(r"\n\s*\n", text)
        if part.strip() and not part.lstrip().startswith(("#", "|", "<"))
    ]
    return [sentence for part in kept for sentence in _SENTENCE.split(flat(part))]


def flat(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


def _divided(cell: NotebookNode) -> Iterator[NotebookNode]:
    texts: Sequence[str] = [cell.source]
    if cell.cell_type == "markdown" and "```" not in cell.source:
        texts = [text for text in _HEADING.split(cell.source) if text.strip()] or [cell.source]
    for text in texts:
        piece = nbformat.from_dict(cell)
        piece.source = text.strip() if cell.cell_type == "markdown" else text
        yield piece
