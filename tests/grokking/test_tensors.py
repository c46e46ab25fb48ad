"""What is no tensor is refused by name, in every public function that takes tensors."""

import inspect

import numpy as np
import pytest
import torch
from torch import Tensor

from oraledu.grokking import arithmetic, circulant, fourier, networks, rfm

PAIRS, LABELS = arithmetic.modular_table("+", 5)
METRIC = torch.eye(10, dtype=torch.float64)
#: A fitting value for each argument by its name.
VALUES = {
    "a": METRIC,
    "agop": METRIC,
    "b": METRIC,
    "bandwidth": 2.5,
    "block": METRIC[:5, :5],
    "coefficients": torch.ones(25, 5, dtype=torch.float64),
    "dtype": torch.float64,
    "epochs": 1,
    "first": torch.ones(3, 10, dtype=torch.float64),
    "fraction": 0.5,
    "generator": torch.Generator(),
    "gram_matrix": METRIC,
    "kernel": "quadratic",
    "labels": LABELS,
    "matrix": METRIC,
    "metric": METRIC,
    "op": "+",
    "order": torch.arange(1, 5),
    "orientation": "toeplitz",
    "outputs": torch.ones(25, 5, dtype=torch.float64),
    "p": 5,
    "pairs": PAIRS,
    "pairs_a": PAIRS,
    "pairs_b": PAIRS,
    "power": 0.5,
    "second": torch.ones(5, 3, dtype=torch.float64),
    "sizes": torch.ones(2, dtype=torch.float64),
    "targets": torch.ones(10, 1, dtype=torch.float64),
    "test_labels": LABELS,
    "test_pairs": PAIRS,
    "train_labels": LABELS,
    "train_pairs": PAIRS,
    "turns": torch.ones(2, dtype=torch.float64),
    "values": torch.ones(5, dtype=torch.float64),
    "x": torch.ones(5, dtype=torch.float64),
    "x1": torch.ones(5, dtype=torch.float64),
    "x2": torch.ones(5, dtype=torch.float64),
}
#: Helpers that stand behind a function which has looked already.
INSIDE = {"hot_columns"}


def calls():
    """Yield every public function with each of its arguments that is annotated as a tensor."""
    seen = set()
    for module in (arithmetic, rfm, circulant, fourier, networks):
        for name, function in vars(module).items():
            if not inspect.isfunction(function) or name.startswith(("_", "check_")) or name in INSIDE | seen:
                continue
            if function.__module__.startswith("oraledu.grokking"):
                seen.add(name)
                for argument, parameter in inspect.signature(function).parameters.items():
                    if parameter.annotation is Tensor:
                        yield pytest.param(function, argument, id=f"{name}-{argument}")


def fitting(function):
    """Return values for the arguments that a function demands, beside a network where one is asked for."""
    net = networks.QuadraticNet(5, 3, generator=torch.Generator())
    demanded = [
        name for name, each in inspect.signature(function).parameters.items() if each.default is each.empty
    ]
    return {name: net if name == "net" else VALUES[name] for name in demanded}


CALLS = list(calls())


@pytest.mark.parametrize(("function", "argument"), CALLS)
@pytest.mark.parametrize("make", [Tensor.numpy, Tensor.tolist], ids=["array", "list"])
def test_an_array_or_a_list_is_refused_by_name(function, argument, make):
    arguments = fitting(function)
    with pytest.raises(TypeError, match=rf"{argument} must be a torch tensor, got (numpy|builtins)"):
        function(**arguments | {argument: make(arguments[argument])})


def test_the_sweep_meets_the_functions_that_people_call():
    assert {each.values[0].__name__ for each in CALLS} >= {
        "split", "fit", "iterate", "regress", "gram", "agop", "psd_power", "solve", "deviation", "train"
    }  # fmt: skip


def test_the_inputs_of_a_network_are_asked_for_too():
    with pytest.raises(TypeError, match="transform must be a torch tensor"):
        networks.QuadraticNet(5, 3, generator=torch.Generator(), transform=np.eye(10))
    with pytest.raises(TypeError, match="pairs must be a torch tensor"):
        networks.QuadraticNet(5, 3, generator=torch.Generator())(PAIRS.numpy())
