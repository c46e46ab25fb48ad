"""How a learner's result differs from the reference's, in the order in which it helps to hear it.

A result is a tensor, a NumPy array, a number, a string, None, a function, or a tuple, list, dictionary,
dataclass or named tuple of such results, compared entry by entry.
"""

import dataclasses
import functools
import numbers
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch

from oraledu.course.verdict import Complaint

P = ParamSpec("P")
R = TypeVar("R")

_IN_FLOAT32 = (
    "that is the precision of float32, which `torch.tensor(0.3)`, `torch.zeros` and `torch.eye` have"
)
# In this order, because Python counts a truth value as an integer, and an integer as a number.
_KINDS: tuple[tuple[Any, str], ...] = (
    (type(None), "None"),
    (torch.Tensor, "a tensor"),
    (np.ndarray, "a NumPy array"),
    (bool | np.bool_, "a truth value"),
    (numbers.Integral, "an integer"),
    (numbers.Real, "a number"),
    (numbers.Complex, "a complex number"),
    (str, "a string"),
    (tuple, "a tuple"),
    (list, "a list"),
    (dict, "a dictionary"),
)
_NUMERIC = ("a tensor", "a NumPy array", "a truth value", "an integer", "a number", "a complex number")


def _compares(check: Callable[P, R]) -> Callable[P, R]:
    """Let a result that cannot be compared, whatever it raises, end as a complaint."""

    @functools.wraps(check)
    def safely(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return check(*args, **kwargs)
        except (Complaint, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise Complaint(f"the result cannot be compared ({type(error).__name__})") from error

    return safely


@_compares
def check_form(actual: Any, expected: Any) -> None:
    """Raise a `Complaint` unless type, structure, shape, dtype, device and finiteness are as expected."""
    if actual is None and expected is not None:
        raise Complaint("it returns nothing: does it end with `return`?")
    pairs = list(_pairs(actual, expected))
    arrays = [pair for pair in pairs if isinstance(pair[2], torch.Tensor | np.ndarray)]
    for what in ("layout", "shape", "dtype", "device"):
        for where, mine, theirs in arrays:
            has, needs = _plain(getattr(mine, what, "")), _plain(getattr(theirs, what, ""))
            if has != needs:
                raise Complaint(f"{where} has {what} {has}; {needs} is expected")
    for where, mine, theirs in arrays:
        if getattr(mine, "requires_grad", False) and not theirs.requires_grad:
            raise Complaint(f"{where} still records gradients: detach it, or compute under `torch.no_grad()`")
    for where, mine, theirs in pairs:
        if _kind(theirs) in _NUMERIC and (~_tensor(mine).isfinite() & _tensor(theirs).isfinite()).any():
            raise Complaint(f"{where} contains NaN or infinity")


@_compares
def check_values(actual: Any, expected: Any, tolerance: float) -> None:
    """Raise a `Complaint` with the largest error unless the values agree; the form has been checked.

    An entry may be off by `tolerance` times the largest entry of the reference, or by the rounding to be
    expected in its dtype if that is more. Integers and truth values must be equal.
    """
    for where, mine, theirs in _pairs(actual, expected):
        if _kind(theirs) in _NUMERIC:
            _check_numbers(where, mine, theirs, tolerance)
        elif isinstance(theirs, str) and mine != theirs:
            raise Complaint(f"{where} is {mine!r}; {theirs!r} is expected")


@_compares
def equal(first: Any, second: Any) -> bool:
    """Tell whether two values have the same form and exactly the same entries.

    What is neither array, number nor text (a network, a generator) counts as equal.
    """
    try:
        pairs = list(_pairs(first, second))
    except Complaint:
        return False
    return all(_identical(one, other) for _, one, other in pairs)


def _identical(one: Any, other: Any) -> bool:
    if _kind(one) not in _NUMERIC:
        return not isinstance(one, str) or one == other
    mine, theirs = _tensor(one), _tensor(other)
    return mine.shape == theirs.shape and mine.dtype == theirs.dtype and bool(_same(mine, theirs).all())


@_compares
def share_memory(result: Any, inputs: Any) -> bool:
    """Tell whether an array or a tensor in `result` lies in the memory of one in `inputs`."""
    return any(
        start < other_end and other_start < end
        for start, end in _memory(result)
        for other_start, other_end in _memory(inputs)
    )


def as_number(result: Any) -> Any:
    """Return a tensor or an array without dimensions as the number that it holds, and all else as it is."""
    return result.item() if isinstance(result, torch.Tensor | np.ndarray) and result.ndim == 0 else result


def unlike(mine: float | complex, theirs: float | complex) -> str:
    """Write what one number is instead of another, with as many digits as it takes to tell them apart."""
    digits = next((n for n in range(4, 17) if f"{mine:.{n}g}" != f"{theirs:.{n}g}"), 17)
    return f"{mine:.{digits}g} instead of {theirs:.{digits}g}"


def _pairs(actual: Any, expected: Any, where: str = "the result") -> Iterator[tuple[str, Any, Any]]:
    """Yield every pair of entries that have no parts of their own, with the way to write where it stands."""
    if type(expected) is tuple and isinstance(actual, tuple):
        actual = tuple(actual)  # a named tuple is one
    has, needs = _kind(actual), _kind(expected)
    if has != needs and (has, needs) != ("an integer", "a number"):
        raise Complaint(f"{where} is {has}; {needs} is expected")
    mine, theirs = _parts(actual), _parts(expected)
    if mine is None or theirs is None:
        yield where, actual, expected
        return
    if mine.keys() != theirs.keys():
        raise Complaint(f"{where} has the entries {_listed(mine)}; expected are {_listed(theirs)}")
    name = where.strip("`").removeprefix("the ")
    for key in theirs:
        yield from _pairs(mine[key], theirs[key], f"`{name}{key}`")


def _parts(value: Any) -> dict[str, Any] | None:
    """Return the entries of a value by the way to write them, or None where it has none."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f".{field.name}": getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {f".{name}": part for name, part in zip(value._fields, value, strict=True)}
    if isinstance(value, dict):
        return {f"[{key!r}]": part for key, part in value.items()}
    if isinstance(value, tuple | list):
        return {f"[{index}]": part for index, part in enumerate(value)}
    return None


def _kind(value: Any) -> str:
    if dataclasses.is_dataclass(value) or hasattr(value, "_fields"):
        return f"a `{type(value).__name__}`"
    named = next((name for types, name in _KINDS if isinstance(value, types)), None)
    return named or ("a function" if callable(value) else f"a `{type(value).__name__}`")


def _check_numbers(where: str, actual: Any, expected: Any, tolerance: float) -> None:
    mine, theirs = _tensor(actual), _tensor(expected)
    if not theirs.numel():
        return
    wide = torch.complex128 if theirs.is_complex() else torch.float64
    difference = (mine.to(wide) - theirs.to(wide)).abs()
    errors = torch.where(_same(mine, theirs), 0.0, difference).nan_to_num(nan=torch.inf, posinf=torch.inf)
    largest = errors.max().item()
    if largest > _allowed(theirs, tolerance):
        spot = tuple(int(index) for index in np.unravel_index(int(errors.argmax()), errors.shape))
        entry = f" at `{list(spot)}`" if spot else ""
        values = _unlike(mine[spot].item(), theirs[spot].item())
        rounding = f"; {_IN_FLOAT32}" if _of_float32(largest, theirs) else ""
        raise Complaint(f"the largest error of {where} is {largest:.2g}{entry} ({values}){rounding}")


def _of_float32(error: float, expected: torch.Tensor) -> bool:
    """Tell whether an error in float64 is as large as rounding in float32 makes it."""
    if expected.dtype not in (torch.float64, torch.complex128):
        return False
    return 1e-10 < error / max(_largest(expected), 1e-300) < 1e-5


def _allowed(expected: torch.Tensor, tolerance: float) -> float:
    if not (expected.is_floating_point() or expected.is_complex()):
        return 0.0
    rounding = torch.finfo(expected.dtype).eps
    # The last term is for results that should be zero and are rounding errors alone.
    return max(tolerance, 100 * rounding) * _largest(expected) + 10 * rounding


def _largest(values: torch.Tensor) -> float:
    finite = values.abs()[values.isfinite()].to(torch.float64)
    return finite.max().item() if finite.numel() else 0.0


def _tensor(value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    array = np.array(value)  # a copy, because torch takes no negative strides
    return torch.from_numpy(array.astype(np.float64) if array.dtype == object else array)


def _same(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one == other) | ((one != one) & (other != other))


def _memory(value: Any) -> Iterator[tuple[int, int]]:
    """Yield the first address, and the one after the last, of every array or tensor in a value."""
    if isinstance(value, torch.Tensor) and value.numel():
        storage = value.untyped_storage()
        yield storage.data_ptr(), storage.data_ptr() + storage.nbytes()
    elif isinstance(value, np.ndarray) and value.size:
        yield np.lib.array_utils.byte_bounds(value)
    for part in (_parts(value) or {}).values():
        yield from _memory(part)


def _listed(parts: dict[str, Any]) -> str:
    return ", ".join(f"`{key}`" for key in parts) or "none"


def _plain(value: Any) -> str:
    return str(tuple(value) if isinstance(value, torch.Size) else value).removeprefix("torch.")


def _unlike(mine: Any, theirs: Any) -> str:
    return unlike(mine, theirs) if isinstance(theirs, float | complex) else f"{mine} instead of {theirs}"
