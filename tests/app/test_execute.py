"""Running a notebook and keeping what the next run will give again."""

import base64
import io

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError
from PIL import Image

from oraledu.app import generate
from oraledu.app.execute import (
    WIDGET_VIEW,
    comparable_run,
    execute,
    never_executed,
    pictures,
    printed,
    stable_outputs,
    thinned,
)
from oraledu.course.figures import subplots

new_output = nbformat.v4.new_output


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, format="png")
    return base64.b64encode(file.getvalue()).decode()


def image(text):
    return Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")


def run(text, tmp_path, **options):
    with comparable_run() as environment:
        return execute(generate.parse(text), tmp_path, environment, **options)


def test_every_cell_is_run_in_the_given_folder_and_keeps_its_count(tmp_path):
    done = run("# %%\nimport os\nprint(os.getcwd())\n\n# %%\n1 + 1", tmp_path)
    assert [cell.execution_count for cell in done.cells] == [1, 2]
    assert printed(done.cells[0]) == [f"{tmp_path}\n"]
    assert printed(done.cells[1]) == ["2"]


def test_a_cell_that_raises_stops_the_run_and_names_the_error(tmp_path):
    with pytest.raises(CellExecutionError, match="the reason"):
        run("# %%\nraise ValueError('the reason')", tmp_path)


def test_no_time_and_no_version_stays_in_the_notebook(tmp_path):
    done = run("# %%\nx = 1", tmp_path)
    assert done.cells[0].metadata == {}
    assert done.metadata == {"kernelspec": generate.KERNEL, "language_info": generate.LANGUAGE}
    assert "version" not in generate.LANGUAGE


def test_a_comparable_run_has_one_thread_no_bars_and_an_empty_cache_that_goes_away():
    with comparable_run({"ORALEDU_THREADS": "2"}) as environment:
        from pathlib import Path

        cache = Path(environment["ORALEDU_CACHE"])
        assert list(cache.iterdir()) == []
        assert environment["OMP_NUM_THREADS"] == "1"
        assert environment["CI"] == "true"
        assert environment["ORALEDU_THREADS"] == "2"
    assert not cache.exists()


def test_what_is_printed_in_pieces_is_stored_in_one():
    pieces = [
        new_output("stream", text=text, name=name)
        for text, name in (("a", "stdout"), ("b", "stdout"), ("c", "stderr"))
    ]
    assert [output.text for output in stable_outputs(pieces)] == ["ab", "c"]


def test_the_live_widget_goes_and_its_picture_stays():
    picture = thinned(png(np.zeros((4, 4, 3))))
    data = {WIDGET_VIEW: {"model_id": "1"}, "image/png": picture, "text/plain": "a picture"}
    (kept,) = stable_outputs([new_output("display_data", data=data)])
    assert set(kept.data) == {"image/png", "text/plain"}
    assert pictures({"outputs": [kept]}) == [picture]


def test_a_drawing_is_stored_with_a_palette_and_looks_the_same():
    figure, ax = subplots(alt="a line")
    ax.plot([0, 1, 0])
    before = base64.b64encode(figure.png()).decode()
    after = thinned(before)
    assert len(after) < 0.8 * len(before)
    assert thinned(before) == after
    one, two = (np.asarray(image(text)).astype(int) for text in (before, after))
    assert two[0, 0].tolist() == [255, 255, 255]
    assert abs(one - two).mean() < 1


def test_a_picture_of_many_colours_stays_as_it_is():
    noise = png(np.random.default_rng(0).integers(0, 256, (100, 100, 3)))
    assert thinned(noise) == noise


def test_a_display_that_was_only_a_widget_goes_whole():
    assert stable_outputs([new_output("display_data", data={WIDGET_VIEW: {"model_id": "1"}})]) == []


def test_a_cell_without_execution_count_is_found_and_an_empty_one_is_not():
    notebook = generate.parse("# %%\nx = 1\n\n# %%\n\n# %% [markdown]\n# text")
    assert never_executed(notebook) == ["x = 1"]
    notebook.cells[0].execution_count = 1
    assert never_executed(notebook) == []
