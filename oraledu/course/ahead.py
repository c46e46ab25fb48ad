"""Begin a long run before the cell that waits for it, in a process beside what the reader does meanwhile."""

import atexit
import functools
import os
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

import torch
from joblib.externals import loky

from oraledu.course.cache import cached

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds after which a process without work ends, and gives its memory back.
IDLE = 30


def ahead(workers: int, function: Callable[P, R]) -> Callable[P, Callable[[], R]]:
    """Have a run of settings begin now, and be waited for later.

    What comes of it is kept, as by `cached`: nothing runs twice. Runs that begin ahead follow each other in one
    process. With one worker there is no process to spare, and the run begins when it is asked for.

    Args:
        workers: How many processes may compute side by side, this one among them.
        function: What `cached` takes.

    Returns:
        A function of the arguments that begins the run, and returns a function that waits for the result.
    """

    def begin(*args: P.args, **kwargs: P.kwargs) -> Callable[[], R]:
        here = functools.partial(cached(function), *args, **kwargs)
        if workers < 2:
            return here
        try:
            future = _beside().submit(_kept, function, args, kwargs)
        except BrokenProcessPool:
            return here

        def result() -> R:
            try:
                return future.result()
            except BrokenProcessPool:  # it died, as a process does without memory: then here
                return here()

        return result

    return begin


@functools.cache
def _beside() -> loky.ProcessPoolExecutor:
    # One thread, and no progress bar: it would be drawn into whatever cell runs then.
    quiet = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CI": "true"}
    executor = loky.ProcessPoolExecutor(max_workers=1, timeout=IDLE, env=os.environ | quiet)
    atexit.register(executor.shutdown, wait=False, kill_workers=True)
    return executor


def _kept(function: Callable[..., R], args: tuple, kwargs: dict) -> R:
    torch.set_num_threads(1)
    return cached(function)(*args, **kwargs)
