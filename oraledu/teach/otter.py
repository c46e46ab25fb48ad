"""The lessons as masters for `otter assign`: nbgrader's sources, with otter's fences in the place of nbgrader's marks.

otter knows a question by raw cells around it, and hands out whatever they do not fence, solutions included. It runs a
test by itself behind the cell that it stands behind, or at the end; this one asks the check what it has found. Students
get neither a test nor a cell that imports otter, so that Run All never stops and they need not install it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from oraledu.app import catalogue, workspace
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.teach import nbgrader

_raw = nbformat.v4.new_raw_cell

#: Without a name, so that a notebook made anew from a script, which has lost otter's marks, is graded as any other.
ASSIGNMENT = """\
# ASSIGNMENT CONFIG
init_cell: false
export_cell: false
generate:
  show_hidden: true
tests:
  files: false
  ok_format: false"""
#: otter's own stub is `...`, with which a function returns None and is called wrong.
PROMPT = '''
    """ # BEGIN PROMPT
    # Write your code here.
    raise Todo
    """ # END PROMPT'''
TEST = '''\
""" # BEGIN TEST CONFIG
hidden: true
points: {points}
""" # END TEST CONFIG
def test_{name}():
    from oraledu.{topic} import checks

    checks.{name}.passed()'''


def export(folder: Path, lessons: Sequence[Lesson] = ()) -> list[Path]:
    """Write masters for `otter assign`; return them.

    Args:
        folder: where to; a master that is there is not written over.
        lessons: which; none means all.

    Raises:
        UserError: a master is there already, or a solution is missing.
        OSError: the folder cannot be written.
    """
    workspace.refuse_the_checkout(folder)
    chosen = lessons or catalogue.LESSONS
    if there := [path for each in chosen if (path := folder / f"{each.name}.ipynb").exists()]:
        raise UserError(f"{there[0]} is there already; delete it to write it anew")
    folder.mkdir(parents=True, exist_ok=True)
    made = {folder / f"{lesson.name}.ipynb": master(lesson) for lesson in chosen}
    for path, notebook in made.items():
        nbformat.write(notebook, path)
    return [*made]


def master(lesson: Lesson) -> NotebookNode:
    """Return a solved lesson with otter's fences, without what only a solved lesson says."""
    notebook = nbgrader.source(*nbgrader.solved(lesson), lesson)
    cells = [_raw(ASSIGNMENT)]
    for cell in notebook.cells:
        cells += _fenced(cell, cell.metadata.pop("nbgrader", {}), lesson)
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    notebook.cells = cells
    return notebook


def _fenced(cell: NotebookNode, mark: Mapping[str, object], lesson: Lesson) -> Iterator[NotebookNode]:
    name = str(mark.get("grade_id", ""))
    if mark.get("solution"):
        yield _raw(f"# BEGIN QUESTION\nname: {name}\ncheck_cell: false")
        yield _raw("# BEGIN SOLUTION")
        cell.source = cell.source.replace("# BEGIN SOLUTION", "# BEGIN SOLUTION NO PROMPT") + PROMPT
        yield cell
        yield _raw("# END SOLUTION")
    elif mark.get("points"):
        yield _raw("# BEGIN TESTS")
        asks = TEST.format(points=mark["points"], name=name.removeprefix("points-"), topic=lesson.topic)
        yield nbformat.v4.new_code_cell(asks)
        yield _raw("# END TESTS")
        yield _raw("# END QUESTION")
    else:
        yield cell
