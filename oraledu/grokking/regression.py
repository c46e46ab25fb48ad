"""Kernel regression on digit pairs: one linear solve, and how to score what it predicts."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.grokking.arithmetic import check_pairs, check_tensors
from oraledu.grokking.kernels import Kernel, gram


@dataclass(frozen=True)
class Score:
    """How well outputs fit their labels.

    Attributes:
        accuracy: The share of pairs whose largest output is the right class.
        loss: The squared error against one-hot targets, averaged over pairs and classes.
        correct_loss: The squared error of the right class's output against 1, averaged over pairs.
    """

    accuracy: float
    loss: float
    correct_loss: float


def score(outputs: Tensor, labels: Tensor) -> Score:
    """Score outputs (n, p) against labels (n,)."""
    check_tensors(outputs=outputs, labels=labels)
    residuals = outputs.clone()
    right = torch.arange(len(labels), device=labels.device), labels
    residuals[right] -= 1
    return Score(
        accuracy=(outputs.argmax(dim=1) == labels).sum().item() / len(labels),
        loss=residuals.square().mean().item(),
        correct_loss=residuals[right].square().mean().item(),
    )


def one_hot_targets(labels: Tensor, p: int, dtype: torch.dtype) -> Tensor:
    """Return the targets Y, one row a label: (n, p)."""
    check_tensors(labels=labels)
    return torch.nn.functional.one_hot(labels.long(), p).to(dtype)


def regress(
    train_pairs: Tensor,
    train_labels: Tensor,
    test_pairs: Tensor,
    metric: Tensor,
    *,
    kernel: str | Kernel = "quadratic",
    bandwidth: float = 2.5,
    ridge: float = 0.0,
) -> Tensor:
    """Fit kernel regression with a given metric in one solve and return its outputs on test pairs.

    Args:
        train_pairs: (n, 2) digit pairs.
        train_labels: (n,) answers.
        test_pairs: (m, 2) digit pairs.
        metric: (2p, 2p) symmetric and finite.
        kernel: ``"quadratic"``, ``"gaussian"`` or a `Kernel`.
        bandwidth: The length of the Gaussian kernel.
        ridge: What is added to the diagonal of the Gram matrix.

    Returns:
        (m, p) one output for each class.

    Raises:
        ValueError: If the metric, a pair, the kernel's name or the ridge is unfit, or the system singular.
        TypeError: If pairs or labels do not hold integers.
    """
    check_tensors(metric=metric, test_pairs=test_pairs)
    p = len(metric) // 2
    check_examples(train_pairs, train_labels, p, "train")
    train_gram = gram(train_pairs, train_pairs, metric, kernel=kernel, bandwidth=bandwidth)
    coefficients = solve(train_gram, one_hot_targets(train_labels, p, metric.dtype), ridge=ridge)
    return gram(test_pairs, train_pairs, metric, kernel=kernel, bandwidth=bandwidth) @ coefficients


def solve(gram_matrix: Tensor, targets: Tensor, *, ridge: float = 0.0) -> Tensor:
    """Return the coefficients α that solve (K + ridge · I) α = Y.

    A Cholesky factorisation does it; a matrix that is not positive definite (an indefinite metric gives one)
    goes to a general solver instead.

    Args:
        gram_matrix: (n, n) K, symmetric.
        targets: (n, c) Y.
        ridge: What is added to the diagonal, absolute, at least 0.

    Returns:
        (n, c) α.

    Raises:
        ValueError: If ``ridge`` is negative, or the system is singular to working precision.
    """
    check_tensors(gram_matrix=gram_matrix, targets=targets)
    if not ridge >= 0:
        raise ValueError(f"ridge must be at least 0, got {ridge}")
    system = gram_matrix
    if ridge:
        system = gram_matrix.clone()
        system.diagonal().add_(ridge)
    factor, failed = torch.linalg.cholesky_ex(system)
    if not failed:
        coefficients = torch.cholesky_solve(targets, factor)
    else:
        coefficients, failed = torch.linalg.solve_ex(system, targets)
    # Rounding can hide a zero pivot, but not the residual: that of one mixture of the columns tells enough.
    mixture = torch.linspace(1, 2, targets.shape[1], dtype=targets.dtype, device=targets.device)
    mixed = targets @ mixture
    residual = (system @ (coefficients @ mixture) - mixed).abs().max()
    if failed or not residual <= 1e-2 * mixed.abs().max():  # false for a NaN too
        raise ValueError(
            f"the kernel regression is singular with ridge={ridge}: the metric tells too few of the "
            f"{len(targets)} training pairs apart; pass a larger ridge (1e-6, say), or drop repeated pairs"
        )
    return coefficients


def check_examples(pairs: Tensor, labels: Tensor, p: int, part: str) -> None:
    """Raise unless pairs (n, 2) and labels (n,) of one part of the data are digits below ``p``."""
    check_tensors(**{f"{part}_labels": labels})
    check_pairs(pairs, p, f"{part}_pairs")
    if len(pairs) == 0:
        raise ValueError(f"{part}_pairs must hold at least one pair")
    if labels.dtype not in (torch.int64, torch.int32, torch.int16, torch.uint8, torch.int8):
        raise TypeError(f"{part}_labels must hold integers, got {labels.dtype}; convert with .long()")
    if labels.shape != (len(pairs),):
        raise ValueError(f"{part}_labels must have shape ({len(pairs)},), got {tuple(labels.shape)}")
    if labels.min() < 0 or labels.max() >= p:
        raise ValueError(f"{part}_labels must lie from 0 to {p - 1}")
