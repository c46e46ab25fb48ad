"""Run a lesson without a window, at the scale and on the device asked for, and keep the executed copy.

Each run has a folder of its own. What it computes at length is kept there on the way (`oraledu.course.runfolder`), so
that a run which is killed goes on from there, to the same numbers.
"""

import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
import nbformat
from filelock import FileLock, Timeout
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm.auto import tqdm
from traitlets.config import Config

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.app.kernels import manager_options, prepare_environment
from oraledu.app.watching import watched
from oraledu.course.assertions import WORDS
from oraledu.course.fingerprint import fingerprint
from oraledu.course.runfolder import FILE, KeepError, read_description, versions, write_whole
from oraledu.course.runtime import find_device, find_threads

RUNS = Path("runs")
KERNEL_LOG = "kernel.log"
#: What an error of these kinds says concerns the machine, and not the lesson.
MENDABLE = {
    "KeepError": "",
    "OutOfMemoryError": "the device's memory is too small for this part; free it, or go on where there is more: ",
}


def run(
    lesson: Lesson | None, *, scale: str | None = None, device: str | None = None, resume: Path | None = None
) -> int:
    """Execute a lesson in a folder of its own; return the exit code (1 if a cell failed, 2 for what can be mended).

    What was done until a failure or Ctrl-C is kept: the copy is written in every case.

    Args:
        lesson: the lesson; None takes that of the folder to go on in.
        scale: "quick", "middle" or "full"; None means quick.
        device: "auto", "cpu", "cuda" or "mps"; None leaves the choice to the scale.
        resume: the folder of an unfinished run to go on with.

    Raises:
        UserError: the lesson's notebook or the device is missing, or the folder's run cannot be continued.
        OSError: the folder cannot be written.
    """
    if resume is None and lesson is not None:
        wanted = _description(lesson, scale or "quick", device)
        resume = _offered(wanted)
    if resume is not None:
        folder, wanted = resume, _continued(resume, lesson, scale, device)
        if wanted["finished"]:
            print(f"{folder} is finished; the executed copy is {folder / wanted['lesson']}.ipynb")
            return 0
    else:
        settings = [wanted["lesson"], wanted["scale"], *([device] if device else [])]
        folder = _new_folder("-".join([date.today().isoformat(), *settings]))
        _describe(folder, wanted)
    try:
        with FileLock(folder / "lock", timeout=0):
            return _run_in(folder, wanted)
    except Timeout:
        raise UserError(f"another process is at work in {folder}; wait for it, or end it") from None
    except KeepError as error:
        raise UserError(str(error)) from None


def _run_in(folder: Path, description: dict[str, Any]) -> int:
    """Execute the lesson of a folder, and say in a line how it ended."""
    name = description["lesson"]
    notebook = _notebook(name)
    variables = {"ORALEDU_SCALE": description["scale"], "ORALEDU_RUN": str(folder.resolve())}
    try:
        _execute(notebook, folder, {**os.environ, **variables, **description["variables"]})
    except CellExecutionError as error:
        if (told := MENDABLE.get(error.ename)) is not None:
            raise UserError(f"{name} stopped: {told}{error.evalue}; {_resuming(folder)}") from None
        print(f"{name} stopped with {error.ename}: {error.evalue}")
        print(_resuming(folder))
        return 1
    except DeadKernelError:
        print(f"{name} stopped: its kernel died, as it does without memory; see {folder / KERNEL_LOG}")
        print(_resuming(folder))
        return 1
    else:
        _describe(folder, {**description, "finished": True})
        for index, line in unheld(notebook):
            print(f"cell {index}: {line}")
    finally:
        write_whole(folder / f"{name}.ipynb", nbformat.writes(notebook).encode())
        print(f"The executed copy is {folder / name}.ipynb")
    return 0


def unheld(notebook: nbformat.NotebookNode) -> list[tuple[int, str]]:
    """Return the lines by which cells of an executed copy say what does not hold at its scale, with their numbers."""
    return [
        (index, line)
        for index, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        for line in output.get("text", "").splitlines()
        if line.startswith(WORDS)
    ]


