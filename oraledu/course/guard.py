"""While a learner's function is examined, the library's own solutions are closed, in the thread that examines.

A name can be copied, wrapped or imported anew, so hiding a name would not do. What all copies share is the function
object. Its code is replaced by a door: whoever comes while a learner's function runs in this thread, by whatever
road, gets an exception and is noted down; everybody else is let through.
"""

import functools
import inspect
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType, MethodType
from typing import Any, Self


class Borrowed(Exception):
    """A learner's function calls the reference."""


class Guard:
    """Functions that are closed while a learner's function runs; a context in which their doors stand.

    Args:
        own: the reference.
        package: the package of which all other functions are closed too, as far as it is loaded.
        opens: the functions of it that stay open, and classes with all their methods. They may call closed ones.
    """

    def __init__(
        self, own: Sequence[FunctionType] = (), package: str = "", opens: Iterable[Any] = ()
    ) -> None:
        self.own, self.package = frozenset(own), package
        self.closed = self.own | science(package)
        self._opens = {function for each in opens for function in functions_of(each)} - self.own
        self._earlier_threads: frozenset[threading.Thread] = frozenset()

    def __enter__(self) -> Self:
        self._earlier_threads = frozenset(threading.enumerate())
        with _lock:
            for function in self.closed:
                if not _doors[function]:
                    function.__code__ = _door(function)
                _doors[function] += 1
        return self

    def __exit__(self, *exception: object) -> None:
        with _lock:
            for function in self.closed:
                _doors[function] -= 1
                if not _doors[function]:
                    function.__code__ = _twin(function).__code__

    @contextmanager
    def watching(self, arguments: object = ()) -> Iterator[Callable[[], bool]]:
        """Close the doors to this thread, and to those it starts, and tell on demand whether somebody came.

        Args:
            arguments: what the learner's function is called with; what can be called there stays open.
        """
        visit = _Visit(self, self._opens | (set(self._handed_over(arguments)) - self.own))
        loaded = len(sys.modules)
        _running.append(visit)
        try:
            yield lambda: visit.refused or (len(sys.modules) > loaded and self._grew())
        finally:
            _running.remove(visit)

    def _grew(self) -> bool:
        """Tell whether a part of the package was loaded that has no doors yet."""
        return not science(self.package) <= self.closed

    def _handed_over(self, value: Any) -> Iterator[FunctionType]:
        """Yield what can be called on an argument: a function, the methods of an object of the package."""
        if isinstance(value, dict):
            value = tuple(value.values())
        if isinstance(value, tuple | list):
            for part in value:
                yield from self._handed_over(part)
        else:
            yield from functions_of(value)
            if _within(type(value), self.package):
                yield from functions_of(type(value))

    def covers(self, thread: threading.Thread) -> bool:
        """Tell whether a thread other than the examining one belongs to the examination."""
        # A notebook's front end has threads of its own, which may begin at any time.
        return thread not in self._earlier_threads and not type(thread).__module__.startswith("ipykernel")


class _Visit:
    """One call of a learner's function: who is in, what it may call, and whether it was refused something."""

    def __init__(self, guard: Guard, opens: set[FunctionType]) -> None:
        self.guard, self.opens, self.refused = guard, opens, False
        self.thread = threading.current_thread()


_lock = threading.Lock()
_doors: Counter[FunctionType] = Counter()  # how many examinations need each
_running: list[_Visit] = []
_inside = threading.local()  # .depth: how many open functions this thread is in


def _visit() -> _Visit | None:
    """Return the call of a learner's function that this thread is in; None within an open function."""
    if getattr(_inside, "depth", 0):
        return None
    here = threading.current_thread()
    for visit in reversed(_running):
        if visit.thread is here:
            return visit
    return next((visit for visit in _running if visit.guard.covers(here)), None)


@contextmanager
def inside() -> Iterator[None]:
    """Open every door to this thread."""
    depth = getattr(_inside, "depth", 0)
    _inside.depth = depth + 1
    try:
        yield
    finally:
        _inside.depth = depth


