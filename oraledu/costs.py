"""What a part of a run takes, before it is run: floating-point operations and memory.

Operations are those of products and convolutions, a multiplication and an addition each; a Cholesky factor of size n
counts n³ / 3, eigenvectors 9 n³. What works entry by entry is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

CHOLESKY, EIGENVECTORS = 1 / 3, 9
#: The share of what a forward pass makes that is alive at one time of a training, about (measured on our networks).
ALIVE = 0.7


@dataclass(frozen=True)
class Part:
    """One part of a run.

    Attributes:
        name: What it is.
        sizes: How large, in words.
        runs: How often it is done: seeds, schedules, fractions.
        operations: Of all of these together.
        memory: Bytes that it takes at a time.
    """

    name: str
    sizes: str
    runs: int
    operations: float
    memory: float


class _Counting(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations, self.made = 0, 0

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        if (count := flop_registry.get(operation._overloadpacket)) is not None:
            self.operations += int(count(*args, **(kwargs or {}), out_val=result))
        if not operation.is_view:
            self.made += sum(leaf.nbytes for leaf in tree_leaves(result) if isinstance(leaf, Tensor))
        return result


def forward(function: Callable[..., object], *inputs: Tensor) -> tuple[int, int]:
    """Return the operations of a network on inputs, and the bytes of all that it makes on the way.

    Nothing is computed where network and inputs are on the device "meta".
    """
    with torch.no_grad(), _Counting() as found:
        function(*inputs)
    return found.operations, found.made
