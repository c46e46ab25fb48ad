"""The kernels of these tests go back in a lesson; here in some of a few lines."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

TOLD = "Run once more after the last cell, these cells give something else:"
FIRST = '# start("07_sums")\nsize = 1'


def run_twice(folder: Path, *sources: str) -> str:
    """Store a lesson of these cells as it runs, run it again, and return what its last cell then prints."""
    path = folder / "lessons" / "07_sums.ipynb"
    path.parent.mkdir()
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    for _ in range(2):
        NotebookClient(notebook, kernel_name="python3").execute(cwd=str(path.parent))
        nbformat.write(notebook, path)
    return "".join(output.get("text", "") for output in notebook.cells[-1].outputs)


def test_where_no_name_means_two_things_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ORALEDU_REPLAYED", str(tmp_path))
    said = run_twice(tmp_path, FIRST, "print(size)\nsize + 1", "other = 2\nprint(other)", "print('end')")
    assert said == "end\n"
    assert 1 <= int((tmp_path / "07_sums.cells").read_text()) <= 4  # what takes a second is left out


@pytest.mark.parametrize(
    ("again", "difference"),
    [
        ("size = 2", "and gives ['2\\n', '3']"),
        ("size = 'two'", "and gives ['two\\n'] TypeError("),
        ("del size", "and gives [] NameError("),
    ],
)
def test_a_name_that_means_two_things_is_found(tmp_path: Path, again: str, difference: str):
    said = run_twice(tmp_path, FIRST, "print(size)\nsize + 1", again, "print('end')")
    assert TOLD in said
    assert f"print(size)\nsize + 1\n    gave ['1\\n', '2']\n    {difference}" in said


def test_the_kernels_of_these_tests_start_with_it():
    startup = Path(os.environ["IPYTHONDIR"], "profile_default", "startup", "replay.py")
    assert "readback.watch(get_ipython())" in startup.read_text()
