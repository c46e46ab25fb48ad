import json
import zipfile
from pathlib import Path

import nbformat
import pytest

from oraledu.app import catalogue, generate, workspace
from oraledu.app.cli import main
from oraledu.app.errors import UserError
from oraledu.course import results, runtime
from oraledu.teach import handout
from oraledu.teach.handout import Handed
from tests.teach.conftest import CELLS, publish

NOTEBOOK = Path("lessons", "07_sums.ipynb")


def roster(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "students.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def test_a_folder_holds_the_pair_its_settings_a_start_and_no_solution(sums: Path, tmp_path: Path):
    assert handout.handout(tmp_path / "class") == [tmp_path / "class"]
    visible = {name for name in files(tmp_path / "class") if not name.startswith(".oraledu")}
    assert visible == {"START.md", "lessons/07_sums.ipynb", "lessons/07_sums.py", "lessons/jupytext.toml"}
    assert "`lessons/07_sums.ipynb`" in (tmp_path / "class" / "START.md").read_text("utf-8")


def test_both_halves_say_the_same_and_no_link_leads_to_a_solution(sums: Path, tmp_path: Path):
    handout.handout(tmp_path / "class")
    script = tmp_path / "class" / NOTEBOOK.with_suffix(".py")
    stored = nbformat.read(tmp_path / "class" / NOTEBOOK, as_version=4)
    nbformat.validate(stored)
    assert generate.render(stored) == script.read_text("utf-8")
    text = "\n".join(cell.source for cell in stored.cells)
    assert "solution" not in text
    assert "Add it to itself." in text
    assert [cell.outputs[0].text for cell in stored.cells if cell.get("outputs")] == ["4\n"]


@pytest.mark.parametrize("lesson", catalogue.LESSONS, ids=lambda lesson: lesson.name)
def test_no_lesson_of_the_course_keeps_a_link_to_its_solution_or_loses_code(lesson):
    before = nbformat.read(catalogue.source_folder("lessons") / f"{lesson.name}.ipynb", as_version=4)
    assert any("](../solutions/" in cell.source for cell in before.cells)
    for hints in (True, False):
        after = handout.lesson_for(lesson, Handed((lesson.number,), hints))
        texts = [cell.source for cell in after.cells]
        assert not [text for text in texts if "../solutions" in text or text != text.strip()]
        assert any("<summary>Hint 1 of" in text for text in texts) is hints
        code = [[cell.source for cell in each.cells if cell.cell_type == "code"] for each in (before, after)]
        assert code[0] == code[1]


def test_lab_and_reset_bring_no_solution_into_it(sums: Path, tmp_path: Path):
    folder = tmp_path / "class"
    handout.handout(folder, hints=False)
    handed_out = (folder / NOTEBOOK).read_text("utf-8")
    (folder / NOTEBOOK).write_text("{}", "utf-8")
    workspace.prepare(folder)
    assert (folder / NOTEBOOK).read_text("utf-8") == "{}"
    assert len(workspace.reset(folder, catalogue.LESSONS[0])) == 2
    assert (folder / NOTEBOOK).read_text("utf-8") == handed_out
    assert "Hint" not in handed_out
    assert not (folder / "solutions").exists()


def test_a_newer_course_is_said_and_the_same_one_is_not(sums: Path, tmp_path: Path):
    handout.handout(tmp_path / "class", hints=False)
    assert workspace.notes(tmp_path / "class") == []
    publish(sums, [*CELLS, ("markdown", "More.")])
    assert "another version of the course" in workspace.notes(tmp_path / "class")[0]


def test_each_student_of_a_roster_gets_a_folder_that_names_nobody(sums: Path, tmp_path: Path):
    made = handout.handout(tmp_path / "class", roster=roster(tmp_path, "zelda.doe,Zelda", "", '"bo"'))
    assert [path.name for path in made] == ["zelda.doe", "bo"]
    for path in made:
        assert not [each for each in path.rglob("*") if each.is_file() and b"zelda" in each.read_bytes()]
    marks = [handout.read(path) for path in made]
    assert len({mark.offset for mark in marks} | {0}) == len({mark.student for mark in marks} | {""}) == 3
    assert all(not cell.get("outputs") for path in made for cell in nbformat.read(path / NOTEBOOK, 4).cells)


def test_a_thousand_students_have_seeds_of_their_own():
    offsets = {handout.for_student(Handed(("04",)), f"student{number}").offset for number in range(1000)}
    assert len(offsets) == 1000
    assert min(offsets) >= 1000
    assert not {offset % 1000 for offset in offsets} - {0}


def test_a_lessons_seeds_are_the_students_in_such_a_folder_and_the_courses_elsewhere(
    sums: Path, tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.setattr(results, "BEGAN", tmp_path)
    common = runtime.start("07_sums").generator(3).initial_seed()
    folder, *_ = handout.handout(tmp_path / "class", roster=roster(tmp_path, "ada"))
    monkeypatch.chdir(folder / "lessons")
    own = runtime.start("07_sums").generator(3).initial_seed()
    assert (common, own) == (3, 3 + handout.read(folder).offset)
    assert [line.endswith(", data drawn for you.") for line in capsys.readouterr().out.splitlines()] == [
        False,
        True,
    ]
    (folder / ".oraledu" / "handout.json").write_text("{")
    with pytest.raises(ValueError, match=r"handout\.json is damaged; take it from"):
        runtime.start("07_sums")


def test_zips_hold_what_the_folders_hold(sums: Path, tmp_path: Path):
    names = roster(tmp_path, "ada", "bo")
    folders = handout.handout(tmp_path / "one", roster=names)
    zips = handout.handout(tmp_path / "two", roster=names, pack=True)
    assert [path.name for path in zips] == ["ada.zip", "bo.zip"]
    with zipfile.ZipFile(zips[0]) as archive:
        assert {name for name in archive.namelist() if not name.endswith("/")} == {
            f"ada/{each}" for each in files(folders[0])
        }
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["ada.zip", "bo.zip"]
    assert handout.handout(tmp_path / "three", pack=True) == [tmp_path / "three.zip"]
    assert not list(tmp_path.glob(".handout-*"))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([""], "is empty"),
        (["ada", "../bo"], "'../bo' cannot name a folder"),
        ([".oraledu"], "cannot name a folder"),
        (["=ada"], "cannot name a folder"),
        ([",Ada"], "'' cannot name a folder"),
        (["ada", "Ada"], "'Ada' stands twice"),
    ],
)
def test_a_roster_that_is_not_clear_is_one_line_and_nothing_is_made(
    sums: Path, tmp_path: Path, lines, said: str
):
    with pytest.raises(UserError, match=said):
        handout.handout(tmp_path / "class", roster=roster(tmp_path, *lines))
    assert not (tmp_path / "class").exists()


