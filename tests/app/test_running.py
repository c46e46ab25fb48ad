import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import nbformat
import pytest

from oraledu.app import running
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from tests.app.small_course import LESSON, write_pair

TODAY = date.today().isoformat()
SETTINGS = "import os; print(os.environ['ORALEDU_SCALE'], os.environ.get('ORALEDU_DEVICE'))"


def printed(path: Path) -> list[str]:
    """Return what each code cell of a notebook has printed."""
    cells = nbformat.read(path, as_version=4).cells
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]


def test_the_copy_lies_in_a_folder_of_its_own_and_was_run_as_asked(sources: Path, tmp_path: Path, capsys):
    source = write_pair(sources / "lessons", LESSON.name, SETTINGS)
    before = source.read_bytes()
    assert running.run(LESSON, scale="full", device="auto") == 0
    copy = tmp_path / "runs" / f"{TODAY}-07_sums-full-auto" / "07_sums.ipynb"
    assert printed(copy) == ["full auto\n"]
    assert f"The executed copy is {copy.relative_to(tmp_path)}" in capsys.readouterr().out
    assert source.read_bytes() == before


def test_a_second_run_of_the_day_has_another_folder(tmp_path: Path):
    first, second = running._new_folder("a"), running._new_folder("a")
    assert (first, second) == (Path("runs/a"), Path("runs/a-2"))


def test_a_failing_cell_is_one_line_and_what_was_done_before_it_is_kept(
    sources: Path, tmp_path: Path, capsys
):
    write_pair(
        sources / "lessons", LESSON.name, "print('first')", "raise ValueError('no GPU here')", "print('last')"
    )
    assert running.run(LESSON) == 1
    assert "07_sums stopped with ValueError: no GPU here\n" in capsys.readouterr().out
    assert printed(tmp_path / "runs" / f"{TODAY}-07_sums-quick" / "07_sums.ipynb") == ["first\n", "", ""]


def test_a_kernel_that_dies_is_one_line(sources: Path, capsys):
    write_pair(sources / "lessons", LESSON.name, "import os; os._exit(1)")
    assert running.run(LESSON) == 1
    assert "07_sums stopped: its kernel died" in capsys.readouterr().out


def test_an_interrupted_run_shows_only_what_was_run(sources: Path, tmp_path: Path, monkeypatch):
    notebook = nbformat.read(sources / "lessons" / "07_sums.ipynb", as_version=4)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="of an earlier run")]
    nbformat.write(notebook, sources / "lessons" / "07_sums.ipynb")

    @contextlib.contextmanager
    def interrupt(self: object, **options: object) -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(running.NotebookClient, "setup_kernel", interrupt)
    with pytest.raises(KeyboardInterrupt):
        running.run(LESSON)
    assert printed(tmp_path / "runs" / f"{TODAY}-07_sums-quick" / "07_sums.ipynb") == [""]


def test_the_progress_bar_counts_the_cells_and_is_off_in_ci(sources: Path, monkeypatch, capsys):
    monkeypatch.setenv("CI", "true")
    running.run(LESSON)
    assert "cell" not in capsys.readouterr().err
    monkeypatch.delenv("CI")
    running.run(LESSON)
    assert "1/1" in capsys.readouterr().err


def test_a_missing_lesson_is_said_before_a_folder_is_made(sources: Path, tmp_path: Path):
    with pytest.raises(UserError, match=r"08_products\.ipynb is missing"):
        running.run(Lesson("08", "08_products", "products", "Products"))
    assert not (tmp_path / "runs").exists()
