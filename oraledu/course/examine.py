"""The examination of one function: cases, the forms of these, then properties, then the lesson's own size.

What is wrong is told by the first `Complaint`, so the order of the steps is the order in which a learner
hears of it.
"""

import copy
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from oraledu.course import forms
from oraledu.course.compare import as_number, check_form, check_values, equal, share_memory
from oraledu.course.guard import Borrowed, Guard
from oraledu.course.sandbox import Function, Sandbox, Todo, told
from oraledu.course.specification import Case, Specification
from oraledu.course.verdict import Complaint, Status, Verdict, verdict

# At full size no function that takes less than this many seconds is too slow, however fast the reference is.
_FAST_ENOUGH = 0.02
_TIMED_CALLS = 2
# How near the result in the other float type has to be, and how near the reference's own has to be to judge by it.
_FLOAT32 = 1e-3
_WELL_CONDITIONED = 1e-4

_Call = Callable[..., Any]


def examine(exercise: Specification, function: Function, *, attempt: int, guard: bool = True) -> Verdict:
    """Return the verdict on a function.

    Args:
        exercise: what the function must do.
        function: what the learner wrote.
        attempt: picks the random inputs, together with the exercise's identifier.
        guard: whether calling the reference is *borrowed*. Wrong answers may be written with its help.
    """
    examination = _Examination(exercise, function, attempt, guard)
    status: Status = "correct"
    detail = None
    try:
        with examination.sandbox:
            detail = examination.run()
        if detail:
            status = "slow"
    except Borrowed:
        status = "borrowed"
    except Todo:
        status = "not attempted"
    except Complaint as complaint:
        status, detail = "wrong", str(complaint)
    return verdict(exercise.name, status, detail or "", examination.sandbox.printed)


@dataclass
class _Trial:
    """The two answers on one case, what is left of the learner's inputs, and the answer as it was returned."""

    case: Case
    random: torch.Tensor
    inputs: tuple[Any, ...]
    expected: Any
    actual: Any
    kept: Any = None