def _resuming(folder: Path) -> str:
    return f"'oraledu run --resume {folder}' goes on from there"


def _description(lesson: Lesson, scale: str, device: str | None) -> dict[str, Any]:
    """Return what a run's folder is to say of it: all that its numbers depend on.

    Raises:
        UserError: the lesson or the device is not there.
    """
    cells = [cell.source for cell in _notebook(lesson.name).cells]
    asked = os.environ.get("ORALEDU_DEVICE") if device is None else device
    try:
        found = find_device(asked or ("cpu" if scale == "quick" else "auto"))
        threads = find_threads(scale)
    except (RuntimeError, ValueError) as error:
        raise UserError(str(error)) from None
    variables = {"ORALEDU_DEVICE": asked, "ORALEDU_THREADS": str(threads)}
    variables |= {name: os.environ.get(name) for name in ("ORALEDU_MODEL", "ORALEDU_DATA")}
    return {
        "lesson": lesson.name,
        "scale": scale,
        "device": str(found),
        "text": fingerprint(cells),
        **versions(),
        "variables": {name: value for name, value in variables.items() if value is not None},
        "finished": False,
    }


def _continued(folder: Path, lesson: Lesson | None, scale: str | None, device: str | None) -> dict[str, Any]:
    """Return the description of a run that can go on.

    Raises:
        UserError: it cannot, or what is asked for is not what the folder holds.
    """
    try:
        found = read_description(folder)
        if lesson is not None and found["lesson"] != lesson.name:
            raise UserError(f"{folder} holds a run of {found['lesson']}, not of {lesson.name}")
        if found["finished"]:
            return found
        asked = found["variables"].get("ORALEDU_DEVICE")
        now = _description(catalogue.lesson(found["lesson"]), scale or found["scale"], device or asked)
        names = {"scale": "scale", "device": "device", "oraledu": "oraledu", "torch": "torch"}
        names |= {"source": "another state of the package", "text": "another text of the lesson"}
        for name, said in names.items():
            if found[name] != now[name]:
                apart = f"{said} {found[name]}, not {now[name]}" if said == name else said
                raise UserError(f"{folder} was begun with {apart}: start the run anew, without --resume")
    except KeepError as error:
        raise UserError(str(error)) from None
    except (KeyError, ValueError):
        raise UserError(f"{folder / FILE} is damaged; start the run anew") from None
    return found


def _offered(wanted: dict[str, Any]) -> Path | None:
    """Look for an unfinished run of the same kind, and ask whether to go on with it; off a terminal, only name it."""
    for folder in sorted(RUNS.glob(f"*-{wanted['lesson']}-*"), reverse=True):
        try:
            found = read_description(folder)
        except KeepError:
            continue
        if found == wanted:
            print(f"{folder} is an unfinished run of the same.")
            if sys.stdin.isatty() and click.confirm("Go on with it?", default=True):
                return folder
            print(f"{_resuming(folder)}; this one begins anew.")
            return None
    return None


def _notebook(name: str) -> nbformat.NotebookNode:
    """Read a lesson without its stored outputs, so that an interrupted copy shows only what was run."""
    source = catalogue.source_folder("lessons") / f"{name}.ipynb"
    if not source.is_file():
        raise UserError(
            f"{source} is missing; in a checkout, 'oraledu build {name.partition('_')[0]}' makes it"
        )
    notebook = nbformat.read(source, as_version=4)
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
        (folder / KERNEL_LOG).open("a") as log,
        client.setup_kernel(cwd=str(folder), env=environment, stderr=log),
        tqdm(notebook.cells, unit="cell", desc=folder.name, disable=bool(os.environ.get("CI"))) as cells,
        watched(folder, cells),
    ):
        for index, cell in enumerate(cells):
            client.execute_cell(cell, index)
        client.set_widgets_metadata()


def _describe(folder: Path, description: dict[str, Any]) -> None:
    write_whole(folder / FILE, (json.dumps(description, indent=1) + "\n").encode())


def _new_folder(name: str) -> Path:
    folder, number = RUNS / name, 1
    while folder.exists():
        number += 1
        folder = RUNS / f"{name}-{number}"
    folder.mkdir(parents=True)
    return folder
