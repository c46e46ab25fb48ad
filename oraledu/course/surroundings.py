"""What code under examination may change, and what is put back: the notebook goes on as if nothing had happened."""

import builtins
import os
import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from oraledu.course.verdict import Complaint

#: Held while a picture is drawn, and while that which all threads share is put aside or put back.
PICTURES = threading.RLock()


def _set_default_device(device: torch.device) -> None:
    # Naming the CPU is not the same as naming none: each later call would pay for it.
    torch.set_default_device(None if device.type == "cpu" else device)


def _set_print_options(options: Any) -> None:
    torch._tensor_str.PRINT_OPTS = options


_Settings = tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...]

#: How to read a setting, and how to set it: those that the next computation depends on, and the others.
_COMPUTING: _Settings = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (lambda: torch.empty(0).device, _set_default_device),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    (lambda: torch.is_autocast_enabled("cpu"), lambda on: torch.set_autocast_enabled("cpu", on)),
    (np.geterr, lambda how: np.seterr(**how)),
)
_OTHERS: _Settings = (
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (lambda: replace(torch._tensor_str.PRINT_OPTS), _set_print_options),
    (np.get_printoptions, lambda options: np.set_printoptions(**options)),
    (sys.getrecursionlimit, sys.setrecursionlimit),
)


@contextmanager
def settings_put_back(settings: _Settings = _COMPUTING) -> Iterator[None]:
    """Leave the settings of torch and NumPy as they are."""
    before = [read() for read, _ in settings]
    try:
        yield
    finally:
        for (read, restore), value in zip(settings, before, strict=True):
            if read() != value:
                restore(value)


@contextmanager
def undisturbed(seed: int) -> Iterator[list[warnings.WarningMessage]]:
    """Leave random states, settings, folder, environment and figures as they are; show no picture and no warning.

    Args:
        seed: where the global random states of Python, NumPy and torch begin.

    Yields:
        The warnings so far.
    """
    with ExitStack() as stack:
        with PICTURES:
            _put_aside(stack)
            caught = stack.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always")
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield caught
        finally:
            with PICTURES:
                stack.close()


def _put_aside(stack: ExitStack) -> None:
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    stack.enter_context(torch.random.fork_rng(devices))
    stack.callback(random.setstate, random.getstate())
    stack.callback(np.random.set_state, np.random.get_state())
    stack.enter_context(settings_put_back(_COMPUTING + _OTHERS))
    stack.callback(setattr, builtins, "input", builtins.input)
    builtins.input = _no_answer
    stack.callback(os.chdir, os.getcwd())
    stack.callback(_restore, os.environ, dict(os.environ))
    stack.callback(sys.path.__setitem__, slice(None), list(sys.path))
    # Whoever draws has loaded matplotlib already; a plain script must not pay for the import.
    if matplotlib := sys.modules.get("matplotlib"):
        stack.callback(_restore, matplotlib.rcParams, dict(matplotlib.rcParams))
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        stack.callback(_close_figures, pyplot, set(pyplot.get_fignums()))
    ipython = sys.modules.get("IPython")
    publisher: Any = getattr(ipython and ipython.get_ipython(), "display_pub", None)
    if hasattr(publisher, "register_hook"):
        # In ipykernel such a hook belongs to the thread that registers it.
        publisher.register_hook(_hold_back)
        stack.callback(publisher.unregister_hook, _hold_back)


def _no_answer(prompt: object = "") -> str:
    raise Complaint("it waits for an answer, as at a breakpoint: to debug it, call it in a cell of your own")


def _restore(mapping: Any, before: dict[Any, Any]) -> None:
    if dict(mapping) != before:
        mapping.clear()
        mapping.update(before)


def _close_figures(pyplot: Any, before: set[int]) -> None:
    for number in set(pyplot.get_fignums()) - before:
        pyplot.close(number)


def _hold_back(message: dict[str, Any]) -> None:
    """Tell the kernel's publisher that there is nothing to send."""
