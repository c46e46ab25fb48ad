"""One call of a learner's function, after which the notebook goes on as if it had not been called.

The reference is closed, the time is limited, what is printed is held back, and random states and torch's
settings are as before: no later number depends on how an exercise was solved.
"""

from __future__ import annotations

import copy
import inspect
import io
import linecache
import random
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from types import FunctionType
from typing import Any

import numpy as np
import torch

from oraledu.course.guard import Borrowed, closed
from oraledu.course.limits import TimeUp, run_within
from oraledu.course.verdict import Complaint

Function = Callable[..., Any]

_PRINTED_LINES = 20
_PRINTED_CHARACTERS = 4000
_MESSAGE_CHARACTERS = 200


class Todo(Exception):
    """Stands in the body of a function that is still to be written."""


class Sandbox:
    """The place where the calls of one check happen.

    Args:
        guarded: the functions that must not be called (see `guard.closable`).
        seconds: the time that one call may take.
    """

    def __init__(self, guarded: Sequence[FunctionType], *, seconds: float) -> None:
        self.guarded = guarded
        self.seconds = seconds
        self._printed = _FirstLines()

    def call(
        self, function: Function, arguments: Sequence[Any], keywords: dict[str, Any] | None = None
    ) -> Any:
        """Return `function(*arguments, **keywords)`; the arguments are handed on as they are.

        Raises:
            Complaint: the function raised or took too long.
            Borrowed: the function called a guarded one, even if it then went on.
            Todo: the function is still to be written.
        """
        with undisturbed(), closed(self.guarded) as was_called, self._held_back():
            try:
                result = run_within(self.seconds, lambda: function(*arguments, **(keywords or {})))
            except (TimeUp, Exception, SystemExit) as error:
                if was_called():
                    raise Borrowed from error
                if isinstance(error, Todo):
                    raise
                if isinstance(error, TimeUp):
                    late = f"it runs for more than {self.seconds:g} seconds and was stopped"
                    raise Complaint(late) from error
                raise Complaint(told(error, function)) from error
            if was_called():
                raise Borrowed
        return result

    def watched(self, function: Function) -> Function:
        """Return the function, and what functions it returns, with every call made in here, on copies.

        It raises what the function raises, so that a property may ask for an exception.
        """

        def call(*arguments: Any, **keywords: Any) -> Any:
            try:
                result = self.call(function, *copy.deepcopy((arguments, keywords)))
            except Complaint as complaint:
                if isinstance(complaint.__cause__, Exception):
                    raise complaint.__cause__ from None
                raise
            return self.watched(result) if callable(result) else result

        return call

    @property
    def printed(self) -> str:
        """What the calls have printed, shortened."""
        return self._printed.shortened()

    @contextmanager
    def _held_back(self) -> Iterator[None]:
        with (
            redirect_stdout(self._printed),
            redirect_stderr(self._printed),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("default")
            try:
                yield
            finally:
                for warning in caught:
                    print(f"{warning.category.__name__}: {warning.message}")


@contextmanager
def undisturbed() -> Iterator[None]:
    """Leave the global random states of Python, NumPy and torch, and torch's settings, as they are."""
    with ExitStack() as stack:
        devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
        stack.enter_context(torch.random.fork_rng(devices))
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        stack.callback(torch.set_grad_enabled, torch.is_grad_enabled())
        yield


def told(error: BaseException, function: Function) -> str:
    """Return what was raised and, if possible, in which line of the function, counted from its first."""
    first_line, *_ = str(error).strip().splitlines() or ["no message"]
    message = textwrap.shorten(first_line, _MESSAGE_CHARACTERS, placeholder=" …").rstrip(".")
    raised = f"it raises {type(error).__name__}: {message}"
    code = getattr(inspect.unwrap(function), "__code__", None)
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code is code]
    if code is None or not lines:
        return raised
    source = linecache.getline(code.co_filename, lines[-1]).strip()
    place = f"{raised}, in line {lines[-1] - code.co_firstlineno + 1} of your function"
    return f"{place}: `{source}`" if source else place


class _FirstLines(io.TextIOBase):
    """A text stream that keeps its beginning and counts the rest, however long the flood."""

    def __init__(self) -> None:
        self._start = ""
        self._newlines = 0

    def write(self, text: str) -> int:
        self._start += text[: _PRINTED_CHARACTERS - len(self._start)]
        self._newlines += text.count("\n")
        return len(text)

    def shortened(self) -> str:
        lines = self._start.splitlines()
        kept = lines[:_PRINTED_LINES]
        more = max(self._newlines, len(lines)) - len(kept)
        if more:
            kept.append(f"… (your function printed more than this; lines left out: {more})")
        elif len(self._start) == _PRINTED_CHARACTERS:
            kept.append("… (your function printed more than this)")
        return "\n".join(kept)
