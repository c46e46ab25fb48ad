"""Which matrices a function decomposes, for exercises that ask for a way around it.

This file imports nothing of the course: the process for submitted functions, which has no course, loads it too.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.overrides import TorchFunctionMode


class Decompositions(TorchFunctionMode):
    """Note the smaller side of every matrix that torch, NumPy or SciPy decomposes in a `with` block."""

    #: How the functions that do so begin.
    NAMES = ("eig", "svd", "lobpcg", "pca_lowrank", "matrix_rank", "pinv", "schur", "sqrtm", "nuclear")

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self._before: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> "Decompositions":
        """Put a look before the functions of NumPy and SciPy, also where these call each other."""
        import scipy.linalg  # slow to load, and no figure waits for it

        # Who has taken a function from its module before calls the one below it, which is looked up anew.
        own = [sys.modules[inspect.unwrap(each).__module__] for each in (np.linalg.svd, scipy.linalg.eigh)]
        below = getattr(own[0], "_umath_linalg", own[0])
        for module in (np.linalg, scipy.linalg, below, *own):
            for name, function in list(vars(module).items()):
                if name.startswith(self.NAMES) and callable(function):
                    self._before.append((module, name, function))
                    setattr(module, name, self._seen(function))
        super().__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        while self._before:
            setattr(*self._before.pop())

    def _seen(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def noting(*args: Any, **kwargs: Any) -> Any:
            self.sizes.append(min(np.shape(next(iter((*args, *kwargs.values())), ()))[-2:], default=0))
            return function(*args, **kwargs)

        return noting

    # What is called meanwhile is no method with a name of ours: those are closed to a learner's function.
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call the function, and note it if it is a decomposition."""
        given = (*args, *(kwargs or {}).values())
        name = getattr(func, "__name__", "").removeprefix("linalg_")
        if name.startswith(self.NAMES) or any(isinstance(each, str) and each == "nuc" for each in given):
            self.sizes.append(min(next(each for each in given if isinstance(each, Tensor)).shape[-2:]))
        return func(*args, **(kwargs or {}))
