"""Examine what a student has handed in for one lesson, each function in a process of its own."""

import atexit
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from oraledu.app import catalogue
from oraledu.course.examine import examine
from oraledu.course.exercise import Exercise
from oraledu.teach import names
from oraledu.teach.functions import Definition
from oraledu.teach.receipt import stubs
from oraledu.teach.remote import Limits, Prison, RemoteFunction

#: Every outcome, the best first: of several copies of a function the best one counts.
STATUSES = ("solved", "slow", "wrong", "borrowed", "timed out", "broken", "not attempted")
#: Of more versions of one function the first ones count: who hands in every guess has not solved it.
VERSIONS = 4
_LINE = 1000  # letters of a line
_WORDS = {"correct": "solved"}
_LESSON_GOES_ON = (" The lesson goes on with the reference.", " The lesson goes on with your function.")


@dataclass(frozen=True)
class Outcome:
    """What the examination of one exercise has found: a status, and the line for the student."""

    status: str
    line: str


def examined(
    lesson_name: str,
    found: Mapping[str, Sequence[Definition]],
    *,
    seed: int,
    limits: Limits | None = None,
    before: Sequence[str] = (),
) -> dict[str, Outcome]:
    """Return the outcome of each exercise of a lesson, by its function's name.

    Args:
        lesson_name: such as "04_grokking".
        found: the different definitions of each function.
        seed: picks the random inputs, together with the function's text: what one submission finds out about its
            inputs serves no other.
        limits: what each function may take.
        before: cells of the student's own, which run first, and may fail.
    """
    torch.set_num_threads(1)
    lesson = catalogue.lesson(lesson_name)
    blank, outcomes = stubs(lesson), {}
    solved: dict[str, Definition] = {}
    references: dict[str, Any] = {}  # of the exercises before: in a notebook, too, the others come later
    for exercise in catalogue.exercises(lesson):
        best = Outcome("not attempted", f"{exercise.name}: not attempted.")
        for definition in found.get(exercise.name, ())[:VERSIONS]:
            if definition.digest == blank.get(exercise.name):
                continue
            statements = [
                text for name in sorted(definition.needs & set(solved)) for text in solved[name].statements
            ]
            needs = definition.needs.union(*(solved[name].needs for name in solved)) - set(solved)
            lent = {name: references[name] for name in needs & set(references)}
            statements += definition.statements
            own = int(hashlib.sha256(repr((seed, statements, before)).encode()).hexdigest()[:8], 16)
            with RemoteFunction(
                _prison(),
                exercise,
                statements,
                lent=lent,
                limits=limits,
                seed=own,
                before=before,
            ) as function:
                outcome = _outcome(exercise, function, own)
            if STATUSES.index(outcome.status) < STATUSES.index(best.status):
                best = outcome
            if best.status == "solved":
                solved[exercise.name] = definition
                break
        outcomes[exercise.name] = best
        references[exercise.name] = exercise.reference
    return outcomes


def _outcome(exercise: Exercise, function: RemoteFunction, attempt: int) -> Outcome:
    """Examine a function; whatever it makes the examination stumble over costs its own row alone."""
    try:
        verdict = examine(exercise, function, attempt=attempt)
    except Exception as error:
        return Outcome(
            "broken", f"{exercise.name}: what it returns cannot be examined ({type(error).__name__})."
        )
    line = verdict.line
    for ending in _LESSON_GOES_ON:
        line = line.removesuffix(ending)
    status: Any = _WORDS.get(verdict.status, verdict.status)
    return Outcome(function.fate or status if status == "wrong" else status, names.shown(line[:_LINE]))


_prisons: list[Prison] = []


def _prison() -> Prison:
    """Return this process's own; a new one where the system has killed it, as it does without memory."""
    if not _prisons or not _prisons[-1].alive:
        _prisons.append(Prison())
        atexit.register(_prisons[-1].close)
    return _prisons[-1]
