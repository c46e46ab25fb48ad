"""The place where a learner's function is called: closed, limited, held back, and never the end of a notebook.

All that belongs to the examination belongs to the thread that examines: a slider that is moved meanwhile calls the
reference, prints and draws as ever.
"""

import copy
import dis
import inspect
import linecache
import sys
import textwrap
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Self

from oraledu.course.guard import Borrowed, Guard
from oraledu.course.limits import TimeUp, memory_within, run_within
from oraledu.course.surroundings import settings_put_back, undisturbed
from oraledu.course.verdict import Complaint

Function = Callable[..., Any]

_PRINTED_LINES = 20
_PRINTED_CHARACTERS = 4000
_MESSAGE_CHARACTERS = 200


class Todo(Exception):
    """Stands in the body of a function that is still to be written."""


class Sandbox:
    """The surroundings of one examination: a context, within which functions are called.

    Args:
        guard: what is closed meanwhile.
        seconds: the time that one call may take.
        memory: what the process may take in GiB beyond what it has at the beginning.
        seed: where the global random states begin.
    """

    def __init__(self, guard: Guard, *, seconds: float, memory: float = 4.0, seed: int = 0) -> None:
        self.guard, self.seconds, self.memory, self.seed = guard, seconds, memory, seed
        self._thread = threading.current_thread()
        self._printed = _FirstLines()
        self._calling = False
        self._warned: set[tuple[type[Warning], str]] = set()
        self._warnings: list[warnings.WarningMessage] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._warnings = stack.enter_context(undisturbed(self.seed))
            stack.enter_context(memory_within(self.memory))
            stack.enter_context(self.guard)
            _route(self)
            stack.callback(_unroute, self)
            self._leave = stack.pop_all().close
        return self

    def __exit__(self, *exception: object) -> None:
        self._leave()

    def call(
        self, function: Function, arguments: Sequence[Any], keywords: dict[str, Any] | None = None
    ) -> Any:
        """Return `function(*arguments, **keywords)`; the arguments are handed on as they are.

        Raises:
            Complaint: the function raised, or took too long or too much memory.
            Borrowed: the function called a closed one, even if it then went on.
            Todo: the function is still to be written.
            KeyboardInterrupt: the user has interrupted it.
        """
        keywords = keywords or {}
        told_before = len(self._warnings)
        with settings_put_back(), self.guard.watching((arguments, keywords)) as was_called:
            self._calling = True
            try:
                result = run_within(self.seconds, lambda: function(*arguments, **keywords))
            except BaseException as error:
                if was_called():
                    raise Borrowed from error
                if isinstance(error, Todo | Complaint | Borrowed) or _by_the_user(error):
                    raise
                if isinstance(error, NotImplementedError) and _raised_in(error, function):
                    raise Todo from error
                raise Complaint(self._told(error, function)) from error
            finally:
                self._calling = False
                self._tell_warnings(told_before)
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

    def holds(self, thread: threading.Thread) -> bool:
        """Tell whether what a thread prints belongs to this examination."""
        return thread is self._thread or self.guard.covers(thread)

    def write(self, text: str) -> int:
        """Keep what the function prints, and drop what others do meanwhile."""
        return self._printed.write(text) if self._calling else len(text)

    def _tell_warnings(self, start: int) -> None:
        for warning in self._warnings[start:]:
            message = (warning.category, str(warning.message))
            if message not in self._warned:
                self._warned.add(message)
                self._printed.write(f"{warning.category.__name__}: {warning.message}\n")

    def _told(self, error: BaseException, function: Function) -> str:
        if isinstance(error, TimeUp):
            return f"it runs for more than {self.seconds:g} seconds and was stopped"
        if isinstance(error, MemoryError) or "DefaultCPUAllocator" in _words(error):
            return f"it takes more than {self.memory:g} GiB of memory"
        return told(error, function)


def told(error: BaseException, function: Function) -> str:
    """Return what was raised and, if possible, in which line of the function, counted from its first.

    An exception that comes from another process carries the line and its text as `place`.
    """
    first_line, *_ = _words(error).strip().splitlines() or ["no message"]
    message = textwrap.shorten(first_line, _MESSAGE_CHARACTERS, placeholder=" …").rstrip(".")
    raised = f"it raises {type(error).__name__}: {message}"
    with suppress(Exception):  # an object may forbid every question about it
        if place := getattr(error, "place", None) or _place(error, function):
            where = f"{raised}, in line {place[0]} of your function"
            return f"{where}: `{place[1]}`" if place[1] else where
    return raised


def _place(error: BaseException, function: Function) -> tuple[int, str] | None:
    """Return the line of the function that raised, counted from its first, and what stands there."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code is code]
    if code is None or not lines:
        return None
    return lines[-1] - code.co_firstlineno + 1, linecache.getline(code.co_filename, lines[-1]).strip()


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return "its message cannot be read"


def _by_the_user(error: BaseException) -> bool:
    """Tell an interrupt from a KeyboardInterrupt that the function itself raises."""
    return isinstance(error, KeyboardInterrupt) and not _raised_in(error)


def _raised_in(error: BaseException, function: Function | None = None) -> bool:
    """Tell whether a `raise` raised it (of the function's own body, where one is given), and no compiled code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    code = trace.tb_frame.f_code
    own = function is None or code is getattr(inspect.unwrap(function), "__code__", None)
    return own and dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"


class _Router:
    """A text stream that hands what an examined thread writes to its sandbox, and all else on."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        here = threading.current_thread()
        sandbox = next((each for each in reversed(_sandboxes) if each.holds(here)), None)
        return (sandbox or self.stream).write(text)

    def close(self) -> None:
        """Stay open: what a function closes is not its own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


_lock = threading.Lock()
_sandboxes: list[Sandbox] = []
_routed: list[tuple[Any, Any]] = []  # sys.stdout and sys.stderr as they were


def _route(sandbox: Sandbox) -> None:
    with _lock:
        if not _sandboxes:
            _routed.append((sys.stdout, sys.stderr))
            sys.stdout, sys.stderr = _Router(sys.stdout), _Router(sys.stderr)
        _sandboxes.append(sandbox)


def _unroute(sandbox: Sandbox) -> None:
    with _lock:
        _sandboxes.remove(sandbox)
        if not _sandboxes:
            sys.stdout, sys.stderr = _routed.pop()


class _FirstLines:
    """A text that keeps its beginning and counts the rest, however long the flood."""

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
