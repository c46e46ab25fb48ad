"""Exercise 10: choose a layer on one half, report on the other."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations.checks import references
from oraledu.representations.checks.inputs import LAYERS, Rows, normal, within


def cases(generator: torch.Generator) -> list[Case]:
    """Return scores that agree on both halves, noise alone, ties, a last layer that wins, one split, and float32."""
    on_a, on_b = halves(generator, 8, 6)
    best = on_a.clone()
    best[:, -1] += 10
    scores = halves(generator, 12, 6)
    tied, near = (scores[0] * 10).round() / 10, 0.5 + 1e-9 * scores[0]
    return [
        Case("eight splits, six layers", (on_a, on_b)),
        Case("scores that are noise alone", (normal(generator, 9, 5), normal(generator, 9, 5))),
        Case("one split", (on_a[:1], on_b[:1])),
        Case("as many splits as layers", halves(generator, 5, 5)),
        Case("a last layer that is best on A", (best, on_b)),
        Case("two layers", halves(generator, 7, 2)),
        Case("layers that are equally good on A", (tied, scores[1])),
        Case("layers that differ on A in the tenth digit", (near, scores[1])),
        Case("scores in float32", (on_a.float(), on_b.float())),
    ]


def halves(generator: torch.Generator, splits: int, layers: int) -> tuple[Tensor, Tensor]:
    """Draw scores on two halves, (splits, layers) each: a curve over layers, with noise for each half."""
    curve = 0.5 + 0.1 * normal(generator, layers)
    return curve + 0.1 * normal(generator, splits, layers), curve + 0.1 * normal(generator, splits, layers)


def full_size(generator: torch.Generator) -> Case:
    """Return nearly the lesson's 1000 splits, a prime number, and its 32 layers."""
    return Case("997 splits, 32 layers", halves(generator, 997, LAYERS))


@within(1e-9)
def reads_two_scores_of_half_B_and_compares_layers_alone(
    function: Function, generator: torch.Generator
) -> Rows:
    """Change half B but at the chosen and the last layer, make a half easier for all, and let the last layer win."""
    on_a, on_b = halves(generator, 20, 7)
    needed = torch.zeros_like(on_b, dtype=torch.bool)
    needed[torch.arange(20), on_a.argmax(1)] = True
    needed[:, -1] = True
    changed, gain = torch.where(needed, on_b, on_b + 5 * normal(generator, 20, 7).abs()), function(on_a, on_b)
    told = "of half B it should read the chosen layer and the last one, and no other"
    yield function(on_a, changed), gain, told
    easier, told = normal(generator, 20, 1), "is easier for all layers alike, the gain should stay the same"
    yield function(on_a + easier, on_b), gain, f"if half A {told}"
    yield function(on_a, on_b + easier), gain, f"if half B {told}"
    on_a[:, -1] += 10
    told = "where the last layer is chosen its gain over the last layer should be 0"
    yield function(on_a, on_b), 0.0, told


@within(0.15)
def promises_nothing_where_all_is_noise(function: Function, generator: torch.Generator) -> Rows:
    """Ask for a mean gain near 0 if no layer is better, and for a large one if A and B are the same half."""
    on_a, on_b = normal(generator, 4000, 8), normal(generator, 4000, 8)
    honest = float(function(on_a, on_b).mean())
    told = f"the mean gain should be near 0, and is {honest:.2f}"
    yield honest, 0.0, f"where all layers are equally good up to noise, {told}"
    told = "with the choosing half as both, it should be the best layer's gain, far above the honest one"
    yield bool(function(on_a, on_a.clone()).mean() > honest + 1), True, told


def plain(on_a: Tensor, on_b: Tensor) -> Tensor:
    """Take the score on half B of the layer that half A chooses, less that of the last layer."""
    chosen = on_a.argmax(1, keepdim=True)
    score = on_b.gather(1, chosen)[:, 0]
    return score - on_b[:, -1]


WRONG = r"""
on_b.gather => on_a.gather
on_b[:, -1] => on_a[:, -1] :: This is the gain on the half that chose the layer: report it on half B
on_a.argmax => on_b.argmax :: Half B chooses its own layer here: choose on half A
on_a.argmax => (on_a + on_b).argmax :: Half B takes part in the choice: choose on half A alone
on_a.argmax(1, keepdim=True) => on_a.mean(0).argmax().expand(len(on_a), 1)
  :: Each split chooses its own layer: one for all has seen each half B in other splits
on_a.argmax => on_a.argmin :: Choose the layer with the largest score on half A
on_a.argmax => on_a[:, :-1].argmax :: The last layer may be chosen too: its gain is 0 then
on_b.gather => on_a.gather
  :: The chosen layer's score comes from half A and the last one's from half B: take both from half B
on_b[:, -1] => on_a[:, -1]
  :: The last layer's score comes from half A and the chosen one's from half B: take both from half B
score - on_b[:, -1] => score :: This is the score of the chosen layer: take the last layer's off
on_b[:, -1] => on_b[:, 0] :: The gain is over the last layer, not over the first
on_b[:, -1] => on_b.mean(1) :: The gain is over the last layer, not over the mean
on_b[:, -1] => on_b.amax(1) :: The gain is over the last layer; yours is over the best one on half B, a regret
score - on_b[:, -1] => on_a.amax(1) - on_a[:, -1] - (score - on_b[:, -1])
  :: This is the optimism, the promised gain minus the honest one
score - on_b[:, -1] => on_b[:, -1] - score :: The sign is wrong: the chosen layer minus the last one
score - on_b[:, -1] => (score - on_b[:, -1]).mean() :: Return the gain of each split, not their mean
on_a.argmax(1, keepdim=True) => on_a.shape[1] - 1 - on_a.flip(1).argmax(1, keepdim=True)
  :: Of equal layers the first counts, as for `argmax`: you take the last
on_a.argmax => on_b.masked_fill(on_a < on_a.amax(1, keepdim=True), -torch.inf).argmax
  :: Where layers are equal on half A, half B decides here: the first of them counts
on_b.gather(1, chosen)[:, 0] => (on_b * (on_a == on_a.amax(1, keepdim=True))).sum(1)
score - => score / (on_a == on_a.amax(1, keepdim=True)).sum(1) -
  :: Of equal layers the first counts: you take the mean over them
on_a.argmax \
=> on_a.float().argmax :: Scores that differ in the tenth digit are not equal: choose by them as they are
"""

honest_gain = Exercise(
    id="representations.honest_gain",
    title="The honest gain of a chosen layer",
    reference=references.honest_gain,
    cases=cases,
    properties=[
        reads_two_scores_of_half_B_and_compares_layers_alone,
        promises_nothing_where_all_is_noise,
    ],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "`on_a.argmax(dim=1)` is the layer that half A chooses, in each split. Half B has no say in that.",
        "`on_b[torch.arange(len(on_b)), chosen]` picks from each split the score of its own layer. What is the gain "
        "over?",
    ],
    full_size=full_size,
    # A loop over the splits is slow beside the reference, and fast enough for the lesson.
    slow_factor=1000,
)
