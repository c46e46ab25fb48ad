"""Wrong answers as edits of a right one: what stands there, what the slip makes of it, what the learner is told.

An exercise's file holds one plain right answer and a table of such rows. A slip that is no edit of it is a function
of its own.
"""

from __future__ import annotations

import inspect
import linecache
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class WrongAnswer:
    """A plausible wrong function that the check must reject.

    Attributes:
        function: the wrong function; it may call the reference.
        mistake: the mistake it stands for, one sentence to the learner: "You forgot to centre: …".
        edits: what stands in the plain right answer, and what the slip makes of it; none for other functions.
    """

    function: Function
    mistake: str
    edits: tuple[tuple[str, str], ...] = ()


def slips(right: Function, *rows: tuple[str, ...] | tuple[Function, str]) -> list[WrongAnswer]:
    """Turn a table into wrong answers.

    Args:
        right: the plain right answer, at the top level of its module.
        rows: `(old, new, …, mistake)`, the edits in pairs, or `(function, mistake)`. Each `old` stands exactly once
            in the source of `right`, or in what the edits before it have made of that.

    Raises:
        ValueError: an edit does not match exactly once.
    """
    source = textwrap.dedent(inspect.getsource(right))
    return [_wrong_answer(right, source, *row) for row in rows]


def variant(right: Function, source: str) -> Function:
    """Return the function that `source` defines, in the module of `right` and under its name."""
    name = f"<variant of {right.__name__} {hash(source):x}>"
    # So that a complaint can quote the line that fails, as it does for a function in a notebook.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    made: dict[str, Function] = {}
    exec(compile(source, name, "exec"), inspect.unwrap(right).__globals__, made)
    return made[right.__name__]


def _wrong_answer(right: Function, source: str, *row: Any) -> WrongAnswer:
    *parts, mistake = row
    if len(parts) == 1:
        return WrongAnswer(parts[0], mistake)
    edits = tuple((parts[k], parts[k + 1]) for k in range(0, len(parts), 2))
    for old, new in edits:
        if (count := source.count(old)) != 1:
            raise ValueError(
                f"the edit {old!r} of {right.__name__} matches {count} times, and must match exactly once"
            )
        source = source.replace(old, new)
    return WrongAnswer(variant(right, source), mistake, edits)
