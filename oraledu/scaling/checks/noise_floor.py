"""Exercise 8: how far the seeds of one size are apart."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.scaling import curves
from oraledu.scaling.checks.inputs import largest_difference, normal, random_table


def cases(generator: torch.Generator) -> list[Case]:
    """Return ladders with and without an offset, of several shapes."""
    loss = random_table(generator, 3, 4, 6) + 0.5
    return [
        Case("3 sizes, 4 seeds", (loss, 0.6)),
        Case("a smaller offset", (loss, 0.2)),
        Case("no offset", (loss, 0.0)),
        Case("as many sizes as seeds and points", (random_table(generator, 4, 4, 4) + 1, 1.0)),
        Case("one size", (loss[:1], 0.4)),
        Case("two seeds", (loss[:, :2], 0.4)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the solvable ladder: 4 sizes, 16 seeds, 61 points."""
    return Case("4 sizes, 16 seeds", (random_table(generator, 4, 16, 61) + 0.1, 0.1))


def forgets_scale_and_offset(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same floor after L → c L + d and L₀ → c L₀ + d."""
    loss = random_table(generator, 3, 5, 4) + 0.3
    plain = function(loss, 0.3)
    if not largest_difference(function(3 * loss, 0.9), plain) < 1e-9:
        return "losses and offset times 3 should have the same floor: it is relative to the mean"
    if not largest_difference(function(loss + 0.7, 1.0), plain) < 1e-9:
        return "with losses and offset 0.7 higher the floor should be the same: take the offset off first"
    return None


def measures_every_size_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same floor of a size by itself, and whatever its seeds are called."""
    loss = random_table(generator, 4, 5, 3)
    plain = function(loss, 0.1)
    alone = torch.cat([function(loss[row : row + 1], 0.1) for row in range(4)])
    if not largest_difference(alone, plain) < 1e-10:
        return "a size should have the same floor by itself as among others"
    loss[0] *= 1 + normal(generator, 5, 1).square()
    if not largest_difference(function(loss, 0.1)[1:], plain[1:]) < 1e-10:
        return "other losses in one size should not move the floors of the others"
    shuffled = loss[:, torch.randperm(5, generator=generator)]
    same = largest_difference(function(shuffled, 0.1), function(loss, 0.1)) < 1e-10
    return None if same else "the order of the seeds should not count"


def is_the_deviation_from_a_mean_end(function: Function, generator: torch.Generator) -> str | None:
    """Divide every run of a size by the mean end, and ask for the deviation of these curves."""
    loss = random_table(generator, 3, 6, 5) + 0.2
    floor = function(loss, 0.2)
    reducible = loss - 0.2
    shared = reducible / reducible[..., -1:].mean(1, keepdim=True)
    expected = torch.stack([curves.collapse_deviation(rows[None]) for rows in shared])
    same = largest_difference(floor, expected) < 1e-10
    return (
        None if same else "it should be the deviation of a size's curves when they share one end, their mean"
    )


def is_not_small_at_the_end(function: Function, generator: torch.Generator) -> str | None:
    """Give all points the same noise, and ask for it at x = 1 too."""
    loss = torch.exp(0.03 * normal(generator, 2, 4000, 3)) + 0.5
    floor = function(loss, 0.5)
    if ((floor / 0.03 - 1).abs() < 0.07).all():
        return None
    return f"where seeds differ by 3 % at every point the floor is 0.03, at the end too; yours is {floor[0, -1]:.3g}"


def _spread(reducible: Tensor) -> Tensor:
    return reducible.std(1, correction=0)


def _changed(
    *,
    above: Callable[[Tensor, float], Tensor] = lambda loss, offset: loss - offset,
    spread: Callable[[Tensor], Tensor] = _spread,
    finish: Callable[[Tensor, Tensor], Tensor] = torch.div,
) -> Function:
    """Return the plain method with one thing changed."""

    def noise_floor(loss: Tensor, offset: float) -> Tensor:
        reducible = above(loss, offset)
        return finish(spread(reducible), reducible.mean(1))

    return noise_floor


def _own_ends(loss: Tensor, offset: float) -> Tensor:
    return (loss - offset) / (loss[..., -1:] - offset)


def _over_sizes(loss: Tensor, offset: float) -> Tensor:
    reducible = loss - offset
    return reducible.std(0, correction=0) / reducible.mean(0)


def _pooled(loss: Tensor, offset: float) -> Tensor:
    runs = (loss - offset).flatten(0, 1)
    return runs.std(0, correction=0) / runs.mean(0)


def _mean_of_sizes(loss: Tensor, offset: float) -> Tensor:
    return _changed()(loss, offset).mean(0)


def _in_place(loss: Tensor, offset: float) -> Tensor:
    loss -= offset
    return _spread(loss) / loss.mean(1)


noise_floor = Exercise(
    id="scaling.noise_floor",
    title="The noise floor",
    reference=curves.noise_floor,
    cases=cases,
    properties=[
        Property("scale and offset do not count", forgets_scale_and_offset),
        Property("every size alone", measures_every_size_alone),
        Property("the deviation from a mean end", is_the_deviation_from_a_mean_end),
        Property("not small at the end", is_not_small_at_the_end),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(above=_own_ends),
            "The floor is that of the raw losses: with each run divided by its own end the shared noise is gone",
        ),
        WrongAnswer(
            _changed(above=lambda loss, offset: loss), "Take the offset off: the floor is relative to L - L₀"
        ),
        WrongAnswer(
            _changed(spread=lambda reducible: reducible.std(1)),
            "Moments of a population: divide by the number of seeds, not by one less (`correction=0`)",
        ),
        WrongAnswer(
            _changed(spread=lambda reducible: reducible.var(1, correction=0)),
            "Take the root: it is a standard deviation over a mean, not a variance",
        ),
        WrongAnswer(
            _changed(spread=lambda reducible: (reducible - reducible.mean(1, keepdim=True)).abs().mean(1)),
            "Take the root of the mean square, not the mean distance",
        ),
        WrongAnswer(
            _changed(finish=lambda spread, mean: spread), "Divide by the mean: the floor is relative"
        ),
        WrongAnswer(
            _changed(finish=lambda spread, mean: spread / mean[:, -1:]),
            "Divide by the mean at the same x, not by the mean end",
        ),
        WrongAnswer(
            _over_sizes, "The spread is over the seeds of a size, axis 1; yours is over the sizes, axis 0"
        ),
        WrongAnswer(
            _pooled,
            "Every size has a floor of its own: sizes must not be pooled, for they differ by more than noise",
        ),
        WrongAnswer(_mean_of_sizes, "Return a row for each size; the mean over sizes is taken later"),
        WrongAnswer(
            _in_place, "It changes the losses, which are still needed: use `loss - …`, not `loss -= …`"
        ),
    ],
    hints=[
        "Which axis holds the seeds of a size? Standard deviation and mean both run along it, and a table (sizes, "
        "points) is left.",
        "Nothing is normalised here: only the offset comes off. And as before, `correction=0`.",
    ],
    core=False,
    full_size=full_size,
    slow_factor=100,
)
