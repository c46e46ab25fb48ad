"""Values as bytes, between the process that examines and the one in which a submitted function runs.

What arrives from there is not trusted, so nothing is unpickled: a message is a tree in JSON and the bytes of the
memory that its tensors lie in. Tensors that share memory before share it after; a tensor keeps its strides.
This file imports nothing of the course, because the other process has no course.
"""

import json
import math
import socket
import struct
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

#: No message is longer, in bytes, nor is a tensor made of one; so much of it is its tree.
LONGEST, LARGEST_TREE = 2**30, 2**23
#: What all tensors of a message take together up to which it goes in one piece: most messages are short, and many.
SMALL = 2**16
_LENGTHS = struct.Struct("!QQ")
_DTYPES = {str(each): each for each in vars(torch).values() if isinstance(each, torch.dtype)}


class Torn(Exception):
    """The other side has ended, or says what no message may say."""


class Writer:
    """Turns values into a tree of JSON, and collects the memory of their tensors.

    Args:
        known: blocks of memory that the other side has already, by their address, each with its name.
        function: gives a name to a function.
        tensor: gives a name to a tensor by which the other side knows it again; None for none.
        prefix: what the names of new blocks begin with.
        first: the number of the first new block.
    """

    def __init__(
        self,
        known: dict[int, str] | None = None,
        function: Callable[[Any], Any] = lambda function: None,
        tensor: Callable[[Tensor], Any] = lambda tensor: None,
        prefix: str = "new",
        first: int = 0,
    ) -> None:
        self.known, self._function, self._tensor = dict(known or {}), function, tensor
        self._prefix, self._first = prefix, first
        self.blocks: dict[str, torch.UntypedStorage] = {}

    def tree(self, value: Any) -> Any:
        """Return a value as JSON: what is plain as it is, all else as a list that begins with its kind."""
        if value is None or isinstance(value, bool | str) or type(value) in (int, float):
            return value
        if isinstance(value, Tensor):
            return self._of_tensor(value)
        if isinstance(value, np.ndarray | np.generic):
            if value.dtype.hasobject:
                return ["other", type(value).__name__]
            whole = (
                torch.frombuffer(bytearray(np.ascontiguousarray(value).tobytes()), dtype=torch.uint8)
                if value.size
                else torch.empty(0, dtype=torch.uint8)
            )
            return [
                "array",
                isinstance(value, np.ndarray),
                value.dtype.str,
                list(value.shape),
                self._of_tensor(whole),
            ]
        if isinstance(value, torch.Generator):
            return ["generator", self._of_tensor(value.get_state())]
        if isinstance(value, complex):
            return ["complex", value.real, value.imag]
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            return ["tuple", *map(self.tree, value)]
        if isinstance(value, list):
            return ["list", *map(self.tree, value)]
        if isinstance(value, dict):
            return ["dict", *([self.tree(key), self.tree(part)] for key, part in value.items())]
        if isinstance(value, tuple) or (
            is_dataclass(value) and not isinstance(value, type) and not callable(value)
        ):
            record: Any = value
            names = getattr(record, "_fields", None) or [field.name for field in fields(record)]
            kind = "named tuple" if isinstance(value, tuple) else "object"
            return [kind, type(value).__name__, *([name, self.tree(getattr(value, name))] for name in names)]
        if callable(value) and (name := self._function(value)) is not None:
            return ["function", name]
        return ["other", type(value).__name__]

    def _of_tensor(self, tensor: Tensor) -> list[Any]:
        plain = type(tensor) in (Tensor, torch.nn.Parameter)
        if not plain or tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
            return ["other", f"{type(tensor).__name__} ({tensor.layout}, {tensor.device})"]
        tensor = tensor.resolve_conj().resolve_neg()
        form = [str(tensor.dtype), list(tensor.shape), list(tensor.stride()), tensor.storage_offset()]
        return ["tensor", *form, self._block(tensor), tensor.requires_grad, self._tensor(tensor)]

    def _block(self, tensor: Tensor) -> str:
        memory = tensor.untyped_storage()
        address = memory.data_ptr() or id(memory)
        if address not in self.known:
            name = f"{self._prefix} {self._first + len(self.blocks)}"
            self.known[address] = name
            self.blocks[name] = memory
        return self.known[address]


