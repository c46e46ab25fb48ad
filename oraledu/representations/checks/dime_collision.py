"""Exercise 8: DiME at order 2, without a permutation."""

import math
from itertools import permutations

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations.checks import references
from oraledu.representations.checks.inputs import (
    Rows,
    normal,
    rotation,
    two_views,
    views_at_full_size,
    within,
)


def cases(generator: torch.Generator) -> list[Case]:
    """Return few and many prompts, views alike and unrelated, and rows of unlike lengths."""
    a, b = two_views(generator, 6, 10)
    axes = rotation(6, generator)
    return [
        Case("six prompts", (a, b)),
        Case("more prompts than coordinates", two_views(generator, 9, 3)),
        Case("views that have nothing in common", (normal(generator, 5, 2), normal(generator, 5, 2))),
        Case("two equal views", (a, a.clone())),
        # Each in two clusters that have nothing to do with the other's: well below 0.
        Case("views paired against their clusters", (axes[[0, 0, 0, 1, 1, 1]], axes[[2, 3, 4, 2, 3, 4]])),
    ]


@within(1e-9)
def is_the_mean_over_all_permutations_and_0_where_none_matters(
    function: Function, generator: torch.Generator
) -> Rows:
    """Compare with all 24 permutations of four prompts, and with 0 where a permutation changes nothing."""
    a, b = two_views(generator, 4, 3)
    gram_a, gram_b = (torch.nn.functional.cosine_similarity(z[:, None], z[None], dim=-1) for z in (a, b))
    orders = [list(order) for order in permutations(range(4))]
    purities = [float((gram_a * gram_b[order][:, order]).square().sum()) for order in orders]
    expected = math.log(purities[0]) - math.log(sum(purities) / len(purities))
    told = "for four prompts it is not the mean purity over all 24 permutations, by -log"
    yield function(a, b), expected, told
    rows, same = rotation(7, generator)[:5], normal(generator, 1, 6).repeat(5, 1)
    for what, views in {
        "two equal views of orthogonal prompts": (rows, rows.clone()),
        "prompts that are all alike": (same, same.clone()),
        "two prompts": two_views(generator, 2, 5),
    }.items():
        yield function(*views), 0.0, f"for {what} it should be 0: no permutation changes anything"


@within(1e-9)
def stays_the_same_after_stretching_turning_reordering(
    function: Function, generator: torch.Generator
) -> Rows:
    """Ask for the same after each view's own rotation and lengths, another order of prompts, and a swap of views."""
    a, b = two_views(generator, 6, 4)
    order = torch.randperm(6, generator=generator)
    lengths = 0.1 + 5 * torch.rand(6, 1, generator=generator, dtype=torch.float64)
    changed = {
        "each view rotated in its own way": (a @ rotation(4, generator), b @ rotation(4, generator)),
        "every vector of one view stretched by its own factor": (a * lengths, b),
        "one view times 1e4 and the other times 1e-6": (1e4 * a, 1e-6 * b),
        "the prompts in another order in both views": (a[order], b[order]),
        "the two views exchanged": (b, a),
    }
    for what, views in changed.items():
        yield function(*views), function(a, b), f"with {what} it should stay the same"


@within(0.02)
def counts_the_pairing_where_views_depend(function: Function, generator: torch.Generator) -> Rows:
    """Ask for more than 0 for equal views of clustered prompts, and about 0 on average for independent views."""
    # Orthogonal centres: two random ones can be nearly parallel.
    clusters = rotation(8, generator)[:2].repeat_interleave(6, 0) + 0.1 * normal(generator, 12, 8)
    above = float(function(clusters, clusters.clone())) > 0.05
    yield above, True, "for two equal views of prompts in two clusters it should be well above 0"
    unrelated = [float(function(normal(generator, 12, 4), normal(generator, 12, 4))) for _ in range(60)]
    mean = sum(unrelated) / len(unrelated)
    yield mean, 0.0, f"for independent views its mean should be near 0, and is {mean:.2g}"


