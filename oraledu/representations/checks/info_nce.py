"""Exercise 7: how well views of one prompt find each other."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import invariance
from oraledu.representations.checks.inputs import (
    WIDTH,
    largest_difference,
    normal,
    rotation,
    two_views,
)


def cases(generator: torch.Generator) -> list[Case]:
    """Return few and many prompts, other temperatures, two prompts, unrelated views, and float32."""
    a, b = two_views(generator, 6, 10)
    return [
        Case("six prompts", (a, b)),
        Case("temperature 1/2", (a, b, 0.5)),
        Case("more prompts than coordinates", (*two_views(generator, 9, 4), 0.2)),
        Case("two prompts", (*two_views(generator, 2, 5), 1.0)),
        Case("views that have nothing in common", (normal(generator, 5, 8), normal(generator, 5, 8))),
        Case("a tiny temperature", (normal(generator, 5, 8), normal(generator, 5, 8), 1e-4)),
        Case("views in float32", (a.float(), b.float(), 0.5)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return two views of 200 prompts in one layer."""
    return Case("200 prompts, 576 coordinates", two_views(generator, 200, WIDTH))


def is_chance_where_nothing_tells_prompts_apart(function: Function, generator: torch.Generator) -> str | None:
    """Ask for log(2N - 1) if all vectors are alike, and at a temperature so high that they look so."""
    for count in (2, 5, 8):
        same = normal(generator, 1, 6).repeat(count, 1)
        if not largest_difference(function(same, same), math.log(2 * count - 1)) < 1e-9:
            return f"for {count} prompts that are all alike it should be log(2·{count} - 1)"
        if (
            not largest_difference(function(*two_views(generator, count, 6), 1e9), math.log(2 * count - 1))
            < 1e-6
        ):
            return f"for {count} prompts at a huge temperature it should be near log(2·{count} - 1)"
    return None


def is_small_where_views_agree(function: Function, generator: torch.Generator) -> str | None:
    """Ask for log(1 + (2N - 2) e^(-1/τ)) if both views are the same orthonormal rows."""
    for count, temperature in ((3, 0.5), (6, 0.3), (4, 1.0)):
        rows = rotation(8, generator)[:count]
        exact = math.log1p((2 * count - 2) * math.exp(-1 / temperature))
        if not largest_difference(function(rows, rows.clone(), temperature), exact) < 1e-9:
            return (
                f"for {count} orthonormal rows, each its own other view, and τ = {temperature:g} it should be "
                f"log(1 + {2 * count - 2} e^(-1/τ)) = {exact:.4g}"
            )
    return None


