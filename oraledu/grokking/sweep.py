"""A sweep of the recursive feature machine: accuracy by operation, kernel, training fraction and split."""

from dataclasses import replace
from typing import Any

import torch

from oraledu.grokking import arithmetic, rfm
from oraledu.grokking.settings import preset


def axes(scale: str) -> dict[str, tuple]:
    """Return what is varied at a scale; fractions and splits are those of the lesson's map."""
    chosen = preset(scale).phase_map
    varied: dict[str, tuple] = {"operation": arithmetic.OPERATIONS, "kernel": ("quadratic", "gaussian")}
    return {**varied, "fraction": chosen.fractions, "seed": tuple(range(chosen.seeds))}


def run(
    scale: str, *, operation: str, kernel: str, fraction: float, seed: int, device: str, **_: Any
) -> dict:
    """Return the settings of a run, and its test accuracy after the last iteration and at each."""
    chosen = replace(preset(scale).phase_map, fractions=(fraction,), seeds=1, kernel=kernel)
    table = arithmetic.modular_table(operation, chosen.p)
    parts = arithmetic.split(*table, fraction, generator=torch.Generator().manual_seed(seed))
    a, b, c, d = (part.to(device) for part in parts)
    history = rfm.fit(a, b, c, d, chosen.p, kernel=kernel, iterations=chosen.iterations, dtype=chosen.dtype)
    found = history.test_accuracy.tolist()
    return {"settings": repr(chosen), "accuracy": found[-1], "accuracies": found}
