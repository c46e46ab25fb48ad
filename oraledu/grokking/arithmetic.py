"""The task: modular arithmetic over Z_p as a table of digit pairs and their answers.

A digit pair (a, b) is kept as two integers. Its input vector, the one-hot e_a beside the one-hot e_b in
R^{2p}, has two non-zero entries, so every algorithm of this topic gathers instead of multiplying.
"""

import math

import torch
from torch import Tensor

OPERATIONS = ("+", "-", "*", "/")


def modular_table(op: str, p: int) -> tuple[Tensor, Tensor]:
    """Return every digit pair and its answer, ordered by the first digit, then the second.

    Args:
        op: One of ``+ - * /``. Division leaves out the pairs with b = 0.
        p: The modulus, at least 3. Multiplication and division need an odd prime.

    Returns:
        pairs: (N, 2) int64, the digits a and b; N = p², for division p(p - 1).
        labels: (N,) int64, the answer ``a op b`` modulo p.

    Raises:
        ValueError: If ``op`` is unknown or ``p`` does not suit it.
    """
    check_operation(op)
    if op in "*/":
        check_odd_prime(p)
    else:
        _check_modulus(p)
    digits = torch.arange(p)
    pairs = torch.cartesian_prod(digits, digits[1:] if op == "/" else digits)  # (N, 2)
    a, b = pairs.unbind(dim=1)
    match op:
        case "+":
            answers = a + b
        case "-":
            answers = a - b
        case "*":
            answers = a * b
        case _:
            inverses = torch.tensor([0] + [pow(digit, -1, p) for digit in range(1, p)])
            answers = a * inverses[b]
    return pairs, answers % p


