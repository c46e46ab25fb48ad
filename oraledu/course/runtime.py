"""The first cell of a lesson: how large to run, where, and from which seeds.

The environment decides, so that the same notebook runs on a laptop and on a GPU:

* `ORALEDU_SCALE`: `quick` (a laptop, the default) or `full` (the paper's sizes);
* `ORALEDU_DEVICE`: `auto`, `cpu`, `cuda` or `mps`; without it `cpu` for `quick` and `auto` for `full`;
* `ORALEDU_THREADS`: threads of torch, and processes that compute side by side; without it `quick` takes 1 thread and
  a process for each core, and `full` every core in one process.
"""

import os
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import joblib
import numpy as np
import torch
from tqdm.auto import tqdm

from oraledu.course import results, runfolder
from oraledu.course.cache import cached
from oraledu.course.style import theme
from oraledu.devices import exact

__all__ = ["Run", "Scale", "cached", "progress", "start"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
#: Each process loads torch anew, which takes half a gigabyte.
MOST_WORKERS = 4
Scale = Literal["quick", "full"]
SCALES: tuple[Scale, ...] = ("quick", "full")
DEVICES = ("auto", "cpu", "cuda", "mps")
VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Run:
    """What `start` has settled for a lesson.

    Attributes:
        lesson: Name of the lesson, such as `04_grokking`.
        scale: Which of a topic's two presets to use.
        device: Where the long runs compute.
        threads: Threads that torch uses.
        offset: What a folder that was handed out for one student adds to every seed.
    """

    lesson: str
    scale: Scale
    device: torch.device
    threads: int
    offset: int = 0

    @property
    def exact(self) -> torch.device:
        """Where long runs in float64 compute: the device, or the CPU where it has no such numbers."""
        return exact(self.device)

    def generator(self, seed: int = 0) -> torch.Generator:
        """Make a generator on the CPU: the same numbers for the same seed, whatever the device."""
        return torch.Generator().manual_seed(seed + self.offset)

    @property
    def workers(self) -> int:
        """How many processes may compute side by side: one where a run fills the machine, or has a device to itself."""
        if self.scale == "full" or self.device.type != "cpu":
            return 1
        asked = os.environ.get("ORALEDU_THREADS")
        return min(MOST_WORKERS, int(asked) if asked else joblib.cpu_count())

    def kept(self, function: F) -> F:
        """Return the function; in a run that `oraledu run` makes, one that goes on where it was cut off.

        Such a run may be killed and started again. A call is known by all that is given to it.

        Args:
            function: One that takes ``keep``; any other, such as one of your own, is returned as it is.
        """
        return cast(F, runfolder.kept(function))


def start(lesson: str) -> Run:
    """Prepare a lesson: read scale, device and threads, fix the seeds, set the theme, and print one line.

    Args:
        lesson: Name of the lesson: two digits, an underscore and a word, such as `04_grokking`.

    Returns:
        The settings to run with.

    Raises:
        ValueError: `lesson` or an environment variable has a value that means nothing.
        RuntimeError: The device that was asked for is not there, or `oraledu run` runs another lesson.
        ValueError: `lesson` or an environment variable has a value that means nothing, or the learner's folder a
            damaged mark.
        RuntimeError: The device that was asked for is not there.
    """
    if not re.fullmatch(r"\d\d_\w+", lesson):
        raise ValueError(f"lesson is {lesson!r}; give a name such as '04_grokking'.")
    runfolder.require_lesson(lesson)
    scale = _scale()
    asked = os.environ.get("ORALEDU_DEVICE", "cpu" if scale == "quick" else "auto")
    run = Run(lesson, scale, find_device(asked), find_threads(scale), results.offset(lesson))
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(run.threads)
    # What a start-up file or an earlier cell may have set otherwise.
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    _prefer_repeatable_arithmetic()
    theme()
    # The number of threads is left out: the line is stored, and outputs must not depend on it.
    own = ", data drawn for you" if run.offset else ""
    print(f"Lesson {lesson}: scale {scale}, device {run.device}{own}.")
    if run.exact != run.device:
        print(f"{run.device} has no 64-bit numbers: what needs them is computed on the {run.exact}.")
    return run


def progress(iterable: Iterable[T], label: str) -> Iterable[T]:
    """Pass the items through behind a progress bar, which stays away where `CI` is set."""
    alone: Any = {"display": False} if "tqdm_notebook" in str(tqdm.__mro__) else {}
    bar = tqdm(iterable, desc=label, leave=False, disable=bool(os.environ.get("CI")), **alone)
    if alone and not bar.disable:
        from IPython.display import display

        # The live view alone: its text would stay in a stored notebook, and nbval would compare it.
        display({VIEW: bar.container._repr_mimebundle_()[VIEW]}, raw=True)
    return bar


def _scale() -> Scale:
    asked = os.environ.get("ORALEDU_SCALE", "quick")
    for scale in SCALES:
        if asked == scale:
            return scale
    raise ValueError(f"ORALEDU_SCALE is {asked!r}; set it to one of: {', '.join(SCALES)}.")


def find_device(asked: str) -> torch.device:
    """Return the device of a name of `DEVICES`; see `start` for the errors."""
    if asked not in DEVICES:
        raise ValueError(f"ORALEDU_DEVICE is {asked!r}; set it to one of: {', '.join(DEVICES)}.")
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        return torch.device(next(name for name, here in present.items() if here))
    if not present[asked]:
        raise RuntimeError(
            f"ORALEDU_DEVICE asks for {asked}, and torch finds none here; set it to cpu or auto."
        )
    return torch.device(asked)


def find_threads(scale: Scale) -> int:
    """Return how many threads a scale takes; see `start` for the errors."""
    default = 1 if scale == "quick" else joblib.cpu_count()
    asked = os.environ.get("ORALEDU_THREADS", str(default))
    if not asked.isascii() or not asked.isdigit() or int(asked) < 1:
        raise ValueError(f"ORALEDU_THREADS is {asked!r}; set it to a whole number from 1 up.")
    return int(asked)


def _prefer_repeatable_arithmetic() -> None:
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
