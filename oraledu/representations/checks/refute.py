"""Exercise 4: a matrix for which the printed theorem fails."""

import math

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations.checks import references

#: By how much the effective rank must exceed exp(S_1), so that nobody takes it for rounding.
GAP = 0.1
#: With the one that the lesson asks for, and that of a prompt.
SHAPES = ((2, 2), (3, 5), (6, 4), (5, 7), (25, 576))


def no_cases(generator: torch.Generator) -> list[Case]:
    """Return none: many matrices are right, so there is no result to compare with."""
    return []


def is_one_matrix_of_the_shape_asked_for(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a tensor in float32 or float64 of that shape, finite after squaring, and the same each time."""
    for rows, columns in _shapes(generator):
        z = function(rows, columns)
        if z is None:
            return "it returns nothing: does it end with `return`?"
        if not isinstance(z, Tensor) or z.dtype not in (torch.float32, torch.float64):
            kind = z.dtype if isinstance(z, Tensor) else f"a `{type(z).__name__}`"
            return f"it returns {kind}; a tensor in float32 or float64 is expected"
        if z.shape != (rows, columns):
            return f"refute({rows}, {columns}) has shape {tuple(z.shape)}; ({rows}, {columns}) is expected"
        if not z.isfinite().all():
            return f"refute({rows}, {columns}) contains NaN or infinity"
        if not z.square().sum().isfinite():
            return f"refute({rows}, {columns}) has entries too large to square"
        if not torch.equal(z, function(rows, columns)):
            return f"two calls of refute({rows}, {columns}) give two matrices: draw nothing, or from a seed"
    return None


def has_an_effective_rank_above_exp_of_its_entropy(
    function: Function, generator: torch.Generator
) -> str | None:
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


WRONG = r"""
z[0, 0] = 2 => z[0, 0] = 1 :: Equal singular values make both sides equal: take unequal ones
z[0, 0] = 2 => z -= 2 / rows * z.sum(0)
  :: Orthonormal rows have equal singular values, and both sides are equal
z[0, 0] = 2 => z[:] = 1 :: A matrix of rank one has both sides equal to 1: take a larger rank
z[0, 0] = 2 => z[:] = 0 :: A matrix of zeros has both sides equal to 1: take a larger rank
z[0, 0] = 2 => z[0, 0] = 1.1 :: The singular values are too nearly equal for a gap of 0.1: spread them
z[0, 0] = 2 => z[0, 0] = 1e6 :: One singular value that dwarfs all others brings both sides near 1
torch.eye(rows, columns => torch.eye(2, 2 :: The shape is given by rows and columns: it is not always 2×2
torch.eye(rows, columns => torch.eye(min(rows, columns)
  :: The matrix need not be square: it has as many rows and columns as asked for
torch.eye(rows, columns => torch.eye(columns, rows :: Rows and columns are exchanged
z[0, 0] = 2 => z[0, 0] = torch.inf :: A matrix with an infinite entry has no singular values
torch.float64 => torch.int64 :: Singular values are taken of floating-point numbers: use a floating dtype
return z => return z.tolist() :: Return a tensor, not a list
torch.float64 => torch.bfloat16 :: Eigenvalues are taken in float32 or float64, not in half precision
z[0, 0] = 2 => z *= 1e200; z[0, 0] = 2e200
  :: The squares of such large entries are infinite: the scale does not count, so take small ones
z[0, 0] = 2 \
=> z[0, 0] = 2 + torch.rand(()) :: The matrix has to be the same each time: draw nothing, or from a seed
"""

refute = Exercise(
    id="representations.refute",
    title="The theorem, refuted",
    reference=references.refute,
    cases=no_cases,
    properties=[
        is_one_matrix_of_the_shape_asked_for,
        has_an_effective_rank_above_exp_of_its_entropy,
    ],
    wrong_answers=slips(references.refute, WRONG),
    hints=[
        "Both sides depend on the singular values alone. For which of them are the two sides equal? Take others.",
        "`torch.eye(rows, columns)` has singular values 1. What happens to the shares of $\\sigma$ and of $\\sigma^2$ "
        "if one of its entries on the diagonal becomes 2?",
    ],
    core=False,
)