@contextmanager
def outside() -> Iterator[None]:
    """Let the doors decide about this thread again: what an open function calls back may be the learner's.

    Raises:
        Borrowed: no learner's function runs, so that no door would.
    """
    depth = getattr(_inside, "depth", 0)
    _inside.depth = 0
    try:
        if _visit() is None:
            raise Borrowed("nothing is open now")
        yield
    finally:
        _inside.depth = depth


def lend(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a reference that the lesson has handed out: open, except in its own examination."""
    visit = _visit() if _running else None
    if visit is None or closable(function) in visit.guard.own:
        return function(*args, **kwargs)
    with inside():
        return function(*args, **kwargs)


def enter(function: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Go through the door of a function, or be refused."""
    visit = _visit()
    if visit is None or function not in visit.guard.closed:
        return _twin(function)(*args, **kwargs)
    if function not in visit.opens:
        visit.refused = True
        raise Borrowed("this is the reference; write your own")
    with inside():
        return _twin(function)(*args, **kwargs)


@functools.cache
def _twin(function: FunctionType) -> FunctionType:
    """Return a copy of a function, made before its door, that keeps its code."""
    twin = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin


@functools.cache
def _door(function: FunctionType) -> CodeType:
    """Return the code that stands in for a function's own."""
    _twin(function)

    # It runs in the namespace of the function that it replaces, and so carries all it needs as constants.
    def door(*args: Any, **kwargs: Any) -> Any:
        way_in: Any = "enter"
        return way_in("function", args, kwargs)

    carried = {"enter": enter, "function": function}
    constants = [
        carried.get(each, each) if isinstance(each, str) else each for each in door.__code__.co_consts
    ]
    return door.__code__.replace(co_consts=tuple(constants), co_name=function.__name__)


def closable(function: Callable[..., Any]) -> FunctionType:
    """Return the plain function at the heart of a decorated one, which a door can replace.

    Raises:
        TypeError: there is no such function, or it is a closure (its code cannot be replaced), or a layer
            around it is not a plain function (a cache would answer without calling it).
    """
    name = getattr(function, "__name__", repr(function))
    layer: Any = function
    while isinstance(layer, FunctionType) and hasattr(layer, "__wrapped__"):
        layer = layer.__wrapped__
    if not isinstance(layer, FunctionType):
        raise TypeError(
            f"{name} must be a plain function, without a cache around it, to serve as a reference"
        )
    if layer.__closure__:
        raise TypeError(f"{name} must not use variables of an enclosing function, to serve as a reference")
    return layer


def science(package: str) -> frozenset[FunctionType]:
    """Return every function and method of a package that a door can replace, as far as it is loaded."""
    within = f"{package}."
    loaded = [name for name in list(sys.modules) if package and (name == package or name.startswith(within))]
    return _science(package, tuple(loaded))


@functools.lru_cache(maxsize=16)
def _science(package: str, loaded: tuple[str, ...]) -> frozenset[FunctionType]:
    values = [value for name in loaded for value in list(vars(sys.modules[name]).values())]
    parts = [value for value in values if not isinstance(value, type) or _within(value, package)]
    found = {function for part in parts for function in functions_of(part)}
    return frozenset(function for function in found if _within(function, package))


def functions_of(value: Any) -> Iterator[FunctionType]:
    """Yield the plain functions behind a function, a method, a property or a cache, or those of a class."""
    if isinstance(value, type):
        for name, part in vars(value).items():
            # The others belong to how Python makes, copies, compares and prints an object.
            if not name.startswith("__") or name == "__call__":
                yield from functions_of(part)
        return
    for kind, attribute in _LAYERS:
        if isinstance(value, kind):
            value = getattr(value, attribute)
    heart = inspect.unwrap(value) if isinstance(value, FunctionType | _Cached) else None
    if isinstance(heart, FunctionType) and not heart.__closure__:
        yield heart


_Cached = type(functools.cache(len))
_LAYERS: tuple[tuple[type, str], ...] = (
    (functools.partial, "func"),
    (property, "fget"),
    (functools.cached_property, "func"),
    (classmethod, "__func__"),
    (staticmethod, "__func__"),
    (MethodType, "__func__"),
)


def _within(value: Any, package: str) -> bool:
    return bool(package) and f"{value.__module__}.".startswith(f"{package}.")
