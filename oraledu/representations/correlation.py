"""Do two curves over layers go together? Rank correlation, and distance correlation, which has no sign.

Neighbouring layers are alike, so the layers of a network are not independent draws, and the usual p-value means
nothing. Curves that are moved along the layers stay as smooth as they were: `share_of_shifts` compares with these.
"""

import torch
from torch import Tensor


def spearman(x: Tensor, y: Tensor) -> Tensor:
    """Return Spearman's rank correlation, ties with their average rank: (..., n), (..., n) -> (...).

    Args:
        x: (..., n), n >= 2.
        y: (..., n), of the same shape or broadcast to it.

    Returns:
        (...) float64 in [-1, 1]; 0 where x or y is constant.

    Raises:
        ValueError: If there are fewer than 2 values, their counts differ, or one is not finite.
    """
    from scipy.stats import rankdata  # slow to load, and no figure waits for it

    _check(x, y)
    ranks = [torch.from_numpy(rankdata(values.cpu().numpy(), axis=-1)) for values in (x, y)]
    x, y = (rank - rank.mean(dim=-1, keepdim=True) for rank in ranks)
    norms = torch.linalg.vector_norm(x, dim=-1) * torch.linalg.vector_norm(y, dim=-1)
    products = torch.linalg.vecdot(*torch.broadcast_tensors(x, y))
    return torch.where(norms > 0, products / torch.where(norms > 0, norms, 1), 0).clamp(-1, 1)


def share_of_shifts(x: Tensor, y: Tensor) -> float:
    """Return how many circular shifts of x correlate with y at least as strongly as x itself, as a share of all.

    A shift by k layers moves the last k to the front; those by 1 to n - 1 count, by the size of Spearman's
    correlation. A large share says that curves as smooth as x do as well by chance. Few layers leave few shifts.

    Args:
        x: (n,), n >= 2.
        y: (n,).

    Returns:
        In [0, 1], in steps of 1 / (n - 1).

    Raises:
        ValueError: If there are fewer than 2 values, their counts differ, or one is not finite.
    """
    _check(x, y)
    moved = torch.stack([x.roll(places) for places in range(len(x))])  # the first is x
    sizes = spearman(moved, y.expand_as(moved)).abs()
    return (sizes[1:] >= sizes[0] - 1e-9).double().mean().item()


def distance_correlation(x: Tensor, y: Tensor) -> Tensor:
    """Return the distance correlation of Székely, Rizzo and Bakirov: (..., n), (..., n) -> (...).

    The distances |x_i - x_j| and |y_i - y_j|, each centred over rows and columns, are correlated, and the root
    taken. It sees any dependence, has no sign, and for few values lies well above 0 also without dependence.

    Args:
        x: (..., n), n >= 2.
        y: (..., n), of the same shape or broadcast to it.

    Returns:
        (...) float64 in [0, 1]; 0 where x or y is constant.

    Raises:
        ValueError: If there are fewer than 2 values, their counts differ, or one is not finite.
    """
    _check(x, y)
    a, b = (_centred_distances(values.double().cpu()) for values in (x, y))
    norms = (a.square().mean(dim=(-2, -1)) * b.square().mean(dim=(-2, -1))).sqrt()
    covariance = (a * b).mean(dim=(-2, -1)).clamp(min=0)
    return torch.where(norms > 0, covariance / torch.where(norms > 0, norms, 1), 0).sqrt()


def _centred_distances(values: Tensor) -> Tensor:
    distances = (values[..., :, None] - values[..., None, :]).abs()
    rows = distances.mean(dim=-1, keepdim=True)
    return distances - rows - rows.mT + rows.mean(dim=-2, keepdim=True)


def _check(x: Tensor, y: Tensor) -> None:
    for name, values in (("x", x), ("y", y)):
        if values.ndim == 0 or values.shape[-1] < 2:
            raise ValueError(f"{name} must have at least 2 values, got shape {tuple(values.shape)}")
        if not values.isfinite().all():
            raise ValueError(f"{name} must be finite: leave out what has no value")
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(f"x and y must have as many values, got {x.shape[-1]} and {y.shape[-1]}")
