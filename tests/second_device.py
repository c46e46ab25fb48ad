"""A second device, made in Python: torch sees an accelerator, and the CPU computes every operation on it.

What a GPU would refuse is refused here: an operation that mixes devices, and a generator of the CPU. What one would
like to know of a GPU is counted: floating-point operations on either side, and transfers between them.

A storage of the device stands for one of the CPU; sizes, strides and offset are each tensor's own. So whatever torch
copies without asking a kernel (parameters, `detach`, views) finds its numbers.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from math import inf, log2
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend
from torch.utils.flop_counter import flop_registry

from oraledu.devices import has_float64

NAME = "board"
_META = torch._C.DispatchKeySet(torch._C.DispatchKey.Meta)
_aten = torch.ops.aten
#: Indices may come from the CPU, as on a GPU.
_TAKE_INDICES = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}
#: By the address of a storage of the device: what tells whether it lives, and the CPU's storage behind it.
_behind: dict[int, tuple[StorageWeakRef, torch.UntypedStorage]] = {}
#: What is registered lasts as long as these.
_libraries: list[torch.library.Library] = []


@dataclass
class _Limits:
    """What the device refuses: 64-bit numbers, and results of more numbers than it has room for."""

    float64: bool = True
    numbers: float = inf

    def check(self, value: Tensor) -> None:
        if not self.float64 and value.dtype in (torch.float64, torch.complex128):
            raise TypeError(f"{NAME!r} has no 64-bit numbers")
        if value.numel() > self.numbers:
            raise torch.OutOfMemoryError(f"{NAME!r} has no room for {value.numel()} numbers")


_limits = _Limits()


@dataclass
class Work:
    """What was computed where.

    Attributes:
        operations: Floating-point operations by device: products, convolutions and decompositions.
        transfers: How often tensors went from one to the other, by direction.
        numbers: How often a single number was read.
    """

    operations: Counter[str] = field(default_factory=Counter)
    transfers: Counter[str] = field(default_factory=Counter)
    numbers: int = 0

    @property
    def share(self) -> float:
        """The share of the operations that was computed on the second device."""
        return self.operations[NAME] / max(1, self.operations.total())


class _Counting(TorchDispatchMode):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = operation(*args, **kwargs)
        tensors = [leaf for leaf in tree_flatten((args, kwargs, result))[0] if isinstance(leaf, Tensor)]
        where = NAME if any(_is_here(tensor) for tensor in tensors) else "cpu"
        name = operation._schema.name
        if name == "aten::_local_scalar_dense":
            self.work.numbers += where == NAME
        elif name in ("aten::_to_copy", "aten::copy_") and not all(map(_is_here, tensors)) and where == NAME:
            source = args[1] if name == "aten::copy_" else args[0]
            if source.ndim:
                self.work.transfers[f"from {source.device.type}"] += 1
        elif where == NAME and name.removeprefix("aten::") in _TAKE_INDICES:  # which torch moves there
            self.work.transfers["from cpu"] += sum(not _is_here(each) and each.ndim > 0 for each in tensors)
        self.work.operations[where] += _operations(operation, args, kwargs, result)
        return result


@contextmanager
def without_float64() -> Iterator[None]:
    """Let the device refuse 64-bit numbers inside, as Apple's does."""
    with patch.object(_limits, "float64", False):
        has_float64.cache_clear()
        yield
    has_float64.cache_clear()


@contextmanager
def with_room_for(numbers: int) -> Iterator[None]:
    """Let the device be out of memory inside when a result has more numbers than so many."""
    with patch.object(_limits, "numbers", numbers):
        yield


@contextmanager
def counting() -> Iterator[Work]:
    """Count what is computed inside, on either device."""
    register()
    work, made = Work(), torch.tensor

    def tensor(data: Any, *, device: Any = None, **kwargs: Any) -> Tensor:
        # Under a dispatch mode torch 2.13 finds no kernel in Python for what `torch.tensor` itself moves.
        return made(data, **kwargs).to(device)

    with patch.object(torch, "tensor", tensor), _Counting(work):
        yield work


class _Module:
    """What torch asks of a device: it is there, there is one, and it knows autocast."""

    def is_initialized(self) -> bool:
        return True

    is_available = is_initialized

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """Do nothing: no generator of its own."""


@cache
def register() -> torch.device:
    """Make the device, once in a process, and return it."""
    _setup_privateuseone_for_python_backend(NAME, backend_module=_Module())
    library = torch.library.Library("_", "IMPL")
    library.fallback(_compute, "PrivateUse1")
    kernels = torch.library.Library("aten", "IMPL")
    kernels.impl("convolution_overrideable", _convolution, "PrivateUse1")
    kernels.impl("convolution_backward_overrideable", _convolution_backward, "PrivateUse1")
    # Torch's own clone asks for a copy, which wants a conjugate written out first, for which it asks for a clone.
    kernels.impl("clone", partial(_compute, _aten.clone.default), "PrivateUse1")
    _libraries.extend((library, kernels))
    return torch.device(NAME)


def _operations(operation: Any, args: Any, kwargs: Any, result: Any) -> int:
    """Return how many floating-point operations it takes.

    That is torch's own count, n³ for a decomposition, 5 n log₂ n for a Fourier transform, and one a number for what
    works entry by entry or takes a sum. What draws, moves or lays out numbers counts as nothing.
    """
    packet = operation._overloadpacket
    if packet in flop_registry:
        return int(flop_registry[packet](*args, **kwargs, out_val=result))
    name = operation._schema.name.removeprefix("aten::")
    if torch.Tag.pointwise in operation.tags or torch.Tag.reduction in operation.tags:
        floats = [each for each in tree_flatten((args, result))[0] if isinstance(each, Tensor)]
        sizes = [each.numel() for each in floats if each.is_floating_point() or each.is_complex()]
        return 0 if name == "clone" else max(sizes, default=0)
    if name.startswith("linalg_") or "cholesky" in name:
        matrix = args[0]
        return matrix.numel() * min(matrix.shape[-2:]) if matrix.ndim > 1 else 0
    if name.startswith("_fft"):
        return round(5 * result.numel() * log2(max(2, result.numel())))
    return 0


