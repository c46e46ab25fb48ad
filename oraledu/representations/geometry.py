"""Curvature: how sharply the path of a prompt's tokens turns (paper, section 3.2; Hosseini and Fedorenko).

The step from token k to the next is v_k = z_{k+1} - z_k; the path turns by the angle between v_k and v_{k+1}.
A straight line has curvature 0, a zigzag π, a regular n-gon 2π/n; tokens drawn independently in many
dimensions have 2π/3, since two of their steps share a token, and a random walk there has π/2. Fewer than 3 tokens are
refused, and else as by `check_states` and `check_gram`.
"""

import torch
from torch import Tensor

from oraledu.representations.gram import check_gram
from oraledu.representations.states import check_states

#: A squared step counts as zero below this many roundings of the squared lengths that it is the difference of.
_ROUNDINGS = 8


def curvature(z: Tensor) -> Tensor:
    """Return the mean angle by which a path of tokens turns.

    It stays the same if the path is moved, rotated, scaled or walked backwards. Where a token equals the next
    there is no step and so no angle: such turns are left out, and a path without any turn has curvature 0.

    Args:
        z: (..., T, D) the tokens in their order, T >= 3.

    Returns:
        (...) radians in [0, π], in the type of ``z``.
    """
    check_states(z, "z", rows=3)
    steps = z.diff(dim=-2)  # (..., T - 1, D)
    lengths = torch.linalg.vector_norm(steps, dim=-1)
    products = torch.linalg.vecdot(steps[..., 1:, :], steps[..., :-1, :])
    return _mean_angle(products, lengths)


def curvature_from_gram(k: Tensor) -> Tensor:
    """Return the `curvature` of the tokens whose Gram matrix is ``k``, from three of its diagonals.

    A step is a difference of entries, so its rounding is that of the squared lengths of the tokens. Steps that
    it hides count as none.

    Args:
        k: (..., T, T) a Gram matrix, its tokens in their order, T >= 3.

    Returns:
        (...) radians in [0, π], in the type of ``k``.
    """
    check_gram(k, tokens=3)
    # squares[i] = z_i·z_i, nexts[i] = z_i·z_{i+1}, overs[i] = z_i·z_{i+2}
    squares, nexts, overs = (k.double().diagonal(offset, dim1=-2, dim2=-1) for offset in (0, 1, 2))
    both = squares[..., :-1] + squares[..., 1:]
    steps = both - 2 * nexts  # |v_i|²: (..., T - 1)
    hidden = _ROUNDINGS * torch.finfo(k.dtype).eps * both
    lengths = torch.where(steps > hidden, steps, 0).sqrt()
    products = nexts[..., 1:] + nexts[..., :-1] - squares[..., 1:-1] - overs  # v_i·v_{i+1}: (..., T - 2)
    return _mean_angle(products, lengths).to(k.dtype)


def _mean_angle(products: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean angle of turns, from step products (..., T - 2) and lengths (..., T - 1)."""
    norms = lengths[..., 1:] * lengths[..., :-1]
    defined = norms > 0
    cosines = products / torch.where(defined, norms, 1)
    angles = torch.where(defined, cosines.clamp(-1, 1).arccos(), 0)  # rounding can put a cosine past 1
    return angles.sum(dim=-1) / defined.sum(dim=-1).clamp(min=1)
