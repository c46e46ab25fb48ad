import re
from pathlib import Path

import nbformat
import pytest

from oraledu.app import catalogue
from oraledu.app.cli import main
from oraledu.course.exercise import Case, Exercise, Todo
from oraledu.teach import nbgrader

LESSON = catalogue.lesson("04")
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)\n### END HIDDEN TESTS$", re.DOTALL)


@pytest.fixture(scope="module", params=catalogue.LESSONS, ids=lambda lesson: lesson.name)
def exported(request, tmp_path_factory):
    """A lesson's source for nbgrader, with the lesson."""
    folder = tmp_path_factory.mktemp("course")
    (path,) = nbgrader.export(folder / "course", [request.param])
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook, request.param


def marked(notebook, kind: str) -> dict[str, nbformat.NotebookNode]:
    marks = [(cell.metadata.get("nbgrader"), cell) for cell in notebook.cells]
    return {mark.grade_id: cell for mark, cell in marks if mark and mark[kind]}


def test_each_exercise_is_a_solution_with_a_locked_check_and_a_locked_cell_for_its_points(exported):
    notebook, lesson = exported
    exercises = catalogue.exercises(lesson)
    names = [exercise.name for exercise in exercises]
    solutions, graded = marked(notebook, "solution"), marked(notebook, "grade")
    assert list(solutions) == names
    assert list(graded) == [f"{kind}-{name}" for name in names for kind in ("check", "points")]
    assert list(marked(notebook, "locked")) == list(graded)
    earned = [cell.metadata.nbgrader.points for cell in graded.values()]
    assert earned == [points for each in exercises for points in (0, 1 + each.core)]
    assert all("# BEGIN SOLUTION" in cell.source for cell in solutions.values())


def test_without_what_nbgrader_takes_out_it_is_the_handed_out_lesson(exported):
    notebook, lesson = exported
    handed_out = nbformat.read(catalogue.source_folder("lessons") / f"{lesson.name}.ipynb", as_version=4)
    mine = [cell for cell in notebook.cells if cell.cell_type == "code" and not HIDDEN.search(cell.source)]
    theirs = [cell for cell in handed_out.cells if cell.cell_type == "code"]
    for cell, other in zip(mine, theirs, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            assert cell.source.startswith(other.source.partition("    # Write your code here.")[0])
        else:
            assert cell.source == other.source
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "SOLUTION" not in text
    assert "../solutions" not in text
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_what_gives_the_points_imports_for_itself_runs_nothing_else_and_is_hidden(exported):
    notebook, lesson = exported
    cells = {name: cell for name, cell in marked(notebook, "grade").items() if name.startswith("points-")}
    assert cells
    for name, cell in cells.items():
        (hidden,) = HIDDEN.findall(cell.source)
        assert (
            hidden
            == f"from oraledu.{lesson.topic} import checks\n\nchecks.{name.removeprefix('points-')}.passed()"
        )
        assert HIDDEN.sub("", cell.source).startswith("# ")
        assert HIDDEN.sub("", cell.source).count("\n") == 1


def test_no_script_lies_beside_it_and_none_would_be_copied(tmp_path: Path, capsys):
    assert main(["export", "nbgrader", "course", "--lessons", "4"]) == 0
    assert capsys.readouterr().out == "cd course && nbgrader generate_assignment 04_grokking\n"
    files = {str(path.relative_to(tmp_path)) for path in (tmp_path / "course").rglob("*") if path.is_file()}
    assert files == {"course/nbgrader_config.py", "course/source/04_grokking/04_grokking.ipynb"}
    settings: dict[str, dict[str, object]] = {}

    class Section:
        def __init__(self, name: str) -> None:
            self.__dict__["values"] = settings.setdefault(name, {})

        def __setattr__(self, name: str, value: object) -> None:
            self.values[name] = value

        def __getattr__(self, name: str) -> object:
            return self.values[name]

    class Config:
        def __getattr__(self, name: str) -> Section:
            return Section(name)

    exec((tmp_path / "course/nbgrader_config.py").read_text(), {"get_config": Config})
    assert {"*.py", "jupytext.toml", "feedback"} <= set(settings["CourseDirectory"]["ignore"])
    assert settings["ClearSolutions"]["code_stub"]["python"].endswith("raise Todo")
    assert settings["OverwriteCells"]["add_missing_cells"]


def test_nothing_is_written_over_and_a_further_lesson_may_come(tmp_path: Path, capsys):
    assert main(["export", "nbgrader", "course", "--lessons", "4"]) == 0
    assert main(["export", "nbgrader", "course", "--lessons", "1,4"]) == 2
    assert "is there already; delete it to write it anew" in capsys.readouterr().err
    assert not (tmp_path / "course/source/01_creativity").exists()
    assert main(["export", "nbgrader", "course", "--lessons", "1"]) == 0
    (tmp_path / "course/nbgrader_config.py").write_text("c = get_config()\n")
    assert main(["export", "nbgrader", "course", "--lessons", "2"]) == 2
    assert "has other settings; name a new folder" in capsys.readouterr().err


def _double() -> Exercise:
    def double(x):
        return 2 * x

    cases = lambda generator: [Case("three", (3.0,))]  # noqa: E731
    return Exercise(id="topic.double", title="Twice", reference=double, cases=cases, hints=["Add."])


def test_a_graders_call_raises_the_checks_sentence_until_the_function_is_right(capsys):
    exercise = _double()
    with pytest.raises(AssertionError, match=r"^double: its check was never run\.$"):
        exercise.passed()

    def blank(x):
        raise Todo

    for function, said in ((blank, "double: not attempted"), (lambda x: x, "double: not yet right")):
        name = exercise(function)
        assert name(3.0) == 6.0
        with pytest.raises(AssertionError, match=said):
            exercise.passed()
    exercise(lambda x: x + x)
    assert exercise.passed() is None
