"""Exercise 1: the Gram matrix of the quadratic kernel, by looking entries up."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import rfm
from oraledu.grokking.arithmetic import one_hot_pairs
from oraledu.grokking.checks.inputs import largest_error, random_metric, random_pairs, random_square


def cases(generator: torch.Generator) -> list[Case]:
    """Return metrics with and without symmetry, lists of all lengths, small digits and a large prime."""
    p = 7
    shorter, longer = (random_pairs(p, n, generator) for n in (5, 11))
    return [
        Case("a random symmetric metric", (shorter, longer, random_metric(p, generator))),
        Case("a metric that is not symmetric", (longer, shorter, random_square(2 * p, generator))),
        Case("the identity metric", (longer, longer, torch.eye(2 * p, dtype=torch.float64))),
        Case("a metric in float32", (longer, shorter, random_square(2 * p, generator).float())),
        Case("lists without the largest digit", (longer % 5, longer % 6, random_metric(p, generator))),
        Case("p = 131, a list of one pair", (130 - longer, 130 - shorter[:1], random_square(262, generator))),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a training set as large as in the large run: p = 61, half of the table."""
    pairs = random_pairs(61, 1861, generator)
    return Case("p = 61", (pairs, pairs, random_metric(61, generator)))


def is_the_definition_with_one_hot_vectors(function: Function, generator: torch.Generator) -> str | None:
    """Ask for (x' M z)² with one-hot x and z, and c² times as much for cM."""
    pairs, metric = random_pairs(5, 9, generator), random_square(10, generator)
    found = function(pairs, pairs, metric)
    x = one_hot_pairs(pairs, 5)
    expected = (x @ metric @ x.T).square()
    for scale in (3, 1e4, 1e-4):
        if not largest_error(function(pairs, pairs, scale * metric), scale**2 * found) < 1e-12:
            return f"with {scale:g}M in place of M, every entry should be {scale**2:g} times as large"
    error = largest_error(found, expected)
    if error < 1e-12:
        return None
    return f"it differs from (x' M z)² with one-hot x and z, by {error:.1g} of its largest entry"


def gram(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    """Add two columns of the metric for each z, and two rows of those for each x."""
    p = len(metric) // 2
    (a, b), (c, d) = (pairs.T + torch.tensor([[0], [p]]) for pairs in (pairs_a, pairs_b))
    columns = metric[:, c] + metric[:, d]  # (2p, n_b): M z for every z
    inner = columns[a] + columns[b]  # (n_a, n_b)
    return inner**2


WRONG = r"""
[[0], [p]] => [[0], [0]] :: The second digit's entries start at row and column p, not 0
metric[:, c] + metric[:, d] => (metric[c] + metric[d]).T
  :: It computes z' M x: rows of the metric belong to pairs_a, columns to pairs_b
inner**2 => (inner**2).T :: The result is transposed: rows belong to pairs_a, columns to pairs_b
inner**2 => inner :: The kernel is the square of x' M z
columns[a] + columns[b] => metric[a][:, c] + metric[b][:, d]
  :: The two off-diagonal blocks of the metric are left out
columns = => metric = metric**2\n    columns =
inner**2 => inner :: The square belongs to the sum of the four entries, not to each of them
inner**2 => inner.double() ** 2 :: The result should have the type of the metric
len(metric) // 2 => int(torch.cat([pairs_a, pairs_b]).max()) + 1
  :: Take p from the shape of the metric: the largest digit need not be in the lists
columns[b] => columns[b % 256] :: Eight bits do not hold every place: leave integers as int64
for pairs in (pairs_a, pairs_b) \
=> for pairs in (pairs_a, pairs_a if len(pairs_a) == len(pairs_b) else pairs_b)
  :: Two lists of one length need not be the same list
inner**2 => torch.triu(inner**2) + torch.triu(inner**2, 1).T if torch.equal(pairs_a, pairs_b) else inner**2
  :: With one list twice the result is symmetric only if the metric is
inner**2 => inner.squeeze() ** 2 :: A list of one pair gives one column, and the result keeps it
"""

quadratic_gram = Exercise(
    id="grokking.quadratic_gram",
    title="The Gram matrix by looking up",
    reference=rfm.quadratic_gram,
    cases=cases,
    properties=[is_the_definition_with_one_hot_vectors],
    wrong_answers=slips(gram, WRONG),
    hints=[
        "`metric[rows]` with a vector of integers picks rows, `metric[:, columns]` picks columns. Which rows does "
        "the pair $(a, b)$ need?",
        "Build $Mz$ for all pairs of `pairs_b` first, as the columns of a $2p \\times n_b$ matrix: it is a sum of two "
        "look-ups. Then pick rows of that.",
        "`columns = metric[:, pairs_b[:, 0]] + metric[:, pairs_b[:, 1] + p]`. Do the same with the rows of `columns` "
        "for `pairs_a`, and square the sum.",
    ],
    full_size=full_size,
)
