import os
from pathlib import Path

import nbformat
import pytest

from oraledu.app import catalogue, generate, workspace
from oraledu.app.cli import main
from oraledu.teach import handout
from oraledu.teach.handout import Handed
from oraledu.teach.merging import merge
from oraledu.teach.update import update
from tests.teach.conftest import CELLS, STUB, notebook, publish

MINE = "def double(x):\n    return x + x"
NOTEBOOK = Path("lessons", "07_sums.ipynb")
NEW = [("markdown", "# Sums, second edition"), *CELLS[1:6], ("code", "print(double(3))"), *CELLS[7:]]


@pytest.fixture
def work(sums: Path, tmp_path: Path) -> Path:
    """A folder that was handed out."""
    return handout.handout(tmp_path / "work")[0]


def sources(folder: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(folder / NOTEBOOK, as_version=4).cells]


def write(folder: Path, change) -> None:
    """Have a student change the cells of the notebook, and save the pair."""
    stored = nbformat.read(folder / NOTEBOOK, as_version=4)
    change(stored.cells)
    workspace.write_pair(folder, catalogue.LESSONS[0], stored)


def solve(cells) -> None:
    cells[3].source = MINE


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "lessons").glob("07_sums_*"))


def test_a_solved_exercise_stays_and_all_else_is_new(sums: Path, work: Path):
    write(work, solve)
    publish(sums, NEW)
    (line,) = update(work)
    found = sources(work)
    assert found[0] == "# Sums, second edition"
    assert found[3] == MINE
    assert "print(double(3))" in found
    assert "print(double(2))" not in found
    assert line.startswith("work: lesson 07 is new; yours as it was: 07_sums_")
    assert [name[-3:] for name in kept(work)] == ["ynb", ".py"]
    assert (
        generate.render(nbformat.read(work / NOTEBOOK, 4)) == (work / NOTEBOOK.with_suffix(".py")).read_text()
    )


def test_a_second_time_nothing_changes(sums: Path, work: Path, capsys):
    write(work, solve)
    publish(sums, NEW)
    update(work)
    before = {path: path.read_bytes() for path in (work / "lessons").iterdir()}
    assert update(work) == []
    assert {path: path.read_bytes() for path in (work / "lessons").iterdir()} == before
    assert main(["handout", str(work), "--update"]) == 0
    assert capsys.readouterr().out == "nothing has changed since it was handed out\n"


def test_a_lesson_that_the_course_has_not_changed_is_not_touched(work: Path):
    write(work, solve)
    before = (work / NOTEBOOK).read_bytes()
    assert update(work) == []
    assert (work / NOTEBOOK).read_bytes() == before
    assert kept(work) == []


def test_where_nothing_was_written_no_old_copy_is_kept(sums: Path, work: Path):
    publish(sums, NEW)
    assert update(work) == ["work: lesson 07 is new"]
    assert kept(work) == []
    assert sources(work)[0] == "# Sums, second edition"


def test_work_in_one_half_alone_is_kept(sums: Path, work: Path):
    """The script is as handed out and was written later: the notebook holds the work."""
    stored = nbformat.read(work / NOTEBOOK, as_version=4)
    solve(stored.cells)
    nbformat.write(stored, work / NOTEBOOK)
    now = (work / NOTEBOOK).stat().st_mtime
    os.utime(work / NOTEBOOK.with_suffix(".py"), (now + 60, now + 60))
    publish(sums, NEW)
    lines = update(work)
    assert any("notebook and script differ; 07_sums.py was written last" in line for line in lines)
    assert any(MINE in cell.source for cell in nbformat.read(work / "lessons" / kept(work)[0], 4).cells)


def test_a_broken_notebook_is_said_kept_and_the_script_is_taken(sums: Path, work: Path):
    write(work, solve)
    (work / NOTEBOOK).write_text("{")
    publish(sums, NEW)
    lines = update(work)
    assert any("07_sums.ipynb cannot be read" in line for line in lines)
    assert sources(work)[3] == MINE
    assert (work / "lessons" / kept(work)[0]).read_text() == "{"


def test_without_the_text_that_was_handed_out_the_exercise_is_found_by_its_name(sums: Path, work: Path):
    write(work, solve)
    (work / ".oraledu" / "07_sums.py").unlink()
    publish(sums, NEW)
    lines = update(work)
    assert any("is not kept in .oraledu" in line for line in lines)
    assert MINE in sources(work)
    assert STUB not in sources(work)


def test_every_folder_of_a_class_is_brought_up_to_date_with_its_own_data(sums: Path, tmp_path: Path):
    (tmp_path / "students.csv").write_text("ada\nbo\n")
    made = handout.handout(tmp_path / "class", roster=tmp_path / "students.csv")
    marks = [handout.read(path) for path in made]
    publish(sums, NEW)
    assert update(tmp_path / "class") == ["ada: lesson 07 is new", "bo: lesson 07 is new"]
    assert [handout.read(path) for path in made] == marks
    assert not any(cell.get("outputs") for path in made for cell in nbformat.read(path / NOTEBOOK, 4).cells)


