"""Exercise 3: a power of a positive semidefinite matrix."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import rfm
from oraledu.grokking.checks.inputs import largest_error, random_square


def _of_rank(size: int, rank: int, generator: torch.Generator) -> Tensor:
    factor = random_square(size, generator)[:, :rank]
    return factor @ factor.T


def cases(generator: torch.Generator) -> list[Case]:
    """Return matrices of full rank, to several powers; a power of a singular one is checked by its properties."""
    matrix = _of_rank(6, 6, generator) + torch.eye(6, dtype=torch.float64)
    return [
        Case("the square root", (matrix, 0.5)),
        Case("the power 1", (matrix, 1.0)),
        Case("the power 1/4", (matrix, 0.25)),
        Case("a diagonal matrix", (torch.diag(torch.arange(1.0, 6.0, dtype=torch.float64)), 0.5)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a matrix as large as the metric of the large run: p = 61."""
    return Case("p = 61", (_of_rank(122, 120, generator), 0.5))


def its_root_squared_gives_it_back(function: Function, generator: torch.Generator) -> str | None:
    """Ask for (G^½)² = G for a singular G, whose zero eigenvalues come out slightly negative."""
    matrix = _of_rank(12, 5, generator)
    root = function(matrix, 0.5)
    if not torch.isfinite(root).all():
        return "a singular matrix gives no finite result: rounding makes zero eigenvalues negative, so set those to 0"
    error = largest_error(root @ root, matrix)
    return (
        None if error < 1e-12 else f"for a singular matrix, the root squared differs from it by {error:.1g}"
    )


def a_negative_eigenvalue_counts_as_zero(function: Function, generator: torch.Generator) -> str | None:
    """Ask what becomes of a clearly negative eigenvalue."""
    basis = torch.linalg.qr(random_square(3, generator)).Q
    expected = basis @ torch.diag(torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64)) @ basis.T
    indefinite = basis @ torch.diag(torch.tensor([4.0, 1.0, -1.0], dtype=torch.float64)) @ basis.T
    result = function(indefinite, 0.5)
    right = bool(torch.isfinite(result).all()) and largest_error(result, expected) < 1e-12
    return None if right else "a negative eigenvalue should count as zero"


def commutes_with_the_matrix(function: Function, generator: torch.Generator) -> str | None:
    """Ask for G^s G = G G^s."""
    matrix = _of_rank(8, 8, generator)
    power = function(matrix, 0.3)
    error = largest_error(power @ matrix, matrix @ power)
    return None if error < 1e-10 else "a power of a matrix commutes with the matrix"


def _entry_by_entry(matrix: Tensor, power: float) -> Tensor:
    return matrix.abs() ** power


def _not_clamped(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values**power) @ vectors.T


def _absolute(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.abs() ** power) @ vectors.T


def _rows_scaled(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (values.clamp(min=0)[:, None] ** power * vectors) @ vectors.T


def _wrong_side(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors.T * values.clamp(min=0) ** power) @ vectors


def _always_the_root(matrix: Tensor, power: float) -> Tensor:
    return _clamped_root(matrix)


def _clamped_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def _diagonal_only(matrix: Tensor, power: float) -> Tensor:
    return torch.diag(torch.linalg.eigvalsh(matrix).clamp(min=0) ** power)


psd_power = Exercise(
    id="grokking.psd_power",
    title="A power of a positive semidefinite matrix",
    reference=rfm.psd_power,
    cases=cases,
    properties=[
        Property("the root squared is the matrix", its_root_squared_gives_it_back),
        Property("negative eigenvalues count as zero", a_negative_eigenvalue_counts_as_zero),
        Property("commutes with the matrix", commutes_with_the_matrix),
    ],
    wrong_answers=[
        WrongAnswer(_entry_by_entry, "A power of a matrix is not the power of its entries"),
        WrongAnswer(_not_clamped, "Set negative eigenvalues to zero before the power"),
        WrongAnswer(_absolute, "A negative eigenvalue counts as zero, not as its absolute value"),
        WrongAnswer(_rows_scaled, "The eigenvalues scale the columns of V, not its rows"),
        WrongAnswer(_wrong_side, "It is V diag(w^s) V', with the eigenvectors as columns of V"),
        WrongAnswer(_always_the_root, "The power is an argument; it is not always 1/2"),
        WrongAnswer(_diagonal_only, "The eigenvectors are missing: turn the powers back into a matrix"),
    ],
    hints=[
        "`torch.linalg.eigh` gives the eigenvalues $w$ and a matrix $V$ with an eigenvector in each column.",
        "`values.clamp(min=0) ** power` are the new eigenvalues. What does `vectors * values` do to the columns?",
    ],
    full_size=full_size,
)