def _compute(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """Compute an operation of the device: find the CPU's tensors, let it compute, and return the device's."""
    name = operation._schema.name.removeprefix("aten::")
    if name == "_copy_from":
        return _copy_from(*args)
    wanted = zip(args, operation._schema.arguments, strict=False)
    args = tuple(  # a number that torch itself has wrapped as a tensor arrives as a number
        torch.tensor(value) if type(value) in (int, float, bool) and str(each.type) == "Tensor" else value
        for value, each in wanted
    )
    if name in _TAKE_INDICES and not _is_here(args[0]):
        raise RuntimeError(f"{name}: indices of {NAME!r} into a tensor of the CPU")
    leaves, tree = tree_flatten((args, kwargs))
    inputs = [_checked(leaf, name) for leaf in leaves]
    pairs = [(old, new) for old, new in zip(leaves, inputs, strict=True) if _is_here(old)]
    args, kwargs = tree_unflatten(inputs, tree)
    given = tree_unflatten(leaves, tree)[1].get("out")
    if out := _is_here(given) and len(operation._schema.returns) == 1:
        kwargs["out"] = torch.empty(0, dtype=given.dtype)
    result = operation(*args, **kwargs)
    if out:
        return _filled(given, result)
    for old, new in pairs:
        if (old.shape, old.stride()) != (new.shape, new.stride()):
            _place(old, new)
    same = {id(new): old for old, new in pairs}
    shared = {new.untyped_storage()._cdata: old for old, new in pairs}
    return tree_map(lambda out: same[id(out)] if id(out) in same else _from_cpu(out, shared), result)


def _checked(leaf: Any, name: str) -> Any:
    if _is_here(leaf):
        return _to_cpu(leaf)
    if isinstance(leaf, Tensor) and leaf.ndim and name not in _TAKE_INDICES:
        raise RuntimeError(f"{name}: a tensor {tuple(leaf.shape)} of the CPU among those of {NAME!r}")
    if isinstance(leaf, torch.Generator):
        raise RuntimeError(f"{name}: a generator of the CPU draws numbers on {NAME!r}")
    return torch.device("cpu") if isinstance(leaf, torch.device) else leaf


def _is_here(value: Any) -> bool:
    return isinstance(value, Tensor) and value.device.type == NAME


def _to_cpu(tensor: Tensor) -> Tensor:
    """Return the numbers behind a tensor of the device, in the CPU's memory."""
    _, storage = _behind[tensor.untyped_storage()._cdata]
    cpu = torch.empty(0, dtype=tensor.dtype)
    cpu.set_(storage, tensor.storage_offset(), tensor.shape, tensor.stride())  # type: ignore[call-overload]
    # The two flags of a lazy operation: what copies such a tensor is to write it out.
    cpu = cpu.conj_physical() if tensor.is_conj() else cpu
    return cpu.neg() if tensor.is_neg() else cpu


def _from_cpu(value: Any, shared: dict[int, Tensor]) -> Any:
    """Return the device's tensor for the CPU's; a view of one in `shared` where they lie in the same memory."""
    if not isinstance(value, Tensor):
        return value
    value = value.resolve_conj().resolve_neg()  # a device's tensor has no such flags
    _limits.check(value)
    base = shared.get(value.untyped_storage()._cdata)
    if base is None:
        base = torch._C._acc.create_empty_tensor((0,), value.dtype)
        _keep(base, value)
    if base.dtype != value.dtype:
        base = _aten.as_strided.default.redispatch(_META, base, [0], [1], 0)  # without entries any type fits
        base = _aten.view.dtype.redispatch(_META, base, value.dtype)
    place = (value.shape, value.stride(), value.storage_offset())
    return _aten.as_strided.default.redispatch(_META, base, *place)


def _keep(tensor: Tensor, cpu: Tensor) -> None:
    """Remember what is behind a tensor of the device; now and then forget what is behind those that are gone."""
    storage = tensor.untyped_storage()
    if len(_behind) >= 1000:
        for address in [address for address, (reference, _) in _behind.items() if reference.expired()]:
            del _behind[address]
    _behind[storage._cdata] = StorageWeakRef(storage), cpu.untyped_storage()


def _place(old: Tensor, new: Tensor) -> None:
    """Give a tensor of the device, which was resized, the sizes and the memory of the CPU's."""
    _keep(old, new)
    place = (old.untyped_storage(), new.storage_offset(), new.shape, new.stride())
    _aten.set_.source_Storage_storage_offset.redispatch(_META, old, *place)


def _filled(out: Tensor, result: Tensor) -> Tensor:
    """Write a result into the tensor that was given for it; torch gives a mean loss one of the wrong shape."""
    if out.shape == result.shape:
        _to_cpu(out).copy_(result)
    else:
        _place(out, result)
    return out


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    """Copy between the devices, or on this one."""
    here, there = (_to_cpu(each) if _is_here(each) else each for each in (source, target))
    there.copy_(here)
    return target


def _convolution(*args: Any) -> Any:
    return _compute(_aten.convolution.default, *args)


def _convolution_backward(grad: Tensor, x: Tensor, weight: Tensor, *how: Any) -> Any:
    *how, mask = how
    bias = [weight.shape[0]] if mask[2] else None
    return _compute(_aten.convolution_backward.default, grad, x, weight, bias, *how, mask)
