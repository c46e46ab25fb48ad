"""Run a lesson without a window, at the scale and on the device asked for, and keep the executed copy."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm.auto import tqdm
from traitlets.config import Config

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.app.kernels import manager_options, prepare_environment

RUNS = Path("runs")
KERNEL_LOG = "kernel.log"


def run(lesson: Lesson, *, scale: str = "quick", device: str | None = None) -> int:
    """Execute a lesson in a folder of its own; return the exit code (1 if a cell failed).

    What was done until a failure or Ctrl-C is kept: the copy is written in every case.

    Args:
        lesson: the lesson.
        scale: "quick" or "full".
        device: "auto", "cpu", "cuda" or "mps"; None leaves the choice to the scale.

    Raises:
        UserError: the lesson's notebook is missing.
        OSError: the folder cannot be written.
    """
    source = catalogue.source_folder("lessons") / f"{lesson.name}.ipynb"
    if not source.is_file():
        raise UserError(f"{source} is missing; in a checkout, 'oraledu build {lesson.number}' makes it")
    notebook = _without_outputs(nbformat.read(source, as_version=4))
    settings = [scale] if device is None else [scale, device]
    folder = _new_folder("-".join([date.today().isoformat(), lesson.name, *settings]))
    target = folder / source.name
    environment = {**os.environ, "ORALEDU_SCALE": scale}
    if device is not None:
        environment["ORALEDU_DEVICE"] = device
    try:
        _execute(notebook, folder, environment)
    except CellExecutionError as error:
        print(f"{lesson.name} stopped with {error.ename}: {error.evalue}")
        return 1
    except DeadKernelError:
        print(f"{lesson.name} stopped: its kernel died, as it does without memory; see {folder / KERNEL_LOG}")
        return 1
    finally:
        nbformat.write(notebook, target)
        print(f"The executed copy is {target}")
    return 0


def _without_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Empty the stored outputs, so that an interrupted copy shows only what was run."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _execute(notebook: nbformat.NotebookNode, folder: Path, environment: dict[str, str]) -> None:
    """Run all cells, however long they take, with a bar that counts them (none where CI is set)."""
    prepare_environment()
    config = Config(KernelManager=manager_options())
    client = NotebookClient(notebook, timeout=None, kernel_name="python3", config=config)
    with (
        (folder / KERNEL_LOG).open("w") as log,
        client.setup_kernel(cwd=str(folder), env=environment, stderr=log),
        tqdm(notebook.cells, unit="cell", desc=folder.name, disable=bool(os.environ.get("CI"))) as cells,
    ):
        for index, cell in enumerate(cells):
            client.execute_cell(cell, index)
        client.set_widgets_metadata()


def _new_folder(name: str) -> Path:
    folder, number = RUNS / name, 1
    while folder.exists():
        number += 1
        folder = RUNS / f"{name}-{number}"
    folder.mkdir(parents=True)
    return folder
