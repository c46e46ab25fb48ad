"""A later paper's question: which symmetry of the training set a machine that groks has to lose.

Each operation has a reflection (a, b) ↦ (σ(b), σ(a)) that leaves its answers as they are: σ(d) = d for + and *, -d
for -, 1/d for /. On inputs it is the permutation P of the 2p coordinates that exchanges the two halves and applies
σ to each; it is its own inverse. Tomàs Bernal, Mallinar and Belkin (arXiv 2604.00316, AISTATS 2026) hold out what
a reflection leaves in place, and hold that nothing is learned until the training set is no longer symmetric.
"""

import torch
from torch import Tensor

from oraledu.grokking.arithmetic import check_operation, check_tensors, modular_table
from oraledu.grokking.kernels import check_symmetric


def reflected_table(op: str, p: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pairs of an operation, their answers, and the place of each pair's mirror image.

    For `*` and `/` the digit 0, which has no inverse, is left out.

    Args:
        op: One of ``+ - * /``.
        p: The modulus, at least 3; an odd prime for `*` and `/`.

    Returns:
        pairs: (N, 2) int64; N = p² for `+` and `-`, (p - 1)² for `*` and `/`.
        labels: (N,) int64.
        image: (N,) int64, its own inverse; ``image[i] == i`` exactly for the fixed points of the reflection.

    Raises:
        ValueError: If ``op`` is unknown or ``p`` does not suit it.
    """
    pairs, labels = modular_table(op, p)
    if op in "*/":
        nonzero = (pairs > 0).all(1)
        pairs, labels = pairs[nonzero], labels[nonzero]
    places = torch.empty(p, p, dtype=torch.int64)
    places[pairs[:, 0], pairs[:, 1]] = torch.arange(len(pairs))
    mirrored = digit_map(op, p)[pairs]  # (N, 2): σ(a), σ(b)
    return pairs, labels, places[mirrored[:, 1], mirrored[:, 0]]


def digit_map(op: str, p: int) -> Tensor:
    """Return σ of an operation's reflection as a list of digits, (p,) int64; 0 stays 0.

    Raises:
        ValueError: If ``op`` is unknown.
    """
    check_operation(op)
    digits = torch.arange(p)
    if op == "/":
        return torch.tensor([0] + [pow(digit, -1, p) for digit in range(1, p)])
    return -digits % p if op == "-" else digits


def symmetric_split(image: Tensor, order: Tensor, count: int) -> Tensor:
    """Return which pairs to hold out, so that what is left is mapped to itself.

    Pairs are held out in the given order, each together with all that it is mapped to, until ``count`` or more are.

    Args:
        image: (N,) int64, a permutation of the places: the pair at i is mapped to the one at ``image[i]``.
        order: int64, the places to go through, from the first; those that are missing are held out as images only.
        count: How many pairs to hold out at least; 0 leaves all.

    Returns:
        (N,) bool, True where a pair is held out.

    Raises:
        ValueError: If ``image`` is not a permutation.
        TypeError: If an argument is not a tensor.
    """
    check_tensors(image=image, order=order)
    if not torch.equal(image.sort().values, torch.arange(len(image), device=image.device)):
        raise ValueError("image must hold each place from 0 to N - 1 once: a permutation")
    following, held, total = image.tolist(), [False] * len(image), 0
    for place in order.tolist():
        if total >= count:
            break
        while not held[place]:
            held[place], total = True, total + 1
            place = following[place]
    return torch.tensor(held, device=image.device)


def commutator(metric: Tensor, op: str) -> float:
    """Return ‖P M P' - M‖ / ‖M‖ for an operation's reflection P: 0 where the metric cannot tell a pair from its image.

    Args:
        metric: (2p, 2p) symmetric and not zero.
        op: One of ``+ - * /``.

    Raises:
        ValueError: If the metric is not symmetric and finite, or ``op`` is unknown.
    """
    check_symmetric(metric, "metric")
    sigma = digit_map(op, len(metric) // 2).to(metric.device)
    moved = torch.cat([sigma + len(sigma), sigma])
    return float((metric[moved][:, moved] - metric).norm() / metric.norm())
