"""What all metrics ask of hidden states: a batch of matrices, one row a token, a prompt or a view."""

import torch
from torch import Tensor


def check_states(states: Tensor, name: str, *, rows: int = 1, kind: str = "token") -> None:
    """Raise unless the states are (..., T, D), float32 or float64, finite, with rows enough.

    Args:
        states: (..., T, D).
        name: What to call them in an error.
        rows: The least number T of rows.
        kind: What a row is, in an error.

    Raises:
        TypeError: If they are no tensor, or hold another type of number.
        ValueError: If the shape is unfit, or an entry is not finite or too large to square.
    """
    if not isinstance(states, Tensor):
        raise TypeError(
            f"{name} must be one tensor, got {type(states).__name__}: torch.stack joins parts, all of one shape"
        )
    if states.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name} must be float32 or float64, got {states.dtype}; convert with .float()")
    if states.ndim < 2 or states.shape[-1] == 0:
        raise ValueError(
            f"{name} must have shape (..., {kind}s, coordinates), got shape {tuple(states.shape)}"
        )
    if states.shape[-2] < rows:
        raise ValueError(f"{name} must have at least {rows} {kind}s (its rows), got {states.shape[-2]}")
    # One norm a matrix sees every entry, in a tenth of the time of isfinite().
    if not torch.linalg.vector_norm(states, dim=(-2, -1)).square().isfinite().all():
        raise ValueError(
            f"{name} must be finite and small enough to square, but holds NaN, infinite or huge entries: "
            "look for a division by zero, or for half precision that overflowed, before it"
        )


def unit_rows(states: Tensor) -> Tensor:
    """Divide each row by its length: (..., T, D) -> (..., T, D). A row of zeros stays one."""
    lengths = torch.linalg.vector_norm(states, dim=-1, keepdim=True)
    return states / torch.where(lengths > 0, lengths, 1)