class Reader:
    """Turns trees back into values.

    Args:
        blocks: the memory by the names that the writer gave it.
        function: makes a function from its name.
        tensor: takes a new tensor and the name that it has on the other side, and returns which one to hand on.

    Raises:
        Torn: a tree is not one that a `Writer` writes.
    """

    def __init__(
        self,
        blocks: dict[str, torch.UntypedStorage],
        function: Callable[[Any], Any],
        tensor: Callable[[Tensor, Any], Tensor] = lambda tensor, name: tensor,
    ) -> None:
        self._blocks, self._function, self._tensor = blocks, function, tensor

    def value(self, tree: Any) -> Any:
        """Return the value of a tree."""
        try:
            return self._value(tree)
        except Torn:
            raise
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError) as error:
            raise Torn(f"a message cannot be read ({type(error).__name__})") from error

    def _value(self, tree: Any) -> Any:
        if not isinstance(tree, list):
            return tree
        kind, *parts = tree
        if kind == "tensor":
            return self._to_tensor(*parts)
        if kind == "array":
            is_array, dtype, shape, whole = parts
            # The kinds of NumPy that are numbers: never an object.
            if np.dtype(dtype).kind not in "biufcSUMm":
                raise Torn("a message holds an array of objects")
            array = self._value(whole).numpy().view(np.dtype(dtype)).reshape(shape)
            return array if is_array else array[()]
        if kind == "generator":
            generator = torch.Generator()
            generator.set_state(self._value(parts[0]))
            return generator
        if kind == "complex":
            return complex(*parts)
        if kind in ("tuple", "list"):
            return (tuple if kind == "tuple" else list)(map(self._value, parts))
        if kind == "dict":
            return {self._value(key): self._value(part) for key, part in parts}
        if kind in ("object", "named tuple"):
            name, *pairs = parts
            entries = [(str(key), self._value(part)) for key, part in pairs]
            if kind == "object":
                return type(str(name), (SimpleNamespace,), {})(**dict(entries))
            return type(str(name), (tuple,), {"_fields": tuple(key for key, _ in entries)})(
                part for _, part in entries
            )
        if kind == "function":
            return self._function(parts[0])
        if kind == "other":
            return type(str(parts[0]), (), {})()
        raise Torn("a message holds an unknown kind of value")

    def _to_tensor(
        self, dtype: str, shape: list[int], stride: list[int], offset: int, block: str, grad: bool, name: Any
    ) -> Tensor:
        memory, numbers = self._blocks[block], [*shape, *stride, offset]
        if len(shape) != len(stride) or any(type(each) is not int or each < 0 for each in numbers):
            raise Torn("a message holds an impossible tensor")
        last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
        empty = torch.empty(0, dtype=_DTYPES[dtype])
        if 0 not in shape and (last + 1) * empty.element_size() > memory.nbytes():
            raise Torn("a message holds a tensor that is larger than its memory")
        # One that repeats a few bytes a billion times takes the memory of whoever reckons with it.
        if math.prod(shape) * empty.element_size() > LONGEST:
            raise Torn("a message holds a tensor that is too large")
        tensor = empty.set_(memory, 0 if 0 in shape else offset, shape, stride)
        return self._tensor(tensor.requires_grad_() if grad else tensor, name)


def send(channel: socket.socket, tree: Any, blocks: dict[str, torch.UntypedStorage] | None = None) -> None:
    """Send a tree and the memory of its tensors.

    Raises:
        Torn: the other side has ended.
    """
    sizes = {name: block.nbytes() for name, block in (blocks or {}).items()}
    head, total = json.dumps([tree, sizes]).encode(), sum(sizes.values())
    head = _LENGTHS.pack(len(head), total) + head
    parts: list[Any] = [_view(numbers(block)) for block in (blocks or {}).values() if block.nbytes()]
    try:
        for piece in [b"".join([head, *parts])] if total <= SMALL else [head, *parts]:
            channel.sendall(piece)
    except OSError as error:
        raise Torn("the other side has ended") from error


def receive(channel: socket.socket) -> tuple[Any, dict[str, torch.UntypedStorage]]:
    """Return the tree that was sent next, and the blocks of memory by their names.

    Raises:
        Torn: the other side has ended, or what it sends is no message.
    """
    length, total = _LENGTHS.unpack(_exactly(channel, _LENGTHS.size))
    if length > LARGEST_TREE or length + total > LONGEST:
        raise Torn("a message is too long")
    body = _exactly(channel, length + total if total <= SMALL else length)
    try:
        tree, sizes = json.loads(body[:length].decode())
        if sum(sizes.values()) != total or any(type(size) is not int or size < 0 for size in sizes.values()):
            raise ValueError("sizes")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Torn("a message cannot be read") from error
    found, rest = {}, memoryview(body)[length:]
    for name, size in sizes.items():
        block = torch.empty(size, dtype=torch.uint8)
        if total <= SMALL:
            _view(block)[:], rest = rest[:size], rest[size:]
        else:
            _fill(channel, _view(block))
        found[name] = block.untyped_storage()
    return tree, found


def numbers(block: torch.UntypedStorage) -> Tensor:
    """Return the bytes of a block, in its own memory: (n,) uint8."""
    return torch.empty(0, dtype=torch.uint8).set_(block)


def _view(numbers: Tensor) -> memoryview:
    array: Any = numbers.numpy()
    return memoryview(array)


def _exactly(channel: socket.socket, size: int) -> bytearray:
    buffer = bytearray(size)
    _fill(channel, memoryview(buffer))
    return buffer


def _fill(channel: socket.socket, view: memoryview) -> None:
    while view:
        try:
            got = channel.recv_into(view)
        except OSError as error:
            raise Torn("the other side has ended") from error
        if not got:
            raise Torn("the other side has ended")
        view = view[got:]
