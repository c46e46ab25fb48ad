"""The course as a course folder of nbgrader: sources with its marks, and settings under which it takes them.

nbgrader blanks what stands between the markers of a solution, so the sources are the solved lessons; what only a solved
notebook says is left out here already. Behind each check stands a cell that earns the points. It runs nothing of the
student's, it imports for itself, because a submission may have bound the name, and it asks the check what it has found,
because the function's own name stands for the reference where the answer is wrong. What it says is a hidden test:
students do not get it, so that Run All never stops.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from oraledu.app import catalogue, generate, workspace
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course.exercise import Exercise
from oraledu.teach import handout, rules

CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "oraledu"
# A script beside a notebook is the same lesson once more, and would be released with its solutions.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".oraledu"]
c.CourseDirectory.ignore += ["*.py", "jupytext.toml"]
c.ClearSolutions.code_stub = {"python": "# Write your code here.\\nraise Todo"}
# A lesson has cells that train for minutes; a check stops a function that takes too long by itself.
c.Execute.timeout = 1200
# A check that a student has deleted is put back, or it would count as not passed without a word.
c.OverwriteCells.add_missing_cells = True
"""
POINTS = """\
# The points of this exercise are given here, for the function above as its check has found it.
### BEGIN HIDDEN TESTS
from oraledu.{topic} import checks

checks.{name}.passed()
### END HIDDEN TESTS"""


def export(folder: Path, lessons: Sequence[Lesson] = ()) -> list[Path]:
    """Write a course folder of nbgrader; return the notebooks that were written.

    Args:
        folder: a new one, or one that this has made, for further lessons.
        lessons: which; none means all.

    Raises:
        UserError: it holds one of the lessons, or settings of another course, or a solution is missing.
        OSError: it cannot be written.
    """
    workspace.refuse_the_checkout(folder)
    config = folder / "nbgrader_config.py"
    if config.exists() and config.read_text("utf-8") != CONFIG:
        raise UserError(
            f"{config} has other settings; name a new folder, and carry its settings over by hand"
        )
    chosen = lessons or catalogue.LESSONS
    there = [each.name for each in chosen if (folder / "source" / each.name).exists()]
    if there:
        raise UserError(f"{folder / 'source' / there[0]} is there already; delete it to write it anew")
    made = []
    for lesson in chosen:
        notebook = source(*solved(lesson), lesson)
        path = folder / "source" / lesson.name / f"{lesson.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
        made.append(path)
    config.write_text(CONFIG, encoding="utf-8")
    return made


def solved(lesson: Lesson) -> tuple[NotebookNode, dict[str, Exercise]]:
    """Return a solved lesson, and its exercises by the name of their function.

    Raises:
        UserError: this copy of the course does not have it.
    """
    script = catalogue.source_folder("solutions") / f"{lesson.name}.py"
    if not script.is_file():
        raise UserError(f"{script} is missing; install the course anew")
    exercises = {exercise.name: exercise for exercise in catalogue.exercises(lesson)}
    return generate.parse(script.read_text("utf-8")), exercises


def source(solution: NotebookNode, exercises: Mapping[str, Exercise], lesson: Lesson) -> NotebookNode:
    """Return a solved lesson with nbgrader's marks, without what only a solved lesson says, and with the hints.

    Args:
        solution: the complete notebook.
        exercises: the topic's exercises by the name of their function.
        lesson: the lesson.
    """
    points = tomllib.loads(rules.DEFAULT)["points"]
    blank = generate.lesson_from_solution(solution, exercises, solution_link="../solutions/")
    answers = iter([cell for cell in solution.cells if "exercise" in cell.metadata.get("tags", [])])
    cells = []
    for number, cell in enumerate(blank.cells):
        cells.append(cell)
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            cell.source = next(answers).source
            _mark(cell, generate.check_of(blank.cells[number + 1]), solution=True)
        elif "check" in tags:
            name = generate.check_of(cell)
            # Without points, and yet a cell that is graded: nbgrader puts back no other where it is missing.
            _mark(cell, f"check-{name}", locked=True, grade=True, points=0)
            cells.append(
                nbformat.v4.new_code_cell(POINTS.format(topic=lesson.topic, name=name), id=f"points-{number}")
            )
            earned = points["core" if exercises[name].core else "further"]
            _mark(cells[-1], f"points-{name}", locked=True, grade=True, points=earned)
        elif cell.cell_type == "markdown":
            cell.source = handout.without_links(cell.source)
    blank.cells = cells
    return blank


def _mark(cell: NotebookNode, name: str, **marks: Any) -> None:
    usual = {"grade": False, "locked": False, "solution": False, "task": False}
    cell.metadata["nbgrader"] = usual | {"grade_id": name, "schema_version": 3} | marks
