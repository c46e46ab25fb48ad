"""A call that takes too long is stopped from inside its own thread, and the notebook goes on.

In the main thread a timer of the operating system interrupts even a sleep. Elsewhere, and on Windows, the
interpreter is asked to raise the exception, which it does when the call next runs a line of Python. Neither
can stop compiled code that never comes back. A user's own interrupt is a `KeyboardInterrupt`, which nobody
here catches.
"""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

# A function that swallows the exception is interrupted again after this many seconds.
_REPEAT = 0.25


class TimeUp(BaseException):
    """Raised inside a call whose time is up; no `Exception`, so that few functions catch it by accident."""


@dataclass
class _Alarm:
    armed: bool = False
    rung: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


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
        stop()
    if alarm.rung:
        raise TimeUp
    return result


def _start_timer(alarm: _Alarm, seconds: float) -> Callable[[], None]:
    def ring(number: int, frame: Any) -> None:
        if alarm.armed:
            alarm.rung = True
            raise TimeUp

    handler = signal.signal(signal.SIGALRM, ring)
    begun = time.monotonic()
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT)

    def stop() -> None:
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
                alarm.rung = True
                ask(caller, ctypes.py_object(TimeUp))
            pause = _REPEAT

    thread = threading.Thread(target=ring, daemon=True)
    thread.start()

    def stop() -> None:
        done.set()
        with alarm.lock:
            alarm.armed = False
            ask(caller, None)  # takes back an exception that was asked for and not yet raised
        thread.join()

    return stop
