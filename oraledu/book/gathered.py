"""The pages that collect from all lessons: the first page, findings, words and symbols, what to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import metadata
from pathlib import Path

from nbformat import NotebookNode

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.book import cells
from oraledu.teach import outline
from oraledu.teach.outline import Part

#: The parts that are told whole, and what they are called among the findings.
_TOLD = {
    "Paper and here": "Paper and here",
    "What the paper gets wrong or leaves open": "In the paper, the code, the files",
}
_ABOUT = """\
Each lesson sets the numbers of its own runs beside those of its paper, decides by experiment what a later paper says
against it, and checks what the paper, its code and its files say around the main claim. All of it is collected here."""
#: In README a lesson's result stands in a table behind its number and title.
_CAPTION = r"\*\*{}\. {}\.\*\* ([^|\n]+?) *\|"
_RIVAL, _VERDICT = "A rival", re.compile(r"^Verdict:.*(?:\n(?!\n|Verdict:).+)*", re.MULTILINE)
_BOLD = re.compile(r"(?<!\n)(?<!\* )(?<!^)\*\*([^*\n]+)\*\*")
_ROW = re.compile(r"^\| (\$.*?) \| (.*?) \| (.*?) ?\|$", re.MULTILINE)
#: A sentence ends at a full stop before a capital, and not inside of a formula.
_FORMULA = re.compile(r"(?<!\$)\$\$.*?\$\$|(?<!\$)\$[^$]+\$", re.DOTALL)
_ENDS = re.compile(r"(?<=[.?!])\s+(?=[A-Z*(])")
_LEANS = re.compile(r"(This|That|It|Its|These|We call|Such|So|The (left|right) one)\b")


def cover() -> str:
    """Return a first page that only says what this is, for whom, and what follows in which order."""
    about, for_whom, *_ = _readme()
    return "\n\n".join(
        ["---\nhide-toc: true\n---", "# oraledu", f"{{.lead}}\n{about}", for_whom, _contents()]
    )


def first(pictures: Path, files: Sequence[str] = ()) -> str:
    """Return the first page: what README says of the course and its start, and each lesson's result with its picture.

    Args:
        pictures: Where its pictures go.
        files: What lies beside the site to be taken away whole.

    Raises:
        ValueError: a lesson's main figure is not in its notebook.
    """
    readme = _readme()
    start = readme.index("## Start") + 1
    look = "To read first, without installing: [lesson 1](lessons/01_creativity.md), or [what we found](findings.md)."
    blocks = [cover(), *readme[start : start + 3], look]
    if files:
        links = ", ".join(f'<a href="{name}">{name}</a>' for name in files)
        blocks.append(cells.raw(f"<p>To take away: {links}.</p>"))
    for lesson in catalogue.LESSONS:
        title, glance, *_ = parts = outline.parts(lesson)
        number, minutes = lesson.number.lstrip("0"), sum(outline.minutes(glance).values())
        found = re.search(_CAPTION.format(number, lesson.title), "\n".join(readme))
        if found is None:
            raise ValueError(f"README says no result of lesson {number}")
        blocks += [
            f"## [{number}. {lesson.title}](lessons/{lesson.name}.md)",
            _result(lesson, parts, pictures),
            found[1],
            f"{{.small}}\n{outline.paragraphs(title.cells[0])[1]} About {minutes} minutes.",
        ]
    return "\n\n".join(blocks) + "\n"


def findings() -> str:
    """Return each lesson's numbers beside the paper's, the verdict of each rival, and what was found in the paper."""
    blocks = ["# What we found in the papers", _ABOUT]
    for lesson in catalogue.LESSONS:
        parts = outline.parts(lesson)
        blocks += [f"## {lesson.title}", outline.paragraphs(parts[0].cells[0])[1]]
        for part in parts:
            if heading := _TOLD.get(part.title):
                blocks += [f"### {heading}\n\n{_to(lesson, part.title, 'In the lesson')}", *_told(part)]
            elif part.title.startswith(_RIVAL):
                blocks += [f"### {part.title}", part.question and f"*{part.question}*", *_verdicts(part)]
                blocks += [_to(lesson, part.title, "The experiment")]
    return "\n\n".join(filter(None, blocks)) + "\n"


def words() -> str:
    """Return the terms of all lessons with the sentences that say what they are, and the tables of symbols."""
    blocks = ["# Words and symbols", "## Words"]
    terms: dict[str, list[str]] = {}
    for lesson in catalogue.LESSONS:
        for term, sentence, title in _terms(lesson):
            known = terms.setdefault(term[0].upper() + term[1:], [])
            if not any(f"lessons/{lesson.name}" in each for each in known):
                known.append(f"{sentence} {_to(lesson, title, f'Lesson {lesson.number[1]}')}")
    for term in sorted(terms, key=lambda each: each.lower().replace("*", "")):
        blocks.append("\n".join([term, *(f": {sentence}\n" for sentence in terms[term])]).rstrip())
    blocks.append("## Symbols")
    for lesson in catalogue.LESSONS:
        glance = "\n\n".join(cell.source for cell in outline.parts(lesson)[1].cells)
        table = glance[glance.index("| Symbol |") :]
        blocks += [f"### {lesson.title}", table.partition("\n\n")[0]]
    return "\n\n".join(blocks) + "\n"


def reading() -> str:
    """Return the papers of the lessons, and what each lesson says to read, and why."""
    blocks = ["# What to read"]
    for lesson in catalogue.LESSONS:
        parts = outline.parts(lesson)
        blocks += [f"## {lesson.title}", outline.paragraphs(parts[0].cells[0])[1]]
        blocks += [_body(cell) for part in parts if part.title == "Further reading" for cell in part.cells]
    return "\n\n".join(blocks) + "\n"


def _contents() -> str:
    names = [
        f"{lesson.number.lstrip('0')}. {lesson.title} <{{}}/{lesson.name}>" for lesson in catalogue.LESSONS
    ]
    listed = {
        "Lessons": [name.format("lessons") for name in names],
        "Beside them": ["findings", "words", "reading"],
        "Solutions": [name.format("solutions") for name in names],
    }
    return "\n\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(entries) + "\n```"
        for caption, entries in listed.items()
    )


def _readme() -> list[str]:
    """Return the paragraphs below README's title, those of the table of pictures line by line."""
    checkout = catalogue.PACKAGE.parent
    here = (checkout / "pyproject.toml").is_file()
    text = (checkout / "README.md").read_text("utf-8") if here else metadata("oraledu")["Description"]
    return re.split(r"\n\s*\n", text)[1:]


def _result(lesson: Lesson, parts: list[Part], pictures: Path) -> str:
    for part in parts:
        for cell in part.cells:
            if lesson.result in cell.source and (found := cells.stored_picture(cell)):
                return cells.picture(*found[:2], pictures).replace("../", "", 1)
    raise ValueError(f"lesson {lesson.number} draws no {lesson.result}; name another in the catalogue.")


def _told(part: Part) -> Iterator[str]:
    """Yield a part's texts, one heading deeper and without what announces a cell, and what its cells printed."""
    for cell in part.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"^### ", "#### ", _body(cell), flags=re.MULTILINE)
            yield cells.linked(text)
        else:
            if text := cells.printed(cell):
                yield cells.output_block(text)
            yield from filter(None, map(cells.table, cell.outputs))


def _verdicts(part: Part) -> Iterator[str]:
    for cell in part.cells:
        if cell.cell_type == "code":
            for verdict in _VERDICT.findall(cells.printed(cell)):
                yield cells.verdict(verdict)


def _body(cell: NotebookNode) -> str:
    """Return a text without its heading of the second level."""
    return re.sub(r"\A## .*\n*", "", cell.source)


def _to(lesson: Lesson, title: str, text: str) -> str:
    return f"[{text}](lessons/{lesson.name}.md#{cells.slug(title)})"


def _terms(lesson: Lesson) -> Iterator[tuple[str, str, str]]:
    """Yield each term, the sentence or the row of the table of symbols that has it in bold, and the part's title."""
    _, glance, *rest = outline.parts(lesson)
    for symbol, meaning, _ in _ROW.findall("\n".join(cell.source for cell in glance.cells)):
        for term in re.findall(r"\*\*(.+?)\*\*", meaning):
            yield term, f"{symbol}: {meaning.replace(chr(92) + '|', '|')}.", glance.title
    for part in rest:
        if not (part.saw or any(part.figures())):
            continue
        for cell in part.cells:
            if cell.cell_type == "markdown" and "solution" not in cell.metadata.get("tags", []):
                for sentence in _whole_sentences(cell.source):
                    for term in _BOLD.findall(sentence):
                        if not term.endswith("."):  # that is a heading
                            yield term, sentence, part.title


def _whole_sentences(text: str) -> Iterator[str]:
    """Yield a text's sentences with their formulas; one that leans on the one before comes with it."""
    kept = [
        each
        for each in re.split(r"\n\s*\n", text)
        if not each.lstrip().startswith(("#", "|", "<", "*", "1.")) or each.lstrip().startswith("**")
    ]
    found: list[str] = []
    formulas: list[str] = []

    def hide(match: re.Match[str]) -> str:
        ends = re.search(r"\.\s*\$\$$", match[0])
        latex = match[0].strip("$").strip().removesuffix("." if ends else "")
        formulas.append(f"${outline.flat(latex)}$")
        return f"\0{len(formulas) - 1}\0" + ("." if ends else "")

    for sentence in _ENDS.split(outline.flat(_FORMULA.sub(hide, "\n\n".join(kept)))):
        whole = re.sub("\0(\\d+)\0", lambda match: formulas[int(match[1])], sentence)
        yield f"{found[-1]} {whole}" if found and _LEANS.match(whole) else whole
        found.append(whole)
