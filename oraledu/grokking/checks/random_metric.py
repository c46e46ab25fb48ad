"""Exercise 8: random circulant features."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import circulant, rfm


def _fresh(generator: torch.Generator) -> torch.Generator:
    """Return a new generator with a seed drawn from another."""
    return torch.Generator().manual_seed(int(torch.randint(2**31, (1,), generator=generator)))


def cases(generator: torch.Generator) -> list[Case]:
    """Return both operations, each with a generator of its own."""
    return [
        Case("p = 7, addition", (7, "+"), {"generator": _fresh(generator)}),
        Case("p = 7, subtraction", (7, "-"), {"generator": _fresh(generator)}),
        Case("p = 31, addition", (31, "+"), {"generator": _fresh(generator)}),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the metric of the large run: p = 61."""
    return Case("p = 61", (61, "+"), {"generator": _fresh(generator)})


def is_a_root_of_stripes(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a metric whose square has circulant blocks of the right orientation, and maps constants to 0."""
    p = 11
    for op, own, other in (("+", "toeplitz", "hankel"), ("-", "hankel", "toeplitz")):
        metric = function(p, op, generator=_fresh(generator))
        if not (metric - metric.T).abs().max() < 1e-12:
            return "a metric is symmetric"
        if not torch.linalg.eigvalsh(metric)[0] > -1e-10:
            return "a root has no negative eigenvalue"
        square = metric @ metric
        if not circulant.deviation(square[p:, :p], own) < 1e-10:
            return f"for {op} the lower left block of the squared metric should be {own}-circulant"
        if not circulant.deviation(square[p:, :p], other) > 0.1:
            return f"for {op} the lower left block should not be {other}-circulant as well"
        if not square.unflatten(1, (2, p)).sum(2).abs().max() < 1e-10:
            return "constants should be mapped to zero: is the mean off the row, and A = I - 11'/p?"
    return None


def is_drawn_from_the_generator(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same metric from the same state, and another one from another."""
    first, same, other = (function(7, "+", generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    if not torch.equal(first, same):
        return "the same seed should give the same metric: draw from the generator that is given"
    if not (first - other).abs().max() > 1e-3:
        return "another seed should give another metric"
    used = torch.Generator().manual_seed(1)
    torch.rand(1, generator=used)
    again = torch.equal(first, function(7, "+", generator=used))
    return "a generator that has been used goes on, and should not begin anew" if again else None


def root(p: int, op: str, *, generator: torch.Generator) -> Tensor:
    """Return V sqrt(max(w, 0)) V' of M* with a random circulant block C."""
    row = torch.rand(p, generator=generator, dtype=torch.float64)
    row = row - row.mean()
    i, j = torch.arange(p)[:, None], torch.arange(p)
    c = row[(j - i) % p] if op == "+" else row[(i + j) % p]
    a = torch.eye(p, dtype=torch.float64) - 1 / p
    w, v = torch.linalg.eigh(torch.cat([torch.cat([a, c.T], 1), torch.cat([c, a], 1)]))
    return (v * w.clamp(min=0).sqrt()) @ v.T


WRONG = r"""
 - row.mean() => :: Take the mean off the random row
"+" => "-" :: Addition has a Toeplitz block and subtraction a Hankel one
c.T] => c]
[c, => [c.T, :: C stands in the lower left of M*, its transpose in the upper right
 - 1 / p => :: The diagonal blocks are I - 11'/p: you left out the second part
.clamp(min=0) => .abs() :: Negative eigenvalues are set to zero, not made positive
.sqrt() => :: Take the root of the eigenvalues
.sqrt() => ** 0.25 :: The metric is the square root of M*; the fourth root acts on the inputs
torch.rand( => torch.randn( :: Draw uniform numbers with torch.rand, not normal ones
(p, generator=generator => (p, generator=generator.manual_seed(generator.initial_seed())
  :: Draw from the state in which the generator is
generator=generator,  => :: Draw from the generator that is given, not from the global one
eye(p, dtype=torch.float64) => eye(p) :: `torch.eye(p)` is float32: write `dtype=torch.float64`
"""

random_metric = Exercise(
    id="grokking.random_metric",
    title="Random circulant features",
    reference=circulant.random_metric,
    opens=(rfm.psd_power,),
    cases=cases,
    properties=[is_a_root_of_stripes, is_drawn_from_the_generator],
    wrong_answers=slips(root, WRONG),
    hints=[
        "Row 0 of the block is the random row; which entry of it stands in row $i$ and column $j$? It is the same "
        "index as in the deviation.",
        "`torch.cat` puts the four blocks together, once along the columns and once along the rows, all of them in "
        "float64. The root is that of exercise 3: what does it do with negative eigenvalues?",
    ],
    core=False,
    # Two eigenvalues of M* are exactly zero: rounding, 1e-16 there, is 1e-8 in the root.
    tolerance=1e-6,
    full_size=full_size,
    # The lesson draws a few metrics: a loop over the entries is fast enough.
    slow_factor=100,
)
