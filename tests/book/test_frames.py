import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.book import frames
from oraledu.course.alt import spoken
from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, subplots
from tests.book.drawn import bars, words
from tests.book.unpack import differing, frames_of, index_of

BARS = "from tests.book.drawn import bars\nbars()"


def read(target: Path) -> tuple[list[np.ndarray], list[str], dict]:
    index = index_of(target.with_suffix(".js").read_text("utf-8"))
    about = json.loads(target.with_suffix(".json").read_text("utf-8"))
    return frames_of(target.with_suffix(".webp").read_bytes(), index), index["words"], about


def drawn(explorer, **values) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(explorer.frame(values).png)).convert("RGB"))


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    """One for all tests: it keeps what it has drawn."""
    return bars()


def test_every_position_is_kept_with_its_picture_and_its_words(explorer, tmp_path):
    frames.keep(explorer, tmp_path / "cell")
    pictures, said, about = read(tmp_path / "cell")
    places = [(h, side, filled) for h in range(7) for side in ("left", "right") for filled in (False, True)]
    assert said == [words(*place) for place in places]
    number = places.index((5, "right", True))
    assert np.array_equal(pictures[number], drawn(explorer, height=5, side="right", filled=True))
    assert differing(pictures) == len(places) - 1
    assert about["alt"] == words(3, "left", False)
    assert about["positions"] == 28
    assert [each["kind"] for each in about["controls"]] == ["range", "select", "checkbox"]


def test_too_many_positions_are_thinned_and_their_number_is_kept(explorer, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "MOST_DRAWN", 16)
    frames.keep(explorer, tmp_path / "cell")
    pictures, said, about = read(tmp_path / "cell")
    assert len(pictures) == len(said) == 12
    assert about["positions"] == 28
    assert about["controls"][0]["words"] == ["0", "3", "6"]


def test_what_is_too_large_is_rounded_first_and_thinned_next(explorer, tmp_path, monkeypatch):
    tried = []

    def packed(some, levels):
        tried.append((len(some), levels))
        return (b"sprite", "script"), len(some) / 15

    monkeypatch.setattr(frames, "_packed", packed)
    frames.keep(explorer, tmp_path / "cell")
    assert tried == [(28, 256), (28, 32), (12, 256)]


def test_the_files_of_an_explorer_stay_below_the_limit(explorer, tmp_path, monkeypatch):
    def size() -> int:
        frames.keep(explorer, tmp_path / "cell")
        return sum((tmp_path / f"cell.{ending}").stat().st_size for ending in ("webp", "js"))

    limit = int(0.9 * size())
    monkeypatch.setattr(frames, "LEVELS", (256,))
    monkeypatch.setattr(frames, "MOST_BYTES", limit)
    assert size() <= limit + len('oraledu.frames("cell", "");\n')
    assert len(read(tmp_path / "cell")[0]) < 28


def test_what_cannot_become_small_says_so(explorer, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "MOST_TILES", 10)
    with pytest.raises(ValueError, match="12 positions take more than"):
        frames.keep(explorer, tmp_path / "cell")


def test_a_position_that_cannot_be_drawn_says_why(tmp_path):
    def draw(height: int) -> Figure:
        if height == 1:
            raise ValueError("1 is too low")
        return subplots(alt=f"At {height}.", width=300, height=150)[0]

    frames.keep(explore(draw, height=[0, 1, 2]), tmp_path / "cell")
    pictures, said, _ = read(tmp_path / "cell")
    assert said == ["At 0.", "The figure could not be drawn. ValueError: 1 is too low", "At 2."]
    assert differing(pictures) == 2


def test_what_is_no_explorer_is_passed_over(tmp_path):
    frames.keep("a string", tmp_path / "cell")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def lesson(tmp_path, monkeypatch) -> Lesson:
    """A lesson with an explorer between two cells, in a folder of its own."""
    sources = ("x = 1", BARS, "raise RuntimeError('nothing to draw here')")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in sources])
    said = {"text/html": spoken("A bar.", role="status"), "text/plain": ""}
    notebook.cells[1].outputs = [nbformat.v4.new_output("display_data", said)]
    notebook.cells[1].id = "cell"
    nbformat.write(notebook, tmp_path / "04_grokking.ipynb")
    monkeypatch.setattr(catalogue, "source_folder", lambda kind: tmp_path)
    monkeypatch.setenv("ORALEDU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return catalogue.lesson("04")


def test_a_lesson_is_run_once_and_its_frames_are_found_again(lesson, monkeypatch):
    assert frames.kept(lesson) is None
    folder = frames.collect(lesson)
    assert sorted(file.name for file in folder.iterdir()) == ["cell.js", "cell.json", "cell.webp"]
    assert len(read(folder / "cell")[0]) == 28
    monkeypatch.setattr(frames, "execute", None)
    assert frames.collect(lesson) == frames.kept(lesson) == folder


def test_frames_of_an_earlier_text_are_not_taken_and_go_when_new_ones_come(lesson, tmp_path, monkeypatch):
    earlier = frames._folder(lesson)
    earlier.mkdir(parents=True)
    source = tmp_path / "04_grokking.ipynb"
    source.write_text(source.read_text("utf-8").replace("x = 1", "x = 2"), "utf-8")
    assert frames.kept(lesson) is None
    monkeypatch.setattr(frames, "execute", lambda *arguments: None)
    assert frames.collect(lesson).parent == earlier.parent
    assert not earlier.exists()


def test_frames_that_were_not_finished_do_not_count(lesson, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(frames, "execute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        frames.collect(lesson)
    assert frames.kept(lesson) is None


def test_what_follows_the_last_explorer_counts_for_nothing(lesson, tmp_path):
    before = frames._folder(lesson)
    source = tmp_path / "04_grokking.ipynb"
    source.write_text(source.read_text("utf-8").replace("nothing to draw", "something else"), "utf-8")
    assert frames._folder(lesson) == before


@pytest.mark.parametrize("lesson", catalogue.LESSONS, ids=lambda lesson: lesson.name)
def test_the_explorers_of_a_stored_lesson_are_told_from_its_figures(lesson):
    folder = Path(catalogue.source_folder("solutions"))
    cells = nbformat.read(folder / f"{lesson.name}.ipynb", as_version=4).cells
    drawn_now = [cell for cell in cells if cell.cell_type == "code" and "image/png" in str(cell.outputs)]
    called = [
        cell.id for cell in drawn_now if re.search(r"^views\.\w+_explorer\(", cell.source, re.MULTILINE)
    ]
    assert [cell.id for cell in cells if frames._shows_explorer(cell)] == called
    assert len(called) > 4
