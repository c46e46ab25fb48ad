"""The Gaussian kernel k(x, z) = exp(-(x - z)'M(x - z) / (2L²)): its Gram matrix and its AGOP."""

import torch
from torch import Tensor

from oraledu.grokking.arithmetic import check_tensors, hot_columns
from oraledu.grokking.quadratic import inner_products


def gaussian_gram(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor, *, bandwidth: float = 2.5) -> Tensor:
    """Return the Gram matrix of the Gaussian kernel k(x, z) = exp(-(x - z)'M(x - z) / (2 bandwidth²)).

    A squared distance below zero, which rounding or an indefinite metric can give, counts as zero.

    Args:
        pairs_a: (n_a, 2) integer digits; its inputs are the rows.
        pairs_b: (n_b, 2) integer digits; its inputs are the columns.
        metric: (2p, 2p) the symmetric metric M.
        bandwidth: The length L. The paper prints exp(-d²/L); its code, followed here, has exp(-d²/(2L²)).

    Returns:
        (n_a, n_b) with entries in [0, 1], in the type of ``metric``.
    """
    distances = inner_products(pairs_a, pairs_b, metric).mul_(-2)
    distances += _squared_norms(pairs_a, metric)[:, None]
    distances += _squared_norms(pairs_b, metric)
    return distances.clamp_(min=0).mul_(-1 / (2 * bandwidth**2)).exp_()


def gaussian_agop(
    pairs: Tensor, coefficients: Tensor, metric: Tensor, *, bandwidth: float = 2.5, centre: bool = True
) -> Tensor:
    """Return the AGOP of the Gaussian machine f_l(x) = Σ_j α_jl k(x, x_j) over its training points.

    The gradient at x_i is M V_i / bandwidth² with V_i = Σ_j k(x_i, x_j) x_j α_j' - x_i f(x_i)', a (2p, c)
    matrix. Row d of the sum needs only the training points that have d as a digit. Points x_i are taken a
    block at a time, which bounds the memory at block · 2p · c numbers.

    Args:
        pairs: (n, 2) the training points.
        coefficients: (n, c) the machine's α, one column for each class.
        metric: (2p, 2p) the symmetric metric M.
        bandwidth: The length L of the kernel.
        centre: Take the mean gradient off first, as the authors' code does and the paper does not say.

    Returns:
        (2p, 2p) symmetric and positive semi-definite.
    """
    check_tensors(pairs=pairs, coefficients=coefficients, metric=metric)
    size, classes, block = len(metric), coefficients.shape[1], 256
    columns = hot_columns(pairs, size // 2)
    sharing = [(columns == column).any(dim=1).nonzero().squeeze(1) for column in range(size)]
    moment, total = metric.new_zeros(size, size), metric.new_zeros(size, classes)
    for start in range(0, len(pairs), block):
        here = slice(start, start + block)
        weights = gaussian_gram(pairs, pairs[here], metric, bandwidth=bandwidth)  # (n, block)
        count = weights.shape[1]
        rows = metric.new_empty(size, count, classes)  # V_i, stored by its row first
        for column, members in enumerate(sharing):
            torch.mm(weights[members].T, coefficients[members], out=rows[column])
        outputs = rows[: size // 2].sum(dim=0)  # (block, c): each point has one first digit
        point = torch.arange(count, device=pairs.device)
        for hot in columns[here].T:
            rows[hot, point] -= outputs
        total += rows.sum(dim=1)
        flat = rows.reshape(size, -1)  # (2p, block * c)
        moment += flat @ flat.T
    moment /= len(pairs)
    if centre:
        mean = total / len(pairs)
        moment -= mean @ mean.T
    return metric @ moment @ metric / bandwidth**4


def _squared_norms(pairs: Tensor, metric: Tensor) -> Tensor:
    """Return x'Mx for every input: (n,)."""
    a, b = hot_columns(pairs, len(metric) // 2).T
    return metric[a, a] + metric[b, b] + metric[a, b] + metric[b, a]
