"""The functions of the solved lessons, each with the rest of its lesson unsolved, and ways to dress a function up."""

import ast
import copy
import functools
import importlib
import re
from pathlib import Path

import torch

from oraledu.app import catalogue, generate
from oraledu.course.exercise import Reference, Todo
from oraledu.course.forms import mapped

ROOT = Path(__file__).resolve().parents[1]
EXERCISES = [(lesson, exercise) for lesson in catalogue.LESSONS for exercise in catalogue.exercises(lesson)]


def unwritten(*args, **kwargs):
    raise Todo


def checks_called(notebook):
    """Return the names of the exercises whose checks a notebook calls, in order."""
    checks = [cell.source for cell in notebook.cells if "check" in cell.metadata.get("tags", [])]
    return [re.search(r"^(\w+) = checks\.", source, re.MULTILINE)[1] for source in checks]


def namespace(lesson):
    """Return the names of a lesson before anything is solved: its imports, and the references under their names."""
    names = {}
    for cell in _code_cells(lesson):
        imports = [
            node for node in ast.parse(cell.source).body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        exec(compile(ast.Module(imports, []), lesson.name, "exec"), names)
    for exercise in catalogue.exercises(lesson):
        names[exercise.name] = Reference(exercise.reference, exercise.name, unwritten)
    return names


def published(lesson, name, names=None):
    """Return the function that the solved lesson has for an exercise; its globals begin with `names`."""
    cell = next(
        cell
        for cell in _code_cells(lesson)
        if "exercise" in cell.metadata.get("tags", []) and f"def {name}(" in cell.source
    )
    names = dict(namespace(lesson) if names is None else names)
    exec(compile(cell.source, f"{lesson.name}: {name}", "exec"), names)
    return names[name]


@functools.cache
def _code_cells(lesson):
    text = (ROOT / "solutions" / f"{lesson.name}.py").read_text(encoding="utf-8")
    return [cell for cell in generate.parse(text).cells if cell.cell_type == "code"]


def right_answers(lesson):
    """Return the module with other right answers to the exercises of a lesson, and with roads through the library."""
    return importlib.import_module(f"tests.{lesson.topic}.right_answers")


class Callable:
    """An object in the place of a function."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)


def logged(function):
    seen = []

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        seen.append(len(args))
        return function(*args, **kwargs)

    return wrapper


def without_gradients(function):
    return torch.no_grad()(function)


def on_copies(function):
    return lambda *args, **kwargs: function(*copy.deepcopy(args), **copy.deepcopy(kwargs))


def on_contiguous_copies(function):
    def tidy(*args, **kwargs):
        args, kwargs = mapped((args, kwargs), lambda tensor: tensor.contiguous())
        return function(*args, **kwargs)

    return tidy


def in_another_layout(function):
    """Return results that are not contiguous."""

    def turned(*args, **kwargs):
        return mapped(function(*args, **kwargs), lambda r: r.mT.contiguous().mT if r.ndim > 1 else r.clone())

    return turned


def with_a_default_more(function):
    @functools.wraps(function)
    def more(*args, _verbose=False, **kwargs):
        return function(*args, **kwargs)

    return more


def seeding(function):
    """Seed the global generators first, as many functions in the wild do."""

    def seeded(*args, **kwargs):
        torch.manual_seed(0)
        return function(*args, **kwargs)

    return seeded


#: Ways to hand a right function over that change none of its numbers.
STYLES = [
    Callable,
    functools.partial,
    logged,
    without_gradients,
    on_copies,
    on_contiguous_copies,
    in_another_layout,
    with_a_default_more,
    seeding,
]
