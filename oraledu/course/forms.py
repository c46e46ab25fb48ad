"""The forms in which a lesson may hand an input over: other strides, the other float type, the same memory again.

This file imports nothing of the course, like `decompositions`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

_OTHER = {torch.float64: torch.float32, torch.float32: torch.float64}


def tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a value: one, or those in a tuple, list or dictionary of values."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from tensors(part)


def strided(value: Any) -> Any:
    """Return equal tensors that are not contiguous: slices of larger ones, expanded where they repeat themselves."""
    return mapped(value, _strided)


def other_float(value: Any) -> Any:
    """Return a value with float32 tensors in the place of float64 ones, and the reverse."""
    return mapped(value, lambda tensor: tensor.to(_OTHER.get(tensor.dtype, tensor.dtype)))


def refilled(value: Any, other: Any) -> Any:
    """Return `other` with its tensors written into those of a value; None where these are none, or of other forms."""
    mine, theirs = list(tensors(value)), list(tensors(other))
    if not mine or [_form(each) for each in mine] != [_form(each) for each in theirs]:
        return None
    # An input that repeats one number in memory cannot hold others.
    if any(0 in each.stride() for each in mine):
        return None
    filled = iter([one.copy_(another) for one, another in zip(mine, theirs, strict=True)])
    return mapped(other, lambda tensor: next(filled))


def _form(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.shape, tensor.dtype


def mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return a value with each of its tensors changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: mapped(part, change) for key, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(mapped(part, change) for part in value)
    return value


def _strided(tensor: Tensor) -> Tensor:
    if not tensor.ndim or not tensor.numel():
        return tensor
    for dim, size in enumerate(tensor.shape):
        first = tensor.narrow(dim, 0, 1)
        if size > 1 and torch.equal(first.expand_as(tensor), tensor):
            return first.clone().expand_as(tensor)
    # Odd widths, so that no two axes of the slice can be viewed as one.
    apart = tensor.new_zeros((*tensor.shape[:-2], *(2 * size + 1 for size in tensor.shape[-2:])))
    slices: Any = (..., *(slice(1, None, 2),) * min(2, tensor.ndim))
    apart[slices] = tensor
    return apart[slices]
