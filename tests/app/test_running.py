import contextlib
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock
from nbclient.exceptions import DeadKernelError

from oraledu.app import catalogue, cli, running, watching
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course import runfolder
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


def test_assertions_that_do_not_hold_at_a_larger_scale_are_named_at_the_end(sources: Path, capsys):
    begin = "from oraledu.course.runtime import start; run = start('07_sums')"
    write_pair(sources / "lessons", LESSON.name, begin, "assert 1 > 2\nprint('on')", "assert 2 > 1")
    assert running.run(LESSON, scale="middle", device="cpu") == 0
    assert "cell 1: Does not hold at this scale: 1 > 2\n" in capsys.readouterr().out
    assert running.run(LESSON, scale="quick") == 1
    assert "07_sums stopped with AssertionError" in capsys.readouterr().out


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


GOES_ON = "from oraledu.course.runtime import start; run = start('07_sums'); print('to the end')"


@pytest.fixture
def stopped(sources: Path, tmp_path: Path, monkeypatch) -> Path:
    """The folder of a run whose kernel died, and would not a second time."""
    write_pair(sources / "lessons", LESSON.name, GOES_ON)

    def die(*_: object) -> None:
        raise DeadKernelError

    with monkeypatch.context() as patch:
        patch.setattr(running, "_execute", die)
        assert running.run(LESSON) == 1
    return tmp_path / "runs" / f"{TODAY}-07_sums-quick"


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines of the errors so far."""
    return capsys.readouterr().err.splitlines()


def test_a_run_that_was_cut_off_is_ended_in_its_folder(stopped: Path, capsys):
    assert cli.main(["run", "--resume", str(stopped)]) == 0
    assert "to the end" in printed(stopped / "07_sums.ipynb")[0]
    assert cli.main(["run", "--resume", str(stopped)]) == 0
    assert "is finished" in capsys.readouterr().out
    assert len(list(stopped.parent.iterdir())) == 1


@pytest.mark.parametrize(("answer", "folders"), [(True, 1), (False, 2)])
def test_a_second_call_offers_to_go_on(stopped: Path, monkeypatch, answer: bool, folders: int):
    monkeypatch.setattr(running.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(running.click, "confirm", lambda *_, **__: answer)
    assert running.run(LESSON) == 0
    assert len(list(stopped.parent.iterdir())) == folders


def test_off_a_terminal_it_only_names_the_folder(stopped: Path, capsys):
    running.run(LESSON)
    assert f"'oraledu run --resume runs/{stopped.name}' goes on from there" in capsys.readouterr().out
    assert len(list(stopped.parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lesson": "04_grokking"}, "there is no lesson|is damaged"),
        ({"torch": "1.0"}, "was begun with torch 1.0, not 2"),
        ({"oraledu": "0.0"}, "was begun with oraledu 0.0, not"),
        ({"source": "x"}, "was begun with another state of the package"),
        ({"text": "x"}, "was begun with another text of the lesson"),
        ({"device": "cuda"}, "was begun with device cuda, not cpu"),
        (None, "run.json is damaged"),
    ],
)
def test_a_run_that_cannot_go_on_is_one_line(stopped: Path, capsys, changes, words: str):
    path = stopped / runfolder.FILE
    found = json.loads(path.read_text())
    path.write_text("{" if changes is None else json.dumps({**found, **changes}))
    assert cli.main(["run", "--resume", str(stopped)]) == 2
    (line,) = said(capsys)
    assert re.search(words, line)


def test_what_is_asked_for_must_be_what_the_folder_holds(stopped: Path, sources: Path, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "LESSONS", (LESSON, Lesson("08", "08_products", "products", "Products")))
    for words, told in (
        (["run", "08", "--resume", str(stopped)], "holds a run of 07_sums, not of 08_products"),
        (["run", "--resume", str(stopped), "--scale", "full"], "begun with scale quick, not full"),
        (["run", "--resume", str(stopped.parent)], "is no folder of a run: it has no run.json"),
        (["run"], "name a lesson"),
    ):
        assert cli.main(words) == 2
        (line,) = said(capsys)
        assert told in line


def test_a_device_that_is_not_there_is_said_before_a_folder_is_made(sources: Path, tmp_path: Path, capsys):
    assert cli.main(["run", "07", "--device", "mps"]) == 2
    (line,) = said(capsys)
    assert "torch finds none here" in line
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_made_is_one_line(sources: Path, tmp_path: Path, capsys):
    (tmp_path / "runs").touch()
    assert cli.main(["run", "07"]) == 2
    (line,) = said(capsys)
    assert "choose a place that you may write to" in line


def test_two_processes_do_not_work_in_one_folder(stopped: Path, capsys):
    with FileLock(stopped / "lock"):
        assert cli.main(["run", "--resume", str(stopped)]) == 2
    (line,) = said(capsys)
    assert "another process is at work" in line


@pytest.mark.parametrize("kind", ["KeepError", "OutOfMemoryError"])
def test_what_can_be_mended_is_one_line_and_what_was_done_stays(
    sources: Path, tmp_path: Path, capsys, kind: str
):
    raises = f"class {kind}(RuntimeError): pass\nraise {kind}('it is full')"
    write_pair(sources / "lessons", LESSON.name, "print('first')", raises)
    assert cli.main(["run", "07"]) == 2
    (line,) = [line for line in said(capsys) if not line.startswith("[")]
    assert "it is full; 'oraledu run --resume runs/" in line
    assert printed(tmp_path / "runs" / f"{TODAY}-07_sums-quick" / "07_sums.ipynb")[0] == "first\n"


def test_the_bar_tells_the_time_left(tmp_path: Path):
    notes = tmp_path / runfolder.PROGRESS
    notes.mkdir()
    (notes / "1.json").write_text(json.dumps({"call": "fit", "share": 0.25, "left": 3725}))
    (notes / "2.json").write_text(json.dumps({"call": "train", "share": 0.5, "left": None}))
    (notes / "3.json").write_text("{")
    assert watching.told(tmp_path) == "fit 25%, 1:02:05 left; train 50%"
