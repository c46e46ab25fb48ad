"""Exercise 9: LiDAR, with a matrix as large as there are prompts."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import entropy, invariance
from oraledu.representations.checks.inputs import (
    WIDTH,
    Decompositions,
    largest_difference,
    normal,
    rotation,
)


def cases(generator: torch.Generator) -> list[Case]:
    """Return few and many coordinates, a delta that matters, two prompts, and hardly any noise."""
    views = random_views(generator, 6, 4, 5)
    return [
        Case("six prompts in four views", (views,)),
        Case("a large delta", (views, 0.5)),
        Case("fewer prompts than coordinates", (random_views(generator, 5, 3, 9), 0.01)),
        Case("fewer vectors than coordinates", (random_views(generator, 3, 2, 15), 0.1)),
        Case("more prompts than coordinates", (random_views(generator, 9, 3, 4), 0.2)),
        Case("two views", (random_views(generator, 5, 2, 4), 0.05)),
    ]


def random_views(generator: torch.Generator, prompts: int, views: int, width: int) -> Tensor:
    """Draw views (n, q, D) that scatter around prompts, in some directions more than in others."""
    noise = normal(generator, prompts, views, width) * torch.linspace(0.2, 2, width).double()
    return normal(generator, width) + 1.5 * normal(generator, prompts, 1, width) + noise


def full_size(generator: torch.Generator) -> Case:
    """Return 60 prompts in 8 views, in one layer."""
    return Case("60 prompts, 8 views, 576 coordinates", (random_views(generator, 60, 8, WIDTH),))


def decomposes_nothing_larger_than_prompts(function: Function, generator: torch.Generator) -> str | None:
    """Watch the calls of torch, and ask for no eigenvalues of a D×D matrix."""
    with Decompositions() as seen:
        function(random_views(generator, 4, 3, 12), 0.1)
    largest = max(seen.sizes, default=0)
    if largest > 4:
        return (
            f"for 4 prompts in 12 coordinates it decomposes a {largest}×{largest} matrix: the eigenvalues of the 4×4 "
            "matrix C Sw⁻¹ C' are enough, and a linear system gives that"
        )
    return None


def agrees_with_the_large_form(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the eigenvalues of Sw^-½ Sb Sw^-½, a D×D matrix."""
    for prompts, views, width, delta in ((5, 3, 7, 0.1), (8, 2, 3, 1e-3)):
        x = random_views(generator, prompts, views, width)
        within, between = _scatters(x, delta)
        values, vectors = torch.linalg.eigh(within)
        root = vectors * values.rsqrt() @ vectors.T
        weights = torch.linalg.eigvalsh(root @ between @ root).clamp(min=0)
        expected = torch.special.entr(weights / weights.sum()).sum()
        if not largest_difference(function(x, delta), expected) < 1e-7:
            return f"for {prompts} prompts in {width} coordinates it is not the entropy of Sw^-½ Sb Sw^-½"
    return None


def is_the_entropy_of_the_means_without_noise(function: Function, generator: torch.Generator) -> str | None:
    """Repeat each prompt: the scatter of views is delta I, and the whitening changes no share."""
    prompts = normal(generator, 6, 8)
    expected = entropy.matrix_entropy(prompts - prompts.mean(0))
    for delta in (1e-4, 1.0):
        if not largest_difference(function(prompts[:, None].repeat(1, 3, 1), delta), expected) < 1e-8:
            return "for views that are all equal it should be the matrix entropy of the centred prompts"
    return None


def stays_below_its_bound(function: Function, generator: torch.Generator) -> str | None:
    """Ask for at most log min(n - 1, D), reached by the corners of a simplex."""
    for prompts, width in ((5, 9), (9, 4)):
        found = float(function(random_views(generator, prompts, 3, width), 0.01))
        if not -1e-9 < found < math.log(min(prompts - 1, width)) + 1e-9:
            return f"for {prompts} prompts in {width} coordinates it should lie in [0, log min(n - 1, D)]"
    corners = torch.eye(5, 7, dtype=torch.float64)[:, None].repeat(1, 3, 1)
    same = largest_difference(function(corners, 0.1), math.log(4)) < 1e-8
    return (
        None if same else "for five prompts that are corners of a simplex it should be log 4: one less than n"
    )


