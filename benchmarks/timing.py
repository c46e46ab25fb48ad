"""What the benchmarks share: processor times, ratios with their spread, how time grows, peak memory, a table's row."""

import math
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Call = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        part: What is measured, such as a lesson.
        what: What is divided by what, or what is measured.
        size: At which size.
        value: The ratio with its spread, or a number with its unit.
        growth: How the time of the first named grows, or a dash.
        memory: The peak memory of the first named, or a dash.
    """

    part: str
    what: str
    size: str
    value: str
    growth: str = "–"
    memory: str = "–"

    def __str__(self) -> str:
        return f"| {' | '.join(vars(self).values())} |"


def seconds(call: Call) -> float:
    """Return the processor time of a call, which other programs on the machine disturb least."""
    start = time.process_time()
    call()
    return time.process_time() - start


def ratio(slow: Call, fast: Call, rounds: int) -> str:
    """Return slow over fast: the median over rounds in which they take turns, and the least and largest of these.

    Args:
        slow: What is divided.
        fast: What it is divided by.
        rounds: How many, at least 5; one more goes first and does not count: caches fill, banks are built.
    """
    if rounds < 5:
        raise ValueError(f"rounds must be at least 5 for a spread, got {rounds}")
    taken = [seconds(slow) / seconds(fast) for _ in range(rounds + 1)][1:]
    return spread(taken)


def spread(values: Sequence[float], unit: str = "") -> str:
    """Return the median of some numbers, with the least and the largest."""
    words = [f"{value:.0f}" if value >= 20 else f"{value:.2g}" for value in (min(values), max(values))]
    middle = statistics.median(values)
    return (
        f"{middle:.0f}" * (middle >= 20) + f"{middle:.2g}" * (middle < 20) + f"{unit} ({' to '.join(words)})"
    )


def growth(make: Callable[[int], Call], sizes: Sequence[int], name: str) -> str:
    """Return the exponent b of time ∝ size^b, fitted to the least of three times at each size."""
    least = []
    for size in sizes:
        call = make(size)
        call()
        least.append(min(seconds(call) for _ in range(3)))
    x, y = ([math.log(each) for each in values] for values in (sizes, least))
    slope = statistics.linear_regression(x, y).slope
    return f"{name}^{slope:.1f}, {name} = {' to '.join(str(size) for size in (sizes[0], sizes[-1]))}"


def peak(make: Callable[[int], Call], size: int) -> str:
    """Return what a call, with its inputs, adds to the peak memory of a fresh process; a dash where nobody can tell.

    Args:
        make: At the top level of a module; returns the call for a size.
        size: The size.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        found = pool.apply(_peak_here, (make, size))
    return "–" if found is None else f"{found:.0f} MB"


def _peak_here(make: Callable[[int], Call], size: int) -> float | None:
    import torch

    torch.set_num_threads(1)
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak so far, that of the imports, is forgotten
        before = _peak_so_far()
    except OSError:  # not Linux
        return None
    make(size)()
    return _peak_so_far() - before


def _peak_so_far() -> float:
    # Not `getrusage`: what it says of a process begins with the peak of its parent.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
