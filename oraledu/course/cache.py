"""Keep the results of long runs on disk, so that a run once finished is never waited for again."""

import functools
import inspect
import os
import tempfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import joblib
import torch
from platformdirs import user_cache_path

from oraledu.course.fingerprint import source_digest
from oraledu.course.runfolder import finished, run_folder

P = ParamSpec("P")
R = TypeVar("R")

KEPT_BYTES = 2 * 2**30


def cached(function: Callable[P, R]) -> Callable[P, R]:
    """Keep what `function` returns in the user's cache folder, or in the one that `ORALEDU_CACHE` names.

    A result is found again for equal arguments, under the same source of this package and the same torch. Each
    call is stored as it ends, so interrupting a loop over many runs loses only the run under way. Above two GiB
    the results unused for longest are dropped; in a folder that cannot be written nothing is kept, and a line says so.

    In a run that `oraledu run` makes they lie in the run's folder instead, none is dropped, and a function that takes
    ``keep`` goes on where it was cut off.

    Args:
        function: A function at the top level of a module. Its arguments are settings: numbers, strings, seeds,
            and dataclasses or collections of these. What it computes must follow from them alone.

    Returns:
        The same function, with a memory.

    Raises:
        TypeError: `function` is written in a notebook or inside another function, where its source cannot be
            followed; or, when it is called, an argument is a function (a run that a learner's function drives
            is never kept), a generator (it would not be advanced) or a tensor (it has no stable key).
    """
    name = f"{function.__module__}.{function.__qualname__}"
    if function.__module__ == "__main__" or not function.__qualname__.isidentifier():
        raise TypeError(f"function {name} cannot be cached: define it at the top level of a module.")

    @functools.wraps(function)
    def remembering(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        bound.arguments.pop("keep", None)
        for argument, value in bound.arguments.items():
            _require_settings(name, argument, value)
        key = (name, source_digest(), torch.__version__, bound.arguments)
        if run_folder() is not None:
            run = functools.partial(function, *args, **kwargs)
            found: R = finished(function, joblib.hash(key), run)
            return found
        folder = os.environ.get("ORALEDU_CACHE") or user_cache_path("oraledu", appauthor=False)
        result: R = _memory(Path(folder)).cache(_call, ignore=["run"])(key, lambda: function(*args, **kwargs))
        return result

    return remembering


@functools.cache
def _memory(folder: Path) -> joblib.Memory:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        print(f"Long runs are not kept: {folder} cannot be written ({error.strerror}).")
        return joblib.Memory(None, verbose=0)
    memory = joblib.Memory(folder, verbose=0)
    memory.reduce_size(bytes_limit=KEPT_BYTES)
    return memory


def _call(key: tuple[Any, ...], run: Callable[[], R]) -> R:
    return run()


def _require_settings(function: str, argument: str, value: object) -> None:
    if callable(value) or isinstance(value, (torch.Generator, torch.Tensor)):
        raise TypeError(
            f"{function} keeps its results on disk, and its argument {argument} holds a {type(value).__name__}: "
            "give settings (numbers, strings, seeds), or call it without the cache."
        )
    for part in _parts(value):
        _require_settings(function, argument, part)


def _parts(value: Any) -> list[object]:
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    return []
