"""What the tests of teaching share: a course of one small lesson."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from oraledu.app import catalogue, generate
from tests.app.small_course import LESSON

STUB = "def double(x):\n    # Write your code here.\n    raise Todo"
CELLS = [
    ("markdown", "# Sums\n\nA lesson."),
    ("code", "from oraledu.course.exercise import Todo"),
    ("markdown", "## Exercise 1: twice"),
    ("code", STUB),
    ("code", "double = checks.double(double)"),
    (
        "markdown",
        "<details><summary>Hint 1 of 1</summary>\n\nAdd it to itself.\n\n</details>\n\n"
        "[Open the solution of this exercise](../solutions/07_sums.ipynb#Exercise-1:-twice)",
    ),
    ("code", "print(double(2))"),
    ("markdown", "The end."),
]
TAGS = {STUB: "exercise", CELLS[4][1]: "check"}


def notebook(cells: list[tuple[str, str]]) -> nbformat.NotebookNode:
    """Return a lesson of these cells, with what its last code cell has printed."""
    made = []
    for number, (kind, source) in enumerate(cells):
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        tags = {"tags": [TAGS[source]]} if source in TAGS else {}
        if source.startswith("def double"):
            tags = {"tags": ["exercise"]}
        made.append(make(source, id=f"cell-{number}", metadata=tags))
    last = [cell for cell in made if cell.cell_type == "code"][-1]
    last.outputs, last.execution_count = [nbformat.v4.new_output("stream", text="4\n")], 1
    return nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": generate.KERNEL})


def publish(folder: Path, cells: list[tuple[str, str]]) -> None:
    """Make these cells the course's lesson."""
    for kind in ("lessons", "solutions"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(cells), folder / kind / f"{LESSON.name}.ipynb")
        (folder / kind / f"{LESSON.name}.py").write_text(generate.render(notebook(cells)), "utf-8")


@pytest.fixture
def sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the course's own notebooks lie; `LESSON` is the only one."""
    folder = tmp_path / "sources"
    publish(folder, CELLS)
    monkeypatch.setattr(catalogue, "source_folder", lambda kind: folder / kind)
    monkeypatch.setattr(catalogue, "LESSONS", (LESSON,))
    return folder
