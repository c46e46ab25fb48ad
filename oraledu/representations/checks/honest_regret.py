"""Exercise 12: what a rule costs that picks a layer without labels."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import rules
from oraledu.representations.checks.honest_gain import halves
from oraledu.representations.checks.inputs import LAYERS, Rows, normal, within


def cases(generator: torch.Generator) -> list[Case]:
    """Return picks of many kinds, the best on B among them; ties, noise, one split, and float32."""
    on_a, on_b = halves(generator, 8, 6)
    some = picks(generator, 8, 6)
    coarse = (halves(generator, 12, 6)[0] * 10).round() / 10
    near = 0.5 + 1e-9 * normal(generator, 12, 6)
    other, twelve = normal(generator, 12, 6), picks(generator, 12, 6)
    return [
        Case("eight splits, six layers", (on_a, on_b, some)),
        Case("one layer picked in all splits", (on_a, on_b, torch.full_like(some, 4))),
        Case("a rule that picks the best layer of half B", (on_a, on_b, on_b.argmax(1))),
        Case("a rule that picks what half A chooses", (on_a, on_b, on_a.argmax(1))),
        Case(
            "scores that are noise alone", (*(normal(generator, 9, 5) for _ in "ab"), picks(generator, 9, 5))
        ),
        Case("one split", (on_a[:1], on_b[:1], some[:1])),
        Case("as many splits as layers", (*halves(generator, 5, 5), picks(generator, 5, 5))),
        Case("layers that are equally good on A", (coarse, other, twelve)),
        Case("layers that differ on A in the tenth digit", (near, other, twelve)),
        Case("scores in float32", (on_a.float(), on_b.float(), some)),
    ]


def picks(generator: torch.Generator, splits: int, layers: int) -> Tensor:
    """Draw a layer for each split: (splits,) int64."""
    return torch.randint(layers, (splits,), generator=generator)


def full_size(generator: torch.Generator) -> Case:
    """Return nearly the lesson's 200 splits, a prime number, and its 32 layers."""
    return Case("199 splits, 32 layers", (*halves(generator, 199, LAYERS), picks(generator, 199, LAYERS)))


@within(1e-9)
def reads_two_scores_of_half_B(function: Function, generator: torch.Generator) -> Rows:
    """Change half B but at the chosen and the picked layer, make a half easier for all, and pick what A chooses."""
    on_a, on_b = halves(generator, 20, 7)
    picked = picks(generator, 20, 7)
    needed = torch.zeros_like(on_b, dtype=torch.bool)
    for layers in (on_a.argmax(1), picked):
        needed[torch.arange(20), layers] = True
    changed = torch.where(needed, on_b, on_b + 5 * normal(generator, 20, 7).abs())
    regret, told = (
        function(on_a, on_b, picked),
        "of half B it should read two layers: A's choice and the picked one",
    )
    yield function(on_a, changed, picked), regret, told
    easier, told = normal(generator, 20, 1), "is easier for all layers alike, the regret should stay the same"
    yield function(on_a + easier, on_b, picked), regret, f"if half A {told}"
    yield function(on_a, on_b + easier, picked), regret, f"if half B {told}"
    told = "a rule that picks what half A chooses should have no regret"
    yield function(on_a, on_b, on_a.argmax(1)), 0.0, told


@within(0.15)
def regrets_nothing_where_all_is_noise(function: Function, generator: torch.Generator) -> Rows:
    """Ask for a mean regret near 0 if no layer is better: the best of half B would be far above it."""
    on_a, on_b = normal(generator, 4000, 8), normal(generator, 4000, 8)
    mean = float(function(on_a, on_b, picks(generator, 4000, 8)).mean())
    yield (
        mean,
        0.0,
        f"where all layers are equally good up to noise, the mean regret should be near 0, and is {mean:.2f}",
    )


def plain(on_a: Tensor, on_b: Tensor, picked: Tensor) -> Tensor:
    """Take the score on half B of the layer that half A chooses, less that of the picked one."""
    chosen = on_a.argmax(1)
    best = on_b.gather(1, chosen[:, None])[:, 0]
    mine = on_b.gather(1, picked[:, None])[:, 0]
    return best - mine


WRONG = r"""
on_b.gather(1, chosen[:, None])[:, 0] => on_b.amax(1)
  :: The largest score of half B is partly luck, the winner's curse: let half A choose the layer to compare with
best = on_b => best = on_a
  :: The chosen layer's score comes from half A, where it is too good: take both scores from half B
mine = on_b => mine = on_a :: The picked layer's score comes from half A: take both scores from half B
on_a.argmax => on_b.argmax :: Half B chooses its own best layer here, the winner's curse: choose on half A
on_a.argmax => (on_a + on_b).argmax :: Half B takes part in the choice: choose on half A alone
on_a.argmax(1) => on_a.mean(0).argmax().expand(len(on_a))
  :: Each split chooses its own layer: one for all has seen each half B in other splits
on_a.argmax => on_a.argmin :: Choose the layer with the largest score on half A
best - mine => mine - best :: The sign is wrong: the chosen layer minus the picked one
best - mine => (best - mine).clamp(min=0) :: A rule may do better than the choice by labels: its regret is negative then
best - mine => (best - mine).abs() :: A rule may do better than the choice by labels: its regret is negative then
best - mine => (best - mine).mean() :: Return the regret of each split, not their mean
best - mine => best - on_b[:, -1] :: This is the honest gain over the last layer: take the picked one's score off
best - mine => mine - on_b[:, -1] :: This is the gain of the picked layer over the last one: compare with A's choice
best - mine => best :: This is the score of the chosen layer: take the picked one's off
best - mine => mine :: This is the score of the picked layer: take it off the chosen one's
best - mine => on_b[:, -1] - mine :: This compares with the last layer: compare with the one that half A chooses
on_a.argmax(1) => on_a.shape[1] - 1 - on_a.flip(1).argmax(1)
  :: Of equal layers the first counts, as for `argmax`: you take the last
on_a.argmax => on_b.masked_fill(on_a < on_a.amax(1, keepdim=True), -torch.inf).argmax
  :: Where layers are equal on half A, half B decides here: the first of them counts
on_a.argmax => on_a.float().argmax :: Scores that differ in the tenth digit are not equal: choose by them as they are
"""

honest_regret = Exercise(
    id="representations.honest_regret",
    title="The regret of a rule that sees no labels",
    reference=rules.honest_regret,
    cases=cases,
    properties=[reads_two_scores_of_half_B, regrets_nothing_where_all_is_noise],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "The best layer of half B is the best by luck, too. Which layer would the labels of half A have taken?",
        "`on_b.gather(1, layers[:, None])[:, 0]` picks from each split the score of its own layer. Two of these.",
    ],
    full_size=full_size,
    core=False,
    # A loop over the splits is slow beside the reference, and fast enough for the lesson.
    slow_factor=1000,
)
