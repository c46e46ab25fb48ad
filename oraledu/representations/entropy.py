"""Matrix entropy: how evenly a layer's tokens spread over directions (paper, section 3.2, equation 1).

The eigenvalues of the Gram matrix, divided by their sum, are shares p of the squared length that the tokens
have along each principal direction. Their Rényi entropy S_α(p) = log(Σ p^α) / (1 - α), in nats, is the matrix
entropy; exp(S_α) counts directions. For all orders 0 <= S_α <= log(rank), S_α does not grow with α, and is
Schur-concave: mixing the shares never lowers it. A matrix of zeros counts as one direction: its entropy is 0.
Tokens are refused as by `check_states`, and what is no Gram matrix as by `check_gram`.
"""

import math

import torch
from torch import Tensor

from oraledu.representations.gram import check_gram, smaller_gram, unit_diagonal
from oraledu.representations.states import check_states

#: An eigenvalue at unit diagonal counts as zero below this many roundings of an entry for each token.
_ROUNDINGS = 4


def matrix_entropy(z: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the matrix entropy of the rows of ``z``, from the smaller of its two Gram matrices.

    It is the same for c·Z (c not 0), for Z Q with Q orthogonal, for the rows in another order, and for each row
    taken twice. The rows are taken as they are, as in the paper's equation 1; its code centres them and gives
    them length one first. Orders below 1 weigh eigenvalues near zero most: they are computed in double precision.

    Args:
        z: (..., T, D) one row a token, float32 or float64.
        alpha: The order, above 0. 1 is the von Neumann entropy -Σ p log p; 2 needs no eigenvalues, it is
            -log of ‖K‖²/(tr K)²; ``math.inf`` is -log max p.

    Returns:
        (...) nats in [0, log min(T, D)], in the type of ``z``.

    Raises:
        ValueError: If ``alpha`` is not above 0.
    """
    check_states(z, "z")
    _check_alpha(alpha)
    return renyi(spectrum(z), alpha) if alpha < 1 else _entropy(smaller_gram(z), alpha)


def from_gram(k: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the matrix entropy of the tokens whose Gram matrix is ``k``.

    Args:
        k: (..., T, T) symmetric and positive semi-definite, of any trace. Eigenvalues that rounding has put
            below zero count as zero; entries are never touched.
        alpha: The order, above 0, as in `matrix_entropy`.

    Returns:
        (...) nats in [0, log T], in the type of ``k``.

    Raises:
        ValueError: If ``alpha`` is not above 0.
    """
    check_gram(k)
    _check_alpha(alpha)
    return renyi(spectrum_from_gram(k), alpha) if alpha < 1 else _entropy(k, alpha)


def renyi(weights: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the Rényi entropy of weights, which are divided by their sum first.

    Args:
        weights: (..., n) at least 0. All zero counts as all on one.
        alpha: The order, above 0; its limit -Σ p log p at 1, -log max p at ``math.inf``.

    Returns:
        (...) nats in [0, log n].

    Raises:
        ValueError: If a weight is negative or not finite, or ``alpha`` is not above 0.
    """
    _check_alpha(alpha)
    if not (weights >= 0).all() or not weights.isfinite().all():
        raise ValueError("weights must be finite and at least 0")
    return _renyi(_shares(weights), alpha)


def spectrum(z: Tensor) -> Tensor:
    """Return the shares p of the principal directions, largest first: (..., T, D) -> (..., min(T, D)).

    They are computed in double precision; those that rounding cannot tell from zero are zero.
    """
    check_states(z, "z")
    return _spectrum(smaller_gram(z.double()), torch.float64).to(z.dtype)


def spectrum_from_gram(k: Tensor) -> Tensor:
    """Return the shares p of the principal directions, largest first: (..., T, T) -> (..., T)."""
    check_gram(k)
    return _spectrum(k.double(), k.dtype).to(k.dtype)


def effective_rank(z: Tensor) -> Tensor:
    """Return the effective rank of Roy and Vetterli: exp of the entropy of the singular values over their sum.

    The shares are those of σ, not of σ² as in the matrix entropy. Squares are less even, so
    exp(S_1(Z)) <= effective rank <= rank, with equality where all singular values above zero are equal. The
    paper's theorem 1 prints the first inequality the other way round.

    Args:
        z: (..., T, D) one row a token.

    Returns:
        (...) from 1 to min(T, D), in the type of ``z``.
    """
    return renyi(spectrum(z).sqrt()).exp()


def _entropy(k: Tensor, alpha: float) -> Tensor:
    """Return the entropy of order 1 or more of a Gram matrix (..., m, m)."""
    if alpha == 2:
        trace = k.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
        scaled = k / torch.where(trace > 0, trace, 1)[..., None, None]
        purity = scaled.square().sum(dim=(-2, -1))
        return torch.where(trace > 0, purity, 1).reciprocal().log().clamp(min=0)
    return _renyi(_shares(_eigenvalues(k).clamp(min=0)), alpha)


def _renyi(p: Tensor, alpha: float) -> Tensor:
    """Return the entropy of shares (..., n) that sum to one."""
    if alpha == 1:
        entropy = torch.special.entr(p).sum(dim=-1)
    elif alpha == math.inf:
        entropy = p.amax(dim=-1).reciprocal().log()
    elif abs(alpha - 1) < 0.5:  # Σ p^α - 1 without cancellation, since the division by 1 - α magnifies it
        logarithms = p.clamp(min=torch.finfo(p.dtype).tiny).log()
        entropy = (p * torch.expm1((alpha - 1) * logarithms)).sum(dim=-1).log1p() / (1 - alpha)
    else:
        entropy = torch.logsumexp(alpha * p.log(), dim=-1) / (1 - alpha)
    return entropy.clamp(min=0) + 0.0  # the sum turns -0 into 0


def _shares(weights: Tensor) -> Tensor:
    """Divide weights (..., n) by their sum; weights that are all zero become 1, 0, ..., 0."""
    total = weights.sum(dim=-1, keepdim=True)
    first = torch.zeros_like(weights)
    first[..., 0] = 1
    return torch.where(total > 0, weights / torch.where(total > 0, total, 1), first)


def _spectrum(k: Tensor, precision: torch.dtype) -> Tensor:
    """Return the shares of a Gram matrix whose entries are known to a relative precision, largest first."""
    size = k.shape[-1]
    # The rank is counted at unit diagonal, where one huge token cannot make the others look like rounding.
    rounding = _ROUNDINGS * size * torch.finfo(precision).eps
    rank = (_eigenvalues(unit_diagonal(k)) > rounding).sum(dim=-1, keepdim=True)
    kept = torch.arange(size, device=k.device) < rank
    return _shares(torch.where(kept, _eigenvalues(k).flip(-1).clamp(min=0), 0))


def _eigenvalues(k: Tensor) -> Tensor:
    """Return the eigenvalues of a Gram matrix (..., m, m), smallest first: (..., m)."""
    values = torch.linalg.eigvalsh(k)
    if (values[..., 0] < -1e-3 * values[..., -1]).any():
        raise ValueError(
            "k must be positive semi-definite, as Gram matrices are, but has an eigenvalue far below zero: "
            "clamping the entries of a Gram matrix can do that"
        )
    return values


def _check_alpha(alpha: float) -> None:
    if not alpha > 0:
        raise ValueError(f"alpha must be above 0, got {alpha}: 1 is the order that the paper uses")
