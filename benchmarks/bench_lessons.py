"""What a learner waits for: the imports of a lesson, its first figure after *Run All*, and the whole notebook."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat

from benchmarks.timing import Row, spread
from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.execute import comparable_run, execute, pictures

#: Prints the processor time of importing torch, and then that of the rest of a lesson's first cell.
IMPORTS = """
import time
import torch
torch_alone = time.process_time()
{cell}
print(torch_alone, time.process_time())
"""


def notebook_of(lesson: Lesson) -> nbformat.NotebookNode:
    """Return a lesson's stored notebook."""
    return nbformat.read(catalogue.source_folder("lessons") / f"{lesson.name}.ipynb", as_version=4)


def imports(notebook: nbformat.NotebookNode, folder: Path, environment: dict[str, str]) -> float:
    """Return the processor time of a lesson's first cell over that of importing torch, in a fresh process."""
    cell = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    command = [sys.executable, "-c", IMPORTS.format(cell=cell)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    alone, whole = map(float, done.stdout.splitlines()[-1].split())
    return whole / alone


def run_all(notebook: nbformat.NotebookNode, folder: Path, environment: dict[str, str], cells: int) -> float:
    """Return the seconds from the start of a kernel until the first cells have run, as many as are asked for."""
    part = nbformat.from_dict(notebook)
    part.cells = part.cells[:cells]
    began = time.perf_counter()
    execute(part, folder, environment, timeout=None)
    return time.perf_counter() - began


def rows(quick: bool) -> Iterator[Row]:
    """Yield a lesson's imports and first figure; where it need not be quick the whole notebook, as a learner has it."""
    rounds = 5
    for lesson in catalogue.LESSONS:
        notebook, folder, part = notebook_of(lesson), catalogue.source_folder("lessons"), lesson.number
        first = next(place for place, cell in enumerate(notebook.cells) if pictures(cell)) + 1
        with comparable_run() as environment:
            taken = [imports(notebook, folder, environment) for _ in range(rounds)]
            yield Row(part, "first cell / import of torch", "processor time", spread(taken))
            taken = [run_all(notebook, folder, environment, first) for _ in range(rounds)]
            yield Row(part, "first figure after *Run All*", "wall clock, one process", spread(taken, " s"))
        if not quick:
            with comparable_run() as environment:
                environment.pop("ORALEDU_THREADS")  # as many processes as a learner has cores
                seconds = run_all(notebook, folder, environment, len(notebook.cells))
            yield Row(part, "whole notebook, empty cache", "wall clock, once", f"{seconds:.0f} s")
