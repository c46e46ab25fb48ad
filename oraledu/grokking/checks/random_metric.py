"""Exercise 8: random circulant features."""

from typing import Any

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import circulant


def _fresh(generator: torch.Generator) -> torch.Generator:
    """Return a new generator with a seed drawn from another."""
    return torch.Generator().manual_seed(int(torch.randint(2**31, (1,), generator=generator)))


def cases(generator: torch.Generator) -> list[Case]:
    """Return both operations, each with a generator of its own."""
    return [
        Case("p = 7, addition", (7, "+"), {"generator": _fresh(generator)}),
        Case("p = 7, subtraction", (7, "-"), {"generator": _fresh(generator)}),
        Case("p = 13, addition", (13, "+"), {"generator": _fresh(generator)}),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the metric of the large run: p = 61."""
    return Case("p = 61", (61, "+"), {"generator": _fresh(generator)})


def is_symmetric_and_positive(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a metric: symmetric, with no negative eigenvalue."""
    metric = function(11, "+", generator=_fresh(generator))
    if not (metric - metric.T).abs().max() < 1e-12:
        return "a metric is symmetric"
    return None if torch.linalg.eigvalsh(metric)[0] > -1e-10 else "a root has no negative eigenvalue"


def its_square_keeps_the_stripes(function: Function, generator: torch.Generator) -> str | None:
    """Ask for circulant blocks in the square, in the orientation of the operation and in no other."""
    p = 11
    for op in "+-":
        own = circulant.ORIENTATION[op]
        other = "hankel" if own == "toeplitz" else "toeplitz"
        metric = function(p, op, generator=_fresh(generator))
        block = (metric @ metric)[p:, :p]
        if not circulant.deviation(block, own) < 1e-10:
            return f"for {op} the lower left block of the squared metric should be {own}-circulant"
        if not circulant.deviation(block, other) > 0.1:
            return f"for {op} the lower left block should not be {other}-circulant as well"
    return None


def has_nothing_in_common_with_constants(function: Function, generator: torch.Generator) -> str | None:
    """Ask for M (1, 1) = M (1, -1) = 0: both A and a centred circulant block map constants to zero."""
    p = 11
    metric = function(p, "+", generator=_fresh(generator))
    for sign in (1, -1):
        direction = torch.cat([torch.ones(p), sign * torch.ones(p)]).double()
        if not (metric @ metric @ direction).abs().max() < 1e-10:
            return "constants should be mapped to zero: is the mean off the row, and A = I - 11'/p?"
    return None


def changes_with_the_generator(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same metric from the same state, and another one from another."""
    first, same, other = (function(7, "+", generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    if not torch.equal(first, same):
        return "the same seed should give the same metric: draw from the generator that is given"
    return None if (first - other).abs().max() > 1e-3 else "another seed should give another metric"


def _changed(**change: Any) -> Function:
    """Return the plain method with one thing changed."""

    def random_metric(p: int, op: str, *, generator: torch.Generator) -> Tensor:
        draw = change.get("draw", lambda p, source: torch.rand(p, generator=source, dtype=torch.float64))
        row = draw(p, generator)
        if change.get("centred", True):
            row = row - row.mean()
        i, j = torch.arange(p)[:, None], torch.arange(p)
        block = row[(j - i) % p if (op == "+") != change.get("exchanged", False) else (i + j) % p]
        corner = torch.eye(p, dtype=torch.float64) - (1 / p if change.get("corner_centred", True) else 0)
        lower, upper = (block.T, block) if change.get("transposed") else (block, block.T)
        target = torch.cat([torch.cat([corner, upper], 1), torch.cat([lower, corner], 1)])
        values, vectors = torch.linalg.eigh(target)
        root = change.get("root", lambda values: values.clamp(min=0).sqrt())
        return (vectors * root(values)) @ vectors.T

    return random_metric


random_metric = Exercise(
    id="grokking.random_metric",
    title="Random circulant features",
    reference=circulant.random_metric,
    cases=cases,
    properties=[
        Property("symmetric, positive semidefinite", is_symmetric_and_positive),
        Property("its square has stripes", its_square_keeps_the_stripes),
        Property("constants do not count", has_nothing_in_common_with_constants),
        Property("drawn from the generator", changes_with_the_generator),
    ],
    wrong_answers=[
        WrongAnswer(_changed(centred=False), "Take the mean off the random row"),
        WrongAnswer(_changed(exchanged=True), "Addition has a Toeplitz block and subtraction a Hankel one"),
        WrongAnswer(
            _changed(transposed=True), "C stands in the lower left of M*, its transpose in the upper right"
        ),
        WrongAnswer(
            _changed(corner_centred=False), "The diagonal blocks are I - 11'/p: you left out the second part"
        ),
        WrongAnswer(
            _changed(root=lambda values: values.abs().sqrt()),
            "Negative eigenvalues are set to zero, not made positive",
        ),
        WrongAnswer(_changed(root=lambda values: values.clamp(min=0)), "Take the root of the eigenvalues"),
        WrongAnswer(
            _changed(root=lambda values: values.clamp(min=0) ** 0.25),
            "The metric is the square root of M*; the fourth root acts on the inputs",
        ),
        WrongAnswer(
            _changed(draw=lambda p, source: torch.randn(p, generator=source, dtype=torch.float64)),
            "Draw uniform numbers with torch.rand, not normal ones",
        ),
        WrongAnswer(
            _changed(draw=lambda p, source: torch.rand(p, dtype=torch.float64)),
            "Draw from the generator that is given, not from the global one",
        ),
    ],
    hints=[
        "Row 0 of the block is the random row; which entry of it stands in row $i$ and column $j$? It is the same "
        "index as in the deviation.",
        "`torch.cat` puts the four blocks together, once along the columns and once along the rows. The root is "
        "that of exercise 3: what does it do with negative eigenvalues?",
    ],
    core=False,
    # Two eigenvalues of M* are exactly zero: rounding, 1e-16 there, is 1e-8 in the root.
    tolerance=1e-6,
    full_size=full_size,
    guarded=(circulant.random_block, circulant.block_metric, circulant.circulant_matrix),
)
