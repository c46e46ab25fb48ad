"""Exercise 3: a power of a positive semidefinite matrix."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import rfm
from oraledu.grokking.checks.inputs import largest_error, random_square


def _of_rank(size: int, rank: int, generator: torch.Generator) -> Tensor:
    factor = random_square(size, generator)[:, :rank]
    return factor @ factor.T


def _diagonal(*entries: float) -> Tensor:
    return torch.diag(torch.tensor(entries, dtype=torch.float64))


def cases(generator: torch.Generator) -> list[Case]:
    """Return matrices of full rank and small ones to several powers, and an exact zero eigenvalue.

    Of a random singular matrix no power is compared: rounding in its zero eigenvalues, 1e-16, is 1e-8 in the root.
    """
    matrix = _of_rank(6, 6, generator) + torch.eye(6, dtype=torch.float64)
    return [
        Case("the square root", (matrix, 0.5)),
        Case("the power 1", (matrix, 1.0)),
        Case("the power 1/4", (matrix, 0.25)),
        Case("the power 2", (matrix, 2)),
        Case("the power 3/4 in float32", (matrix.float(), 0.75)),
        Case("a matrix of small entries", (1e-20 * matrix, 0.5)),
        Case("the diagonal matrix of 4, 1e-5 and 0, to a small power", (_diagonal(4, 1e-5, 0), 0.05)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a matrix as large as the metric of the large run: p = 61."""
    return Case("p = 61", (_of_rank(122, 122, generator) + torch.eye(122, dtype=torch.float64), 0.5))


def the_root_squared_is_the_matrix(function: Function, generator: torch.Generator) -> str | None:
    """Ask for G^½ G = G G^½ and (G^½)² = G with a singular G, whose zero eigenvalues come out slightly negative."""
    matrix = _of_rank(12, 5, generator)
    root = function(matrix, 0.5)
    if not torch.isfinite(root).all():
        return "a singular matrix gives no finite result: rounding makes zero eigenvalues negative, so set those to 0"
    if not largest_error(root @ matrix, matrix @ root) < 1e-10:
        return "a power of a matrix commutes with the matrix"
    error = largest_error(root @ root, matrix)
    return (
        None if error < 1e-11 else f"for a singular matrix, the root squared differs from it by {error:.1g}"
    )


def negative_eigenvalues_count_as_zero(function: Function, generator: torch.Generator) -> str | None:
    """Ask what becomes of a clearly negative eigenvalue."""
    basis = torch.linalg.qr(random_square(3, generator)).Q
    expected, indefinite = (basis @ _diagonal(*values) @ basis.T for values in ((2, 1, 0), (4, 1, -2)))
    result = function(indefinite, 0.5)
    right = bool(torch.isfinite(result).all()) and largest_error(result, expected) < 1e-12
    return None if right else "a negative eigenvalue should count as zero"


def power_of(matrix: Tensor, power: float) -> Tensor:
    """Return V diag(w^s) V', with the eigenvectors as columns of V."""
    w, v = torch.linalg.eigh(matrix)
    ws = w.clamp(min=0) ** power
    return (v * ws) @ v.T


WRONG = r"""
(v * ws) @ v.T => matrix.abs() ** power :: A power of a matrix is not the power of its entries
.clamp(min=0) => :: Set negative eigenvalues to zero before the power
.clamp(min=0) => .abs() :: A negative eigenvalue counts as zero, not as its absolute value
v * ws => ws[:, None] * v :: The eigenvalues scale the columns of V, not its rows
(v * => (v.T *
@ v.T => @ v :: It is V diag(w^s) V', with the eigenvectors as columns of V
** power => ** 0.5 :: The power is an argument; it is not always 1/2
(v * ws) @ v.T => torch.diag(ws) :: The eigenvectors are missing: turn the powers back into a matrix
** power => ** min(power, 1.0) :: The power may be larger than 1
eigh(matrix) => eigh(matrix.double()) :: The result should have the type of the matrix
min=0 => min=1e-24 :: A zero eigenvalue stays 0: of any floor above it a small power is not small
.clamp(min=0) => .where(w > 1e-10, 0)
  :: What is small depends on the scale of the matrix: only negative eigenvalues are set to 0
.clamp(min=0) => .where(w > 1e-5 * w.max(), 0)
  :: Small eigenvalues count, and with a small power they count much
"""

psd_power = Exercise(
    id="grokking.psd_power",
    title="A power of a positive semidefinite matrix",
    reference=rfm.psd_power,
    cases=cases,
    properties=[the_root_squared_is_the_matrix, negative_eigenvalues_count_as_zero],
    wrong_answers=slips(power_of, WRONG),
    hints=[
        "`torch.linalg.eigh` gives the eigenvalues $w$ and a matrix $V$ with an eigenvector in each column.",
        "`values.clamp(min=0) ** power` are the new eigenvalues. What does `vectors * values` do to the columns?",
    ],
    full_size=full_size,
)
