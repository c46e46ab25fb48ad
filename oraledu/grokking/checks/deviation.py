"""Exercise 4: how far a block is from circulant."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import circulant
from oraledu.grokking.checks.inputs import random_square

ORIENTATIONS = ("toeplitz", "hankel")


def cases(generator: torch.Generator) -> list[Case]:
    """Return noise in both orientations, stripes under noise, a block of zeros and one in float32."""
    p = 7
    stripes = circulant.circulant_matrix(random_square(p, generator)[0], "toeplitz")
    noisy = stripes + 0.1 * random_square(p, generator)
    return [
        Case("random entries, Toeplitz", (random_square(p, generator), "toeplitz")),
        Case("random entries, Hankel", (random_square(p, generator), "hankel")),
        Case("stripes under a little noise, Toeplitz", (noisy, "toeplitz")),
        Case("stripes under a little noise, Hankel", (noisy, "hankel")),
        Case("a block of zeros", (torch.zeros(p, p, dtype=torch.float64), "toeplitz")),
        Case("a block in float32", (random_square(5, generator).float(), "hankel")),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a block as large as in the large run: p = 61."""
    return Case("p = 61", (random_square(61, generator), "toeplitz"))


def is_zero_for_a_circulant_block_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 0 in a block's own orientation, and for much more in the other."""
    for own, other in (ORIENTATIONS, ORIENTATIONS[::-1]):
        block = circulant.circulant_matrix(random_square(11, generator)[0], own)
        if not float(function(block, own)) < 1e-20:
            return (
                f"a {own}-circulant block has a {own} deviation of {float(function(block, own)):.2g}, not 0"
            )
        if not float(function(block, other)) > 0.1:
            return f"random {own} stripes have a {other} deviation near 0: the orientations are mixed up"
    return None


def is_the_share_of_the_noise(function: Function, generator: torch.Generator) -> str | None:
    """Ask for Pythagoras: noise at right angles to all circulant blocks adds its own share."""
    p = 11
    for orientation in ORIENTATIONS:
        stripes = circulant.circulant_matrix(random_square(p, generator)[0], orientation)
        noise = random_square(p, generator)
        noise -= circulant.circulant_matrix(circulant.wrapped_means(noise, orientation), orientation)
        share = float(noise.square().sum() / (stripes.square().sum() + noise.square().sum()))
        found = float(function(stripes + noise, orientation))
        if not abs(found - share) < 1e-10:
            return f"a block whose squared norm is to {share:.3f} noise has the deviation {found:.3g}"
    return None


