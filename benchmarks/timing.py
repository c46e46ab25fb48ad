"""What the benchmarks share: processor times, and ratios of calls that take turns."""

import statistics
import time
from collections.abc import Callable, Sequence

Call = Callable[[], object]


def seconds(call: Call) -> float:
    """Return the processor time of a call, which other programs on the machine disturb least."""
    start = time.process_time()
    call()
    return time.process_time() - start


def in_turns(calls: Sequence[Call], repeats: int) -> list[float]:
    """Return the ratio of each call's time to that of the last one, as a median over repeats."""
    for call in calls:  # caches fill, banks are built
        call()
    taken = [[seconds(call) for call in calls] for _ in range(repeats)]
    return [statistics.median(row[place] / row[-1] for row in taken) for place in range(len(calls) - 1)]
