"""What a function takes: floating-point operations as torch counts them, and the most memory at a time."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

_aten = torch.ops.aten
#: What torch's counter does not know, by the textbook.
DECOMPOSITIONS = {
    _aten.linalg_cholesky_ex: lambda a, *_, **__: a[-1] ** 3 // 3,
    _aten.cholesky_solve: lambda b, *_, **__: 2 * b[-2] ** 2 * b[-1],
    _aten._linalg_eigh: lambda a, *_, **__: 9 * a[-1] ** 3,
}


class _Memory(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.most, self._alive = 0, {}

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        self._alive = {key: each for key, each in self._alive.items() if not each[0].expired()}
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                storage = leaf.untyped_storage()
                self._alive[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        self.most = max(self.most, sum(size for _, size in self._alive.values()))
        return result


def counted(function: Callable[[], object]) -> tuple[int, int]:
    """Return the operations of a call, and the most bytes of tensors that it has made and not yet dropped."""
    with FlopCounterMode(display=False, custom_mapping=DECOMPOSITIONS) as counter, _Memory() as memory:
        function()
    return counter.get_total_flops(), memory.most
