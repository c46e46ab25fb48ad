"""Exercise 1: the Gram matrix of the quadratic kernel, by looking entries up."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import rfm
from oraledu.grokking.arithmetic import one_hot_pairs
from oraledu.grokking.checks.inputs import largest_error, random_metric, random_pairs, random_square


def cases(generator: torch.Generator) -> list[Case]:
    """Return metrics with and without symmetry, and lists of different lengths."""
    p = 7
    shorter, longer = (random_pairs(p, n, generator) for n in (5, 11))
    return [
        Case("a random symmetric metric", (shorter, longer, random_metric(p, generator))),
        Case("a metric that is not symmetric", (longer, shorter, random_square(2 * p, generator))),
        Case("the identity metric", (longer, longer, torch.eye(2 * p, dtype=torch.float64))),
        Case("a metric in float32", (longer, shorter, random_square(2 * p, generator).float())),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the training set of the large run: p = 61, half of the table."""
    p = 61
    pairs = random_pairs(p, p * p // 2, generator)
    return Case("p = 61", (pairs, pairs, random_metric(p, generator)))


def equals_the_product_with_one_hot_vectors(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the definition, written with one-hot vectors."""
    p = 5
    first, second, metric = (
        random_pairs(p, 6, generator),
        random_pairs(p, 9, generator),
        random_square(2 * p, generator),
    )
    expected = (one_hot_pairs(first, p) @ metric @ one_hot_pairs(second, p).T).square()
    error = largest_error(function(first, second, metric), expected)
    return (
        None
        if error < 1e-12
        else f"it differs from (x' M z)² with one-hot x and z, by {error:.1g} of its largest entry"
    )


def grows_with_the_square_of_the_metric(function: Function, generator: torch.Generator) -> str | None:
    """Ask for K(3M) = 9 K(M)."""
    p = 5
    pairs, metric = random_pairs(p, 8, generator), random_metric(p, generator)
    error = largest_error(function(pairs, pairs, 3 * metric), 9 * function(pairs, pairs, metric))
    return None if error < 1e-12 else "with 3M in place of M, every entry should be 9 times as large"


def _without_the_offset(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    columns = metric[:, pairs_b[:, 0]] + metric[:, pairs_b[:, 1]]
    return (columns[pairs_a[:, 0]] + columns[pairs_a[:, 1]]) ** 2


def _transposed_metric(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    p = len(metric) // 2
    rows = metric[pairs_b[:, 0]] + metric[pairs_b[:, 1] + p]
    return (rows[:, pairs_a[:, 0]] + rows[:, pairs_a[:, 1] + p]).T ** 2


def _transposed_result(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    return _right(pairs_a, pairs_b, metric).T


def _not_squared(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    return _inner(pairs_a, pairs_b, metric)


def _two_entries_only(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    p = len(metric) // 2
    first = metric[pairs_a[:, 0]][:, pairs_b[:, 0]]
    second = metric[pairs_a[:, 1] + p][:, pairs_b[:, 1] + p]
    return (first + second) ** 2


def _squared_too_early(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    return _inner(pairs_a, pairs_b, metric**2)


def _in_double(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    return _right(pairs_a, pairs_b, metric.double())


def _right(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    return _inner(pairs_a, pairs_b, metric) ** 2


def _inner(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    p = len(metric) // 2
    columns = metric[:, pairs_b[:, 0]] + metric[:, pairs_b[:, 1] + p]
    return columns[pairs_a[:, 0]] + columns[pairs_a[:, 1] + p]


quadratic_gram = Exercise(
    id="grokking.quadratic_gram",
    title="The Gram matrix by looking up",
    reference=rfm.quadratic_gram,
    cases=cases,
    properties=[
        Property("the definition with one-hot vectors", equals_the_product_with_one_hot_vectors),
        Property("homogeneous in the metric", grows_with_the_square_of_the_metric),
    ],
    wrong_answers=[
        WrongAnswer(_without_the_offset, "The second digit's entries start at row and column p, not 0"),
        WrongAnswer(
            _transposed_metric, "It computes z' M x: rows of the metric belong to pairs_a, columns to pairs_b"
        ),
        WrongAnswer(
            _transposed_result, "The result is transposed: rows belong to pairs_a, columns to pairs_b"
        ),
        WrongAnswer(_not_squared, "The kernel is the square of x' M z"),
        WrongAnswer(_two_entries_only, "The two off-diagonal blocks of the metric are left out"),
        WrongAnswer(
            _squared_too_early, "The square belongs to the sum of the four entries, not to each of them"
        ),
        WrongAnswer(_in_double, "The result should have the type of the metric"),
    ],
    hints=[
        "`metric[rows]` with a vector of integers picks rows, `metric[:, columns]` picks columns. Which rows does "
        "the pair $(a, b)$ need?",
        "Build $Mz$ for all pairs of `pairs_b` first, as the columns of a $2p \\times n_b$ matrix: it is a sum of two "
        "look-ups. Then pick rows of that.",
        "`columns = metric[:, pairs_b[:, 0]] + metric[:, pairs_b[:, 1] + p]`. Do the same with the rows of `columns` "
        "for `pairs_a`, and square the sum.",
    ],
    full_size=full_size,
    slow_factor=30,
)
