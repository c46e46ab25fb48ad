"""Block-circulant features: how to measure them in a metric, and how to draw them at random.

The metric of inputs (e_a, e_b) has four p × p blocks. What an RFM learns stands in the lower left one, whose
entry [b, a] couples the second digit with the first. A block is Toeplitz-circulant if the entry depends on
(column - row) mod p alone, and Hankel-circulant if it depends on (row + column) mod p alone.
"""

import torch
from torch import Tensor

from oraledu.grokking.arithmetic import (
    check_odd_prime,
    check_operation,
    check_tensors,
    discrete_log_order,
)
from oraledu.grokking.rfm import psd_power

# What an RFM comes to for each operation; for * and / after the digits are put in discrete-log order.
ORIENTATION = {"+": "toeplitz", "-": "hankel", "*": "toeplitz", "/": "hankel"}


def reorder(block: Tensor, order: Tensor) -> Tensor:
    """Return the block with rows and columns in the given order, (p, p) -> (len(order), len(order)).

    Digits that the order leaves out (0, in a discrete-log order) are dropped.
    """
    check_tensors(block=block, order=order)
    return block[order][:, order]


def deviation(block: Tensor, orientation: str) -> Tensor:
    """Return how far a block is from circulant: the share of its squared norm that is not.

    The share is Σ_k Σ (entry - mean of diagonal k)² / ‖block‖² over its p wrapped diagonals. It is 0 exactly
    for a circulant block, a block of zeros included, and about 1 - 1/p for random numbers. The paper's own
    measure ("shift row l right by l, variance of the columns") is the Hankel one, and cannot see Toeplitz.

    Args:
        block: (p, p).
        orientation: ``"toeplitz"``: diagonals of equal (column - row) mod p; ``"hankel"``: of equal
            (row + column) mod p.

    Returns:
        A number in [0, 1], as a tensor without dimensions.

    Raises:
        ValueError: If the block is not square or the orientation unknown.
    """
    rest = block - circulant_matrix(wrapped_means(block, orientation), orientation)
    norm = block.square().sum()
    return rest.square().sum() / norm if norm > 0 else torch.zeros_like(norm)


def wrapped_means(block: Tensor, orientation: str) -> Tensor:
    """Return the mean of each of the p wrapped diagonals of a block: (p, p) -> (p,).

    Raises:
        ValueError: If the block is not square or the orientation unknown.
    """
    _check_square(block)
    diagonal = _diagonals(len(block), orientation, block.device).flatten()
    return block.new_zeros(len(block)).index_add(0, diagonal, block.flatten()) / len(block)


def circulant_matrix(values: Tensor, orientation: str) -> Tensor:
    """Return the circulant block whose wrapped diagonal k holds ``values[k]``: (p,) -> (p, p).

    Its row 0 is ``values`` in both orientations.

    Raises:
        ValueError: If the orientation is unknown.
    """
    check_tensors(values=values)
    return values[_diagonals(len(values), orientation, values.device)]


def alignment(a: Tensor, b: Tensor, *, off_diagonal: bool = False) -> Tensor:
    """Return the cosine between two matrices as vectors, 0 where one of them is zero.

    Args:
        a: (d, d).
        b: (d, d).
        off_diagonal: Leave out the main diagonal, which alone puts a metric's alignment with its first one,
            the identity, near 0.8.

    Returns:
        A number in [-1, 1], as a tensor without dimensions.

    Raises:
        ValueError: If the matrices differ in shape or are not square.
    """
    check_tensors(a=a, b=b)
    if a.shape != b.shape or a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(
            f"a and b must be square matrices of one shape, got {tuple(a.shape)}, {tuple(b.shape)}"
        )
    if off_diagonal:
        a, b = a - a.diagonal().diag(), b - b.diagonal().diag()
    norms = a.norm() * b.norm()
    return (a * b).sum() / norms if norms > 0 else torch.zeros_like(norms)


