"""An exercise in a session: what becomes of the lesson until the learner's function is right.

A topic describes its exercises in `checks/`, a lesson calls them: `agop = checks.agop(agop)`. The call
compares the learner's function with the reference on fresh random inputs, asks for the properties that the
mathematics promises, and times it at the lesson's own size. It returns the learner's function where that is
right, else the reference, so that every cell after it can run.

While the learner's function runs, the topic's science is closed (see `guard`), but for what the exercise's text
names and for the references of other exercises that the lesson has handed out. The reference's own results are
computed before, and a property may call the reference: there only the learner's calls are closed.
"""

import hashlib
import inspect
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import oraledu
from oraledu.course import results
from oraledu.course.examine import examine
from oraledu.course.guard import lend
from oraledu.course.sandbox import Function, Todo
from oraledu.course.slips import WrongAnswer, slips
from oraledu.course.specification import Case, Specification
from oraledu.course.verdict import Status, Verdict, show

__all__ = ["Case", "Exercise", "Function", "Reference", "Todo", "WrongAnswer", "credit", "long_run", "slips"]

_all: list["Exercise"] = []


class Reference:
    """The reference under the learner's name, with the learner's signature and help.

    Args:
        function: the reference.
        name: the name of the exercise's function.
        learners: the function that the learner has handed in.
    """

    def __init__(self, function: Function, name: str, learners: Function) -> None:
        self.function, self.name = function, name
        self.__name__ = self.__qualname__ = f"the_reference_for_{name}"
        asked = inspect.getdoc(learners) if inspect.isroutine(learners) else None
        self.__doc__ = (
            f"The course's reference, in use until your own `{name}` is right.\n\n{asked or ''}".strip()
        )
        with suppress(TypeError, ValueError):
            self.__signature__ = inspect.signature(learners)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return lend(self.function, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<the reference for {self.name}, in use until your own function is right>"


@dataclass(kw_only=True, eq=False, repr=False)
class Exercise(Specification):
    """An exercise; call it on the learner's function."""

    _handed_out: Function | None = field(default=None, init=False, repr=False)
    _last: Verdict | None = field(default=None, init=False, repr=False)
    _checks: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        _all.append(self)

    @property
    def status(self) -> Status:
        """The outcome of the last check in this session."""
        return self._last.status if self._last else "not attempted"

    def passed(self) -> None:
        """Raise an AssertionError unless the last check found a right answer: the one call of a grader's cell."""
        if self.status not in ("correct", "slow"):
            raise AssertionError(self._last.line if self._last else f"{self.name}: its check was never run.")

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
        right = outcome.status in ("correct", "slow")
        self._handed_out = function if right else Reference(self.reference, self.name, function)
        show(outcome)
        evidence = {
            "line": outcome.line,
            "seed": self._checks,
            "course": oraledu.__version__,
            **_source(function),
        }
        if note := results.record(self.id, outcome.status, **evidence):
            print(note)
        return self._handed_out

    def __repr__(self) -> str:
        return f"<exercise {self.name}: {self.status}>"

    def __dir__(self) -> list[str]:
        # What a notebook offers on the Tab key: nothing that would give an answer away.
        return ["hints", "name", "status", "title"]

    def _has_lent(self, function: Function) -> bool:
        return function is self.reference or getattr(function, "function", None) is self.reference


def _source(function: Function) -> dict[str, str]:
    """Return the text of a function and a digest of it, where it has one."""
    try:
        text = inspect.getsource(function)
    except Exception:  # an object without a text, or one that forbids the question
        return {}
    return {"source": text, "digest": hashlib.sha256(text.encode()).hexdigest()}


def credit(function: Function, *functions: Function) -> str:
    """Say whose functions drew a figure, as in "Drawn by your gram and the reference agop."

    Args:
        function: what a check has returned.
        functions: more of these.

    Raises:
        ValueError: a function has not come from its check.
    """
    origins = [(each, _origin(each)) for each in (function, *functions)]
    yours = [exercise.name for each, exercise in origins if not exercise._has_lent(each)]
    theirs = [exercise.name for each, exercise in origins if exercise._has_lent(each)]
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
        if function is exercise._handed_out or exercise._has_lent(function):
            return exercise
    name = getattr(function, "__name__", repr(function))
    raise ValueError(
        f"{name} has not been through its check: run the cell after its definition, which checks it"
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
