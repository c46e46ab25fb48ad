"""Wrong answers as edits of a right one: what stands there, what the slip makes of it, what the learner is told.

An exercise's file holds one plain right answer and a table of such rows. A slip that is no edit of it is a function
of its own.
"""

import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator
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


def slips(right: Function, table: str, *others: tuple[Function, str]) -> list[WrongAnswer]:
    r"""Turn a table into wrong answers.

    Args:
        right: the plain right answer, at the top level of its module.
        table: a line `old => new` for each edit of its source, and behind the last edit of a slip `:: ` and the
            sentence to the learner, on a line of its own where it is long. Each `old` stands exactly once in the
            source, or in what the edits before it have made of that. A line break in it is written ``\n``.
        others: wrong functions that are no edits, each with its sentence.

    Raises:
        ValueError: an edit does not match exactly once, or the table ends without a sentence.
    """
    source = textwrap.dedent(inspect.getsource(right))
    made = [_wrong_answer(right, source, edits, mistake) for edits, mistake in _rows(table)]
    return made + [WrongAnswer(function, mistake) for function, mistake in others]


def _rows(table: str) -> Iterator[tuple[tuple[tuple[str, str], ...], str]]:
    edits: list[tuple[str, str]] = []
    for line in table.strip("\n").replace("\\\n", "").splitlines():
        edit, marked, mistake = line.partition(":: ")
        if edit.strip():
            old, _, new = edit.rstrip().replace("\\n", "\n").partition(" =>")
            edits.append((old, new.removeprefix(" ")))
        if marked:
            yield tuple(edits), mistake
            edits = []
    if edits:
        raise ValueError(
            f"the edit {edits[-1][0]!r} has no sentence: end it with ':: ' and what to tell the learner"
        )


def variant(right: Function, source: str) -> Function:
    """Return the function that `source` defines, in the module of `right` and under its name."""
    name = f"<variant of {right.__name__} {hash(source):x}>"
    # So that a complaint can quote the line that fails, as it does for a function in a notebook.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    made: dict[str, Function] = {}
    exec(compile(source, name, "exec"), inspect.unwrap(right).__globals__, made)
    return made[right.__name__]


def _wrong_answer(
    right: Function, source: str, edits: tuple[tuple[str, str], ...], mistake: str
) -> WrongAnswer:
    for old, new in edits:
        if (count := source.count(old)) != 1:
            raise ValueError(
                f"the edit {old!r} of {right.__name__} matches {count} times, and must match exactly once"
            )
        source = source.replace(old, new)
    return WrongAnswer(variant(right, source), mistake, edits)
