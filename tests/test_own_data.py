"""Where each student has other data, what a lesson claims holds for them, and their numbers are their own.

In lessons 1 to 3 some draws differ from student to student, in lesson 4 nearly all. Here the statements that such a
draw reaches are run for several students, with what they need of those above, and with the references for functions.
"""

import ast
import io
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from oraledu.app import catalogue
from oraledu.course.runtime import Run
from oraledu.teach import functions, handout
from tests import published

#: `OWN_DATA=20 python -m pytest -n 0 tests/test_own_data.py` tries more of them.
STUDENTS = int(os.environ.get("OWN_DATA", "3"))
LESSONS = [lesson for lesson in catalogue.LESSONS if lesson.number != "04"]
DRAWS = ("run.generator(", "run.pick(")


@dataclass(frozen=True)
class Statement:
    """One at the top of a cell, the names that it binds, those that it looks up, and those whose values it changes."""

    tree: ast.stmt
    binds: frozenset[str]
    uses: frozenset[str]
    changes: frozenset[str]

    @property
    def draws(self) -> bool:
        """Whether it draws what is not the same for all."""
        calls = [ast.unparse(node) for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return any(call.startswith(DRAWS) and "shared=True" not in call for call in calls)


def statements(lesson: catalogue.Lesson) -> Iterator[Statement]:
    """Read the cells that are no exercises and no checks of them."""
    for cell in published._code_cells(lesson):
        if not cell.metadata.get("tags"):
            for tree in ast.parse(cell.source).body:
                yield Statement(tree, functions._bound(tree), looked_up(tree), frozenset(changed(tree)))


def looked_up(tree: ast.AST) -> frozenset[str]:
    """Return the names that a statement takes from others; in a loop not those that it has bound itself by then."""
    if isinstance(tree, ast.AugAssign):
        return functions._used(ast.unparse(tree)) | functions._bound(tree.target)
    if not isinstance(tree, ast.For):
        return functions._used(ast.unparse(tree))
    uses, bound = functions._used(ast.unparse(tree.iter)), functions._bound(tree.target)
    for each in tree.body:
        uses, bound = uses | looked_up(each) - bound, bound | functions._bound(each)
    return uses


def changed(tree: ast.stmt) -> Iterator[str]:
    """Find `name[…] = …`, `name.part[…] = …` and `name.append(…)`."""
    for node in ast.walk(tree):
        grows = isinstance(node, ast.Attribute) and node.attr == "append"
        if grows or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)):
            names = [each.id for each in ast.walk(node.value) if isinstance(each, ast.Name)]
            yield from names[:1]


def reached(found: list[Statement]) -> set[int]:
    """Return the places of statements that draw, or use what was drawn; the closing table needs the whole lesson."""
    own: set[str] = set()
    places = set()
    for place, each in enumerate(found):
        if each.draws or each.uses & own:
            own |= each.binds | each.changes
            if "paper_and_here" not in ast.unparse(each.tree):
                places.add(place)
        else:
            own -= each.binds
    return places


def with_needs(found: list[Statement], places: set[int], known: set[str]) -> list[Statement]:
    """Add, backwards, the statements that bind what others look up."""
    open_names: set[str] = set()
    kept = []
    for place in reversed(range(len(found))):
        each = found[place]
        if place in places or (each.binds | each.changes) & open_names:
            open_names = (open_names - each.binds) | (each.uses - known)
            kept.append(each)
    return kept[::-1]


def run(chosen: list[Statement], names: dict[str, Any]) -> list[str]:
    """Run statements, and return what each of those has said that says something."""
    said = []
    for each in chosen:
        printed, value = io.StringIO(), None
        with redirect_stdout(printed):
            if isinstance(each.tree, ast.Expr):
                value = eval(compile(ast.Expression(each.tree.value), "<lesson>", "eval"), names)
            else:
                exec(compile(ast.Module([each.tree], []), "<lesson>", "exec"), names)
        said += [text for text in (printed.getvalue(), str(getattr(value, "alt", value or ""))) if text]
    return said


def made_images(names: dict[str, Any]) -> dict[str, Any]:
    """Stand in for the images of lesson 1's network and machines, which take minutes, and which no own draw reaches."""
    fashion = names["experiments"].training_images(names["settings"].preset("quick").fashion)
    new = 2 * torch.randn(3, *fashion.shape[1:], generator=torch.Generator().manual_seed(0))
    made = {name: SimpleNamespace(images=new) for name in ("equivariant-local", "local")}
    return {"made": made["local"], "predicted": made | {"ideal": SimpleNamespace(images=fashion[:3])}}


def trained_networks(names: dict[str, Any]) -> dict[str, Any]:
    """Stand in for lesson 3's networks: the solvable ladder's mean, a little higher or lower for each seed."""
    ladder = names["settings"].preset("quick").linear.ladder
    ladder = replace(ladder, widths=ladder.widths[:1])
    generator, trained = torch.Generator().manual_seed(0), {}
    for name in ("constant", "linear"):
        mean = ladder.expected(name, records=60)
        levels = 1 + 0.01 * torch.randn(6, 1, generator=generator, dtype=torch.float64)
        trained[f"noise, {name}"] = replace(
            mean, loss=mean.loss * levels, trace=mean.trace * levels, seeds=tuple(range(6))
        )
    return {"trained": trained}


STAND_INS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "01_creativity": made_images,
    "03_scaling_collapse": trained_networks,
}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_all_assertions_hold_on_each_students_data_and_no_two_read_the_same(lesson):
    common = published.namespace(lesson)
    common |= STAND_INS.get(lesson.name, lambda names: {})(common)
    found = list(statements(lesson))
    chosen = with_needs(found, reached(found), {*common, "run"})
    said = []
    for number in range(STUDENTS):
        offset = handout.for_student(handout.Handed((lesson.number,)), f"student{number}").offset
        settled = Run(lesson.name, "quick", torch.device("cpu"), 1, offset)
        said.append(run(chosen, common | {"run": settled}))
    differ = [texts for texts in zip(*said, strict=True) if len(set(texts)) > 1]
    assert len(differ) >= 2
    assert len(set(map(tuple, said))) == STUDENTS
