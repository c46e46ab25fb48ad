"""The Gram matrix K = Z Z' of a layer's tokens, and what can be done to the tokens through it alone.

Entropy, effective rank and curvature are functions of K. So are the conventions under which they are taken:
leaving out the first token, moving the mean token to the origin, giving each token length one. What is no Gram matrix
is refused as by `check_gram`.
"""

import torch
from torch import Tensor

from oraledu.representations.states import check_states

CONVENTIONS = ("raw", "unit", "centred", "centred-unit")
#: A token counts as the mean if their squared distance is below this many roundings of the largest entry.
_ROUNDINGS = 100


def gram(z: Tensor) -> Tensor:
    """Return the Gram matrix of the rows: (..., T, D) -> (..., T, T), in the type of ``z``; see `check_states`."""
    check_states(z, "z")
    return z @ z.mT


def smaller_gram(z: Tensor) -> Tensor:
    """Return Z Z' or Z' Z, whichever is smaller: (..., m, m) with m = min(T, D).

    Both have the same eigenvalues above zero, hence the same trace and the same norm.
    """
    return z @ z.mT if z.shape[-2] <= z.shape[-1] else z.mT @ z


def unit_diagonal(k: Tensor) -> Tensor:
    """Do what `unit` does, without a look at what ``k`` is."""
    squares = _diagonal(k)
    scale = torch.where(squares > 0, squares, 1).rsqrt()
    return k * scale[..., :, None] * scale[..., None, :]


def centred(k: Tensor) -> Tensor:
    """Return the Gram matrix of the tokens minus their mean, H K H with H = I - 11'/T: (..., T, T).

    A token that is the mean token up to rounding gets a row and a column of exact zeros, where rounding alone
    would speak otherwise: tokens that are all alike give a matrix of zeros.
    """
    check_gram(k)
    wide = k.double()  # the subtraction cancels
    column = wide.mean(dim=-1, keepdim=True)
    wide = wide - column - column.mT + column.mean(dim=-2, keepdim=True)
    rounding = _ROUNDINGS * torch.finfo(k.dtype).eps * _diagonal(k).amax(dim=-1, keepdim=True)
    apart = _diagonal(wide) > rounding  # (..., T)
    return torch.where(apart[..., :, None] & apart[..., None, :], wide, 0).to(k.dtype)


def unit(k: Tensor) -> Tensor:
    """Return the Gram matrix of the tokens at length one, their cosines: (..., T, T). A zero token stays zero."""
    check_gram(k)
    return unit_diagonal(k)


def under(k: Tensor, convention: str = "raw", *, first_token: bool = True) -> Tensor:
    """Return the Gram matrix under a convention, for the toggles of an explorer.

    Args:
        k: (..., T, T) a Gram matrix.
        convention: ``"raw"`` as it is; ``"unit"`` with tokens of length one; ``"centred"`` around the mean
            token; ``"centred-unit"`` around the mean token, then of length one (what the authors' code does).
        first_token: Keep the first token; without it, all else happens after it is dropped.

    Returns:
        (..., T, T), or (..., T - 1, T - 1) without the first token.

    Raises:
        ValueError: If the convention is unknown, or no token is left.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention must be one of {', '.join(CONVENTIONS)}, got {convention!r}")
    check_gram(k)
    if not first_token:
        if k.shape[-1] < 2:
            raise ValueError("k must have at least 2 tokens if the first one is dropped, got 1")
        k = k[..., 1:, 1:]
    if convention.startswith("centred"):
        k = centred(k)
    return unit(k) if convention.endswith("unit") else k


def check_gram(k: Tensor, *, tokens: int = 1) -> None:
    """Raise unless ``k`` is (..., T, T), finite, symmetric up to rounding, its diagonal not negative.

    Raises:
        TypeError: If ``k`` is not a float32 or float64 tensor.
        ValueError: If it is anything else that is unfit, or has fewer tokens than ``tokens``.
    """
    check_states(k, "k", rows=tokens)
    if k.shape[-2] != k.shape[-1]:
        raise ValueError(
            f"k must be a Gram matrix (..., T, T), got shape {tuple(k.shape)}: gram(z) makes one"
        )
    rounding = 1e3 * torch.finfo(k.dtype).eps * k.abs().amax(dim=(-2, -1))
    if ((k - k.mT).abs().amax(dim=(-2, -1)) > rounding).any():
        raise ValueError("k must be symmetric; (k + k.mT) / 2 is, if rounding is to blame")
    if (_diagonal(k) < 0).any():
        raise ValueError(
            "k must have squared lengths on its diagonal, but some are negative: gram(z) has none"
        )


def _diagonal(k: Tensor) -> Tensor:
    return k.diagonal(dim1=-2, dim2=-1)
