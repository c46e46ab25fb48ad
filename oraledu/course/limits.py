"""A call that takes too long or too much memory is stopped, and the notebook goes on.

Time: the call is interrupted inside its own thread. In the main thread a timer of the operating system interrupts
even a sleep. Elsewhere, and on Windows, the interpreter is asked to raise the exception, which it does when the call
next runs a line of Python. Neither can stop compiled code that never comes back. A user's own interrupt is a
`KeyboardInterrupt`, which nobody here catches.

Memory: where the system knows such a limit (Linux), an allocation beyond it fails as if the machine had no more.
"""

import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

T = TypeVar("T")

_STATISTICS = Path("/proc/self/statm")

# A function that swallows the exception is interrupted again after this many seconds, and if it has swallowed a few,
# in a volley: one of these hits a loop between its `except:` and its next `try:`, where nothing catches it.
_REPEAT = 0.25
_PATIENCE = 4
_VOLLEY = 5e-5


class TimeUp(BaseException):
    """Raised inside a call whose time is up; no `Exception`, so that few functions catch it by accident."""


@dataclass
class _Alarm:
    armed: bool = False
    rung: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pause(self) -> float:
        """Return the seconds until the next interruption, counting this one."""
        self.rung += 1
        return _REPEAT if self.rung < _PATIENCE else _VOLLEY


def run_within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` returns.

    Raises:
        TimeUp: the call took longer than `seconds`, also if it caught the interruption and returned.
    """
    alarm = _Alarm()
    main = threading.current_thread() is threading.main_thread()
    stop = (_start_timer if main and hasattr(signal, "setitimer") else _start_thread)(alarm, seconds)
    # Two layers, because the alarm may ring between the end of the call and the disarming.
    try:
        try:
            alarm.armed = True
            result = call()
        finally:
            alarm.armed = False
    except Exception:
        if alarm.rung:
            raise TimeUp from None
        raise
    finally:
        while not _quietly(stop):
            pass
    if alarm.rung:
        raise TimeUp
    return result


def _quietly(stop: Callable[[], None]) -> bool:
    """Stop an alarm; tell whether that went through without its ringing once more."""
    try:
        stop()
    except TimeUp:
        return False
    return True


def _start_timer(alarm: _Alarm, seconds: float) -> Callable[[], None]:
    def ring(number: int, frame: Any) -> None:
        if alarm.armed:
            signal.setitimer(signal.ITIMER_REAL, alarm.pause())
            raise TimeUp

    handler = signal.signal(signal.SIGALRM, ring)
    begun = time.monotonic()
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds)

    def stop() -> None:
        alarm.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if remaining:  # somebody else's timer was running, a test's time limit for instance
            left = remaining - (time.monotonic() - begun)
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001), interval)

    return stop


def _start_thread(alarm: _Alarm, seconds: float) -> Callable[[], None]:
    caller = ctypes.c_ulong(threading.get_ident())
    ask = ctypes.pythonapi.PyThreadState_SetAsyncExc
    done = threading.Event()

    def ring() -> None:
        pause = seconds
        while not done.wait(pause):
            with alarm.lock:
                if not alarm.armed:
                    return
                pause = alarm.pause()
                ask(caller, ctypes.py_object(TimeUp))

    thread = threading.Thread(target=ring, daemon=True)
    thread.start()

    def stop() -> None:
        alarm.armed = False
        done.set()
        with alarm.lock:
            ask(caller, None)  # takes back an exception that was asked for and not yet raised
        thread.join()

    return stop


@contextmanager
def memory_within(gibibytes: float) -> Iterator[None]:
    """Let allocations fail that would take this much more memory than the process has now."""
    if resource is None or not _STATISTICS.exists() or torch.cuda.is_initialized():
        yield  # a GPU's driver reserves more address space than there is memory
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(_STATISTICS.read_text().split()[0])
    limit = pages * resource.getpagesize() + int(gibibytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit if soft < 0 else min(soft, limit), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