def test_a_damaged_folder_is_one_line_and_the_others_are_new(sums: Path, tmp_path: Path):
    (tmp_path / "students.csv").write_text("ada\nbo\n")
    made = handout.handout(tmp_path / "class", roster=tmp_path / "students.csv")
    (made[0] / ".oraledu" / "handout.json").write_text("{")
    publish(sums, NEW)
    first, second = update(tmp_path / "class")
    assert "handout.json is damaged; take it from the folder as it was handed out" in first
    assert second == "bo: lesson 07 is new"


# --- the merging of cells


def merged(mine: list[tuple[str, str]], new: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Merge into a new lesson what a student has made of `CELLS`; return the texts of cells, and the conflicts."""
    result, conflicts = merge(notebook(CELLS), notebook(mine), notebook(new))
    nbformat.validate(result)
    assert len({cell.id for cell in result.cells}) == len(result.cells)
    return [cell.source for cell in result.cells], conflicts


def test_a_cell_of_ones_own_follows_the_one_that_it_stood_behind():
    mine = [*CELLS[:2], ("code", "import math"), *CELLS[2:], ("markdown", "My notes.")]
    found, conflicts = merged(mine, NEW)
    assert found[found.index("import math") - 1] == CELLS[1][1]
    assert found[-1] == "My notes."
    assert conflicts == []


def test_a_changed_cell_that_the_course_has_left_alone_stays_changed():
    found, conflicts = merged([*CELLS[:7], ("markdown", "The end, at last.")], NEW)
    assert found[-1] == "The end, at last."
    assert "The end." not in found
    assert conflicts == []


def test_a_cell_that_both_have_changed_is_the_courses_with_the_students_below_and_listed():
    found, (conflict,) = merged([*CELLS[:6], ("code", "print(double(5))"), *CELLS[7:]], NEW)
    place = found.index("print(double(3))")
    assert "print(double(5))" in found[place - 1] + found[place + 1]
    assert "print(double(5))" not in found
    assert "which the course has changed too" in conflict


def test_a_solution_stays_where_the_course_has_changed_the_exercise_and_the_new_text_is_below():
    new = [(kind, text.replace("def double(x):", "def double(x, times=2):")) for kind, text in NEW]
    mine = [*CELLS[:3], ("code", MINE), *CELLS[4:]]
    found, (conflict,) = merged(mine, new)
    place = found.index(MINE)
    assert "def double(x, times=2):" in found[place + 1]
    assert conflict.startswith("exercise double: the course has changed its cell; yours stays")


def test_an_exercise_moves_with_its_lesson():
    new = [NEW[0], NEW[1], ("markdown", "Another part."), ("code", "x = 1"), *NEW[2:]]
    found, conflicts = merged([*CELLS[:3], ("code", MINE), *CELLS[4:]], new)
    assert found[5] == MINE
    assert STUB not in found
    assert conflicts == []


def test_an_exercise_that_is_gone_leaves_the_students_function():
    new = [*NEW[:2], *NEW[7:]]
    found, (conflict,) = merged([*CELLS[:3], ("code", MINE), *CELLS[4:]], new)
    assert MINE in found
    assert conflict.startswith("exercise double is no longer in the lesson")


def test_half_a_solution_that_defines_nothing_stays_in_its_exercise():
    stored = notebook([*CELLS[:3], ("code", STUB), *CELLS[4:]])
    stored.cells[3].source = "# I think that I have to add something"
    result, conflicts = merge(notebook(CELLS), stored, notebook(NEW))
    assert result.cells[3].source == "# I think that I have to add something"
    assert conflicts == []


def test_two_cells_for_one_exercise_both_stay():
    mine = [*CELLS[:3], ("code", "def double(x):\n    return 3 * x"), ("code", MINE), *CELLS[4:]]
    found, _ = merged(mine, NEW)
    assert {"def double(x):\n    return 3 * x", MINE} <= set(found)


@pytest.mark.parametrize("lesson", catalogue.LESSONS, ids=lambda lesson: lesson.name)
def test_every_line_that_a_student_has_written_is_in_the_new_lesson(lesson):
    handed = Handed((lesson.number,))
    base, mine, new = (handout.lesson_for(lesson, handed) for _ in range(3))
    tagged = [cell for cell in mine.cells if "exercise" in cell.metadata.get("tags", [])]
    for number, cell in enumerate(tagged):
        cell.source = cell.source.replace("raise Todo", f"return 'written {number}'")
    mine.cells.insert(9, nbformat.v4.new_code_cell("my_own = 1"))
    for number, cell in enumerate(new.cells):
        if cell.cell_type == "markdown" and number % 3 == 0:
            cell.source += "\n\nAn addition."
    new.cells.insert(5, nbformat.v4.new_markdown_cell("A new paragraph."))
    result, conflicts = merge(base, mine, new)
    found = [cell.source for cell in result.cells]
    assert conflicts == []
    assert [cell.source for cell in result.cells if "exercise" in cell.metadata.get("tags", [])] == [
        cell.source for cell in tagged
    ]
    assert len(found) == len(new.cells) + 1
    assert "my_own = 1" in found
