"""Exercise 1: a power law is a line in log-log."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.scaling import frontier
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import frontier_points, uniform


def cases(generator: torch.Generator) -> list[Case]:
    """Return noisy ladders with and without an offset, exact ones, two sizes, and another unit of compute."""
    compute, loss = frontier_points(7, generator, offset=1.3, noise=0.1)
    exact_compute, exact = frontier_points(5, generator)
    return [
        Case("seven noisy sizes above an offset", (compute, loss, 1.3)),
        Case("the same with a smaller offset", (compute, loss, 0.9)),
        Case("an exact power law", (exact_compute, exact, 0.0)),
        Case("two sizes", (compute[:2], loss[[0, -1]], 0.5)),
        Case("compute in petaFLOPs", (compute / 1e15, loss, 1.3)),
        Case("sizes in no order", (compute.flip(0).roll(2), loss.flip(0).roll(2), 1.3)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a ladder of the lesson's: four sizes."""
    return Case("four sizes", (*frontier_points(4, generator, noise=0.02), 0.0))


def recovers_a_law(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the numbers that exact points were made from."""
    for _ in range(3):
        coefficient, exponent = uniform(0.5, 20, generator), uniform(0.1, 0.8, generator)
        offset = uniform(0, 2, generator)
        compute = torch.exp(torch.arange(6, dtype=torch.float64) + 3)
        found = function(compute, offset + coefficient * compute**-exponent, offset)
        if not abs(float(found[1]) - exponent) < 1e-8:
            return f"an exact power law with the exponent {exponent:.4f} comes out with {float(found[1]):.4f}"
        if not abs(float(found[0]) / coefficient - 1) < 1e-7:
            return f"an exact power law with the coefficient {coefficient:.4f} comes out with {float(found[0]):.4g}"
    return None


def no_other_line_is_nearer(function: Function, generator: torch.Generator) -> str | None:
    """Turn and shift the line a little, and ask for a larger error in the log."""
    compute, loss = frontier_points(6, generator, offset=0.7, noise=0.2)
    coefficient, exponent = function(compute, loss, 0.7)
    x, heights = compute.log(), (loss - 0.7).log()

    def error(turn: float, shift: float) -> float:
        line = math.log(coefficient) - exponent * x + shift - turn * (x - x.mean())
        return float((heights - line).square().sum())

    best = error(0, 0)
    for turn, shift in ((1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)):
        if not error(turn, shift) > best:
            return "another line has a smaller sum of squares in log(loss - offset): this is not the least-squares line"
    return None


def follows_the_units(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same exponent, and a coefficient to match, after a change of both units."""
    compute, loss = frontier_points(6, generator, offset=0.4, noise=0.1)
    coefficient, exponent = function(compute, loss, 0.4)
    other, same = function(1000 * compute, 3 * loss, 1.2)
    if not abs(same - exponent) < 1e-8:
        return "compute times 1000 and losses times 3 should leave the exponent as it is"
    expected = 3 * coefficient * 1000**exponent
    if not abs(other / expected - 1) < 1e-7:
        return "in other units the fitted losses should be the same curve: compute times k gives coefficient k^exponent"
    return None


def _through(x: Tensor, y: Tensor, weights: Tensor | None = None) -> tuple[float, float]:
    """Return slope and level of the least-squares line."""
    weights = torch.ones_like(x) if weights is None else weights
    mean_x, mean_y = (weights * x).sum() / weights.sum(), (weights * y).sum() / weights.sum()
    slope = (weights * (x - mean_x) * (y - mean_y)).sum() / (weights * (x - mean_x).square()).sum()
    return float(slope), float(mean_y - slope * mean_x)


def _changed(
    *,
    along: Callable[[Tensor], Tensor] = torch.log,
    height: Callable[[Tensor, float], Tensor] = lambda loss, offset: (loss - offset).log(),
    line: Callable[[Tensor, Tensor], tuple[float, float]] = _through,
    finish: Callable[[float, float], tuple[float, float]] = lambda slope, level: (math.exp(level), -slope),
) -> Function:
    """Return the plain method with one thing changed."""

    def fit_line(compute: Tensor, loss: Tensor, offset: float) -> tuple[float, float]:
        return finish(*line(along(compute), height(loss, offset)))

    return fit_line


def _ends(x: Tensor, y: Tensor) -> tuple[float, float]:
    first, last = x.argmin(), x.argmax()
    slope = float((y[last] - y[first]) / (x[last] - x[first]))
    return slope, float(y[first] - slope * x[first])


def _sideways(x: Tensor, y: Tensor) -> tuple[float, float]:
    slope, level = _through(y, x)
    return 1 / slope, -level / slope


def _level_at_the_mean(x: Tensor, y: Tensor) -> tuple[float, float]:
    return _through(x, y)[0], float(y.mean())


def _through_the_origin(x: Tensor, y: Tensor) -> tuple[float, float]:
    return float((x * y).sum() / x.square().sum()), 0.0


def _weighted_by_loss(x: Tensor, y: Tensor) -> tuple[float, float]:
    return _through(x, y, (2 * y).exp())


fit_line = Exercise(
    id="scaling.fit_line",
    title="The frontier as a line in log-log",
    reference=references.fit_line,
    cases=cases,
    properties=[
        Property("recovers a power law", recovers_a_law),
        Property("the least squares in the log", no_other_line_is_nearer),
        Property("follows the units", follows_the_units),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(height=lambda loss, offset: loss.log()),
            "Take the offset off the losses before the logarithm: only what is above it is a power law",
        ),
        WrongAnswer(
            _changed(height=lambda loss, offset: loss.log() - offset),
            "The offset comes off the loss, not off its logarithm",
        ),
        WrongAnswer(
            _changed(height=lambda loss, offset: (loss + offset).log()), "Take the offset off; you add it"
        ),
        WrongAnswer(
            _changed(height=lambda loss, offset: loss - offset),
            "Take the logarithm of the losses above the offset too: a power law is a line in log-log",
        ),
        WrongAnswer(
            _changed(along=lambda compute: compute),
            "Take the logarithm of compute too: a power law is a line in log-log",
        ),
        WrongAnswer(
            _changed(finish=lambda slope, level: (math.exp(level), slope)),
            "The law is compute^(-exponent), with a positive exponent: it is minus the slope of the line",
        ),
        WrongAnswer(
            _changed(finish=lambda slope, level: (level, -slope)),
            "The level of the line is the log of the coefficient: take the exponential",
        ),
        WrongAnswer(
            _changed(finish=lambda slope, level: (math.exp(level / math.log(10)), -slope)),
            "With logarithms to the base 10 the coefficient is 10 to the level, not e to the level",
        ),
        WrongAnswer(
            _changed(finish=lambda slope, level: (-slope, math.exp(level))),
            "Return the coefficient first, then the exponent",
        ),
        WrongAnswer(_changed(line=_ends), "All sizes count: yours is the line through the two at the ends"),
        WrongAnswer(
            _changed(line=_sideways), "Fit the loss as a function of compute, not compute as a function of it"
        ),
        WrongAnswer(
            _changed(line=_level_at_the_mean),
            "The coefficient is the height of the line at compute 1, where log compute is 0, not in its middle",
        ),
        WrongAnswer(
            _changed(line=_through_the_origin), "The line has a level of its own: it need not pass through 0"
        ),
        WrongAnswer(
            _changed(line=_weighted_by_loss),
            "Every size has the same weight in the log: the squares are those of log (loss - offset)",
        ),
    ],
    hints=[
        "Take logarithms of $L - L_0 = C\\,c^{-\\delta}$. Which quantity is the slope of the line that appears, and "
        "which its height at $\\log c = 0$?",
        "With $x = \\log c$ and $y = \\log(L - L_0)$ the slope is $\\sum (x - \\bar x)(y - \\bar y) / "
        "\\sum (x - \\bar x)^2$, and the line passes through $(\\bar x, \\bar y)$. `np.polyfit(x, y, 1)` returns slope "
        "and level.",
        "The exponent is minus the slope, the coefficient is the exponential of the level. Turn both into plain "
        "numbers with `float(...)`.",
    ],
    tolerance=1e-7,
    full_size=full_size,
    slow_factor=50,
    guarded=(frontier.fit_frontier,),
)