def sees_neither_length_nor_turn_nor_order(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same loss after a joint rotation, other lengths, another order of prompts, and a swap of views."""
    a, b = two_views(generator, 6, 5)
    turn, order = rotation(5, generator), torch.randperm(6, generator=generator)
    lengths = 0.1 + 5 * torch.rand(6, 1, generator=generator, dtype=torch.float64)
    changed = {
        "both views rotated by the same rotation": (a @ turn, b @ turn),
        "every vector of one view stretched by its own factor": (a * lengths, b),
        "the prompts in another order in both views": (a[order], b[order]),
        "the two views exchanged": (b, a),
    }
    for what, views in changed.items():
        if not largest_difference(function(*views), function(a, b)) < 1e-9:
            return f"with {what} it should stay the same"
    return None


def broken_pairs_cost(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a larger loss if each vector is paired with another prompt's."""
    a, b = two_views(generator, 8, 12)
    found = function(a, b.roll(1, 0)) > function(a, b) + 0.1
    return None if found else "it should grow if the prompts of one view are shifted by one"


def _unit(z: Tensor) -> Tensor:
    return z / z.norm(dim=-1, keepdim=True)


def _products(z: Tensor) -> Tensor:
    return z @ z.T


def _without_itself(logits: Tensor) -> Tensor:
    return logits.masked_fill(torch.eye(len(logits), dtype=torch.bool), -torch.inf)


def _changed(
    *,
    prepare: Callable[[Tensor], Tensor] = _unit,
    compare: Callable[[Tensor], Tensor] = _products,
    heat: Callable[[Tensor, float], Tensor] = lambda similar, temperature: similar / temperature,
    mask: Callable[[Tensor], Tensor] = _without_itself,
    shift: Callable[[int], int] = lambda count: count,
    total: Callable[[Tensor, Tensor], Tensor] = lambda logits, right: logits.logsumexp(1),
    finish: Callable[[Tensor], Tensor] = torch.mean,
) -> Function:
    """Return the plain method with one thing changed."""

    def info_nce(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
        count = len(a)
        logits = heat(compare(prepare(torch.cat([a, b]))), temperature)
        rows = torch.arange(2 * count)
        right = logits[rows, rows.roll(shift(count))]
        return finish(total(mask(logits), right) - right)

    return info_nce


def _one_against_the_other(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    logits = _unit(a) @ _unit(b).T / temperature
    return (logits.logsumexp(1) - logits.diagonal()).mean()


def _both_against_the_other(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    return (_one_against_the_other(a, b, temperature) + _one_against_the_other(b, a, temperature)) / 2


def _distances(z: Tensor) -> Tensor:
    return -(z[:, None] - z).square().sum(-1)


def _negatives_alone(logits: Tensor, right: Tensor) -> Tensor:
    count = len(logits) // 2
    other = torch.eye(len(logits), dtype=torch.bool).roll(count, 0)
    return logits.masked_fill(other, -torch.inf).logsumexp(1)


def _positive_twice(logits: Tensor, right: Tensor) -> Tensor:
    return torch.logaddexp(logits.logsumexp(1), right)


info_nce = Exercise(
    id="representations.info_nce",
    title="InfoNCE",
    reference=invariance.info_nce,
    cases=cases,
    properties=[
        Property("chance where all prompts are alike", is_chance_where_nothing_tells_prompts_apart),
        Property("small where views agree", is_small_where_views_agree),
        Property("the same after stretching, turning, reordering", sees_neither_length_nor_turn_nor_order),
        Property("broken pairs cost", broken_pairs_cost),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(prepare=lambda z: z), "Give every vector length one first: similarity is a cosine"
        ),
        WrongAnswer(
            _changed(prepare=lambda z: z / z.norm(dim=0)),
            "Give every vector length one, not every coordinate",
        ),
        WrongAnswer(
            _changed(prepare=lambda z: _unit(z - z.mean(0))),
            "Take the vectors as they are: you took their mean off",
        ),
        WrongAnswer(_changed(compare=_distances), "Compare by the cosine, not by the squared distance"),
        WrongAnswer(
            _changed(heat=lambda similar, temperature: similar / 0.1),
            "The temperature is an argument, and it is not always 0.1",
        ),
        WrongAnswer(
            _changed(heat=lambda similar, temperature: similar * temperature),
            "Cosines are divided by the temperature, not multiplied",
        ),
        WrongAnswer(
            _changed(mask=lambda logits: logits),
            "A vector does not compete with itself: set the diagonal to minus infinity",
        ),
        WrongAnswer(
            _changed(mask=lambda logits: logits * (1 - torch.eye(len(logits), dtype=logits.dtype))),
            "A zero on the diagonal still counts as e⁰ = 1: set it to minus infinity",
        ),
        WrongAnswer(_changed(total=_negatives_alone), "The other view belongs in the denominator as well"),
        WrongAnswer(_changed(total=_positive_twice), "The other view is counted twice in the denominator"),
        WrongAnswer(
            _changed(total=lambda logits, right: logits.exp().sum(1).log()),
            "At small temperatures the exponentials overflow: use `logsumexp` or `cross_entropy`",
        ),
        WrongAnswer(
            _changed(shift=lambda count: 1), "The other view of vector i is vector i + N, not its neighbour"
        ),
        WrongAnswer(_changed(finish=torch.sum), "Take the mean over the 2N vectors, not the sum"),
        WrongAnswer(
            _changed(finish=lambda losses: losses[: len(losses) // 2].mean()),
            "Vectors of both views look for their partner: you took the mean over the first view alone",
        ),
        WrongAnswer(
            _changed(finish=lambda losses: -losses.mean()), "The sign is wrong: the loss is minus a logarithm"
        ),
        WrongAnswer(
            _changed(finish=lambda losses: (-losses).exp().mean()),
            "This is the mean chance to find the partner: the loss is the mean of -log",
        ),
        WrongAnswer(
            _changed(finish=lambda losses: -(-losses).exp().mean().log()),
            "Take the mean of the logarithms, not the logarithm of the mean",
        ),
        WrongAnswer(
            _changed(finish=lambda losses: losses.mean() / math.log(2)),
            "Your loss is in bits: take natural logarithms",
        ),
        WrongAnswer(
            _one_against_the_other,
            "A vector also competes with those of its own view: there are 2N - 2 wrong ones, not N - 1",
        ),
        WrongAnswer(
            _both_against_the_other,
            "Both views ask, but each among the other view alone: there are 2N - 2 wrong ones, not N - 1",
        ),
    ],
    hints=[
        "Put both views into one matrix with $2N$ rows of length one. Row $i$ has its partner at $i + N$, or at "
        "$i - N$: `torch.arange(2 * N).roll(N)`.",
        "Cosines over the temperature are the logits of a classification into $2N$ classes, in which a row must not "
        "choose itself: what logit has chance zero?",
        "`torch.nn.functional.cross_entropy(logits, partners)` is the mean of $-\\log$, and does not overflow.",
    ],
    core=False,
    full_size=full_size,
)
