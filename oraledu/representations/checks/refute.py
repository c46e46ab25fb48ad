"""Exercise 4: a matrix for which the printed theorem fails."""

import math
from typing import Any

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations.checks import references
from oraledu.representations.checks.inputs import normal

#: By how much the effective rank must exceed exp(S_1), so that nobody takes it for rounding.
GAP = 0.1
SHAPES = ((2, 2), (3, 5), (6, 4), (25, 576))


def no_cases(generator: torch.Generator) -> list[Case]:
    """Return none: many matrices are right, so there is no result to compare with."""
    return []


def is_a_matrix_of_that_shape(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a tensor of floating-point numbers, finite, with the rows and columns asked for."""
    for rows, columns in _shapes(generator):
        z = function(rows, columns)
        if z is None:
            return "it returns nothing: does it end with `return`?"
        if not isinstance(z, Tensor) or not z.is_floating_point():
            kind = z.dtype if isinstance(z, Tensor) else f"a `{type(z).__name__}`"
            return f"it returns {kind}; a tensor of floating-point numbers is expected"
        if z.shape != (rows, columns):
            return f"refute({rows}, {columns}) has shape {tuple(z.shape)}; ({rows}, {columns}) is expected"
        if not z.isfinite().all():
            return f"refute({rows}, {columns}) contains NaN or infinity"
    return None


def breaks_the_theorem(function: Function, generator: torch.Generator) -> str | None:
    """Ask for EffRank > exp(S_1) by the gap, and say what kind of matrix does not have it."""
    for rows, columns in _shapes(generator):
        sizes = torch.linalg.svdvals(function(rows, columns).double())
        rank, directions = _exp_entropy(sizes), _exp_entropy(sizes.square())
        if not rank >= directions + GAP:
            found = f"refute({rows}, {columns}) has effective rank {rank:.3f} and exp(S_1) = {directions:.3f}"
            return f"{found}: {_why(sizes)}"
    return None


def _shapes(generator: torch.Generator) -> list[tuple[int, int]]:
    rows, columns = torch.randint(2, 12, (2,), generator=generator).tolist()
    return [*SHAPES, (rows, columns)]


def _exp_entropy(weights: Tensor) -> float:
    total = float(weights.sum())
    return math.exp(float(torch.special.entr(weights / total).sum())) if total > 0 else 1.0


def _why(sizes: Tensor) -> str:
    if not sizes.max() > 0:
        return "all singular values are zero"
    kept = sizes[sizes > 1e-9 * sizes.max()]
    if len(kept) == 1:
        return "with one singular value above zero both are 1; take at least two"
    if kept.max() < (1 + 1e-6) * kept.min():
        return "equal singular values make them equal; take unequal ones"
    if kept.max() < 1.5 * kept.min():
        return "the singular values are too nearly equal; spread them"
    if kept.max() > 5 * (kept.sum() - kept.max()):
        return "one singular value dwarfs all others and brings both near 1; take a smaller one"
    return f"the gap must be at least {GAP:g}; try other singular values, or more of them"


def _identity(rows: int, columns: int) -> Tensor:
    return torch.eye(rows, columns)


def _ones(rows: int, columns: int) -> Tensor:
    return torch.ones(rows, columns)


def _zeros(rows: int, columns: int) -> Tensor:
    return torch.zeros(rows, columns)


def _nearly_equal(rows: int, columns: int) -> Tensor:
    z = torch.eye(rows, columns)
    z[0, 0] = 1.1
    return z


def _one_giant(rows: int, columns: int) -> Tensor:
    z = torch.eye(rows, columns)
    z[0, 0] = 1e6
    return z


def _always_two_by_two(rows: int, columns: int) -> Tensor:
    return torch.tensor([[2.0, 0.0], [0.0, 1.0]])


def _square(rows: int, columns: int) -> Tensor:
    return torch.arange(1.0, min(rows, columns) + 1).diag()


def _transposed(rows: int, columns: int) -> Tensor:
    return references.refute(columns, rows)


def _overflowing(rows: int, columns: int) -> Tensor:
    z = torch.eye(rows, columns)
    z[0, 0] = math.inf
    return z


def _integers(rows: int, columns: int) -> Tensor:
    return references.refute(rows, columns).long()


def _orthonormal(rows: int, columns: int) -> Tensor:
    draw = normal(torch.Generator().manual_seed(0), max(rows, columns), min(rows, columns))
    basis = torch.linalg.qr(draw)[0]
    return basis if rows >= columns else basis.T


def _not_attempted_but_described(rows: int, columns: int) -> Any:
    return [[2.0, 0.0], [0.0, 1.0]]


refute = Exercise(
    id="representations.refute",
    title="The theorem, refuted",
    reference=references.refute,
    cases=no_cases,
    properties=[
        Property("a matrix of the shape asked for", is_a_matrix_of_that_shape),
        Property("its effective rank exceeds exp(S_1)", breaks_the_theorem),
    ],
    wrong_answers=[
        WrongAnswer(_identity, "Equal singular values make both sides equal: take unequal ones"),
        WrongAnswer(_orthonormal, "Orthonormal rows have equal singular values, and both sides are equal"),
        WrongAnswer(_ones, "A matrix of rank one has both sides equal to 1: take a larger rank"),
        WrongAnswer(_zeros, "A matrix of zeros has both sides equal to 1: take a larger rank"),
        WrongAnswer(_nearly_equal, "The singular values are too nearly equal for a gap of 0.1: spread them"),
        WrongAnswer(_one_giant, "One singular value that dwarfs all others brings both sides near 1"),
        WrongAnswer(_always_two_by_two, "The shape is given by rows and columns: it is not always 2×2"),
        WrongAnswer(_square, "The matrix need not be square: it has as many rows and columns as asked for"),
        WrongAnswer(_transposed, "Rows and columns are exchanged"),
        WrongAnswer(_overflowing, "A matrix with an infinite entry has no singular values"),
        WrongAnswer(_integers, "Singular values are taken of floating-point numbers: use a floating dtype"),
        WrongAnswer(_not_attempted_but_described, "Return a tensor, not a list"),
    ],
    hints=[
        "Both sides depend on the singular values alone. For which of them are the two sides equal? Take others.",
        "`torch.eye(rows, columns)` has singular values 1. What happens to the shares of $\\sigma$ and of $\\sigma^2$ "
        "if one of its entries on the diagonal becomes 2?",
    ],
    core=False,
)
