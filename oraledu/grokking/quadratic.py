"""The quadratic kernel k(x, z) = (x'Mz)²: its Gram matrix by gathering, its AGOP as algebra of size 2p.

An input has two hot entries, so x'Mz is a sum of four entries of M. No array of size (training points,
classes, inputs) is ever made.
"""

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from oraledu.grokking.arithmetic import check_tensors, hot_columns


def inner_products(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    """Return x'Mz for every x of ``pairs_a`` and z of ``pairs_b`` by gathering: (n_a, n_b)."""
    check_tensors(pairs_a=pairs_a, pairs_b=pairs_b, metric=metric)
    p = len(metric) // 2
    transformed = embedding_bag(hot_columns(pairs_b, p), metric.T.contiguous(), mode="sum")  # row j: M z_j
    return embedding_bag(hot_columns(pairs_a, p), transformed.T.contiguous(), mode="sum")


def quadratic_gram(pairs_a: Tensor, pairs_b: Tensor, metric: Tensor) -> Tensor:
    """Return the Gram matrix of the quadratic kernel k(x, z) = (x'Mz)².

    Args:
        pairs_a: (n_a, 2) integer digits; its inputs are the rows.
        pairs_b: (n_b, 2) integer digits; its inputs are the columns.
        metric: (2p, 2p) the metric M. It need not be symmetric here.

    Returns:
        (n_a, n_b) in the type of ``metric``.
    """
    return inner_products(pairs_a, pairs_b, metric).square_()


def quadratic_agop(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    """Return the AGOP of the quadratic machine f_l(x) = Σ_j α_jl (x'Mx_j)² over its training points.

    The machine is p quadratic forms, f_l(x) = x'B_l x with B_l = M C_l M and C_l = Σ_j α_jl x_j x_j'. The
    gradient is 2 B_l x, so that averaging over the points leaves only their second moment S = mean x x':
    G = 4 Σ_l B_l S B_l = 4 M (Σ_l C_l (M S M) C_l) M. Taking the mean gradient off turns S into the
    covariance.

    Args:
        pairs: (n, 2) the training points.
        coefficients: (n, c) the machine's α, one column for each class.
        metric: (2p, 2p) the symmetric metric M.
        centre: Take the mean gradient off first, as the authors' code does and the paper does not say.

    Returns:
        (2p, 2p) symmetric and positive semi-definite.
    """
    check_tensors(pairs=pairs, coefficients=coefficients, metric=metric)
    size, count = len(metric), len(pairs)
    forms = outer_sums(pairs, coefficients, size)  # C_l: (c, 2p, 2p)
    moment = outer_sums(pairs, coefficients.new_full((count, 1), 1 / count), size)[0]  # S: (2p, 2p)
    if centre:
        mean = moment.diagonal()  # an entry of a one-hot is its own square
        moment = moment - torch.outer(mean, mean)
    right = torch.matmul(metric @ moment @ metric, forms)  # (M S M) C_l: (c, 2p, 2p)
    return 4 * metric @ (forms.reshape(-1, size).T @ right.reshape(-1, size)) @ metric


def outer_sums(pairs: Tensor, weights: Tensor, size: int) -> Tensor:
    """Return Σ_j w_jl x_j x_j' for each column l of the weights (n, c): (c, 2p, 2p), each symmetric."""
    columns = hot_columns(pairs, size // 2)  # (n, 2)
    sums = weights.new_zeros(size * size, weights.shape[1])
    for first in columns.T:
        for second in columns.T:
            sums.index_add_(0, first * size + second, weights)
    return sums.T.reshape(-1, size, size)
