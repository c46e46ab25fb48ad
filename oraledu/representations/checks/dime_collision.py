"""Exercise 8: DiME at order 2, without a permutation."""

import math
from collections.abc import Callable
from itertools import permutations

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import invariance
from oraledu.representations.checks import references
from oraledu.representations.checks.inputs import (
    WIDTH,
    largest_difference,
    normal,
    rotation,
    two_views,
)


def cases(generator: torch.Generator) -> list[Case]:
    """Return few and many prompts, two prompts, views alike and unrelated, and rows of unlike lengths."""
    a, b = two_views(generator, 6, 10)
    return [
        Case("six prompts", (a, b)),
        Case("more prompts than coordinates", two_views(generator, 9, 3)),
        Case("two prompts", two_views(generator, 2, 5)),
        Case("views that have nothing in common", (normal(generator, 5, 2), normal(generator, 5, 2))),
        Case("two equal views", (a, a.clone())),
        Case("views paired against their clusters", _mismatched(generator)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return two views of 200 prompts in one layer."""
    return Case("200 prompts, 576 coordinates", two_views(generator, 200, WIDTH))


def _mismatched(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return two views, each in two clusters that have nothing to do with the other's: DiME well below 0."""
    axes = rotation(6, generator)
    return axes[[0, 0, 0, 1, 1, 1]], axes[[2, 3, 4, 2, 3, 4]]


def is_the_mean_over_all_permutations(function: Function, generator: torch.Generator) -> str | None:
    """Compare with all 24 permutations of four prompts."""
    a, b = two_views(generator, 4, 3)
    gram_a, gram_b = (_products(_unit(view)) for view in (a, b))
    orders = [list(order) for order in permutations(range(4))]
    purities = [float((gram_a * gram_b[order][:, order]).square().sum()) for order in orders]
    expected = math.log(purities[0]) - math.log(sum(purities) / len(purities))
    same = largest_difference(function(a, b), expected) < 1e-9
    return None if same else "for four prompts it is not the mean purity over all 24 permutations, by -log"


def is_zero_for_orthogonal_and_for_equal_rows(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 0 if all prompts are alike, and for two equal views of orthogonal prompts."""
    rows, same = rotation(7, generator)[:5], normal(generator, 1, 6).repeat(5, 1)
    if not largest_difference(function(rows, rows.clone()), 0.0) < 1e-9:
        return "for two equal views of orthogonal prompts it should be 0: no permutation changes anything"
    if not largest_difference(function(same, same.clone()), 0.0) < 1e-9:
        return "for prompts that are all alike it should be 0: no permutation changes anything"
    return None


def sees_neither_length_nor_turn_nor_order(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same after each view's own rotation and lengths, another order of prompts, and a swap of views."""
    a, b = two_views(generator, 6, 4)
    order = torch.randperm(6, generator=generator)
    lengths = 0.1 + 5 * torch.rand(6, 1, generator=generator, dtype=torch.float64)
    changed = {
        "each view rotated in its own way": (a @ rotation(4, generator), b @ rotation(4, generator)),
        "every vector of one view stretched by its own factor": (a * lengths, b),
        "the prompts in another order in both views": (a[order], b[order]),
        "the two views exchanged": (b, a),
    }
    for what, views in changed.items():
        if not largest_difference(function(*views), function(a, b)) < 1e-9:
            return f"with {what} it should stay the same"
    return None


def pairing_counts_where_views_depend(function: Function, generator: torch.Generator) -> str | None:
    """Ask for more than 0 for equal views of clustered prompts, and about 0 on average for independent views."""
    # Orthogonal centres: two random ones can be nearly parallel.
    clusters = rotation(8, generator)[:2].repeat_interleave(6, 0) + 0.1 * normal(generator, 12, 8)
    if not float(function(clusters, clusters.clone())) > 0.05:
        return "for two equal views of prompts in two clusters it should be well above 0"
    unrelated = [float(function(normal(generator, 12, 4), normal(generator, 12, 4))) for _ in range(60)]
    mean = sum(unrelated) / len(unrelated)
    return None if abs(mean) < 0.02 else f"for independent views its mean should be near 0, and is {mean:.2g}"


def _unit(z: Tensor) -> Tensor:
    return z / z.norm(dim=-1, keepdim=True)


def _products(z: Tensor) -> Tensor:
    return z @ z.T


def _off(k: Tensor) -> Tensor:
    return k.square().sum() - k.diagonal().square().sum()


def _mean_norm(k: Tensor, m: Tensor) -> Tensor:
    count = len(k)
    return (k.diagonal() * m.diagonal()).square().sum() + _off(k) * _off(m) / (count * (count - 1))


def _paired_norm(k: Tensor, m: Tensor) -> Tensor:
    return (k * m).square().sum()


def _changed(
    *,
    prepare: Callable[[Tensor], Tensor] = _unit,
    gram: Callable[[Tensor], Tensor] = _products,
    broken: Callable[[Tensor, Tensor], Tensor] = _mean_norm,
    paired: Callable[[Tensor, Tensor], Tensor] = _paired_norm,
    finish: Callable[[Tensor, Tensor], Tensor] = lambda broken, paired: paired.log() - broken.log(),
) -> Function:
    """Return the plain method with one thing changed."""

    def dime_collision(a: Tensor, b: Tensor) -> Tensor:
        k, m = gram(prepare(a)), gram(prepare(b))
        return finish(broken(k, m), paired(k, m))

    return dime_collision


def _drawn(k: Tensor, m: Tensor) -> Tensor:
    orders = [torch.randperm(len(k)) for _ in range(10)]
    return torch.stack([_paired_norm(k, m[order][:, order]) for order in orders]).mean()


def _covariance(z: Tensor) -> Tensor:
    return z.T @ z


def _by_count_squared(k: Tensor, m: Tensor) -> Tensor:
    return len(k) + _off(k) * _off(m) / len(k) ** 2


def _by_all_entries(k: Tensor, m: Tensor) -> Tensor:
    return k.square().sum() * m.square().sum() / len(k) ** 2


def _diagonal_forgotten(k: Tensor, m: Tensor) -> Tensor:
    return _off(k) * _off(m) / (len(k) * (len(k) - 1))


def _off_with_diagonal(k: Tensor, m: Tensor) -> Tensor:
    return len(k) + k.square().sum() * m.square().sum() / (len(k) * (len(k) - 1))


def _off_not_squared(k: Tensor, m: Tensor) -> Tensor:
    count = len(k)
    return count + (k.sum() - count) * (m.sum() - count) / (count * (count - 1))


def _one_shift(k: Tensor, m: Tensor) -> Tensor:
    return _paired_norm(k, m.roll((1, 1), (0, 1)))


dime_collision = Exercise(
    id="representations.dime_collision",
    title="DiME by the exact mean over permutations",
    reference=references.dime_collision,
    cases=cases,
    properties=[
        Property("the mean over all permutations", is_the_mean_over_all_permutations),
        Property("0 for orthogonal and for equal rows", is_zero_for_orthogonal_and_for_equal_rows),
        Property("the same after stretching, turning, reordering", sees_neither_length_nor_turn_nor_order),
        Property("the pairing counts where views depend", pairing_counts_where_views_depend),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(prepare=lambda z: z), "Give every vector length one first, so that both diagonals are 1"
        ),
        WrongAnswer(
            _changed(gram=_covariance),
            "A permutation acts on prompts: take N×N Gram matrices, also where N > D",
        ),
        WrongAnswer(
            _changed(broken=_drawn), "No permutation has to be drawn: the mean purity has a closed form"
        ),
        WrongAnswer(_changed(broken=_one_shift), "This is one permutation: take the mean over all of them"),
        WrongAnswer(
            _changed(broken=_by_count_squared),
            "An entry beside the diagonal lands on one of N(N - 1) places, not of N²",
        ),
        WrongAnswer(
            _changed(broken=_by_all_entries),
            "A permutation moves rows and columns together, so that the diagonal stays the diagonal: treat it apart",
        ),
        WrongAnswer(
            _changed(broken=_diagonal_forgotten),
            "The N entries on the diagonal are 1 under every permutation: add N",
        ),
        WrongAnswer(
            _changed(broken=_off_with_diagonal), "`off` is the sum of squares beside the diagonal: take N off"
        ),
        WrongAnswer(
            _changed(broken=_off_not_squared),
            "`off` is the sum of the squares of the entries, not of the entries",
        ),
        WrongAnswer(
            _changed(paired=lambda k, m: (k @ m).square().sum()),
            "The product of the two Gram matrices goes entry by entry: `*`, not `@`",
        ),
        WrongAnswer(
            _changed(paired=lambda k, m: (k * m).sum()),
            "The purity is the sum of the squared entries",
        ),
        WrongAnswer(
            _changed(finish=lambda broken, paired: broken.log() - paired.log()),
            "The sign is wrong: it is the entropy with broken pairs minus that of the pairs, and an entropy is -log",
        ),
        WrongAnswer(
            _changed(finish=lambda broken, paired: -broken.log()),
            "Divide by N² and take off the entropy of the pairs as they are",
        ),
        WrongAnswer(
            _changed(finish=lambda broken, paired: paired - broken),
            "Take the logarithms of both purities, then the difference",
        ),
        WrongAnswer(
            _changed(finish=lambda broken, paired: (paired.log() - broken.log()).clamp(min=0)),
            "DiME may be negative: leave its sign",
        ),
        WrongAnswer(
            _changed(finish=lambda broken, paired: (paired.log() - broken.log()) / 2),
            "The purity is the squared Frobenius norm: yours has the norm itself",
        ),
        WrongAnswer(
            _changed(finish=lambda broken, paired: paired.log2() - broken.log2()),
            "Your entropies are in bits: take natural logarithms",
        ),
    ],
    hints=[
        "With unit diagonals both traces are $N$, so each purity is a sum of squared entries over $N^2$.",
        "$\\Pi$ leaves diagonal entries on the diagonal, where they are 1. An entry of $K_b$ beside it lands on each "
        "of the $N(N-1)$ other places equally often: what is the mean of its square times that of $K_a$ there?",
        "$\\mathbb{E}\\lVert K_a \\circ \\Pi K_b \\Pi' \\rVert_F^2 = N + \\mathrm{off}(K_a)\\,\\mathrm{off}(K_b) / "
        "(N(N-1))$ with off the sum of squares beside the diagonal. Take $-\\log$ of both purities.",
    ],
    core=False,
    full_size=full_size,
    guarded=(invariance.dime,),
)