class _Examination:
    def __init__(self, exercise: Specification, function: Any, attempt: int, guard: bool) -> None:
        self.exercise, self.function, self.attempt = exercise, function, attempt
        self.sandbox = Sandbox(
            exercise.guard() if guard else Guard(),
            seconds=exercise.time_limit,
            memory=exercise.memory_limit,
            seed=attempt,
        )
        self.trials: list[_Trial] = []

    def run(self) -> str | None:
        """Return the sentence for a function that is right and not fit for the lesson's size, or None."""
        if not callable(self.function):
            kind = type(self.function).__name__
            raise Complaint(f"The check takes a function, and got an object of type `{kind}`.")
        for case in self.exercise.cases(self._generator("cases")):
            with _told_of(f"On '{case.name}'"):
                self._as_it_is(case)
        fresh = self.exercise.cases(self._generator("other values"))
        for trial, other in zip(self.trials, fresh, strict=False):
            name = trial.case.name
            self._other_forms(trial)
            with _told_of(f"On '{name}', called once more with other values,"):
                self._again(trial, other)
        for promise in self.exercise.properties:
            with _told_of(f"The property '{promise.__name__.replace('_', ' ')}' fails:"):
                self._kept(promise)
        return self._too_slow()

    def _as_it_is(self, case: Case) -> None:
        """Compare form, manners and values, in this order."""
        expected, reference_inputs = self._reference(case)
        random = torch.get_rng_state()
        actual, inputs = self._answer(case, self.function, self.sandbox.call)
        trial = _Trial(case, random, inputs, expected, actual)
        self.trials.append(trial)
        self._compared(trial, check_form)
        if not equal(inputs, (case.arguments, case.keywords)):
            raise Complaint("it changes its inputs: work on a copy, or avoid in-place operations")
        if share_memory(actual, inputs) and not share_memory(expected, reference_inputs):
            raise Complaint(
                "the result is a view of an input, so that changing one changes the other: return a copy"
            )
        self._compared(trial, check_values, self.exercise.tolerance)
        trial.kept = forms.mapped(actual, lambda tensor: tensor.detach().clone())

    def _other_forms(self, trial: _Trial) -> None:
        """Compare on tensors that are not contiguous, and in the other float type where the case bears it."""
        plain = trial.case.arguments, trial.case.keywords
        other = forms.other_float(plain) if self.exercise.float32 else plain
        try:
            # Both at once, because a check should not take long; apart only to tell which it was.
            self._in_form(trial, forms.strided(other), float_too=other is not plain)
        except Complaint as complaint:
            with _told_of(f"On '{trial.case.name}' as a slice of a larger tensor, which is not contiguous,"):
                self._in_form(trial, forms.strided(plain))
            with _told_of(f"On '{trial.case.name}' in the other float type"):
                raise complaint from None

    def _in_form(self, trial: _Trial, inputs: Any, *, float_too: bool = False) -> None:
        case = replace(trial.case, arguments=inputs[0], keywords=inputs[1])
        expected, tolerance = trial.expected, self.exercise.tolerance
        if float_too:
            try:
                expected, tolerance = self._reference(case)[0], max(_FLOAT32, tolerance)
                check_values(expected, trial.expected, _WELL_CONDITIONED)
            except Exception:  # rounding decides this case, or what it holds goes with one type alone
                self._in_form(trial, forms.strided((trial.case.arguments, trial.case.keywords)))
                return
        actual, _ = self._answer(case, self.function, self.sandbox.call)
        check_form(actual, expected)
        check_values(actual, expected, tolerance)

    def _again(self, trial: _Trial, other: Case) -> None:
        """Call once more on the same tensors, with other values in them, and look at the first result too."""
        inputs = forms.refilled(trial.inputs, (other.arguments, other.keywords))
        if inputs is None:
            return
        expected, _ = self._reference(other)
        actual = self._finished(other, self.sandbox.call(self.function, *inputs), self.sandbox.call)
        check_form(actual, expected)
        check_values(actual, expected, self.exercise.tolerance)
        if not share_memory(trial.actual, trial.inputs) and not equal(trial.actual, trial.kept):
            raise Complaint("it changes the result of the call before: return a new one each time")

    def _compared(self, trial: _Trial, check: Callable[..., None], *settings: float) -> None:
        try:
            check(trial.actual, trial.expected, *settings)
        except Complaint as complaint:
            slip = self._likely_slip()
            raise Complaint(f"{_sentence(str(complaint))} {slip}" if slip else str(complaint)) from None

    def _likely_slip(self) -> str | None:
        """Return the mistake of the first wrong answer that gives the same results on all cases so far."""
        for wrong in self.exercise.wrong_answers:
            if all(self._gives(wrong.function, trial) for trial in self.trials):
                return wrong.mistake
        return None

    def _gives(self, function: Function, trial: _Trial) -> bool:
        sandbox = Sandbox(Guard(), seconds=self.exercise.time_limit)
        torch.set_rng_state(trial.random)  # a wrong answer may be to draw from there
        try:
            result, _ = self._answer(trial.case, function, sandbox.call)
            check_form(trial.actual, result)
            check_values(trial.actual, result, self.exercise.tolerance)
        except Complaint:
            return False
        return True

    def _kept(self, promise: Callable[[Function, torch.Generator], str | None]) -> None:
        try:
            failure = promise(self.sandbox.watched(self.function), self._generator(promise.__name__))
        except (Borrowed, Todo, Complaint):
            raise
        except Exception as error:  # the learner's, or the property's own where a result is too odd for it
            failure = told(error, self.function)
        if failure:
            raise Complaint(failure)

    def _too_slow(self) -> str | None:
        """Return the sentence for a function that is right but not fit for the lesson's size, or None."""
        exercise = self.exercise
        if exercise.full_size is None:
            return None
        case = exercise.full_size(self._generator("full size"))
        timed = [self._timed(case, exercise.reference, _plainly) for _ in range(_TIMED_CALLS)]
        expected = timed[0][0]
        allowed = max(_FAST_ENOUGH, exercise.slow_factor * min(seconds for _, seconds in timed))
        for _ in range(_TIMED_CALLS):
            try:
                actual, seconds = self._timed(case, self.function, self.sandbox.call)
            except Complaint as complaint:
                return _sentence(f"at the lesson's full size {complaint}")
            self.trials.append(_Trial(case, torch.get_rng_state(), (), expected, actual))
            with _told_of("At the lesson's full size"):
                self._compared(self.trials[-1], check_form)
                self._compared(self.trials[-1], check_values, exercise.tolerance)
            if seconds <= allowed:
                return None
        return (
            f"more than {exercise.slow_factor:g} times slower than the reference at the lesson's full size."
        )

    def _reference(self, case: Case) -> tuple[Any, Any]:
        return self._answer(case, self.exercise.reference, _plainly)

    def _answer(self, case: Case, function: Function, call: _Call) -> tuple[Any, Any]:
        """Return the result on a case and the inputs as the function left them."""
        inputs = copy.deepcopy((case.arguments, case.keywords))
        return self._finished(case, call(function, *inputs), call), inputs

    def _finished(self, case: Case, result: Any, call: _Call) -> Any:
        """Return what is compared: the result, or where that is a function, its result on the probe."""
        if case.probe is not None:
            check_form(result, _plainly)
            result = call(result, copy.deepcopy(case.probe))
        return as_number(result) if self.exercise.number else result

    def _timed(self, case: Case, function: Function, call: _Call) -> tuple[Any, float]:
        """Return the result on a case and the seconds that it took, without those for copying the inputs."""
        seconds = 0.0
        # A function that runs in another process knows the time that this one takes.
        processor = getattr(function, "clock", time.process_time)

        def measured(*arguments: Any) -> Any:
            nonlocal seconds
            begun = time.perf_counter(), processor()
            result = call(*arguments)
            # Whichever is less: other work of the machine makes no function slow, nor do other threads of this process.
            seconds += min(time.perf_counter() - begun[0], processor() - begun[1])
            return result

        return self._answer(case, function, measured)[0], seconds

    def _generator(self, purpose: str) -> torch.Generator:
        digest = hashlib.sha256(f"{self.exercise.id} {self.attempt} {purpose}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def _plainly(function: Function, arguments: tuple[Any, ...], keywords: dict[str, Any] | None = None) -> Any:
    return function(*arguments, **(keywords or {}))


@contextmanager
def _told_of(subject: str) -> Iterator[None]:
    """Begin a complaint with what it is about."""
    try:
        yield
    except Complaint as complaint:
        raise Complaint(f"{subject} {_sentence(str(complaint))}") from complaint


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."
