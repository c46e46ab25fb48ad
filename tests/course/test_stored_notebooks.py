import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

VIEW = "application/vnd.jupyter.widget-view+json"
CELLS = (
    'from oraledu.course.runtime import start\n\nrun = start("04_grokking")',
    "from oraledu.course.figures import subplots\n\n"
    "def line(height=2):\n"
    '    figure, ax = subplots(alt=f"A line at {height}.", width=120, height=80)\n'
    "    ax.axhline(height)\n"
    "    return figure\n\n"
    "line()",
    "from oraledu.course.explorer import explore\n\nexplore(line, height=(0, 9))",
    "from oraledu.course.quiz import quiz\n\n"
    'quiz("How high?\\n- [x] 2 :: By default.\\n- [ ] 3 :: Ask for it.")',
    'from oraledu.course.runtime import progress\n\nprint(list(progress(range(2), "Steps")))',
)


def executed() -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    NotebookClient(notebook, kernel_name="python3", store_widget_state=False).execute()
    return notebook


def store(notebook: nbformat.NotebookNode, path: Path, *, replace: dict[str, str]) -> None:
    for cell in notebook.cells:
        for output in cell.outputs:
            output.get("data", {}).pop(VIEW, None)
    text = nbformat.writes(notebook)
    for old, new in replace.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


@pytest.mark.slow
def test_stored_outputs_pass_strict_nbval_and_changed_words_fail(tmp_path, monkeypatch):
    monkeypatch.setenv("CI", "1")
    notebook = executed()
    monkeypatch.delenv("CI")  # whoever runs plain nbval does not set it, and meets a progress bar
    store(notebook, tmp_path / "same.ipynb", replace={})
    changes = {'"A line at 2."': '"A line at 3."', "</b> By default.": "</b> By chance."}
    store(notebook, tmp_path / "changed.ipynb", replace=changes)
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", "-rA", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    failed = {line.split(" - ")[0] for line in lines if line.startswith("FAILED")}
    passed = {line for line in lines if line.startswith("PASSED")}
    assert failed == {f"FAILED changed.ipynb::Cell {n}" for n in (1, 2, 3)}, done.stdout
    assert len(passed) == 2 * len(CELLS) - len(failed), done.stdout
