"""Exercise 1: a power law is a line in log-log."""

import math

import numpy as np
import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import frontier_points, uniform


def cases(generator: torch.Generator) -> list[Case]:
    """Return noisy ladders with and without an offset, exact ones, two sizes, and other units."""
    compute, loss = frontier_points(7, generator, offset=1.3, noise=0.1)
    exact_compute, exact = frontier_points(5, generator)
    return [
        Case("seven noisy sizes above an offset", (compute, loss, 1.3)),
        Case("the same with a smaller offset", (compute, loss, 0.9)),
        Case("an exact power law", (exact_compute, exact, 0.0)),
        Case("two sizes", (compute[:2], loss[[0, -1]], 0.5)),
        Case("compute in petaFLOPs", (compute / 1e15, loss, 1.3)),
        Case("sizes in no order", (compute.flip(0).roll(2), loss.flip(0).roll(2), 1.3)),
        Case("losses that rise", (compute, loss.flip(0), 0.5)),
        Case("losses of a few ten-thousandths", (compute, 1e-4 * loss, 1.3e-4)),
    ]


def recovers_a_power_law_in_any_units(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the numbers that exact points were made from, whatever the units of compute and loss."""
    for unit in (1.0, 3.0, 1e-8, 1e4):
        coefficient, exponent = unit * uniform(0.5, 20, generator), uniform(0.1, 0.8, generator)
        compute = torch.exp(torch.arange(6, dtype=torch.float64) + uniform(-9, 9, generator))
        offset = unit * uniform(0, 2, generator)
        found = [float(each) for each in function(compute, offset + coefficient * compute**-exponent, offset)]
        if not abs(found[1] - exponent) < 1e-8:
            return f"an exact power law with the exponent {exponent:.10g} comes out with {found[1]:.10g}"
        if not abs(found[0] / coefficient - 1) < 1e-7:
            return (
                f"an exact power law with the coefficient {coefficient:.10g} comes out with {found[0]:.10g}"
            )
    return None


def is_the_line_of_least_squares_in_the_log(function: Function, generator: torch.Generator) -> str | None:
    """Turn and shift the line a little, and ask for a larger error in the log."""
    compute, loss = frontier_points(13, generator, offset=0.7, noise=0.2)
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


def plain(compute: Tensor, loss: Tensor, offset: float) -> tuple[float, float]:
    """Fit with NumPy, which returns the slope first."""
    x, y = compute.log().numpy(), (loss - offset).log().numpy()
    slope, level = np.polyfit(x, y, 1)
    return math.exp(level), float(-slope)


WRONG = r"""
loss - offset => loss
  :: Take the offset off the losses before the logarithm: only what is above it is a power law
s - offset).log() => s.log() - offset) :: The offset comes off the loss, not off its logarithm
loss - offset => loss + offset :: Take the offset off; you add it
offset).log() => offset)
  :: Take the logarithm of the losses above the offset too: a power law is a line in log-log
compute.log() => compute :: Take the logarithm of compute too: a power law is a line in log-log
-slope => slope :: The law is compute^(-exponent), with a positive exponent: it is minus the slope of the line
math.exp => float :: The level of the line is the log of the coefficient: take the exponential
exp(level) => exp(level / math.log(10))
  :: With logarithms to the base 10 the coefficient is 10 to the level, not e to the level
math.exp(level), float(-slope) => float(-slope), math.exp(level)
  :: Return the coefficient first, then the exponent
x, y, 1 => x[[0, -1]], y[[0, -1]], 1 :: All sizes count: yours is the line through the two at the ends
np.polyfit(x, y, 1) => (lambda slope, level: (1 / slope, -level / slope))(*np.polyfit(y, x, 1))
  :: Fit the loss as a function of compute, not compute as a function of it
exp(level) => exp(y.mean())
  :: The coefficient is the height of the line at compute 1, where log compute is 0, not in its middle
np.polyfit(x, y, 1) => (x @ y) / (x @ x), 0.0 :: The line has a level of its own: it need not pass through 0
x, y, 1 => x, y, 1, w=np.exp(y)
  :: Every size has the same weight in the log: the squares are those of log (loss - offset)
-slope => abs(slope) :: The exponent is minus the slope, also where the losses rise: then it is negative
offset) => offset).clamp(1e-3) :: What is above the offset may be small: no least value for it
offset) => offset + 1e-9) :: Take the logarithm of what is above the offset without a guard: it may be small
"""

fit_line = Exercise(
    id="scaling.fit_line",
    title="The frontier as a line in log-log",
    reference=references.fit_line,
    cases=cases,
    properties=[recovers_a_power_law_in_any_units, is_the_line_of_least_squares_in_the_log],
    wrong_answers=slips(plain, WRONG),
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
    full_size=lambda generator: Case("four sizes", (*frontier_points(4, generator, noise=0.02), 0.0)),
    slow_factor=50,
    float32=False,
)
