"""Reading a class off pooled states: a linear probe, few examples, nearest neighbours.

Scikit-learn is loaded by whoever fits: it takes as long as torch, and no figure waits for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from oraledu.representations.probes.outcome import Outcome, share
from oraledu.representations.states import check_states

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

Labels = Sequence[str] | Sequence[int] | np.ndarray | Tensor


def halves(labels: Labels, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Split items at random in two halves in which each class has its share: two index vectors, sorted.

    Args:
        labels: One for each item. Of a class of odd size the second half gets the one more.
        generator: The source of randomness.

    Raises:
        TypeError: If the labels are a set, which has no order.
        ValueError: If a class has fewer than 2 items.
    """
    numbers, names = encode(labels)
    first = []
    for number, name in enumerate(names):
        members = (numbers == number).nonzero().squeeze(1)
        if len(members) < 2:
            raise ValueError(f"labels must have at least 2 items of each class, but {name!r} has one")
        first.append(members[_shuffled(len(members), generator)[: len(members) // 2]])
    chosen = torch.zeros(len(numbers), dtype=torch.bool)
    chosen[torch.cat(first)] = True
    return chosen.nonzero().squeeze(1), (~chosen).nonzero().squeeze(1)


def linear(
    train: Tensor, train_labels: Labels, test: Tensor, test_labels: Labels, *, strength: float = 0.01
) -> Outcome:
    """Fit a logistic regression on standardised states and say which test items it gets right.

    Args:
        train: (..., N, D) pooled states.
        train_labels: N labels, text or integers, at least two classes.
        test: (..., M, D).
        test_labels: M labels; each is one of the training labels.
        strength: The inverse C of the L2 penalty, above 0; small because D is often above N.

    Returns:
        Items (..., M, 1), 1 where the label is right; the score is the accuracy.

    Raises:
        TypeError: If states are not float tensors, or labels a set.
        ValueError: If shapes, counts or labels do not fit, or ``strength`` is not above 0.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not strength > 0:
        raise ValueError(f"strength must be above 0, got {strength}")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
    return _accuracy([(slice(None), model)], train, train_labels, test, test_labels)


def few_shot(
    train: Tensor,
    train_labels: Labels,
    test: Tensor,
    test_labels: Labels,
    *,
    generator: torch.Generator,
    shots: int = 8,
    bootstraps: int = 10,
) -> Outcome:
    """Classify from a few examples of each class, as the benchmark MTEB does, and average over draws of them.

    Each draw fits a logistic regression of at most 100 steps, converged or not, on the states as they are. All
    layers get the same draws.

    Args:
        train: States and labels as for `linear`, and so their errors.
        train_labels: N labels.
        test: (..., M, D).
        test_labels: M labels.
        generator: The source of randomness for the draws.
        shots: Examples of each class in a draw; MTEB takes 8 to 16.
        bootstraps: How many draws.

    Returns:
        Items (..., M, 1), the share of draws that get the label right; the score is the mean accuracy.

    Raises:
        ValueError: If a class has fewer than ``shots`` examples.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if shots < 1 or bootstraps < 1:
        raise ValueError(f"shots and bootstraps must be at least 1, got {shots} and {bootstraps}")
    numbers, names = encode(train_labels)
    members = [(numbers == number).nonzero().squeeze(1) for number in range(len(names))]
    for name, each in zip(names, members, strict=True):
        if len(each) < shots:
            raise ValueError(f"shots must be at most {len(each)}, the examples of {name!r}, got {shots}")
    model = LogisticRegression(max_iter=100)
    draws = [
        (torch.cat([each[_shuffled(len(each), generator)[:shots]] for each in members]).numpy(), model)
        for _ in range(bootstraps)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the protocol stops after 100 steps
        return _accuracy(draws, train, train_labels, test, test_labels)


def nearest_neighbours(
    train: Tensor, train_labels: Labels, test: Tensor, test_labels: Labels, *, neighbours: int = 5
) -> Outcome:
    """Let the nearest training items by cosine vote, and say which test items they get right.

    A tied vote goes to the label that sorts first. From 1 to N neighbours vote; the other arguments, the result and
    the errors are those of `linear`.
    """
    from sklearn.neighbors import KNeighborsClassifier

    check_states(train, "train", kind="item")
    if not 1 <= neighbours <= train.shape[-2]:
        raise ValueError(
            f"neighbours must be from 1 to {train.shape[-2]}, the training items, got {neighbours}"
        )
    model = KNeighborsClassifier(neighbours, metric="cosine", algorithm="brute")
    return _accuracy([(slice(None), model)], train, train_labels, test, test_labels)


def encode(labels: Labels, names: list | None = None, argument: str = "labels") -> tuple[Tensor, list]:
    """Number labels by the sorted order of their names: indices (n,) int64, and the names.

    Args:
        labels: One for each item, in the order of the rows.
        names: The sorted names, if they are those of other labels.
        argument: What to call the labels in an error.

    Raises:
        TypeError: If the labels are a set, whose order changes from run to run.
        ValueError: If a label is not among the names.
    """
    if isinstance(labels, (set, frozenset, dict)):
        raise TypeError(f"{argument} must be in the order of the rows, got a {type(labels).__name__}")
    values = labels.tolist() if isinstance(labels, (Tensor, np.ndarray)) else list(labels)
    names = sorted(set(values)) if names is None else names
    place = {name: number for number, name in enumerate(names)}
    for value in values:
        if value not in place:
            raise ValueError(f"{argument} must be among the training labels, but {value!r} is not")
    return torch.tensor([place[value] for value in values], dtype=torch.int64), names


def layers_of(*states: Tensor) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield the states of each layer as float64 arrays, for scikit-learn."""
    flat = [each.detach().cpu().double().reshape(-1, *each.shape[-2:]).numpy() for each in states]
    yield from zip(*flat, strict=True)


def _accuracy(
    fits: Sequence[tuple[slice | np.ndarray, ClassifierMixin]],
    train: Tensor,
    train_labels: Labels,
    test: Tensor,
    test_labels: Labels,
) -> Outcome:
    """Fit models, each on its rows of the training items of each layer, and average what they get right."""
    check_states(train, "train", kind="item")
    check_states(test, "test", kind="item")
    if train.shape[:-2] != test.shape[:-2] or train.shape[-1] != test.shape[-1]:
        raise ValueError(
            "train and test must have the same layers and coordinates, got shapes "
            f"{tuple(train.shape)} and {tuple(test.shape)}"
        )
    known, names = encode(train_labels, argument="train_labels")
    asked, _ = encode(test_labels, names, "test_labels")
    for numbers, states, name in ((known, train, "train"), (asked, test, "test")):
        if len(numbers) != states.shape[-2]:
            raise ValueError(f"{name}_labels must be {states.shape[-2]}, one a row, got {len(numbers)}")
    if len(names) < 2:
        raise ValueError("train_labels must hold at least 2 classes")
    y, right = known.numpy(), []
    for x, z in layers_of(train, test):
        guesses = [model.fit(x[rows], y[rows]).predict(z) for rows, model in fits]
        right.append(np.mean([guess == asked.numpy() for guess in guesses], axis=0))
    return Outcome(torch.from_numpy(np.stack(right)).reshape(*test.shape[:-1], 1), share)


def _shuffled(count: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(count, generator=generator, device=generator.device).cpu()
