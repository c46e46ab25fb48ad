import html
import json
import re
from pathlib import Path

import nbformat
import pytest

from oraledu.app import catalogue
from oraledu.book.explorers import explorer_html, is_explorer

SHOWN = {"picture": "a.png", "alt": "A <line>.", "size": (300, 150), "address": "_static/frames/04"}
CONTROLS = [
    {"label": "height <cm>", "kind": "range", "words": ["0", "1", "2"], "start": 1},
    {"label": "side", "kind": "select", "words": ["left", "right"], "start": 1},
    {"label": "filled", "kind": "checkbox", "words": ["no", "yes"], "start": 1},
]


@pytest.fixture
def folder(tmp_path) -> Path:
    """Frames of one cell, of which a page needs only the description."""
    known = {"alt": "A <line>.", "positions": 12, "controls": CONTROLS}
    (tmp_path / "cell.json").write_text(json.dumps(known), "utf-8")
    return tmp_path


def test_each_control_stands_where_it_stood_in_the_notebook(folder):
    written = explorer_html(folder, "cell", **SHOWN)
    slider = re.search(r"<input type=.range.[^>]*>", written)[0]
    assert 'min="0" max="2" value="1" aria-valuetext="1"' in slider
    assert "<option>left</option><option selected>right</option>" in written
    assert '<input type="checkbox" checked>' in written
    assert "<span>height &lt;cm&gt;</span>" in written


def test_the_stored_picture_and_its_words_stand_there_before_any_script_runs(folder):
    written = explorer_html(folder, "cell", **SHOWN)
    assert '<img src="a.png" alt="A &lt;line&gt;." width="300" height="150">' in written
    assert 'aria-label="Controls of the picture" hidden>' in written
    assert 'data-frames="_static/frames/04/cell"' in written


def test_a_page_says_how_many_positions_it_leaves_out(folder):
    assert "for every position" in explorer_html(folder, "cell", **SHOWN)
    source = folder / "cell.json"
    source.write_text(source.read_text("utf-8").replace('"positions": 12', '"positions": 5103'), "utf-8")
    assert "for 12 of the 5,103 positions" in explorer_html(folder, "cell", **SHOWN)


@pytest.mark.parametrize(
    ("there", "cell", "alt"),
    [(False, "cell", "A <line>."), (True, "another", "A <line>."), (True, "cell", "Another line.")],
    ids=["no frames", "no frames of this cell", "frames of another state"],
)
def test_without_its_own_frames_an_explorer_is_a_picture_and_says_so(folder, there, cell, alt):
    written = explorer_html(folder if there else None, cell, **(SHOWN | {"alt": alt}))
    assert f'alt="{html.escape(alt)}"' in written
    assert "In the notebook this picture has controls." in written
    assert "<input" not in written
    assert "data-frames" not in written


@pytest.mark.parametrize("lesson", catalogue.LESSONS, ids=lambda lesson: lesson.name)
def test_the_explorers_of_a_stored_lesson_are_told_from_its_figures(lesson):
    notebook = nbformat.read(catalogue.source_folder("lessons") / f"{lesson.name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [cell.source for cell in code if is_explorer(cell)]
    assert shown == [
        cell.source
        for cell in code
        if re.search(r"^views\.\w+_explorer\(", cell.source, re.MULTILINE) and cell.outputs
    ]
    assert len(shown) > 4
