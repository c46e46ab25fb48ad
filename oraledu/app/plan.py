"""What a run would take, without running it."""

import importlib

from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError

WIDTHS = (34, 44, 6)


def show(lesson: Lesson, *, scale: str, tflops: float) -> int:
    """Print the long parts of a run: sizes, runs, operations, memory, hours; and the files that it needs.

    Args:
        lesson: the lesson.
        scale: "quick", "middle" or "full".
        tflops: what the card does in a second, in 10¹² operations.

    Raises:
        UserError: the folder of the user's data is not there.
    """
    costs = importlib.import_module(f"oraledu.{lesson.topic}.costs")
    try:
        parts = costs.parts(scale)
        needed = costs.needs(scale) if hasattr(costs, "needs") else []
    except FileNotFoundError as error:
        raise UserError(str(error)) from None
    print(f"{lesson.name} at the {scale} scale: its long parts.")
    print(_row("part", "sizes", "runs", "TFLOP", "memory, GB", "hours"))
    rows = [(part.name, part.sizes, part.runs, part.operations, part.memory) for part in parts]
    totals = sum(part.operations for part in parts), max(part.memory for part in parts)
    for *words, operations, memory in [*rows, ("all", "", "", *totals)]:
        hours = operations / (tflops * 1e12 * 3600)
        print(_row(*words, *map(_number, (operations / 1e12, memory / 1e9, hours))))
    print(f"Hours at {tflops:g} TFLOP/s throughout; no card is always that busy.")
    for there, said in ((True, "There"), (False, "Missing")):
        if names := [need.name for need in needed if need.there is there]:
            print(f"{said}: {', '.join(names)}")
    if not needed:
        print("It needs no files but those that come with the course.")
    return 0


def _row(name: object, sizes: object, runs: object, *numbers: str) -> str:
    first = f"{name!s:<{WIDTHS[0]}}{sizes!s:<{WIDTHS[1]}}{runs!s:>{WIDTHS[2]}}"
    return first + "".join(f"{number:>12}" for number in numbers)


def _number(value: float) -> str:
    """Return two digits of a number, as a plain number where that is short."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