def depends_neither_on_scale_nor_on_a_roll(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same number after a change of units, and after rolling rows and columns."""
    block = random_square(9, generator)
    for orientation in ORIENTATIONS:
        plain = float(function(block, orientation))
        if not abs(float(function(5 * block, orientation)) - plain) < 1e-10:
            return "a block times 5 should have the same deviation: divide by the squared norm"
        if not abs(float(function(block.roll((2, 3), (0, 1)), orientation)) - plain) < 1e-10:
            return "rolling a block's rows and columns should not change its deviation: wrap the diagonals"
    return None


def of_random_entries_is_near_one(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 1 - 1/p on noise: the circulant blocks fill p of p² dimensions."""
    p = 31
    found = float(function(random_square(p, generator), "toeplitz"))
    return (
        None
        if abs(found - 1) < 4 / p
        else f"for random entries it is {found:.2g}, and should be near 1 - 1/p"
    )


def _index(p: int, orientation: str) -> Tensor:
    i, j = torch.arange(p)[:, None], torch.arange(p)
    return (j - i) % p if orientation == "toeplitz" else (i + j) % p


def _projection(block: Tensor, index: Tensor) -> Tensor:
    """Replace every entry by the mean of the entries that have the same index."""
    size = int(index.max()) + 1
    sums = block.new_zeros(size).index_add(0, index.flatten(), block.flatten())
    return (sums / torch.bincount(index.flatten(), minlength=size).clamp(min=1))[index]


def _share(block: Tensor, rest: Tensor) -> Tensor:
    norm = block.square().sum()
    return rest.square().sum() / norm if norm > 0 else torch.zeros_like(norm)


def _not_wrapped(block: Tensor, orientation: str) -> Tensor:
    p = len(block)
    i, j = torch.arange(p)[:, None], torch.arange(p)
    index = j - i + p - 1 if orientation == "toeplitz" else i + j
    return _share(block, block - _projection(block, index))


def _exchanged(block: Tensor, orientation: str) -> Tensor:
    other = "hankel" if orientation == "toeplitz" else "toeplitz"
    return _share(block, block - _projection(block, _index(len(block), other)))


def _always_toeplitz(block: Tensor, orientation: str) -> Tensor:
    return _share(block, block - _projection(block, _index(len(block), "toeplitz")))


def _variance_for_sum(block: Tensor, orientation: str) -> Tensor:
    rest = block - _projection(block, _index(len(block), orientation))
    return _share(block, rest) / len(block)


def _norm_not_squared(block: Tensor, orientation: str) -> Tensor:
    rest = block - _projection(block, _index(len(block), orientation))
    norm = block.norm()
    return rest.square().sum() / norm if norm > 0 else torch.zeros_like(norm)


def _not_a_share(block: Tensor, orientation: str) -> Tensor:
    return (block - _projection(block, _index(len(block), orientation))).square().sum()


def _the_root(block: Tensor, orientation: str) -> Tensor:
    return _share(block, block - _projection(block, _index(len(block), orientation))).sqrt()


def _the_circulant_share(block: Tensor, orientation: str) -> Tensor:
    return _share(block, _projection(block, _index(len(block), orientation)))


def _zero_by_zero(block: Tensor, orientation: str) -> Tensor:
    rest = block - _projection(block, _index(len(block), orientation))
    return rest.square().sum() / block.square().sum()


def _mean_of_the_columns(block: Tensor, orientation: str) -> Tensor:
    return _share(block, block - block.mean(0))


deviation = Exercise(
    id="grokking.deviation",
    title="The circulant deviation",
    reference=circulant.deviation,
    cases=cases,
    properties=[
        Property("zero for a circulant block, and for no other", is_zero_for_a_circulant_block_alone),
        Property("the share of what is not circulant", is_the_share_of_the_noise),
        Property("the same after scaling and rolling", depends_neither_on_scale_nor_on_a_roll),
        Property("near 1 for random entries", of_random_entries_is_near_one),
    ],
    wrong_answers=[
        WrongAnswer(_not_wrapped, "The diagonals wrap around: take j - i and i + j modulo p"),
        WrongAnswer(
            _exchanged, "Toeplitz goes with (j - i) mod p and Hankel with (i + j) mod p, not the reverse"
        ),
        WrongAnswer(_always_toeplitz, "The orientation is an argument, and it is not always Toeplitz"),
        WrongAnswer(
            _variance_for_sum, "Take the sum of the squared differences on a diagonal, not their mean"
        ),
        WrongAnswer(_norm_not_squared, "Divide by the squared norm of the block, not by its norm"),
        WrongAnswer(_not_a_share, "Divide by the squared norm: the deviation is a share, between 0 and 1"),
        WrongAnswer(_the_root, "The deviation is a ratio of squared norms, without a root"),
        WrongAnswer(_the_circulant_share, "It is the share that is not circulant: 1 minus what you return"),
        WrongAnswer(_zero_by_zero, "For a block of zeros the ratio is 0/0: return 0 there"),
        WrongAnswer(_mean_of_the_columns, "The means belong to the wrapped diagonals, not to the columns"),
    ],
    hints=[
        "Make a $p \\times p$ matrix of integers that says for every entry on which wrapped diagonal it lies. "
        "`torch.arange(p)[:, None]` counts rows, `torch.arange(p)` counts columns.",
        "`torch.zeros(p).index_add(0, k.flatten(), block.flatten())` adds the entries of every diagonal up (mind the "
        "dtype). Each wrapped diagonal has $p$ entries.",
        "With the means in a vector, `means[k]` is $\\Pi C$. Compare `block` with it, and treat a block of zeros "
        "apart.",
    ],
    full_size=full_size,
    guarded=(circulant.wrapped_means, circulant.circulant_matrix),
)