def split(
    pairs: Tensor, labels: Tensor, fraction: float, *, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw floor(fraction · N) pairs for training; all the others are for testing.

    Args:
        pairs: (N, 2) digit pairs.
        labels: (N,) answers.
        fraction: The share that trains, strictly between 0 and 1.
        generator: The source of randomness; the same state gives the same split.

    Returns:
        train_pairs (n, 2), train_labels (n,), test_pairs (N - n, 2), test_labels (N - n,), in the order
        that `rfm.fit` takes them. Both parts keep the order of the table.

    Raises:
        ValueError: If ``fraction`` lies outside (0, 1), leaves a part empty, or the lengths differ.
        TypeError: If ``pairs`` or ``labels`` is not a tensor.
    """
    check_tensors(pairs=pairs, labels=labels)
    if not 0.0 < fraction < 1.0:
        raise ValueError(f"fraction must lie strictly between 0 and 1, got {fraction}: try 0.5")
    total = len(pairs)
    if len(labels) != total:
        raise ValueError(f"labels must have one entry for each of the {total} pairs, got {len(labels)}")
    count = math.floor(fraction * total + 1e-9)  # 0.7 * 10 is a hair below 7 in floating point
    if not 0 < count < total:
        raise ValueError(
            f"fraction={fraction} leaves a part empty: {count} of {total} pairs would train; "
            "choose a fraction nearer to 0.5"
        )
    chosen = torch.zeros(total, dtype=torch.bool)
    chosen[torch.randperm(total, generator=generator, device=generator.device)[:count].cpu()] = True
    chosen = chosen.to(pairs.device)
    return pairs[chosen], labels[chosen], pairs[~chosen], labels[~chosen]


def one_hot_pairs(pairs: Tensor, p: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return the input vectors (e_a, e_b) as a dense matrix.

    The algorithms do not need it; derivations, pictures and naive references do.

    Args:
        pairs: (n, 2) integer digits in [0, p).
        p: The modulus.
        dtype: The type of the result.

    Returns:
        (n, 2p) with exactly two ones in each row.

    Raises:
        ValueError: If ``pairs`` has the wrong shape or a digit outside [0, p).
        TypeError: If ``pairs`` does not hold integers.
    """
    check_pairs(pairs, p)
    return torch.nn.functional.one_hot(pairs.long(), p).flatten(1).to(dtype)  # (n, 2, p) -> (n, 2p)


def hot_columns(pairs: Tensor, p: int) -> Tensor:
    """Return the two places (a, p + b) where each input vector is one: (n, 2) int64."""
    first, second = pairs.long().unbind(1)
    return torch.stack([first, p + second], dim=1)


def primitive_roots(p: int) -> list[int]:
    """Return every generator of the multiplicative group of Z_p, smallest first.

    Args:
        p: An odd prime.

    Raises:
        ValueError: If ``p`` is not an odd prime.
    """
    check_odd_prime(p)
    return [g for g in range(1, p) if len(_powers(g, p)) == p - 1]


def discrete_log_order(p: int, g: int | None = None) -> Tensor:
    """Return the order g⁰, g¹, …, g^(p-2) modulo p in which multiplication looks like addition.

    Since gⁱ · gʲ = g^(i+j), a table whose rows and columns are listed in this order turns `*` on the
    non-zero digits into `+` on Z_{p-1} and `/` into `-` (paper, lemma J.1).

    Args:
        p: An odd prime.
        g: A generator of the multiplicative group; the smallest one if left out.

    Returns:
        (p - 1,) int64, a permutation of 1, …, p - 1 that starts with 1.

    Raises:
        ValueError: If ``p`` is not an odd prime or ``g`` does not generate every non-zero digit.
    """
    check_odd_prime(p)
    if g is None:
        g = next(root for root in range(2, p) if len(_powers(root, p)) == p - 1)
    powers = _powers(g, p)
    if len(powers) != p - 1:
        raise ValueError(
            f"g={g} does not generate the non-zero digits modulo {p}: its powers reach {len(powers)} of "
            f"{p - 1}; choose one of primitive_roots({p})"
        )
    return torch.tensor(powers)


def check_tensors(**values: object) -> None:
    """Raise a TypeError that names the first of the arguments that is not a torch tensor."""
    for name, value in values.items():
        if not isinstance(value, Tensor):
            kind = f"{type(value).__module__}.{type(value).__name__}"
            raise TypeError(f"{name} must be a torch tensor, got {kind}: pass torch.as_tensor({name})")


def check_operation(op: str) -> None:
    """Raise a ValueError unless ``op`` is one of ``+ - * /``."""
    if op not in OPERATIONS:
        raise ValueError(f"op must be one of {' '.join(OPERATIONS)}, got {op!r}")


def check_odd_prime(p: int) -> None:
    """Raise a ValueError unless ``p`` is an odd prime."""
    _check_modulus(p)
    if any(p % divisor == 0 for divisor in range(2, math.isqrt(p) + 1)):
        raise ValueError(f"p must be an odd prime (31 or 61, say), got {p}")


def check_pairs(pairs: Tensor, p: int, name: str = "pairs") -> None:
    """Raise unless ``pairs`` is an (n, 2) tensor of integers in [0, p)."""
    check_tensors(**{name: pairs})
    if pairs.dtype.is_floating_point or pairs.dtype.is_complex or pairs.dtype == torch.bool:
        raise TypeError(f"{name} must hold integer digits, got {pairs.dtype}; convert with .long()")
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"{name} must have shape (n, 2), one digit pair a row, got {tuple(pairs.shape)}")
    if len(pairs) and (pairs.min() < 0 or pairs.max() >= p):
        raise ValueError(
            f"{name} must hold digits from 0 to {p - 1}, got {int(pairs.min())} to {int(pairs.max())}"
        )


def _check_modulus(p: int) -> None:
    if not isinstance(p, int) or isinstance(p, bool):
        raise TypeError(f"p must be a whole number, got {p!r}")
    if p < 3:
        raise ValueError(f"p must be at least 3, got {p}")


def _powers(g: int, p: int) -> list[int]:
    """Return 1, g, g², … modulo p up to the point where they repeat."""
    powers = [1]
    while (following := powers[-1] * g % p) not in (1, 0):
        powers.append(following)
    return powers
