"""An exercise: what a learner's function must do, and what becomes of the lesson until it does.

A topic describes its exercises in `checks/`, a lesson calls them: `agop = checks.agop(agop)`. The call
compares the learner's function with the reference on fresh random inputs, asks for the properties that the
mathematics promises, and times it at the lesson's own size. It returns the learner's function where that is
right, else the reference, so that every cell after it can run.

While the learner's function runs, the reference and the functions in `guarded` are closed (see `guard`),
which includes every library function that is built on them. The reference's own results are computed before,
and a property may call the reference: there only the learner's calls are closed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from oraledu.course import results
from oraledu.course.examine import examine
from oraledu.course.guard import closable
from oraledu.course.sandbox import Function, Todo
from oraledu.course.slips import WrongAnswer
from oraledu.course.verdict import Status, Verdict, show

__all__ = ["Case", "Exercise", "Property", "Todo", "WrongAnswer", "credit", "long_run"]

_all: list[Exercise] = []


@dataclass(frozen=True)
class Case:
    """One input on which the learner's function is compared with the reference.

    Attributes:
        name: how a complaint refers to it: "On 'a random metric' the result …".
        arguments: the positional arguments; both functions get copies.
        keywords: the keyword arguments, copied too.
        probe: where the answer is itself a function, the arguments on which the two answers are compared.
    """

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any] = field(default_factory=dict)
    probe: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Property:
    """A promise of the mathematics that the learner's function has to keep.

    Attributes:
        name: a few words, for the author and for a complaint.
        holds: takes a function that calls the learner's on copies, and a generator; returns None, or the
            sentence that says what fails (without a full stop).
    """

    name: str
    holds: Callable[[Function, torch.Generator], str | None]

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, function: Function, generator: torch.Generator) -> str | None:
        return self.holds(function, generator)


@dataclass(kw_only=True, eq=False)
class Exercise:
    """An exercise; call it on the learner's function.

    Attributes:
        id: topic and function, "grokking.agop".
        title: what a reader sees in a list.
        reference: the right function: plain, and leaving its arguments as they are.
        cases: makes the inputs from a generator. The seed comes from `id` and the number of the check in this
            session: fresh inputs for each check, and the same when a notebook is run again from the start.
        properties: what must hold besides. Each takes a function that calls the learner's on copies, and a
            generator, and returns None, or the sentence that says what fails (without a full stop). Its own name
            says to the learner what was asked.
        wrong_answers: what must be rejected; also the source of the likely slip in a complaint.
        hints: markdown, from a nudge to nearly everything.
        core: whether it belongs to the two-hour path.
        tolerance: the error allowed, relative to the largest entry of the reference's result; rounding in
            float32 is allowed for by itself.
        full_size: makes the input on which the function is timed, at the size that the lesson uses later.
        slow_factor: how many times slower than the reference the function may be there.
        time_limit: seconds that one call may take.
        opens: functions and classes of the topic's science that the exercise's text names, and that the learner's
            function may call. All others are closed while it runs.
        float32: whether the lesson hands float32 tensors to the function too, which then has to return float32.
    """

    id: str
    title: str
    reference: Function
    cases: Callable[[torch.Generator], Sequence[Case]]
    properties: Sequence[Callable[[Function, torch.Generator], str | None]] = ()
    wrong_answers: Sequence[WrongAnswer] = ()
    hints: Sequence[str] = ()
    core: bool = True
    tolerance: float = 1e-9
    full_size: Callable[[torch.Generator], Case] | None = None
    slow_factor: float = 30.0
    time_limit: float = 20.0
    guarded: Sequence[Function] = ()
    opens: Sequence[Function] = ()
    float32: bool = True
    _handed_out: Function | None = field(default=None, init=False, repr=False)
    _last: Verdict | None = field(default=None, init=False, repr=False)
    _checks: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if "." not in self.id.strip("."):
            raise ValueError(f"id must name topic and function, as in 'grokking.agop'; got {self.id!r}")
        for name, least in (("tolerance", 0.0), ("slow_factor", 1.0), ("time_limit", 0.0)):
            if not getattr(self, name) > least:
                raise ValueError(f"{name} must be greater than {least:g}; got {getattr(self, name)!r}")
        for function in (self.reference, *self.guarded):
            closable(function)
        _all.append(self)

    @property
    def name(self) -> str:
        """The name of the function to write."""
        return self.id.rpartition(".")[2]

    @property
    def status(self) -> Status:
        """The outcome of the last check in this session."""
        return self._last.status if self._last else "not attempted"

    def __call__(self, function: Function) -> Function:
        """Check the learner's function, show the verdict, and return the function to go on with.

        Called on the function that it returned last, which is what running a cell twice does, it repeats its
        verdict.
        """
        if self._last and function is self._handed_out:
            show(self._last)
            return function
        outcome = examine(self, function, attempt=self._checks + 1)
        self._checks += 1
        self._last = replace(outcome, printed="")
        self._handed_out = function if outcome.status in ("correct", "slow") else self.reference
        show(outcome)
        if note := results.record(self.id, outcome.status):
            print(note)
        return self._handed_out


def credit(function: Function, *functions: Function) -> str:
    """Say whose functions drew a figure, as in "Drawn by your gram and the reference agop."

    Args:
        function: what a check has returned.
        functions: more of these.

    Raises:
        ValueError: a function has not come from its check.
    """
    origins = [(each, _origin(each)) for each in (function, *functions)]
    yours = [exercise.name for each, exercise in origins if each is not exercise.reference]
    theirs = [exercise.name for each, exercise in origins if each is exercise.reference]
    if len(theirs) > 1 and not yours:
        return "Drawn by the reference functions."
    parts = [
        f"{owner} {_listed(names)}" for owner, names in (("your", yours), ("the reference", theirs)) if names
    ]
    return f"Drawn by {' and '.join(parts)}."


def long_run(function: Function) -> Function:
    """Return the function for a long run: the learner's where it is right and fast, else the reference.

    Raises:
        ValueError: the function has not come from its check.
    """
    exercise = _origin(function)
    return exercise.reference if exercise.status == "slow" else function


def _origin(function: Function) -> Exercise:
    # The newest first, because a reloaded module makes its exercises anew.
    for exercise in reversed(_all):
        if function is exercise._handed_out or function is exercise.reference:
            return exercise
    name = getattr(function, "__name__", repr(function))
    raise ValueError(
        f"{name} has not been through its check: run the cell after its definition, which checks it"
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
