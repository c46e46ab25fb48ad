"""A whole lesson twice in one process: on the CPU, and with its data on the second device.

    python -m tests.lesson_there 04_grokking FILE

runs the code cells of a solution as at the full scale, but at sizes that take a moment, without its assertions, which
hold at its own sizes, and without the examination of its exercises. It keeps what each cell printed, drew and
computed where.
"""

import ast
import contextlib
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import joblib
import torch
from torch import Tensor, nn

from oraledu.app.generate import parse
from oraledu.course import ahead, exercise, runtime
from oraledu.course.verdict import verdict
from tests import short_lessons
from tests.second_device import counting, register

SOLUTIONS = Path(__file__).parents[1] / "solutions"


@dataclass
class Cell:
    """What became of one code cell on one device.

    Attributes:
        source: Its text, as it was run.
        printed: What it printed.
        drawn: All tensors that its figures were given, on the CPU.
        operations: Floating-point operations by device.
        transfers: Transfers by direction.
    """

    source: str
    printed: str = ""
    drawn: list[Tensor] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)
    transfers: Counter[str] = field(default_factory=Counter)


def tensors(value: object) -> list[Tensor]:
    """Return all tensors in some results."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, nn.Module):
        value = list(value.state_dict().values())
    elif is_dataclass(value):
        value = [getattr(value, each.name) for each in fields(value)]
    elif isinstance(value, dict):
        value = list(value.values())
    return [found for each in value for found in tensors(each)] if isinstance(value, (list, tuple)) else []


def run(name: str, device: torch.device, shorten: Callable[[str], str]) -> list[Cell]:
    """Run the code cells of a lesson one after the other, and return what became of each."""
    cells = parse((SOLUTIONS / f"{name}.py").read_text(encoding="utf-8")).cells
    names: dict[str, Any] = {"__name__": "__main__"}
    done: list[Cell] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(runtime, "find_device", lambda scale: device))
        # One process, so that all of it is seen.
        stack.enter_context(joblib.parallel_config(backend="sequential"))
        stack.enter_context(
            patch.object(exercise, "examine", lambda asked, *_, **__: verdict(asked.name, "correct"))
        )
        # A tensor of the second device cannot be pickled.
        for module in (runtime, ahead):
            stack.enter_context(patch.object(module, "cached", lambda function: function))
        stack.enter_context(patch.dict(os.environ, {"ORALEDU_THREADS": "1", "ORALEDU_SCALE": "full"}))
        for each in cells:
            if each.cell_type == "code":
                done.append(Cell(shorten(each.source)))
                _run_cell(done[-1], names, counted=device.type != "cpu")
    return done


def _run_cell(cell: Cell, names: dict[str, Any], *, counted: bool) -> None:
    tree = ast.fix_missing_locations(_WithoutAssertions().visit(ast.parse(cell.source)))
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        _drawing(names.get("views"), cell.drawn),
        counting() if counted else contextlib.nullcontext() as work,
    ):
        try:
            exec(compile(tree, "<cell>", "exec"), names)
        except Exception as error:
            error.add_note(cell.source)
            raise
    cell.printed = printed.getvalue()
    if work is not None:
        cell.operations, cell.transfers = work.operations, work.transfers


class _WithoutAssertions(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)


@contextlib.contextmanager
def _drawing(views: ModuleType | None, drawn: list[Tensor]) -> Iterator[None]:
    """Keep the tensors that the topic's views are given, and let them draw."""

    def watched(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def draw(*args: Any, **kwargs: Any) -> Any:
            given = tensors([args, kwargs])
            drawn.extend(each.detach().cpu().clone() for each in given)
            if view.__name__.endswith("_explorer") and all(each.device.type == "cpu" for each in given):
                return None  # a slider's own computations, small at every scale and always on the CPU
            return view(*args, **kwargs)

        return draw

    public = [name for name in dir(views) if not name.startswith("_")] if views else []
    with contextlib.ExitStack() as stack:
        for name in public:
            if callable(view := getattr(views, name)) and not isinstance(view, type):
                stack.enter_context(patch.object(views, name, watched(view)))
        yield


def main(name: str, file: str) -> None:
    """Run a lesson on both devices, and write what became of its cells."""
    os.environ.setdefault("CI", "1")  # no progress bars
    device = register()  # before torch first goes backward: there it counts the devices
    with short_lessons.sizes(name):
        shorten = short_lessons.shortened(name)
        here = run(name, torch.device("cpu"), shorten)
        there = run(name, device, shorten)
    torch.save([[vars(cell) for cell in cells] for cells in (here, there)], file)


if __name__ == "__main__":
    import_module("tests.second_device")
    main(*sys.argv[1:])