def plain(a: Tensor, b: Tensor) -> Tensor:
    """Take the logarithm of the purity of the pairs over its mean with broken pairs."""
    count = len(a)
    k, m = (view / view.norm(dim=-1, keepdim=True) for view in (a, b))
    k, m = k @ k.T, m @ m.T
    off_k, off_m = (gram.square().sum() - count for gram in (k, m))
    paired = (k * m).square().sum()
    broken = count + off_k * off_m / (count * (count - 1))
    return paired.log() - broken.log()


WRONG = r"""
view / view.norm(dim=-1, keepdim=True) \
=> view :: Give every vector length one first, so that both diagonals are 1
k @ k.T, m @ m.T \
=> k.T @ k, m.T @ m :: A permutation acts on prompts: take N×N Gram matrices, also where N > D
broken = count => orders = [torch.randperm(count) for _ in range(10)]\n    broken = count
count + off_k * off_m / (count * (count - 1)) => sum((k * m[o][:, o]).square().sum() for o in orders) / 10
  :: No permutation has to be drawn: the mean purity has a closed form
count + off_k * off_m / (count * (count - 1)) => (k * m.roll((1, 1), (0, 1))).square().sum()
  :: This is one permutation: take the mean over all of them
(count * (count - 1)) => count**2 :: An entry beside the diagonal lands on one of N(N - 1) places, not of N²
count + off_k * off_m / (count * (count - 1)) => k.square().sum() * m.square().sum() / count**2
  :: A permutation moves rows and columns together, so that the diagonal stays the diagonal: treat it apart
count + off_k => off_k :: The N entries on the diagonal are 1 under every permutation: add N
gram.square().sum() - count => gram.square().sum()
  :: `off` is the sum of squares beside the diagonal: take N off
gram.square() => gram :: `off` is the sum of the squares of the entries, not of the entries
(k * m) => (k @ m) :: The product of the two Gram matrices goes entry by entry: `*`, not `@`
(k * m).square() => (k * m) :: The purity is the sum of the squared entries
paired.log() - broken.log() => broken.log() - paired.log()
  :: The sign is wrong: it is the entropy with broken pairs minus that of the pairs, and an entropy is -log
paired.log() - broken => -broken :: Divide by N² and take off the entropy of the pairs as they are
paired.log() - broken.log() => paired - broken :: Take the logarithms of both purities, then the difference
paired.log() - broken.log() \
=> (paired.log() - broken.log()).clamp(min=0) :: DiME may be negative: leave its sign
paired.log() - broken.log() => (paired.log() - broken.log()) / 2
  :: The purity is the squared Frobenius norm: yours has the norm itself
paired.log() - broken.log() \
=> paired.log2() - broken.log2() :: Your entropies are in bits: take natural logarithms
norm(dim=-1, keepdim=True) => norm(dim=-1, keepdim=True).clamp(min=1e-2)
  :: Vectors may be shorter than 1e-2, and a cosine does not see lengths: put no such floor below them
"""

dime_collision = Exercise(
    id="representations.dime_collision",
    title="DiME by the exact mean over permutations",
    reference=references.dime_collision,
    cases=cases,
    properties=[
        is_the_mean_over_all_permutations_and_0_where_none_matters,
        stays_the_same_after_stretching_turning_reordering,
        counts_the_pairing_where_views_depend,
    ],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "With unit diagonals both traces are $N$, so each purity is a sum of squared entries over $N^2$.",
        "$\\Pi$ leaves diagonal entries on the diagonal, where they are 1. An entry of $K_b$ beside it lands on each "
        "of the $N(N-1)$ other places equally often: what is the mean of its square times that of $K_a$ there?",
        "$\\mathbb{E}\\lVert K_a \\circ \\Pi K_b \\Pi^\\top \\rVert_F^2 = N + \\mathrm{off}(K_a)\\,\\mathrm{off}(K_b) "
        "/ (N(N-1))$ with off the sum of squares beside the diagonal. Take $-\\log$ of both purities.",
    ],
    core=False,
    full_size=views_at_full_size,
    number=True,
)
