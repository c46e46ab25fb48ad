"""From the one source to the two notebooks: a solution in py:percent becomes the lesson that a learner opens.

Pure text in, notebooks out; nothing is executed here. The rules:

* in a code cell tagged `exercise`, the lines between the two markers become `raise Todo`;
* the next code cell, tagged `check`, hands the learner's function to its exercise; the hints follow it, folded;
* a cell tagged `solution` is dropped: it holds what only a solved notebook says.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jupytext
import nbformat
from nbformat import NotebookNode

if TYPE_CHECKING:
    from oraledu.course.exercise import Exercise

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
#: By these nbconvert knows how to export a script; JupyterLab adds the version, which differs between machines.
LANGUAGE: dict[str, object] = {"name": "python", "nbconvert_exporter": "python", "pygments_lexer": "ipython3"}
LANGUAGE |= {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
}
PAIRING = {"notebook_metadata_filter": "kernelspec,-all", "cell_metadata_filter": "tags,-all"}

_CHECK = re.compile(r"^(\w+) = checks\.(\w+)\((\w+)\)$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
# A shorter line of a solution ("return total") may well stand in the lesson's own text by chance.
_TELLING = 18


class SourceError(ValueError):
    """The source of a lesson breaks a rule; the message names the cell and the rule."""


def parse(text: str) -> NotebookNode:
    """Read a py:percent text into a notebook with nothing in it but inputs and tags."""
    notebook = jupytext.reads(text, fmt="py:percent")
    return _clean(notebook.cells)


def render(notebook: NotebookNode) -> str:
    """Write a notebook's inputs as py:percent, exactly as JupyterLab writes them when the pair is saved."""
    copy = nbformat.from_dict(notebook)
    copy.metadata = nbformat.from_dict({"kernelspec": KERNEL, "jupytext": PAIRING})
    return jupytext.writes(copy, fmt="py:percent")


def lesson_from_solution(
    solution: NotebookNode, exercises: Mapping[str, Exercise], *, solution_link: str
) -> NotebookNode:
    """Return the learner's notebook: solutions taken out, hints put in.

    Args:
        solution: the complete notebook.
        exercises: the topic's exercises by the name of their function.
        solution_link: where the solved notebook lies as seen from the lesson; each exercise links to its own heading.

    Raises:
        SourceError: a marker without its partner, an exercise without its check, or a check without its exercise.
    """
    cells: list[NotebookNode] = []
    pending: NotebookNode | None = None
    heading = ""
    for cell in solution.cells:
        tags = _tags(cell)
        if "solution" in tags:
            continue
        if pending is not None and "check" not in tags:
            raise SourceError(f"{_where(pending)}: the next cell must be the check of this exercise")
        if cell.cell_type == "markdown" and (headings := _HEADING.findall(cell.source)):
            heading = headings[-1]
        cells.append(_copy(cell, _blank(cell) if "exercise" in tags else _unmarked(cell)))
        if "exercise" in tags:
            pending = cell
        elif "check" in tags:
            if pending is None:
                raise SourceError(f"{_where(cell)}: a check must follow its exercise")
            exercise = _exercise_of(cell, exercises)
            anchor = heading.replace(" ", "-")
            cells.append(nbformat.v4.new_markdown_cell(hints_text(exercise, f"{solution_link}#{anchor}")))
            pending = None
    if pending is not None:
        raise SourceError(f"{_where(pending)}: the next cell must be the check of this exercise")
    return _clean(cells)


def hints_text(exercise: Exercise, solution_link: str) -> str:
    """Return the hints of an exercise as markdown, each folded, and the way to its solution."""
    total = len(exercise.hints)
    folded = [
        f"<details><summary>Hint {number} of {total}</summary>\n\n{textwrap.dedent(hint).strip()}\n\n</details>"
        for number, hint in enumerate(exercise.hints, start=1)
    ]
    return "\n\n".join([*folded, f"[Open the solution of this exercise]({solution_link})"])


