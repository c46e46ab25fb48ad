"""Exercise 10: choose a layer on one half, report on the other."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import selection
from oraledu.representations.checks import references
from oraledu.representations.checks.inputs import LAYERS, largest_difference, normal


def cases(generator: torch.Generator) -> list[Case]:
    """Return scores that agree on both halves, noise alone, a last layer that wins, one split, and float32."""
    on_a, on_b = halves(generator, 8, 6)
    best = on_a.clone()
    best[:, -1] += 10
    return [
        Case("eight splits, six layers", (on_a, on_b)),
        Case("scores that are noise alone", (normal(generator, 9, 5), normal(generator, 9, 5))),
        Case("one split", (on_a[:1], on_b[:1])),
        Case("as many splits as layers", halves(generator, 5, 5)),
        Case("a last layer that is best on A", (best, on_b)),
        Case("two layers", halves(generator, 7, 2)),
        Case("scores in float32", (on_a.float(), on_b.float())),
    ]


def halves(generator: torch.Generator, splits: int, layers: int) -> tuple[Tensor, Tensor]:
    """Draw scores on two halves, (splits, layers) each: a curve over layers, with noise for each half."""
    curve = 0.5 + 0.1 * normal(generator, layers)
    return curve + 0.1 * normal(generator, splits, layers), curve + 0.1 * normal(generator, splits, layers)


def full_size(generator: torch.Generator) -> Case:
    """Return the lesson's 1000 splits and 32 layers."""
    return Case("1000 splits, 32 layers", halves(generator, 1000, LAYERS))


def reads_two_scores_of_half_b(function: Function, generator: torch.Generator) -> str | None:
    """Change half B everywhere but at the chosen and the last layer, and ask for the same gain."""
    on_a, on_b = halves(generator, 20, 7)
    needed = torch.zeros_like(on_b, dtype=torch.bool)
    needed[torch.arange(20), on_a.argmax(1)] = True
    needed[:, -1] = True
    changed = torch.where(needed, on_b, on_b + 5 * normal(generator, 20, 7).abs())
    same = largest_difference(function(on_a, changed), function(on_a, on_b)) < 1e-9
    return None if same else "of half B it should read the chosen layer and the last one, and no other"


def a_shift_changes_nothing(function: Function, generator: torch.Generator) -> str | None:
    """Make a half easier for all layers alike, and ask for the same gain."""
    on_a, on_b = halves(generator, 12, 6)
    plain = function(on_a, on_b)
    for half, views in (
        ("A", (on_a + normal(generator, 12, 1), on_b)),
        ("B", (on_a, on_b + normal(generator, 12, 1))),
    ):
        if not largest_difference(function(*views), plain) < 1e-9:
            return f"if half {half} is easier for all layers alike, the gain should stay the same"
    return None