def random_metric(p: int, op: str, *, generator: torch.Generator) -> Tensor:
    """Return the metric of random circulant features for an operation, to use in `rfm.regress` as it is.

    It is `block_metric` of `random_block`. Another operation's metric is the control of wrong orientation:
    that of `-` for `+`, that of `/` for `*`.

    Args:
        p: At least 3; an odd prime for `*` and `/`.
        op: One of ``+ - * /``.
        generator: The source of randomness.

    Returns:
        (2p, 2p) float64, symmetric and positive semi-definite.

    Raises:
        ValueError: If ``op`` is unknown or ``p`` does not suit it.
    """
    return block_metric(random_block(p, op, generator=generator))


def random_block(p: int, op: str, *, generator: torch.Generator) -> Tensor:
    """Return a random circulant block in the orientation of an operation: (p, p) float64.

    Its row 0 is uniform on [0, 1) with its mean taken off, which the paper does not say and its code does.
    For `*` and `/` the block is circulant in discrete-log order, and its row and column of digit 0 are zero.

    Raises:
        ValueError: If ``op`` is unknown or ``p`` does not suit it.
    """
    check_operation(op)
    if op in "+-":
        return circulant_matrix(_centred(p, generator), ORIENTATION[op])
    check_odd_prime(p)
    order = discrete_log_order(p)
    block = torch.zeros(p, p, dtype=torch.float64)
    block[order[:, None], order] = circulant_matrix(_centred(p - 1, generator), ORIENTATION[op])
    return block


def row_of(sizes: Tensor, turns: Tensor) -> Tensor:
    """Return the real row (2h + 1,) with mean zero whose Fourier coefficients have these sizes and phases.

    Both are (h,), for k = 1, …, h; the phases are shares of a full turn.
    """
    check_tensors(sizes=sizes, turns=turns)
    coefficients = torch.polar(sizes, 2 * torch.pi * turns)
    return torch.fft.irfft(torch.cat([coefficients.new_zeros(1), coefficients]), n=2 * len(sizes) + 1)


def orthogonal_block(p: int, *, generator: torch.Generator) -> Tensor:
    """Return the control of `random_block`: as large, but orthogonal instead of circulant, (p, p) float64.

    The factor sqrt(p/12) gives it the expected norm of a random circulant block.
    """
    gaussian = torch.randn(p, p, generator=generator, dtype=torch.float64)
    return (p / 12) ** 0.5 * torch.linalg.qr(gaussian)[0]


def block_metric(block: Tensor) -> Tensor:
    """Return the metric whose square is the positive part of M* = [[A, C'], [C, A]], A = I - 11'/p.

    M* is the shape that an RFM ends in (paper, observation 1). It is indefinite for most blocks C; the root
    V sqrt(max(w, 0)) V' keeps the eigenvectors V with eigenvalue w above zero.

    Args:
        block: (p, p) the lower left block C.

    Returns:
        (2p, 2p) symmetric and positive semi-definite.

    Raises:
        ValueError: If the block is not square or not finite.
    """
    _check_square(block)
    centring = torch.eye(len(block), dtype=block.dtype, device=block.device) - 1 / len(block)
    target = torch.cat([torch.cat([centring, block.T], dim=1), torch.cat([block, centring], dim=1)])
    return psd_power(target, 0.5)


def _check_square(block: Tensor) -> None:
    check_tensors(block=block)
    if block.ndim != 2 or block.shape[0] != block.shape[1]:
        raise ValueError(f"block must be a square matrix, got shape {tuple(block.shape)}")


def _centred(size: int, generator: torch.Generator) -> Tensor:
    column = torch.rand(size, generator=generator, dtype=torch.float64)
    return column - column.mean()


def _diagonals(size: int, orientation: str, device: torch.device) -> Tensor:
    """Return for each entry of a block the number of its wrapped diagonal: (size, size) int64."""
    index = torch.arange(size, device=device)
    if orientation == "toeplitz":
        return (index - index[:, None]) % size
    if orientation == "hankel":
        return (index + index[:, None]) % size
    raise ValueError(f"orientation must be 'toeplitz' or 'hankel', got {orientation!r}")
