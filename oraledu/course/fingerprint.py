"""Names that change with what they are of: with any source of the package, and with anything given to a call."""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

import oraledu

SIMPLE = (str, bytes, int, float, complex, torch.dtype, torch.device, torch.Size, Path)


@functools.cache
def source_digest() -> str:
    """Return a name that changes with any Python file of this package."""
    root = Path(oraledu.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        source = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(source)} ".encode() + source)
    return digest.hexdigest()


def fingerprint(*values: object) -> str:
    """Return a name for values of any kind: numbers of tensors and networks, states of generators, settings, code.

    An object of a kind that is not known here counts by its class alone.
    """
    digest = hashlib.sha256()
    _add(values, digest.update)
    return digest.hexdigest()[:16]


def _add(value: Any, update: Callable[[Any], None]) -> None:
    update(f"({type(value).__qualname__} ".encode())
    if isinstance(value, Tensor):
        numbers = value.detach().cpu().contiguous()
        update(f"{numbers.dtype} {tuple(numbers.shape)} ".encode())
        update(numbers.flatten().view(torch.uint8).numpy())
    elif isinstance(value, SIMPLE) or value is None:
        update(repr(value).encode())
    else:
        for part in _parts(value):
            _add(part, update)
    update(b")")


def _parts(value: Any) -> list[Any]:
    """Return what there is to know of a value that is made of others."""
    if isinstance(value, nn.Module):
        return [*value.state_dict().items()]
    if isinstance(value, torch.Generator):
        return [value.get_state()]
    if isinstance(value, dict):
        return [*value.items()]
    if isinstance(value, (list, tuple)):
        return [*value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(fingerprint, value))
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, (FunctionType, type)):
        code = getattr(value, "__code__", None)
        return [f"{value.__module__}.{value.__qualname__}", code.co_code if code else b""]
    return []
