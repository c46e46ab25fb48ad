"""Running a notebook and keeping what the next run will give again."""

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from oraledu.app import generate
from oraledu.app.execute import (
    WIDGET_VIEW,
    comparable_run,
    execute,
    never_executed,
    pictures,
    printed,
    stable_outputs,
)

new_output = nbformat.v4.new_output


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


def test_each_finished_cell_is_reported(tmp_path):
    seen = []
    run("# %%\nx = 1\n\n# %%\ny = 2", tmp_path, on_cell=seen.append)
    assert seen == [1, 2]


def test_no_time_and_no_version_stays_in_the_notebook(tmp_path):
    done = run("# %%\nx = 1", tmp_path)
    assert done.cells[0].metadata == {}
    assert done.metadata == {"kernelspec": generate.KERNEL, "language_info": {"name": "python"}}


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
    data = {WIDGET_VIEW: {"model_id": "1"}, "image/png": "…", "text/plain": "a picture"}
    (kept,) = stable_outputs([new_output("display_data", data=data)])
    assert set(kept.data) == {"image/png", "text/plain"}
    assert pictures({"outputs": [kept]}) == ["…"]


def test_a_display_that_was_only_a_widget_goes_whole():
    assert stable_outputs([new_output("display_data", data={WIDGET_VIEW: {"model_id": "1"}})]) == []


def test_a_cell_without_execution_count_is_found_and_an_empty_one_is_not():
    notebook = generate.parse("# %%\nx = 1\n\n# %%\n\n# %% [markdown]\n# text")
    assert never_executed(notebook) == ["x = 1"]
    notebook.cells[0].execution_count = 1
    assert never_executed(notebook) == []