def test_a_roster_that_is_no_text_is_one_line(sums: Path, tmp_path: Path):
    (tmp_path / "students.csv").write_bytes(b"PK\xff\xfe\x00")
    with pytest.raises(UserError, match="is no text; a roster has one student a line"):
        handout.handout(tmp_path / "class", roster=tmp_path / "students.csv")


def test_nothing_is_written_over(sums: Path, tmp_path: Path):
    (tmp_path / "class").mkdir()
    handout.handout(tmp_path / "class")
    with pytest.raises(
        UserError, match="holds something; name a new folder, or bring it up to date with --update"
    ):
        handout.handout(tmp_path / "class")
    with pytest.raises(UserError, match="belongs to the course itself"):
        handout.handout(catalogue.PACKAGE.parent / "lessons")
    (tmp_path / "other.zip").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        handout.handout(tmp_path / "other", pack=True)
    assert (tmp_path / "other.zip").read_text() == "mine"


def test_the_command_takes_lessons_by_numbers_and_refuses_what_means_nothing(tmp_path: Path, capsys):
    assert main(["handout", "autumn", "--lessons", "04,1"]) == 0
    assert capsys.readouterr().out == "Hand out autumn\n"
    assert json.loads((tmp_path / "autumn/.oraledu/handout.json").read_text())["lessons"] == ["01", "04"]
    assert workspace.notes(tmp_path / "autumn") == []
    assert main(["reset", "02", "autumn"]) == 2
    assert "was handed out with lessons 01, 04, without 02" in capsys.readouterr().err
    for words, said in (
        (["handout", "x", "--lessons", "4,9"], "there is no lesson '9'"),
        (["handout", "autumn", "--update", "--zip"], "--update takes DIR alone"),
        (["handout", "nowhere", "--update"], "nowhere was not handed out"),
        (["handout"], "Missing argument 'DIR'"),
    ):
        assert main(words) == 2
        assert said in capsys.readouterr().err
