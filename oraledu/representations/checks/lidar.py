"""Exercise 9: LiDAR, with a matrix as large as there are prompts."""

import math

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import entropy, invariance
from oraledu.representations.checks import inputs
from oraledu.representations.checks.inputs import Rows, normal, random_views, rotation, within


def cases(generator: torch.Generator) -> list[Case]:
    """Return few and many coordinates, deltas that matter, two views, and views of other scales."""
    views = random_views(generator, 6, 4, 5)
    return [
        Case("six prompts in four views", (views,)),
        Case("a large delta", (views, 0.5)),
        Case("fewer prompts than coordinates", (random_views(generator, 5, 3, 9), 0.01)),
        Case("fewer vectors than coordinates", (random_views(generator, 3, 2, 15), 0.1)),
        Case("more prompts than coordinates", (random_views(generator, 9, 3, 4), 0.2)),
        Case("two views", (random_views(generator, 5, 2, 4), 0.05)),
        Case("views a ten-thousandth as long, delta 1", (1e-4 * views, 1.0)),
        Case("views ten thousand times as long, delta 1", (1e4 * views, 1.0)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return prime numbers of prompts and views in one layer, so that no batches divide them."""
    return Case("61 prompts, 7 views, 200 coordinates", (random_views(generator, 61, 7, inputs.VIEW_WIDTH),))


def decomposes_nothing_larger_than_prompts(function: Function, generator: torch.Generator) -> str | None:
    """Watch the calls of torch, NumPy and SciPy, and ask for no eigenvalues of a D×D matrix."""
    with inputs.Decompositions() as seen:
        function(random_views(generator, 4, 3, 12), 0.1)
    if (largest := max(seen.sizes, default=0)) <= 4:
        return None
    enough = "the eigenvalues of the 4×4 matrix C Sw⁻¹ C' are enough, and a linear system gives that"
    return f"for 4 prompts in 12 coordinates it decomposes a {largest}×{largest} matrix: {enough}"


@within(1e-7)
def is_the_large_form_and_keeps_its_bounds(function: Function, generator: torch.Generator) -> Rows:
    """Compare with Sw^-½ Sb Sw^-½, with the means where there is no noise, and with log min(n - 1, D)."""
    for prompts, views, width, delta in ((5, 3, 7, 0.1), (8, 2, 3, 1e-3)):
        x = random_views(generator, prompts, views, width)
        told = f"for {prompts} prompts in {width} coordinates it is not the entropy of Sw^-½ Sb Sw^-½"
        yield function(x, delta), in_coordinates(x, delta), told
    means = normal(generator, 6, 8)
    for delta in (1e-4, 1.0):
        expected = entropy.matrix_entropy(means - means.mean(0))
        told = "for views that are all equal it should be the matrix entropy of the centred prompts"
        yield function(means[:, None].repeat(1, 3, 1), delta), expected, told
    for prompts, width in ((5, 9), (9, 4)):
        found = float(function(random_views(generator, prompts, 3, width), 0.01))
        told = f"for {prompts} prompts in {width} coordinates it should lie in [0, log min(n - 1, D)]"
        yield -1e-9 < found < math.log(min(prompts - 1, width)) + 1e-9, True, told
    corners = torch.eye(5, 7, dtype=torch.float64)[:, None].repeat(1, 3, 1)
    told = "for five prompts that are corners of a simplex it should be log 4: one less than n"
    yield function(corners, 0.1), math.log(4), told


@within(1e-8)
def stays_the_same_after_moving_turning_reordering(function: Function, generator: torch.Generator) -> Rows:
    """Ask for the same after moves, rotations and reorderings, and after a stretch that delta takes part in."""
    views, delta = random_views(generator, 6, 3, 5), 0.1
    changed = {
        "all vectors moved": (views + 10 * normal(generator, 5), delta),
        "all vectors rotated": (views @ rotation(5, generator), delta),
        "the prompts in another order": (views[torch.randperm(6, generator=generator)], delta),
        "the views in another order": (views.flip(1), delta),
        "all vectors times 3 and delta times 9": (3 * views, 9 * delta),
    }
    for what, arguments in changed.items():
        yield function(*arguments), function(views, delta), f"with {what} it should stay the same"


def plain(views: Tensor, delta: float = 1e-4) -> Tensor:
    """Take the entropy of the eigenvalues of C Sw⁻¹ C', an N×N matrix."""
    means = views.mean(1)
    within = (views - means[:, None]).flatten(0, 1)
    scatter = within.T @ within / len(within)
    ridge = delta * torch.eye(len(scatter), dtype=views.dtype)
    c = means - means.mean(0)
    values = torch.linalg.eigvalsh(c @ torch.linalg.solve(scatter + ridge, c.T)).clamp(min=0)
    return torch.special.entr(values / values.sum()).sum()


def in_coordinates(views: Tensor, delta: float = 1e-4) -> Tensor:
    """Let SciPy take the eigenvalues of Sb against Sw, which are those of Sw^-½ Sb Sw^-½."""
    from scipy.linalg import eigh  # slow to load, and no figure waits for it

    means = views.mean(1)
    c, within = means - means.mean(0), (views - means[:, None]).flatten(0, 1)
    s_w = within.T @ within / len(within) + delta * torch.eye(views.shape[-1], dtype=views.dtype)
    values = eigh(c.T @ c, s_w, eigvals_only=True)
    return entropy.renyi(torch.from_numpy(values).clamp(min=0))


WRONG = r"""
c = means - means.mean(0) => c = means :: Take the grand mean off the prompt means: C is centred
c = means - means.mean(0) => c = views.mean(0) - views.mean((0, 1))
  :: A prompt's mean is over its views, dimension 1: you took that over prompts
c = means - means.mean(0) => c = (views - views.mean((0, 1))).flatten(0, 1)
  :: Sb is the scatter of the prompt means, not of all views
views - means[:, None] => views - views.mean((0, 1))
  :: Sw is the scatter around each prompt's own mean, not around the grand mean
(views - means[:, None]) => views :: Take each prompt's mean off its views before Sw
@ within / len(within) => @ within :: Sw is a mean over all N·M vectors, not a sum: beside delta that matters
len(within) => (len(within) - len(views))
  :: Sw is a plain mean over N·M vectors, not the unbiased one: beside delta that matters
scatter + ridge => scatter :: Add delta I to Sw
delta * torch.eye(len(scatter), dtype=views.dtype) => torch.full_like(scatter, delta)
  :: Add delta on the diagonal of Sw, not to every entry
delta * torch => 1e-4 * torch :: Delta is an argument, and it is not always 1e-4
torch.linalg.solve(scatter + ridge, c.T) \
=> c.T :: The scatter of the views is left out: whiten the means by Sw
torch.linalg.solve(scatter + ridge, c.T) => (scatter + ridge) @ c.T
  :: Directions in which views scatter count less: divide by Sw, you multiply
clamp(min=0) => clamp(min=0).sqrt() :: The shares are eigenvalues of C Sw⁻¹ C', not their roots
clamp(min=0) => clamp(min=0).square() :: The shares are eigenvalues of C Sw⁻¹ C', not their squares
.sum()).sum() \
=> .sum()).sum().exp() :: This is exp of the entropy, as LiDAR's authors report it: return the entropy
eigvalsh(c @ => eigvals(
ridge, c.T)) => ridge, c.T @ c)).real
  :: It decomposes D×D matrices: the eigenvalues of the N×N matrix C Sw⁻¹ C' are enough
values / values => values * (values > 1e-6) / values
  :: How large eigenvalues are depends on delta: where all are below 1e-6 they still have shares
"""

lidar = Exercise(
    id="representations.lidar",
    title="LiDAR, as large as there are prompts",
    reference=invariance.lidar,
    cases=cases,
    properties=[
        decomposes_nothing_larger_than_prompts,
        is_the_large_form_and_keeps_its_bounds,
        stays_the_same_after_moving_turning_reordering,
    ],
    wrong_answers=slips(
        plain,
        WRONG,
        (in_coordinates, "SciPy takes eigenvalues of D×D matrices: those of the N×N matrix are enough"),
    ),
    hints=[
        "With $C$ the centred prompt means, $S_b = C^\\top C/N$. Write $Y = C S_w^{-1/2}$: which small matrix has the "
        "same eigenvalues above zero as $Y^\\top Y$?",
        "`views - means[:, None]`, flattened to $(NM, D)$, gives $S_w$ as a mean of products, plus `delta` on the "
        "diagonal. The factor $1/N$ of $S_b$ cancels in the shares.",
        "`torch.linalg.solve(s_w, c.T)` is $S_w^{-1} C^\\top$, so `c @` that is $N \\times N$. Its eigenvalues, "
        "clamped and divided by their sum, go into the entropy of order 1.",
    ],
    core=False,
    tolerance=1e-7,
    full_size=full_size,
    # The lesson hands it float64 alone; a linear system in float32 loses too much beside a small delta.
    float32=False,
    number=True,
)
