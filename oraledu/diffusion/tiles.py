"""How many numbers to hold at a time on a GPU: as many as its free memory takes, and fewer where that was too many."""

from collections.abc import Callable
from typing import TypeVar

import torch

from oraledu.devices import free_memory

R = TypeVar("R")

#: As many log-weights as fill a GPU.
GPU_TILE = 1 << 26
#: What a log-weight takes, in bytes: in float64, and as much again three times on the way.
BYTES = 32
#: Tiles take this share of the free memory at most.
SHARE = 0.5
#: By how much tiles shrink at a time, and where that ends.
STEP, SMALLEST = 4, 1 << 12

#: What has been found to be enough for a device.
_most: dict[torch.device, int] = {}


def gpu_tile(device: torch.device) -> int:
    """Return how many log-weights to hold at a time on a GPU: a power of two, so that a few bytes change nothing."""
    free = free_memory(device)
    fits = GPU_TILE if free is None else int(SHARE * free) // BYTES
    return 1 << max(SMALLEST, min(GPU_TILE, _most.get(device, GPU_TILE), fits)).bit_length() - 1


def within_memory(compute: Callable[[], R], device: torch.device) -> R:
    """Return what a function computes in tiles; where they do not fit, once more in smaller ones, which a line says.

    Raises:
        torch.OutOfMemoryError: If the smallest do not fit.
    """
    asked = tile = gpu_tile(device)
    while True:
        try:
            result = compute()
        except torch.OutOfMemoryError:
            if device.type == "cpu" or tile <= SMALLEST:
                raise
        else:
            break
        # Here, where the error no longer holds what was computed.
        if device.type == "cuda":
            torch.cuda.empty_cache()
        _most[device] = tile // STEP
        tile = gpu_tile(device)
    if tile < asked:
        print(f"The memory of {device} is too small for tiles of {asked} numbers: on with {tile}.")
    return result
