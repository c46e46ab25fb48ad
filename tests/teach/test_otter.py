import ast
import re
from pathlib import Path

import nbformat
import pytest

from oraledu.app import catalogue
from oraledu.app.cli import main
from oraledu.teach import otter

FENCES = ["BEGIN QUESTION", "BEGIN SOLUTION", "END SOLUTION", "BEGIN TESTS", "END TESTS", "END QUESTION"]
#: What otter takes out of a fenced cell: a region of a solution, and the marks around a prompt.
REMOVED = re.compile(
    r"^ *# BEGIN SOLUTION NO PROMPT\n.*?# END SOLUTION\n|^ *\"\"\" # (BEGIN|END) PROMPT\n?", re.M | re.S
)


@pytest.fixture(scope="module", params=catalogue.LESSONS, ids=lambda lesson: lesson.name)
def exported(request, tmp_path_factory):
    """A lesson's master for otter, with the lesson."""
    (path,) = otter.export(tmp_path_factory.mktemp("masters"), [request.param])
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook, request.param


def fenced(notebook):
    """Return the code cells with the fences that they stand in, innermost last."""
    around: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "raw":
            begins, kind = re.match(r"# (BEGIN|END|ASSIGNMENT) (\w+)", cell.source).groups()
            if begins == "BEGIN":
                around.append(kind)
            elif begins == "END":
                assert around.pop() == kind
        elif cell.cell_type == "code":
            yield cell.source, list(around)
    assert not around


def test_every_exercise_is_a_question_of_its_name_with_its_fences_in_order(exported):
    notebook, lesson = exported
    raw = [cell.source for cell in notebook.cells if cell.cell_type == "raw"]
    names = [exercise.name for exercise in catalogue.exercises(lesson)]
    assert raw[0].startswith("# ASSIGNMENT CONFIG\n")
    assert [text.split("\n")[0].removeprefix("# ") for text in raw[1:]] == FENCES * len(names)
    assert re.findall(r"^name: (\w+)\ncheck_cell: false$", "\n".join(raw), re.M) == names


def test_what_students_get_is_the_handed_out_lesson(exported):
    notebook, lesson = exported
    handed_out = nbformat.read(catalogue.source_folder("lessons") / f"{lesson.name}.ipynb", as_version=4)
    mine = []
    for source, around in fenced(notebook):
        assert ("SOLUTION" in source) == (around[-1:] == ["SOLUTION"])
        if around[-1:] != ["TESTS"]:
            mine.append(REMOVED.sub("", source).rstrip() if around[-1:] == ["SOLUTION"] else source)
    assert mine == [cell.source for cell in handed_out.cells if cell.cell_type == "code"]
    assert not any("nbgrader" in cell.metadata for cell in notebook.cells)


def test_the_check_stands_in_its_question_and_a_hidden_test_behind_it_asks_what_it_has_found(exported):
    notebook, lesson = exported
    places = [(source, around[-1:]) for source, around in fenced(notebook) if around]
    for exercise, place in zip(catalogue.exercises(lesson), range(0, len(places), 3), strict=True):
        (_, first), (check, second), (test, third) = places[place : place + 3]
        assert (first, second, third) == (["SOLUTION"], ["QUESTION"], ["TESTS"])
        assert f"{exercise.name} = checks.{exercise.name}({exercise.name})" in check
        config, _, function = test.partition(" # END TEST CONFIG\n")
        assert config.startswith(f'""" # BEGIN TEST CONFIG\nhidden: true\npoints: {1 + exercise.core}\n')
        (defined,) = ast.parse(function).body
        names: dict[str, object] = {}
        exec(function, names)
        with pytest.raises(AssertionError, match=f"^{exercise.name}: its check was never run"):
            names[defined.name]()


def test_no_script_lies_beside_a_master_and_nothing_is_written_over(tmp_path: Path, capsys):
    assert main(["export", "otter", "masters", "--lessons", "4"]) == 0
    assert capsys.readouterr().out == "otter assign masters/04_grokking.ipynb masters/04_grokking\n"
    assert [path.name for path in (tmp_path / "masters").iterdir()] == ["04_grokking.ipynb"]
    assert main(["export", "otter", "masters", "--lessons", "1,4"]) == 2
    assert "04_grokking.ipynb is there already; delete it to write it anew" in capsys.readouterr().err
    assert not (tmp_path / "masters/01_creativity.ipynb").exists()
