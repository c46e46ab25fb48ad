import errno
import os
import re
import shlex
import shutil
import tomllib
from datetime import date
from pathlib import Path

import nbformat
import pytest
from jupytext import TextFileContentsManager
from nbformat.sign import NotebookNotary
from tornado.web import HTTPError

from oraledu.app import catalogue, cli, workspace
from oraledu.app.errors import UserError

LESSON = "lessons/07_sums"
TODAY = date.today().isoformat()


@pytest.fixture
def work(sources: Path, tmp_path: Path) -> Path:
    """A learner's folder, just made."""
    folder = tmp_path / "mine" / "work"
    workspace.prepare(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder, the database of signatures aside."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".db")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_lessons_and_solutions_are_copied_beside_each_other(work: Path, sources: Path):
    for kind in ("lessons", "solutions"):
        for ending in (".ipynb", ".py"):
            name = f"{kind}/07_sums{ending}"
            assert (work / name).read_bytes() == (sources / name).read_bytes()


def test_the_folder_is_marked_for_the_results(work: Path):
    assert (work / ".oraledu").is_dir()


def settings(folder: Path) -> dict[str, object]:
    """Return how jupytext pairs the notebooks of a folder."""
    return tomllib.loads((folder / "jupytext.toml").read_text("utf-8"))


@pytest.mark.parametrize("kind", ["lessons", "solutions"])
def test_saving_there_writes_both_halves_as_in_the_checkout(work: Path, kind: str):
    there, here = settings(work / kind), settings(catalogue.PACKAGE.parent / kind)
    assert there["formats"] == "ipynb,py:percent"
    margins = [each.pop("outdated_text_notebook_margin") for each in (there, here)]
    assert there == here
    # Of the checkout the scripts are the source. Of a learner's pair either may hold the newer work.
    assert margins[0] <= 1 < margins[1]


@pytest.mark.parametrize("seconds", [5, 59])
def test_what_another_editor_wrote_after_the_last_save_is_not_passed_over(work: Path, seconds: int):
    contents = TextFileContentsManager(root_dir=str(work))
    notebook = nbformat.read(work / f"{LESSON}.ipynb", as_version=4)
    later = (work / f"{LESSON}.py").stat().st_mtime + seconds
    os.utime(work / f"{LESSON}.ipynb", (later, later))
    assert contents.get(f"{LESSON}.ipynb")["type"] == "notebook"  # the same work, under a later time
    notebook.cells[0].source += "  # more"
    nbformat.write(notebook, work / f"{LESSON}.ipynb")
    os.utime(work / f"{LESSON}.ipynb", (later, later))
    with pytest.raises(HTTPError, match="more"):
        contents.get(f"{LESSON}.ipynb")


def test_an_earlier_folder_gets_the_margin_and_keeps_all_else(work: Path):
    path = work / "lessons" / "jupytext.toml"
    path.write_text(path.read_text().replace("margin = 1\n", "margin = 60\n") + "# mine\n")
    workspace.prepare(work)
    assert path.read_text() == workspace.PAIRING + "# mine\n"


def test_no_script_is_older_than_its_notebook(work: Path):
    for notebook in work.glob("*/*.ipynb"):
        assert notebook.with_suffix(".py").stat().st_mtime_ns >= notebook.stat().st_mtime_ns


def test_the_copies_are_trusted_and_nothing_else_is(work: Path):
    notary = NotebookNotary(data_dir=str(work / ".oraledu"))
    notebook = nbformat.read(work / f"{LESSON}.ipynb", as_version=4)
    assert notary.check_signature(notebook)
    notebook.cells[0].source = "print('another')"
    assert not notary.check_signature(notebook)
    notary.store.close()


def test_a_second_time_nothing_is_written(work: Path):
    (work / f"{LESSON}.ipynb").write_text("my work")
    (work / f"{LESSON}.py").write_text("my work")
    (work / "lessons" / "jupytext.toml").write_text("# my own")
    before = contents(work)
    assert workspace.prepare(work) == []
    assert contents(work) == before


@pytest.mark.parametrize(("kept", "gone"), [(".ipynb", ".py"), (".py", ".ipynb")])
def test_half_a_pair_is_left_alone(work: Path, kept: str, gone: str):
    (work / f"{LESSON}{kept}").write_text("my answers")
    (work / f"{LESSON}{gone}").unlink()
    workspace.prepare(work)
    assert not (work / f"{LESSON}{gone}").exists()
    assert (work / f"{LESSON}{kept}").read_text() == "my answers"


def test_a_lesson_that_came_later_is_added(work: Path, sources: Path):
    for ending in (".ipynb", ".py"):
        (work / f"{LESSON}{ending}").unlink()
    assert workspace.prepare(work) == [work / f"{LESSON}.ipynb"]


def test_reset_puts_a_fresh_copy_and_keeps_the_old_one(work: Path, sources: Path):
    for ending in (".ipynb", ".py"):
        (work / f"{LESSON}{ending}").write_text(f"mine{ending}")
    (work / "solutions" / "07_sums.py").write_text("of an earlier course")
    kept = workspace.reset(work, catalogue.LESSONS[0])
    assert [str(path.relative_to(work)) for path in kept] == [
        f"{kind}/07_sums_{TODAY}{ending}" for kind in ("lessons", "solutions") for ending in (".ipynb", ".py")
    ]
    assert [kept[n].read_text() for n in (0, 1, 3)] == ["mine.ipynb", "mine.py", "of an earlier course"]
    solution = "solutions/07_sums.py"
    assert (work / solution).read_bytes() == (sources / solution).read_bytes()
    for ending in (".ipynb", ".py"):
        assert (work / f"{LESSON}{ending}").read_bytes() == (sources / f"{LESSON}{ending}").read_bytes()


def test_two_resets_on_one_day_lose_nothing(work: Path):
    for text in ("first", "second", "third"):
        (work / f"{LESSON}.py").write_text(text)
        workspace.reset(work, catalogue.LESSONS[0])
    kept = sorted((work / "lessons").glob("07_sums_*.py"))
    assert [path.name for path in kept] == [f"07_sums_{TODAY}{end}.py" for end in ("", "_2", "_3")]
    assert [path.read_text() for path in kept] == ["first", "second", "third"]


@pytest.mark.parametrize("full_at", [".py", ".ipynb"])
def test_a_full_disk_leaves_no_half_and_the_next_time_all_is_copied(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_at: str
):
    copy = shutil.copyfile

    def fill(source: Path, target: Path) -> Path:
        if str(target).endswith(full_at):
            target.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(target))
        return copy(source, target)

    with monkeypatch.context() as context:
        context.setattr(shutil, "copyfile", fill)
        with pytest.raises(OSError, match="No space"):
            workspace.prepare(tmp_path / "work")
    assert list((tmp_path / "work").rglob("07_sums*")) == []
    workspace.prepare(tmp_path / "work")
    for ending in (".ipynb", ".py"):
        assert (tmp_path / "work" / f"{LESSON}{ending}").read_bytes() == (
            sources / f"{LESSON}{ending}"
        ).read_bytes()


