"""What a device can do: whether it has numbers of 64 bits, and how much of its memory is free."""

from functools import cache

import torch


@cache
def has_float64(device: torch.device) -> bool:
    """Say whether a device computes in float64; Apple's GPUs do not."""
    if device.type in ("cpu", "cuda"):
        return True
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (TypeError, RuntimeError):
        return False
    return True


def exact(device: torch.device | str) -> torch.device:
    """Return where to compute in float64: the device itself, or the CPU where it has no such numbers."""
    device = torch.device(device)
    return device if has_float64(device) else torch.device("cpu")


def free_memory(device: torch.device) -> int | None:
    """Return how many bytes a device has left, with those that torch keeps for itself; None where it does not say."""
    if device.type != "cuda":
        return None
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept
