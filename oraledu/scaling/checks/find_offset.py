"""Exercise 2: the loss that no size falls below, found by trying."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.scaling import frontier
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import frontier_points, uniform

SQUEEZED = "A lower offset squeezes all heights together, and their squares fall for that alone: take 1 - R²"


def cases(generator: torch.Generator) -> list[Case]:
    """Return exact ladders, whose offset any sensible criterion finds, one with losses as small as the lesson's."""
    compute, loss = frontier_points(5, generator, offset=uniform(0.8, 1.6, generator))
    return [
        *(
            Case(
                f"{count} exact sizes", frontier_points(count, generator, offset=uniform(0.8, 1.6, generator))
            )
            for count in (4, 6, 9)
        ),
        Case("losses of a few hundredths", (compute, loss / 50)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a ladder of the lesson's: four sizes."""
    return Case("four sizes", frontier_points(4, generator, offset=1.0))


def survives_a_little_noise(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the offset to a few per cent of what the losses span, with errors of 0.03 % in what is above it."""
    for _ in range(3):
        offset = uniform(0.6, 1.5, generator)
        compute, loss = frontier_points(8, generator, offset=offset, noise=3e-4)
        found, span = float(function(compute, loss)), float(loss.max() - loss.min())
        if not abs(found - offset) < 0.08 * span:
            return (
                f"with an error of 0.03 % in each point the offset {offset:.3f} comes out as {found:.3f}, "
                f"while the losses span {span:.3f}"
            )
    return None


def finds_that_there_is_none(function: Function, generator: torch.Generator) -> str | None:
    """Ask for an offset near 0 where the losses themselves are a power law."""
    compute, loss = frontier_points(6, generator)
    found = float(function(compute, loss))
    if -1e-9 <= found < 0.02 * float(loss.min()):
        return None
    return f"for losses that are a power law by themselves the offset should be 0, not {found:.3g}: try 0 as well"


def stays_between_zero_and_the_losses(function: Function, generator: torch.Generator) -> str | None:
    """Ask for an offset below every loss, whatever the noise."""
    for noise in (0.003, 0.02, 0.05):
        compute, loss = frontier_points(5, generator, offset=0.5, noise=noise)
        found = float(function(compute, loss))
        if not -1e-9 <= found < float(loss.min()):
            return f"the offset {found:.3g} does not lie between 0 and the smallest loss, {float(loss.min()):.3g}"
    return None


def is_not_drawn_to_zero(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a sensible offset of four noisy ends, those of the lesson's text ladder in three digits.

    By 1 - R², by the errors of the losses and by those of their logarithms it is 1.2 to 1.45.
    """
    compute = 1e9 * torch.tensor([3.0, 12.2, 34.2, 77.4], dtype=torch.float64)
    found = float(function(compute, torch.tensor([2.150, 1.937, 1.829, 1.744], dtype=torch.float64)))
    if 1.15 < found < 1.5:
        return None
    return (
        f"for four noisy ends, whose offset is about 1.3, it gives {found:.2f}. Use all of them. {SQUEEZED}"
    )


def ignores_the_unit_of_compute(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same offset with compute in petaFLOPs, and for twice as much with losses twice as high."""
    compute, loss = frontier_points(6, generator, offset=1.1)
    plain, span = float(function(compute, loss)), float(loss.max() - loss.min())
    if not abs(float(function(compute / 1e15, loss)) - plain) < 0.02 * span:
        return "with compute in another unit the offset should be the same"
    doubled = float(function(compute, 2 * loss))
    return None if abs(doubled - 2 * plain) < 0.04 * span else "losses times 2 should give an offset times 2"


def _residual(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared distance of points from their line, over the variance of their heights."""
    away, height = x - x.mean(), y - y.mean()
    slope = (away * height).sum() / away.square().sum()
    return (height - slope * away).square().sum() / height.square().sum()


def _squares(x: Tensor, y: Tensor) -> Tensor:
    return _residual(x, y) * (y - y.mean()).square().sum()


def _changed(
    *,
    offsets: Callable[[Tensor], Tensor] = lambda loss: (
        loss.min() * torch.linspace(0, 1, 2001, dtype=loss.dtype)[:-1]
    ),
    height: Callable[[Tensor], Tensor] = torch.log,
    along: Callable[[Tensor], Tensor] = torch.log,
    cost: Callable[[Tensor, Tensor], Tensor] = _residual,
    finish: Callable[[Tensor, int], Tensor] = lambda offsets, best: offsets[best],
) -> Function:
    """Return the plain scan with one thing changed."""

    def find_offset(compute: Tensor, loss: Tensor) -> float:
        tried = offsets(loss)
        costs = torch.stack([cost(along(compute), height(loss - offset)) for offset in tried])
        return float(finish(tried, int(costs.nan_to_num(nan=torch.inf).argmin())))

    return find_offset


def _always_zero(compute: Tensor, loss: Tensor) -> float:
    return 0.0


def _smallest_loss(compute: Tensor, loss: Tensor) -> float:
    return float(loss.min()) * (1 - 1e-9)


def _place(tried: Tensor, best: int) -> Tensor:
    return torch.tensor(best / len(tried))


find_offset = Exercise(
    id="scaling.find_offset",
    title="The offset of a frontier",
    reference=references.find_offset,
    cases=cases,
    properties=[
        Property("finds that there is none", finds_that_there_is_none),
        Property("survives a little noise", survives_a_little_noise),
        Property("four noisy ends", is_not_drawn_to_zero),
        Property("between 0 and the smallest loss", stays_between_zero_and_the_losses),
        Property("the unit of compute does not count", ignores_the_unit_of_compute),
    ],
    wrong_answers=[
        WrongAnswer(
            _always_zero,
            "An offset of 0 is one candidate of many: scan them all, for the error rises from there before it falls",
        ),
        WrongAnswer(
            _smallest_loss,
            "The offset lies below the smallest loss, by as much as that would still fall with more compute",
        ),
        WrongAnswer(
            _changed(finish=_place),
            "Return the offset in the unit of the loss, not as a share of the smallest loss",
        ),
        WrongAnswer(
            _changed(height=lambda reducible: reducible),
            "The points are on a line in log-log: take the logarithm of what is above the offset",
        ),
        WrongAnswer(_changed(cost=_squares), SQUEEZED),
        WrongAnswer(
            _changed(offsets=lambda loss: torch.arange(0, float(loss.min()), 0.01, dtype=loss.dtype)),
            "Choose the steps of the scan as shares of the smallest loss: it may be a few hundredths",
        ),
        WrongAnswer(
            _changed(along=lambda compute: compute),
            "The points are on a line in log-log: take the logarithm of compute",
        ),
        WrongAnswer(
            _changed(offsets=lambda loss: loss.min() * torch.linspace(0, 1, 11, dtype=loss.dtype)[:-1]),
            "The scan is too coarse: try some hundred offsets between 0 and the smallest loss",
        ),
        WrongAnswer(
            _changed(
                offsets=lambda loss: loss.min() * torch.linspace(0.5, 1, 2001, dtype=loss.dtype)[:-1],
            ),
            "Begin the scan at 0: the offset may be small, or there may be none",
        ),
        WrongAnswer(
            _changed(
                offsets=lambda loss: loss.min() * torch.linspace(0, 0.5, 2001, dtype=loss.dtype),
            ),
            "Go on with the scan up to just below the smallest loss",
        ),
    ],
    hints=[
        "For each candidate between 0 and the smallest loss fit the line of `fit_line`. Which number says how far the "
        "points are from it?",
        "$1 - R^2$ will do, or the squared errors of the fitted loss itself. The plain sum of squares of "
        "$\\log(L - L_0)$ minus the line will not: a lower offset squeezes all heights together, and wins for that "
        "alone. Leave the smallest loss itself out: the logarithm of 0 is no number.",
        "`np.linspace(0, 1, 1000, endpoint=False) * smallest` gives a thousand candidates; keep the best in a loop. "
        "The result is good to a thousandth of the smallest loss, which is enough here.",
    ],
    core=False,
    tolerance=0.01,
    full_size=full_size,
    slow_factor=1000,
    guarded=(frontier.fit_frontier,),
)
