import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from oraledu.app import catalogue
from oraledu.book import frames
from oraledu.book.explorers import explorer_html, placed

LESSON = catalogue.lesson("04")
WORDS = "A <line>."
CONTROLS = [
    {"label": "height <cm>", "kind": "range", "words": ["0", "1", "2"], "start": 1},
    {"label": "side", "kind": "select", "words": ["left", "right"], "start": 1},
    {"label": "filled", "kind": "checkbox", "words": ["no", "yes"], "start": 1},
]


@pytest.fixture
def folder(tmp_path) -> Path:
    """Frames of one cell, of which a page needs only the description."""
    made = tmp_path / "kept"
    made.mkdir()
    known = {"alt": WORDS, "positions": 12, "controls": CONTROLS}
    (made / "cell.json").write_text(json.dumps(known), "utf-8")
    for ending in ("js", "webp"):
        (made / f"cell.{ending}").write_text(ending, "utf-8")
    return made


@pytest.fixture
def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (600, 300)).save(file, format="png")
    return file.getvalue()


@pytest.fixture
def written(folder, picture) -> str:
    return explorer_html(folder, "cell", picture, WORDS, "_static/frames/04")


def test_each_control_stands_where_it_stood_in_the_notebook(written):
    slider = re.search(r"<input type=.range.[^>]*>", written)[0]
    assert 'min="0" max="2" value="1" aria-valuetext="1"' in slider
    assert "<option>left</option><option selected>right</option>" in written
    assert '<input type="checkbox" checked>' in written
    assert "<span>height &lt;cm&gt;</span>" in written


def test_the_stored_picture_and_its_words_stand_there_before_any_script_runs(written):
    image = re.search(r"<img [^>]*>", written)[0]
    assert 'src="_static/frames/04/cell.png" alt="A &lt;line&gt;." width="300" height="150"' in image
    assert 'aria-label="Controls of the picture" hidden>' in written
    assert 'data-frames="_static/frames/04/cell"' in written


def test_a_page_says_how_many_positions_it_leaves_out(folder, picture, written):
    assert "for every position" in written
    source = folder / "cell.json"
    source.write_text(source.read_text("utf-8").replace('"positions": 12', '"positions": 5103'), "utf-8")
    assert "for 12 of the 5,103 positions" in explorer_html(folder, "cell", picture, WORDS, "here")


@pytest.mark.parametrize(
    ("cell", "words"), [("another", WORDS), ("cell", "Another line.")], ids=["of no cell", "of another state"]
)
def test_without_frames_of_its_own_an_explorer_is_left_to_the_page(folder, picture, cell, words):
    assert explorer_html(folder, cell, picture, words, "here") == ""


def test_a_page_finds_what_it_loads_in_the_static_folder(folder, picture, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "kept", lambda lesson: folder)
    write = placed(LESSON, tmp_path / "_static", "../_static")
    text = write("cell", picture, WORDS)
    sources = re.findall(r'(?:src|data-frames)="\.\./(_static/[^"]+)"', text)
    assert sources == ["_static/frames/04_grokking/cell", "_static/frames/04_grokking/cell.png"]
    there = {str(file.relative_to(tmp_path)) for file in (tmp_path / "_static").rglob("*.*")}
    assert there == {f"{sources[0]}.{ending}" for ending in ("js", "webp", "png")}
    assert write("another", picture, WORDS) == ""


def test_where_no_frames_are_kept_every_explorer_is_left_to_the_page(picture, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "kept", lambda lesson: None)
    assert placed(LESSON, tmp_path, "../_static")("cell", picture, WORDS) == ""
