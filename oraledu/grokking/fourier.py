"""Why circulant features suffice: Fourier multiplication, and kernel regression that equals it.

F is the unitary discrete Fourier transform, F_jk = ω^(jk) / sqrt(p) with ω = exp(-2πi/p). On one-hot digits
it turns addition into a product of phases. Theorem 5.1 of the paper: on all p² pairs of a - b, kernel
regression with the quadratic kernel and a circulant metric for each class computes the same function. Off
the one-hot grid the two differ by a term that the paper misses; `off_grid_term` gives it.
"""

import torch
from torch import Tensor

from oraledu.grokking.arithmetic import check_tensors, modular_table
from oraledu.grokking.quadratic import quadratic_gram
from oraledu.grokking.regression import solve


def multiplication(x1: Tensor, x2: Tensor) -> Tensor:
    """Return Fourier multiplication, y_l = sqrt(p) <F x1 ∘ F x2, F e_l> with <u, v> = Σ u conj(v).

    On one-hot digits it is their sum: multiplication(e_a, e_b) = e_(a+b). On any real vectors it is the
    cyclic convolution Σ_k x1[k] x2[l - k].

    Args:
        x1: (..., p) real.
        x2: (..., p) real.

    Returns:
        (..., p) real.

    Raises:
        ValueError: If the last dimensions differ.
    """
    _check_lengths(x1, x2)
    return torch.fft.ifft(torch.fft.fft(x1) * torch.fft.fft(x2)).real


def reverse(x: Tensor) -> Tensor:
    """Return x[-k mod p] at place k, whose transform is the complex conjugate of that of x: (..., p).

    ``multiplication(x1, reverse(x2))`` subtracts: on one-hot digits it is e_(a-b).
    """
    check_tensors(x=x)
    return x.flip(-1).roll(1, dims=-1)


def off_grid_term(x1: Tensor, x2: Tensor) -> Tensor:
    """Return 2 (1'x1)(1'x2) - |x1|² - |x2|²: (..., p), (..., p) -> (...).

    Raises:
        ValueError: If the last dimensions differ.
    """
    _check_lengths(x1, x2)
    return 2 * x1.sum(-1) * x2.sum(-1) - x1.square().sum(-1) - x2.square().sum(-1)


def solved_machines(x1: Tensor, x2: Tensor) -> Tensor:
    """Return what the kernel machines of theorem 5.1 compute, by solving for each class numerically.

    Arguments and errors are those of `multiplication`: (..., p), (..., p) -> (..., p), one output for each class.
    """
    _check_lengths(x1, x2)
    p = x1.shape[-1]
    inputs = torch.cat([x1, x2], dim=-1).to(torch.float64)
    outputs = []
    for label in range(p):
        metric = class_metric(p, label)
        features = inputs @ metric  # (..., 2p): x'M_l
        products = features[..., :p, None] + features[..., None, p:]  # x'M_l (e_a, e_b)
        outputs.append((products.square() * solved_coefficients(p, label)).sum(dim=(-2, -1)))
    return torch.stack(outputs, dim=-1)


def class_metric(p: int, label: int) -> Tensor:
    """Return M_l = [[0, C^l], [C^-l, 0]] of theorem 5.1, indefinite: (2p, 2p) float64."""
    zero = torch.zeros(p, p, dtype=torch.float64)
    power = shift_power(p, label)
    return torch.cat([torch.cat([zero, power], dim=1), torch.cat([power.T, zero], dim=1)])


def shift_power(p: int, exponent: int) -> Tensor:
    """Return C^exponent of the shift C with C_i,i+1 = 1: (p, p) float64."""
    return torch.eye(p, dtype=torch.float64).roll(exponent, dims=1)


def class_gram(p: int, label: int) -> Tensor:
    """Return the Gram matrix of all p² pairs with `class_metric`: (p², p²), invertible and indefinite."""
    pairs, _ = modular_table("-", p)
    return quadratic_gram(pairs, pairs, class_metric(p, label))


def solved_coefficients(p: int, label: int) -> Tensor:
    """Return the coefficients that fit class ``label`` of a - b on all p² pairs: (p, p) for a and b."""
    _, answers = modular_table("-", p)
    targets = (answers == label).to(torch.float64)[:, None]
    return solve(class_gram(p, label), targets).reshape(p, p)


def _check_lengths(x1: Tensor, x2: Tensor) -> None:
    check_tensors(x1=x1, x2=x2)
    if x1.shape[-1:] != x2.shape[-1:] or x1.ndim == 0:
        raise ValueError(f"x1 and x2 must have one length p, got {tuple(x1.shape)} and {tuple(x2.shape)}")
