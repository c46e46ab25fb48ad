"""One independent stream of random numbers for each purpose, seed and width."""

import hashlib

import torch


def stream(*names: str | int) -> torch.Generator:
    """Return a generator on the CPU whose numbers depend on the names alone.

    Args:
        names: What the stream is for, such as ``"order", seed, width``.
    """
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
