r"""Flash cards for Anki and a quiz for Moodle, from the questions and the bold definitions of a lesson.

Anki imports text: a line for each note, its fields divided by tabs, after lines of headers that begin with `#`.
Moodle imports GIFT, in which `~ = # { } :` and the backslash mean something and are written with a backslash before
them. In both, mathematics stands between `\\(` and `\\)`, or `\\[` and `\\]`.
"""

import csv
import html
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbformat import NotebookNode

from oraledu.app.catalogue import Lesson
from oraledu.course.quiz import Quiz
from oraledu.teach import outline
from oraledu.teach.outline import Part

_BOLD = re.compile(r"\*\*([^*]+[^*.:?!])\*\*")
_DISPLAY = re.compile(r"\$\$([^$]+)\$\$")
_MATH = re.compile(r"\$([^$]+)\$")
_CODE = re.compile(r"`([^`]+)`")
_EMPHASIS = re.compile(r"(?<![\w*])\*{1,2}([^*\s](?:[^*]*[^*\s])?)\*{1,2}(?![\w*])")
_POINTS_BACK = re.compile(r"(This|So|The paper calls such|and|with|is|As|We say)\b")
#: Bold for its weight, or the name of a step.
_NO_TERM = re.compile(r"^(the|at|if|fit|look|learn)\b|\$")
_SHORT = 9
_SPECIAL = re.compile(r"[\\~=#{}:]")


def anki(lessons: Sequence[Lesson]) -> str:
    """Return the cards of lessons as the text that Anki imports."""
    text = io.StringIO()
    text.write("#separator:tab\n#html:true\n#notetype:Basic\n#deck column:3\n#tags column:4\n")
    # In quotes where a field holds one: Anki reads the file as one of separated values.
    rows = csv.writer(text, dialect="excel-tab", lineterminator="\n")
    for lesson in lessons:
        rows.writerows(
            (*card, f"oraledu::{lesson.number} {lesson.title}", kind) for *card, kind in _cards(lesson)
        )
    return text.getvalue()


def gift(lessons: Sequence[Lesson]) -> str:
    """Return the questions of lessons as the GIFT text that Moodle imports."""
    blocks = []
    for lesson in lessons:
        blocks.append(f"$CATEGORY: oraledu/{lesson.number} {lesson.title}")
        blocks += [_gift(name, quiz) for name, quiz in quizzes(lesson)]
    return "\n\n".join(blocks) + "\n"


def write(folder: Path, name: str, content: str) -> Path:
    """Write a file into a folder; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    target.write_text(content, encoding="utf-8", newline="\n")
    return target


def quizzes(lesson: Lesson) -> list[tuple[str, Quiz]]:
    """Return the questions of a lesson by their names, in the order in which it asks them."""
    return [(name, outline.quiz(lesson, name)) for part in outline.parts(lesson) for name in part.quizzes()]


def definitions(lesson: Lesson) -> dict[str, str]:
    """Return what a lesson defines: each bold term, with the sentence in which it is bold first."""
    found: dict[str, str] = {}
    for part in outline.parts(lesson):
        if part.saw:
            for term, sentence in _terms(part):
                found.setdefault(term, sentence)
    return found


def marked_up(text: str) -> str:
    r"""Return a text of a lesson as HTML, its mathematics between `\\(` and `\\)`."""
    held: list[str] = []

    def hold(found: re.Match[str], shape: str) -> str:
        held.append(shape.format(html.escape(found[1], quote=False)))
        return f"\0{len(held) - 1}\0"

    text = _CODE.sub(lambda found: hold(found, "<code>{}</code>"), text)
    text = _DISPLAY.sub(lambda found: hold(found, r"\[{}\]"), text)
    text = _MATH.sub(lambda found: hold(found, r"\({}\)"), text)
    text = _EMPHASIS.sub(r"<i>\1</i>", html.escape(text, quote=False))
    return re.sub(r"\0(\d+)\0", lambda found: held[int(found[1])], text)


def _cards(lesson: Lesson) -> Iterator[tuple[str, str, str]]:
    for _, quiz in quizzes(lesson):
        right = [
            f"<b>{marked_up(each.text)}</b><br>{marked_up(each.explanation)}"
            for each in quiz.options
            if each.right
        ]
        options = "".join(f"<li>{marked_up(each.text)}</li>" for each in quiz.options)
        yield f"{marked_up(quiz.question)}<ul>{options}</ul>", "<br>".join(right), "question"
    for term, sentence in definitions(lesson).items():
        yield f"What is meant by <b>{marked_up(term)}</b>?", marked_up(sentence), "definition"


def _terms(part: Part) -> Iterator[tuple[str, str]]:
    """Yield bold terms with what defines them: their sentence, and what it points back or forward to."""
    for cell in part.cells:
        if cell.cell_type != "markdown" or "solution" in cell.metadata.get("tags", []):
            continue
        units = list(_units(cell))
        for number, unit in enumerate(units):
            for term in () if unit.startswith(("*", "1. ")) and "**" not in unit[:3] else _BOLD.findall(unit):
                text = [unit]
                if number and (_POINTS_BACK.match(unit) or len(unit.split()) < _SHORT):
                    text.insert(0, units[number - 1])
                leads_on = not unit.endswith((".", ")")) or sum(len(each.split()) for each in text) < _SHORT
                if leads_on and number + 1 < len(units):
                    text.append(units[number + 1])
                if not _NO_TERM.search(term):
                    yield term, " ".join(text)


def _units(cell: NotebookNode) -> Iterator[str]:
    """Yield the sentences of a text and its formulas set apart, in order."""
    for paragraph in outline.paragraphs(cell):
        if paragraph.startswith("$$"):
            yield outline.flat(paragraph)
        else:
            yield from outline.sentences(paragraph)


def _gift(name: str, quiz: Quiz) -> str:
    rights = sum(option.right for option in quiz.options)
    lines = [f"::{_escaped(name.replace('_', ' '))}::[html]{_escaped(marked_up(quiz.question))}{{"]
    for option in quiz.options:
        # Several right answers share the points, and each wrong one takes as much away. Moodle knows a third by
        # seven digits.
        weight = "=" if option.right else "~"
        if rights > 1:
            weight = f"~%{100 / rights if option.right else -100 / rights:.7g}%"
        lines.append(
            f"\t{weight}{_escaped(marked_up(option.text))}#{_escaped(marked_up(option.explanation))}"
        )
    return "\n".join([*lines, "}"])


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