def leaks(solution: NotebookNode, lesson: NotebookNode) -> list[str]:
    """Return the lines of solutions that can be read in a lesson: in its inputs or its outputs.

    A line counts when it stands in a solution, is long enough to tell something, and belongs nowhere to what
    the two notebooks share.
    """
    secret: set[str] = set()
    shared: list[str] = []
    for cell in solution.cells:
        inside = "solution" in _tags(cell)
        if inside:
            secret.update(_text_of_outputs(cell))
        for line in cell.source.splitlines():
            if line.strip() in (BEGIN, END):
                inside = line.strip() == BEGIN or "solution" in _tags(cell)
            elif inside:
                secret.add(line.strip())
            else:
                shared.append(line)
        if "solution" not in _tags(cell):
            shared.extend(_text_of_outputs(cell))
    common = "\n".join(shared)
    telling = {line for line in secret if len(line) >= _TELLING and line not in common}
    visible = "\n".join(line for cell in lesson.cells for line in [cell.source, *_text_of_outputs(cell)])
    return sorted(line for line in {*telling, BEGIN, END} if line in visible)


def _tags(cell: NotebookNode) -> Sequence[str]:
    return cell.metadata.get("tags", [])


def _where(cell: NotebookNode) -> str:
    first = cell.source.strip().splitlines()[0] if cell.source.strip() else "(empty)"
    return f"cell {first!r}"


def _blank(cell: NotebookNode) -> str:
    """Replace what stands between the markers by the place where the learner writes."""
    kept: list[str] = []
    inside = False
    found = 0
    for line in cell.source.splitlines():
        marker = line.strip()
        if marker == BEGIN:
            if inside:
                raise SourceError(f"{_where(cell)}: {BEGIN!r} stands twice without {END!r} between")
            indent = line[: line.index("#")]
            kept += [f"{indent}# Write your code here.", f"{indent}raise Todo"]
            inside, found = True, found + 1
        elif marker == END:
            if not inside:
                raise SourceError(f"{_where(cell)}: {END!r} without {BEGIN!r} before it")
            inside = False
        elif not inside:
            kept.append(line)
    if inside or not found:
        raise SourceError(f"{_where(cell)}: an exercise needs {BEGIN!r} and {END!r}")
    return "\n".join(kept)


def _unmarked(cell: NotebookNode) -> str:
    if BEGIN in cell.source or END in cell.source:
        raise SourceError(f"{_where(cell)}: a solution marker stands in a cell that is not tagged 'exercise'")
    return cell.source


def check_of(cell: NotebookNode) -> str:
    """Return the name of the exercise that a check's cell is for.

    Raises:
        SourceError: it is no such cell.
    """
    found = _CHECK.search(cell.source)
    if found is None or len(set(found.groups())) != 1:
        raise SourceError(f"{_where(cell)}: a check reads 'name = checks.name(name)'")
    return found.group(2)


def _exercise_of(cell: NotebookNode, exercises: Mapping[str, Exercise]) -> Exercise:
    name = check_of(cell)
    if name not in exercises:
        raise SourceError(f"{_where(cell)}: the topic has no exercise {name!r}")
    return exercises[name]


def _text_of_outputs(cell: NotebookNode) -> list[str]:
    lines: list[str] = []
    for output in cell.get("outputs", []):
        texts = [output.get("text", ""), *output.get("data", {}).values()]
        lines += [line.strip() for text in texts if isinstance(text, str) for line in text.splitlines()]
    return lines


def _copy(cell: NotebookNode, source: str) -> NotebookNode:
    fresh = nbformat.from_dict(cell)
    fresh.source = source
    return fresh


def _clean(cells: Sequence[NotebookNode]) -> NotebookNode:
    """Return a notebook of these inputs alone; each cell's id comes from its text, so that it never moves."""
    seen: Counter[str] = Counter()
    fresh = []
    for cell in cells:
        make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        key = f"{cell.cell_type}\n{cell.source}"
        identifier = hashlib.sha256(f"{seen[key]}\n{key}".encode()).hexdigest()[:12]
        seen[key] += 1
        tags = {"tags": list(_tags(cell))} if _tags(cell) else {}
        fresh.append(make(source=cell.source, id=identifier, metadata=tags))
    return nbformat.v4.new_notebook(cells=fresh, metadata={"kernelspec": KERNEL, "language_info": LANGUAGE})