def test_a_folder_inside_a_folder_of_lessons_is_refused(work: Path):
    with pytest.raises(UserError, match=f"lies in your folder of lessons {work}"):
        workspace.prepare(work / "lessons")
    assert not (work / "lessons" / "lessons").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_served(work: Path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != work / ".oraledu")
    with pytest.raises(UserError, match="cannot be written; choose another folder"):
        workspace.prepare(work)


def test_a_fresh_folder_has_no_surprises_and_the_learners_own_work_is_none(work: Path):
    (work / f"{LESSON}.py").write_text("my answers")
    (work / "lessons" / "my_notes.py").touch()
    assert workspace.notes(work) == []


@pytest.mark.parametrize("kept", [True, False])
def test_a_lesson_of_an_earlier_course_is_said_also_where_no_copy_tells(
    work: Path, sources: Path, kept: bool
):
    if not kept:
        (work / ".oraledu" / "07_sums.py").unlink()
    for kind in ("lessons", "solutions"):
        (sources / kind / "07_sums.py").write_text("# the course has moved on")
    (line,) = workspace.notes(work)
    assert line.startswith("Lesson 07 comes from another version of the course; 'oraledu reset 07 ")
    workspace.reset(work, catalogue.LESSONS[0])
    assert workspace.notes(work) == []


@pytest.mark.parametrize("gone", [".py", ".ipynb"])
def test_half_a_lesson_is_said_with_the_way_to_a_whole_one(work: Path, gone: str):
    (work / f"{LESSON}{gone}").unlink()
    (line,) = workspace.notes(work)
    assert re.match(r"Of lesson 07 only 07_sums\.\w+ is here; 'oraledu reset 07 ", line)


def test_the_way_to_a_fresh_lesson_leads_there_from_any_folder(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for place in (tmp_path, work, work.parent):
        monkeypatch.chdir(place)
        (work / f"{LESSON}.py").unlink()
        (line,) = workspace.notes(work)
        assert cli.main(shlex.split(line.split("'")[1])[1:]) == 0
        assert workspace.notes(work) == []


def test_a_file_or_folder_that_hides_a_package_is_said(work: Path):
    for name in ("numpy/__init__.py", "oraledu.py", "torch.py", "types.py", "helpers.py", "scipy/notes.txt"):
        (work / "lessons" / name).parent.mkdir(exist_ok=True)
        (work / "lessons" / name).touch()
    lines = workspace.notes(work)
    assert [line.split()[0] for line in lines] == [
        str(work / f"lessons/{name}") for name in ("numpy", "oraledu.py", "torch.py", "types.py")
    ]
    assert all(line.endswith("rename it.") for line in lines)


def test_reset_touches_no_results(work: Path):
    (work / ".oraledu" / "results.json").write_text("{}")
    workspace.reset(work, catalogue.LESSONS[0])
    assert (work / ".oraledu" / "results.json").read_text() == "{}"


def test_only_a_folder_that_lab_made_is_reset(tmp_path: Path, sources: Path):
    with pytest.raises(UserError, match="is no folder of lessons; 'oraledu lab"):
        workspace.reset(tmp_path, catalogue.LESSONS[0])


@pytest.mark.parametrize("place", ["", "lessons", "solutions/mine", "oraledu/app", "tests"])
def test_the_checkout_itself_is_refused(place: str):
    with pytest.raises(UserError, match="choose a folder of your own"):
        workspace.prepare(catalogue.PACKAGE.parent / place)


def test_a_course_without_lessons_says_so(sources: Path, tmp_path: Path):
    (sources / "lessons" / "07_sums.ipynb").unlink()
    with pytest.raises(UserError, match="has no lessons"):
        workspace.prepare(tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_the_first_lesson_is_opened_by_whichever_half_is_there(work: Path):
    assert workspace.first_lesson(work) == Path(f"{LESSON}.ipynb")
    (work / f"{LESSON}.ipynb").unlink()
    assert workspace.first_lesson(work) == Path(f"{LESSON}.py")


def test_the_folder_is_the_one_that_you_are_in_or_else_work(work: Path, tmp_path: Path, monkeypatch):
    assert workspace.default_folder() == Path("work")
    monkeypatch.chdir(work / "lessons")
    assert workspace.default_folder() == work
    assert os.getcwd() != str(work)
