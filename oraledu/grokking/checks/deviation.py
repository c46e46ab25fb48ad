"""Exercise 4: how far a block is from circulant."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import circulant
from oraledu.grokking.checks.inputs import random_square


def cases(generator: torch.Generator) -> list[Case]:
    """Return noise, stripes under noise, zeros, small entries, a block in float32 and a part of a metric."""
    p = 7
    stripes = circulant.circulant_matrix(random_square(p, generator)[0], "toeplitz")
    noisy = stripes + 0.1 * random_square(p, generator)
    return [
        Case("random entries, Toeplitz", (random_square(p, generator), "toeplitz")),
        Case("random entries, Hankel", (random_square(p, generator), "hankel")),
        Case("stripes under a little noise, Toeplitz", (noisy, "toeplitz")),
        Case("stripes under a little noise, Hankel", (noisy, "hankel")),
        Case("a block of zeros", (torch.zeros(p, p, dtype=torch.float64), "toeplitz")),
        Case("a block of zeros, Hankel", (torch.zeros(p, p, dtype=torch.float64), "hankel")),
        Case("a block in float32", (random_square(5, generator).float(), "hankel")),
        Case("a block of small entries", (1e-4 * random_square(p, generator), "toeplitz")),
        Case("the lower left block of a metric", (random_square(12, generator)[6:, :6], "hankel")),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a block as large as in the large run: p = 61."""
    return Case("p = 61", (random_square(61, generator), "toeplitz"))


def is_the_share_of_what_is_not_circulant(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 0 on stripes, and with noise at right angles to all stripes for its share, by Pythagoras."""
    p = 11
    for own, other in (("toeplitz", "hankel"), ("hankel", "toeplitz")):
        stripes = circulant.circulant_matrix(random_square(p, generator)[0], own)
        noise = random_square(p, generator)
        noise -= circulant.circulant_matrix(circulant.wrapped_means(noise, own), own)
        found = float(function(stripes, own))
        if not abs(found) < 1e-12:
            return f"a {own}-circulant block has a {own} deviation of {found:.2g}, not 0"
        if not float(function(stripes, other)) > 0.1:
            return f"random {own} stripes have a {other} deviation near 0: the orientations are mixed up"
        share = float(noise.square().sum() / (stripes.square().sum() + noise.square().sum()))
        found = float(function(stripes + noise, own))
        if not abs(found - share) < 1e-10:
            return f"a block whose squared norm is to {share:.3f} noise has the deviation {found:.3g}"
    return None


def is_near_1_for_noise_of_any_scale(function: Function, generator: torch.Generator) -> str | None:
    """Ask for about 1 - 1/p, and the same in other units and with rows and columns rolled."""
    block = random_square(31, generator)
    for orientation in ("toeplitz", "hankel"):
        plain = float(function(block, orientation))
        if not abs(plain - 1) < 4 / 31:
            return f"for random entries it is {plain:.2g}, and should be near 1 - 1/p"
        for scale in (5, 1e4, 1e-10):
            if not abs(float(function(scale * block, orientation)) - plain) < 1e-10:
                return f"a block times {scale:g} should have the same deviation: divide by the squared norm"
        if not abs(float(function(block.roll((2, 3), (0, 1)), orientation)) - plain) < 1e-10:
            return "rolling a block's rows and columns should not change its deviation: wrap the diagonals"
    return None


def share(block: Tensor, orientation: str) -> Tensor:
    """Return the share of the squared norm that is left without the means of the wrapped diagonals."""
    p = len(block)
    i, j = torch.arange(p)[:, None], torch.arange(p)
    k = (j - i) % p if orientation == "toeplitz" else (i + j) % p
    sums = torch.zeros(p, dtype=block.dtype).index_add(0, k.flatten(), block.flatten())
    rest, norm = (block - (sums / p)[k]).square().sum(), block.square().sum()
    return rest / norm if norm > 0 else 0 * norm


WRONG = r"""
(j - i) % p if orientation == "toeplitz" else (i + j) % p \
=> j - i + p - 1 if orientation == "toeplitz" else i + j
torch.zeros(p, => torch.zeros(2 * p - 1,
sums / p => sums / torch.bincount(k.flatten()) :: The diagonals wrap around: take j - i and i + j modulo p
== => != :: Toeplitz goes with (j - i) mod p and Hankel with (i + j) mod p, not the reverse
(i + j) % p => (j - i) % p :: The orientation is an argument, and it is not always Toeplitz
rest / n => rest / p / n :: Take the sum of the squared differences on a diagonal, not their mean
block.square().sum() => block.norm() :: Divide by the squared norm of the block, not by its norm
rest / norm => rest :: Divide by the squared norm: the deviation is a share, between 0 and 1
rest / norm => (rest / norm).sqrt() :: The deviation is a ratio of squared norms, without a root
rest / norm => 1 - rest / norm :: It is the share that is not circulant: 1 minus what you return
 if norm > 0 else 0 * norm => :: For a block of zeros the ratio is 0/0: return 0 there
(sums / p)[k] => block.mean(0) :: The means belong to the wrapped diagonals, not to the columns
rest / norm => rest / (norm + 1e-9) :: A number added to the norm counts where the block is small
norm > 0 => norm > 1e-6 :: A small block is not a block of zeros: only that has the deviation 0
block.flatten() => block.view(-1) :: A `view` cannot flatten a part of a metric: `flatten` can
"""

deviation = Exercise(
    id="grokking.deviation",
    title="The circulant deviation",
    reference=circulant.deviation,
    cases=cases,
    properties=[is_the_share_of_what_is_not_circulant, is_near_1_for_noise_of_any_scale],
    wrong_answers=slips(share, WRONG),
    hints=[
        "Make a $p \\times p$ matrix of integers that says for every entry on which wrapped diagonal it lies. "
        "`torch.arange(p)[:, None]` counts rows, `torch.arange(p)` counts columns.",
        "`torch.zeros(p, dtype=block.dtype).index_add(0, k.flatten(), block.flatten())` adds the entries of every "
        "diagonal up. Each wrapped diagonal has $p$ entries.",
        "With the means in a vector, `means[k]` is $\\Pi C$. Compare `block` with it, and treat a block of zeros "
        "apart.",
    ],
    full_size=full_size,
)
