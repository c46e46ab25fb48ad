"""How many digits a log-weight needs, and how to get them.

A log-weight is a sum of squares over 2b². At t = 0.05 that is 82 times the sum, and of the differences between
such numbers a weight is the exponential: rounding errors grow with the size of the window and with 1/b².
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from oraledu.diffusion.arguments import Task

#: Where a²/b² times the number of pixels exceeds this, float32 could move an answer by more than 1e-4.
FLOAT32_LIMIT = 5e3


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Keep TF32, bfloat16 products and autocast off inside, and leave the caller's settings as they were."""
    backends = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)  # type: ignore[attr-defined]
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for backend, precision in zip(backends, before, strict=True):
            backend.fp32_precision = precision


def double(device: torch.device) -> torch.dtype:
    """Return float64, where the device has it (Apple's GPUs do not)."""
    return torch.float32 if device.type == "mps" else torch.float64


def working_dtype(task: Task, pixels: int) -> torch.dtype:
    """Return the dtype for sums over so many pixels: that of the images, or float64 where it falls short.

    It depends on the noise level and the size of the window alone, not on any pixel's value.
    """
    steepest = (task.signal.square() / task.variance).max().item()
    return double(task.x.device) if steepest * pixels > FLOAT32_LIMIT else task.x.dtype
