"""References that are one call of the library with its options fixed, and two that the library has no use for."""

import torch
from torch import Tensor

from oraledu.representations import entropy, invariance, selection


def collision_entropy(z: Tensor) -> Tensor:
    """Return the matrix entropy of order 2: (..., T, D) -> (...) nats."""
    return entropy.matrix_entropy(z, 2.0)


def refute(rows: int, columns: int) -> Tensor:
    """Return a matrix whose effective rank is larger than exp(S_1): one singular value 2, all others 1.

    Args:
        rows: At least 2.
        columns: At least 2.

    Returns:
        (rows, columns) float64.
    """
    z = torch.eye(rows, columns, dtype=torch.float64)
    z[0, 0] = 2
    return z


def curvature_from_gram(k: Tensor) -> Tensor:
    """Return the mean angle of a path from three diagonals of its Gram matrix: (..., T, T) -> (...).

    A squared step of up to a millionth of its tokens' squared lengths counts as none, in both types: what the
    exercise says. The library's own function goes by the rounding of the type.
    """
    squares, nexts, overs = (k.double().diagonal(offset, dim1=-2, dim2=-1) for offset in (0, 1, 2))
    both = squares[..., 1:] + squares[..., :-1]
    steps = both - 2 * nexts
    products = nexts[..., 1:] + nexts[..., :-1] - squares[..., 1:-1] - overs
    there = steps > 1e-6 * both
    there = there[..., 1:] & there[..., :-1]
    norms = torch.where(there, steps[..., 1:] * steps[..., :-1], 1).sqrt()
    angles = (products / norms).clamp(-1, 1).arccos()
    return (torch.where(there, angles, 0).sum(-1) / there.sum(-1).clamp(min=1)).to(k.dtype)


def dime_collision(a: Tensor, b: Tensor) -> Tensor:
    """Return DiME at order 2 by the exact mean purity over permutations: (N, D), (N, D) -> () nats."""
    return invariance.dime(a, b, alpha=2.0)


def honest_gain(on_a: Tensor, on_b: Tensor) -> Tensor:
    """Return on half B what the layer chosen on half A has more than the last one.

    Args:
        on_a: (splits, layers) scores on the half that chooses.
        on_b: (splits, layers) scores on the other half.

    Returns:
        (splits,) the gains.
    """
    return selection.choose(on_a, on_a, on_b).honest
