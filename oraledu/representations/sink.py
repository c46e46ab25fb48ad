"""One massive token against the entropy of all: a bound in closed form.

Let one token carry the share f of the summed squared lengths, the trace of the Gram matrix. Deleting the
entries that couple it with the others (a pinching) makes the spectrum more even, so

    S_1 <= h(f) + (1 - f) S_1(others) <= h(f) + (1 - f) log(T - 1),   h(f) = -f log f - (1 - f) log(1 - f),

with equality in the first place if it is orthogonal to the others, and in both if they are moreover orthogonal
and of one length. As f comes near 1 the bound goes to zero, whatever the others say: an entropy "valley" can be
one token.
"""

import torch
from torch import Tensor

from oraledu.representations.gram import check_gram


def share(k: Tensor, token: int = 0) -> Tensor:
    """Return the share of the trace that one token carries: (..., T, T) -> (...) in [0, 1].

    Args:
        k: (..., T, T) a Gram matrix.
        token: Which one, the first if left out.

    Returns:
        (...); 1/T for a matrix of zeros, where all tokens are alike.

    Raises:
        TypeError: If ``k`` is not a float32 or float64 tensor.
        ValueError: If ``k`` is no Gram matrix, or has no such token.
    """
    check_gram(k)
    tokens = k.shape[-1]
    if not -tokens <= token < tokens:
        raise ValueError(f"token must be one of the {tokens} tokens, counted from 0, got {token}")
    squares = k.diagonal(dim1=-2, dim2=-1)
    trace = squares.sum(dim=-1)
    return torch.where(trace > 0, squares[..., token] / torch.where(trace > 0, trace, 1), 1 / tokens)


def entropy_bound(share: Tensor, tokens: int, *, others: Tensor | None = None) -> Tensor:
    """Return the upper bound h(f) + (1 - f) S that a token of share f sets to the entropy S_1 of all.

    Args:
        share: (...) f, in [0, 1].
        tokens: How many tokens there are, T >= 2.
        others: (...) S, the entropy S_1 of the other tokens; its own bound log(T - 1) if left out.

    Returns:
        (...) nats.

    Raises:
        ValueError: If a share lies outside [0, 1], or there are fewer than 2 tokens.
    """
    if tokens < 2:
        raise ValueError(f"tokens must be at least 2, got {tokens}: one token has no others")
    if not ((share >= 0) & (share <= 1)).all():
        raise ValueError("share must lie in [0, 1]: it is a part of the trace")
    rest = torch.full_like(share, tokens - 1).log() if others is None else others
    return torch.special.entr(share) + torch.special.entr(1 - share) + (1 - share) * rest