def promises_nothing_where_all_is_noise(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a mean gain near 0 if no layer is better, and for a large one if A and B are the same half."""
    on_a, on_b = normal(generator, 4000, 8), normal(generator, 4000, 8)
    honest = float(function(on_a, on_b).mean())
    if not abs(honest) < 0.15:
        return f"where all layers are equally good up to noise, the mean gain should be near 0, and is {honest:.2f}"
    promised = float(function(on_a, on_a.clone()).mean())
    if not promised > honest + 1:
        return "with the choosing half as both, it should be the best layer's gain, far above the honest one"
    return None


def the_last_layer_gains_nothing_over_itself(function: Function, generator: torch.Generator) -> str | None:
    """Make the last layer best on A, and ask for 0."""
    on_a, on_b = halves(generator, 6, 5)
    on_a[:, -1] += 10
    return (
        None
        if largest_difference(function(on_a, on_b), 0.0) < 1e-12
        else ("where the last layer is chosen its gain over the last layer should be 0")
    )


def _at(scores: Tensor, layers: Tensor) -> Tensor:
    return scores.gather(1, layers[:, None])[:, 0]


def _changed(
    *,
    choose: Callable[[Tensor, Tensor], Tensor] = lambda on_a, on_b: on_a.argmax(1),
    report: Callable[[Tensor, Tensor], Tensor] = lambda on_a, on_b: on_b,
    baseline: Callable[[Tensor, Tensor], Tensor] = lambda on_a, on_b: on_b[:, -1],
) -> Function:
    """Return the honest gain with one thing changed."""

    def honest_gain(on_a: Tensor, on_b: Tensor) -> Tensor:
        return _at(report(on_a, on_b), choose(on_a, on_b)) - baseline(on_a, on_b)

    return honest_gain


def _promised(on_a: Tensor, on_b: Tensor) -> Tensor:
    return on_a.amax(1) - on_a[:, -1]


def _optimism(on_a: Tensor, on_b: Tensor) -> Tensor:
    return _promised(on_a, on_b) - _changed()(on_a, on_b)


def _one_number(on_a: Tensor, on_b: Tensor) -> Tensor:
    return _changed()(on_a, on_b).mean()


honest_gain = Exercise(
    id="representations.honest_gain",
    title="The honest gain of a chosen layer",
    reference=references.honest_gain,
    cases=cases,
    properties=[
        Property("half B does not choose", reads_two_scores_of_half_b),
        Property("an easier half changes nothing", a_shift_changes_nothing),
        Property("nothing where all is noise", promises_nothing_where_all_is_noise),
        Property("the last layer gains nothing over itself", the_last_layer_gains_nothing_over_itself),
    ],
    wrong_answers=[
        WrongAnswer(_promised, "This is the gain on the half that chose the layer: report it on half B"),
        WrongAnswer(
            _changed(choose=lambda on_a, on_b: on_b.argmax(1)),
            "Half B chooses its own layer here: choose on half A",
        ),
        WrongAnswer(
            _changed(choose=lambda on_a, on_b: (on_a + on_b).argmax(1)),
            "Half B takes part in the choice: choose on half A alone",
        ),
        WrongAnswer(
            _changed(choose=lambda on_a, on_b: on_a.mean(0).argmax().expand(len(on_a))),
            "Each split chooses its own layer: one for all has seen each half B in other splits",
        ),
        WrongAnswer(
            _changed(choose=lambda on_a, on_b: on_a.argmin(1)),
            "Choose the layer with the largest score on half A",
        ),
        WrongAnswer(
            _changed(choose=lambda on_a, on_b: on_a[:, :-1].argmax(1)),
            "The last layer may be chosen too: its gain is 0 then",
        ),
        WrongAnswer(
            _changed(report=lambda on_a, on_b: on_a),
            "The chosen layer's score comes from half A and the last one's from half B: take both from half B",
        ),
        WrongAnswer(
            _changed(baseline=lambda on_a, on_b: on_a[:, -1]),
            "The last layer's score comes from half A and the chosen one's from half B: take both from half B",
        ),
        WrongAnswer(
            _changed(baseline=lambda on_a, on_b: torch.zeros_like(on_b[:, 0])),
            "This is the score of the chosen layer: take the last layer's off",
        ),
        WrongAnswer(
            _changed(baseline=lambda on_a, on_b: on_b[:, 0]),
            "The gain is over the last layer, not over the first",
        ),
        WrongAnswer(
            _changed(baseline=lambda on_a, on_b: on_b.mean(1)),
            "The gain is over the last layer, not over the mean",
        ),
        WrongAnswer(
            _changed(baseline=lambda on_a, on_b: on_b.amax(1)),
            "The gain is over the last layer; yours is over the best one on half B, a regret",
        ),
        WrongAnswer(_optimism, "This is the optimism, the promised gain minus the honest one"),
        WrongAnswer(
            _changed(baseline=lambda on_a, on_b: 2 * _at(on_b, on_a.argmax(1)) - on_b[:, -1]),
            "The sign is wrong: the chosen layer minus the last one",
        ),
        WrongAnswer(_one_number, "Return the gain of each split, not their mean"),
    ],
    hints=[
        "`on_a.argmax(dim=1)` is the layer that half A chooses, in each split. Half B has no say in that.",
        "`on_b[torch.arange(len(on_b)), chosen]` picks from each split the score of its own layer. What is the gain "
        "over?",
    ],
    full_size=full_size,
    # A loop over the splits is slow beside the reference, and fast enough for the lesson.
    slow_factor=1000,
    guarded=(selection.choose,),
)
