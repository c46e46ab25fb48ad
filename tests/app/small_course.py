"""A course of one small lesson, to try the commands on."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat

from oraledu.app.catalogue import Lesson

LESSON = Lesson(number="07", name="07_sums", topic="sums", title="Sums")


def write_pair(folder: Path, name: str, *cells: str) -> Path:
    """Write a notebook of code cells and its script; return the notebook's path."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    jupytext.write(notebook, folder / f"{name}.py", fmt="py:percent")
    return folder / f"{name}.ipynb"
