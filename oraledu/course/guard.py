"""While a learner's function is checked, the library's own solution is closed.

A name can be copied, wrapped or imported anew, so hiding a name would not do. What all copies share is the
function object, and its code is replaced: whoever reaches the reference, by whatever road, gets an exception
and is noted down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any, NoReturn

_uses: list[None] = []


class Borrowed(Exception):
    """A learner's function calls the reference."""


def refuse() -> NoReturn:
    """Note that a closed function was called, and raise."""
    _uses.append(None)
    raise Borrowed("this is the reference; write your own")


def _closed(*args: Any, **kwargs: Any) -> Any:
    # This code runs in the namespace of the function that it replaces, and has to bring what it needs.
    from oraledu.course.guard import refuse

    refuse()


@contextmanager
def closed(functions: Sequence[FunctionType]) -> Iterator[Callable[[], bool]]:
    """Close functions for the length of a `with` block, and tell it on demand whether one was called."""
    codes = [function.__code__ for function in functions]
    _uses.clear()
    try:
        for function in functions:
            function.__code__ = _closed.__code__
        yield lambda: bool(_uses)
    finally:
        for function, code in zip(functions, codes, strict=True):
            function.__code__ = code


def closable(function: Callable[..., Any]) -> FunctionType:
    """Return the plain function at the heart of a decorated one, which `closed` can close.

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
