"""The examination of one function: cases, then properties, then the lesson's own size.

What is wrong is told by the first `Complaint`, so the order of the steps is the order in which a learner
hears of it.
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from oraledu.course.compare import check_form, check_values, equal, share_memory
from oraledu.course.guard import Borrowed, closable
from oraledu.course.sandbox import Function, Sandbox, Todo, told, undisturbed
from oraledu.course.verdict import Complaint, Status, Verdict, verdict

if TYPE_CHECKING:
    from oraledu.course.exercise import Case, Exercise, Property

# At full size no function that takes less than this many seconds is too slow, however fast the reference is.
_FAST_ENOUGH = 0.02
_TIMED_CALLS = 2

_Call = Callable[..., Any]


def examine(exercise: Exercise, function: Function, *, attempt: int, guard: bool = True) -> Verdict:
    """Return the verdict on a function.

    Args:
        exercise: what the function must do.
        function: what the learner wrote.
        attempt: picks the random inputs, together with the exercise's identifier.
        guard: whether calling the reference is *borrowed*. Wrong answers may be written with its help.
    """
    closed = (exercise.reference, *exercise.guarded) if guard else ()
    sandbox = Sandbox([closable(each) for each in closed], seconds=exercise.time_limit)
    status: Status = "correct"
    detail = None
    try:
        with undisturbed():
            _check_all(exercise, function, sandbox, attempt)
            detail = _too_slow(exercise, function, sandbox, attempt)
        if detail:
            status = "slow"
    except Borrowed:
        status = "borrowed"
    except Todo:
        status = "not attempted"
    except Complaint as complaint:
        status, detail = "wrong", str(complaint)
    return verdict(exercise.name, status, detail or "", sandbox.printed)


def _check_all(exercise: Exercise, function: Function, sandbox: Sandbox, attempt: int) -> None:
    if not callable(function):
        raise Complaint(f"The check takes a function, and got an object of type `{type(function).__name__}`.")
    for case in exercise.cases(_generator(exercise, attempt, "cases")):
        try:
            _check_case(exercise, case, function, sandbox)
        except Complaint as complaint:
            raise Complaint(f"On '{case.name}' {_sentence(str(complaint))}") from complaint
    for promise in exercise.properties:
        failure = _broken(promise, function, sandbox, _generator(exercise, attempt, promise.__name__))
        if failure:
            name = promise.__name__.replace("_", " ")
            raise Complaint(f"The property '{name}' fails: {_sentence(failure)}")


def _check_case(exercise: Exercise, case: Case, function: Function, sandbox: Sandbox) -> None:
    expected, reference_inputs = _answer(case, exercise.reference, _plainly)
    actual, inputs = _answer(case, function, sandbox.call)

    def compared(check: Callable[..., None], *settings: float) -> None:
        try:
            check(actual, expected, *settings)
        except Complaint as complaint:
            slip = _likely_slip(exercise, case, actual)
            raise Complaint(f"{_sentence(str(complaint))} {slip}" if slip else str(complaint)) from None

    compared(check_form)
    if not equal(inputs, (case.arguments, case.keywords)):
        raise Complaint("it changes its inputs: work on a copy, or avoid in-place operations")
    if share_memory(actual, inputs) and not share_memory(expected, reference_inputs):
        raise Complaint(
            "the result is a view of an input, so that changing one changes the other: return a copy"
        )
    compared(check_values, exercise.tolerance)


def _broken(
    promise: Property, function: Function, sandbox: Sandbox, generator: torch.Generator
) -> str | None:
    try:
        return promise.holds(sandbox.watched(function), generator)
    except (Borrowed, Todo):
        raise
    except Complaint as complaint:
        return str(complaint)
    except Exception as error:  # the learner's, or the property's own where a result is too odd for it
        return told(error, function)


def _too_slow(exercise: Exercise, function: Function, sandbox: Sandbox, attempt: int) -> str | None:
    """Return the sentence for a function that is right but not fit for the lesson's size, or None."""
    if exercise.full_size is None:
        return None
    case = exercise.full_size(_generator(exercise, attempt, "full size"))
    timed = [_timed(case, exercise.reference, _plainly) for _ in range(_TIMED_CALLS)]
    expected = timed[0][0]
    allowed = max(_FAST_ENOUGH, exercise.slow_factor * min(seconds for _, seconds in timed))
    for _ in range(_TIMED_CALLS):
        try:
            actual, seconds = _timed(case, function, sandbox.call)
        except Complaint as complaint:
            return _sentence(f"at the lesson's full size {complaint}")
        try:
            check_form(actual, expected)
            check_values(actual, expected, exercise.tolerance)
        except Complaint as complaint:
            raise Complaint(_sentence(f"At the lesson's full size {complaint}")) from None
        if seconds <= allowed:
            return None
    return f"more than {exercise.slow_factor:g} times slower than the reference at the lesson's full size."


def _likely_slip(exercise: Exercise, case: Case, actual: Any) -> str | None:
    """Return the mistake of the first wrong answer that gives the same result."""
    sandbox = Sandbox((), seconds=exercise.time_limit)
    for wrong in exercise.wrong_answers:
        try:
            result, _ = _answer(case, wrong.function, sandbox.call)
            check_form(actual, result)
            check_values(actual, result, exercise.tolerance)
        except Complaint:
            continue
        return wrong.mistake
    return None


def _answer(case: Case, function: Function, call: _Call) -> tuple[Any, Any]:
    """Return the result on a case and the inputs as the function left them."""
    inputs = copy.deepcopy((case.arguments, case.keywords))
    result = call(function, *inputs)
    if case.probe is not None:
        check_form(result, function)
        result = call(result, copy.deepcopy(case.probe))
    return result, inputs


def _timed(case: Case, function: Function, call: _Call) -> tuple[Any, float]:
    """Return the result on a case and the seconds that it took, without those for copying the inputs."""
    seconds = 0.0

    def measured(*arguments: Any) -> Any:
        nonlocal seconds
        begun = time.perf_counter()
        result = call(*arguments)
        seconds += time.perf_counter() - begun
        return result

    return _answer(case, function, measured)[0], seconds


def _plainly(function: Function, arguments: tuple[Any, ...], keywords: dict[str, Any] | None = None) -> Any:
    with undisturbed():
        return function(*arguments, **(keywords or {}))


def _generator(exercise: Exercise, attempt: int, purpose: str) -> torch.Generator:
    digest = hashlib.sha256(f"{exercise.id} {attempt} {purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."