def sees_neither_place_nor_turn_nor_order(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same after moves, rotations and reorderings, and after a stretch that delta takes part in."""
    views, delta = random_views(generator, 6, 3, 5), 0.1
    order = torch.randperm(6, generator=generator)
    changed = {
        "all vectors moved": (views + 10 * normal(generator, 5), delta),
        "all vectors rotated": (views @ rotation(5, generator), delta),
        "the prompts in another order": (views[order], delta),
        "the views in another order": (views.flip(1), delta),
        "all vectors times 3 and delta times 9": (3 * views, 9 * delta),
    }
    for what, arguments in changed.items():
        if not largest_difference(function(*arguments), function(views, delta)) < 1e-8:
            return f"with {what} it should stay the same"
    return None


def _scatters(views: Tensor, delta: float) -> tuple[Tensor, Tensor]:
    means = views.mean(1)
    centred = means - means.mean(0)
    within = (views - means[:, None]).flatten(0, 1)
    ridge = delta * torch.eye(views.shape[-1], dtype=views.dtype)
    return within.T @ within / len(within) + ridge, centred.T @ centred / len(centred)


def _within(views: Tensor) -> Tensor:
    return (views - views.mean(1, keepdim=True)).flatten(0, 1)


def _centred_means(views: Tensor) -> Tensor:
    means = views.mean(1)
    return means - means.mean(0)


def _mean_outer(rows: Tensor, views: Tensor) -> Tensor:
    return rows.T @ rows / len(rows)


def _whitened(means: Tensor, within: Tensor) -> Tensor:
    return means @ torch.linalg.pinv(within, hermitian=True) @ means.T


def _changed(
    *,
    means: Callable[[Tensor], Tensor] = _centred_means,
    within: Callable[[Tensor], Tensor] = _within,
    scatter: Callable[[Tensor, Tensor], Tensor] = _mean_outer,
    ridge: Callable[[float, Tensor], Tensor] = lambda delta, scatter: (
        delta * torch.eye(len(scatter)).double()
    ),
    small: Callable[[Tensor, Tensor], Tensor] = _whitened,
    weigh: Callable[[Tensor], Tensor] = lambda values: values,
    finish: Callable[[Tensor], Tensor] = lambda result: result,
) -> Function:
    """Return the plain method with one thing changed."""

    def lidar(views: Tensor, delta: float = 1e-4) -> Tensor:
        spread = scatter(within(views), views)
        values = torch.linalg.eigvalsh(small(means(views), spread + ridge(delta, spread))).clamp(min=0)
        weights = weigh(values)
        return finish(torch.special.entr(weights / weights.sum()).sum())

    return lidar


def _in_coordinates(views: Tensor, delta: float = 1e-4) -> Tensor:
    within, between = _scatters(views, delta)
    values, vectors = torch.linalg.eigh(within)
    root = vectors * values.rsqrt() @ vectors.T
    weights = torch.linalg.eigvalsh(root @ between @ root).clamp(min=0)
    return torch.special.entr(weights / weights.sum()).sum()


lidar = Exercise(
    id="representations.lidar",
    title="LiDAR, as large as there are prompts",
    reference=invariance.lidar,
    cases=cases,
    properties=[
        Property("nothing larger than the prompts", decomposes_nothing_larger_than_prompts),
        Property("the same as the large form", agrees_with_the_large_form),
        Property("the entropy of the means without noise", is_the_entropy_of_the_means_without_noise),
        Property("at most log min(n - 1, D)", stays_below_its_bound),
        Property("the same after moving, turning, reordering", sees_neither_place_nor_turn_nor_order),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(means=lambda views: views.mean(1)),
            "Take the grand mean off the prompt means: C is centred",
        ),
        WrongAnswer(
            _changed(means=lambda views: views.mean(0) - views.mean((0, 1))),
            "A prompt's mean is over its views, dimension 1: you took that over prompts",
        ),
        WrongAnswer(
            _changed(means=lambda views: (views - views.mean((0, 1))).flatten(0, 1)),
            "Sb is the scatter of the prompt means, not of all views",
        ),
        WrongAnswer(
            _changed(within=lambda views: (views - views.mean((0, 1))).flatten(0, 1)),
            "Sw is the scatter around each prompt's own mean, not around the grand mean",
        ),
        WrongAnswer(
            _changed(within=lambda views: views.flatten(0, 1)),
            "Take each prompt's mean off its views before Sw",
        ),
        WrongAnswer(
            _changed(scatter=lambda rows, views: rows.T @ rows),
            "Sw is a mean over all n·q vectors, not a sum: beside delta that matters",
        ),
        WrongAnswer(
            _changed(scatter=lambda rows, views: rows.T @ rows / (len(rows) - len(views))),
            "Sw is a plain mean over n·q vectors, not the unbiased one: beside delta that matters",
        ),
        WrongAnswer(_changed(ridge=lambda delta, scatter: torch.zeros_like(scatter)), "Add delta I to Sw"),
        WrongAnswer(
            _changed(ridge=lambda delta, scatter: torch.full_like(scatter, delta)),
            "Add delta on the diagonal of Sw, not to every entry",
        ),
        WrongAnswer(
            _changed(ridge=lambda delta, scatter: 1e-4 * torch.eye(len(scatter)).double()),
            "Delta is an argument, and it is not always 1e-4",
        ),
        WrongAnswer(
            _changed(small=lambda means, within: means @ means.T),
            "The scatter of the views is left out: whiten the means by Sw",
        ),
        WrongAnswer(
            _changed(small=lambda means, within: means @ within @ means.T),
            "Directions in which views scatter count less: divide by Sw, you multiply",
        ),
        WrongAnswer(_changed(weigh=torch.sqrt), "The shares are eigenvalues of C Sw⁻¹ C', not their roots"),
        WrongAnswer(
            _changed(weigh=torch.square), "The shares are eigenvalues of C Sw⁻¹ C', not their squares"
        ),
        WrongAnswer(
            _changed(finish=torch.exp),
            "This is exp of the entropy, as LiDAR's authors report it: return the entropy",
        ),
        WrongAnswer(
            _in_coordinates,
            "It decomposes D×D matrices: the eigenvalues of the n×n matrix C Sw⁻¹ C' are enough",
        ),
    ],
    hints=[
        "With $C$ the centred prompt means, $S_b = C'C/n$. Write $A = C S_w^{-1/2}$: which small matrix has the same "
        "eigenvalues above zero as $A'A$?",
        "`views - means[:, None]`, flattened to $(nq, D)$, gives $S_w$ as a mean of products, plus `delta` on the "
        "diagonal. The factor $1/n$ of $S_b$ cancels in the shares.",
        "`torch.linalg.solve(s_w, c.T)` is $S_w^{-1} C'$, so `c @` that is $n \\times n$. Its eigenvalues, clamped and "
        "divided by their sum, go into the entropy of order 1.",
    ],
    core=False,
    tolerance=1e-7,
    full_size=full_size,
)
