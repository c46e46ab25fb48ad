"""Exercise 11: the power with which the deviation vanishes at the end."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import normal, uniform


def cases(generator: torch.Generator) -> list[Case]:
    """Return noisy powers on even and uneven grids, with much outside the window, and two points inside."""
    even = torch.linspace(0, 1, 1597, dtype=torch.float64)
    uneven = _uneven(generator, 80)
    near = torch.tensor([0.9, 0.978, 0.991, 0.9991, 1.0], dtype=torch.float64)
    last = torch.tensor([0.9, 0.976, 0.985, 0.995, 0.9991, 1.0], dtype=torch.float64)
    return [
        Case("an even grid", (even, _deviation(even, 1.5, generator, noise=0.3))),
        Case("an uneven grid", (uneven, _deviation(uneven, 2.5, generator, noise=0.3))),
        Case("two points in the window", (near, _deviation(near, 1.5, generator, noise=0.3))),
        Case("a deviation that does not fall", (even, _deviation(even, 0.0, generator, noise=0.2))),
        Case("a deviation that grows", (even, _deviation(even, -0.5, generator, noise=0.2))),
        # Not at 0.975 too: whether 1 - x is above 0.025 there, rounding decides.
        Case("a record at the end of the window", (last, _deviation(last, 1.5, generator, noise=0.3))),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return as many points as the solvable ladder records near its end."""
    grid = _uneven(generator, 199)
    return Case("199 points", (grid, _deviation(grid, 1.5, generator, noise=0.05)))


def _uneven(generator: torch.Generator, points: int) -> Tensor:
    """Draw an increasing grid (points,) from 0.9 to 1, no point of it where the window begins or ends."""
    inner = 0.9 + 0.1 * torch.rand(points - 1, generator=generator, dtype=torch.float64)
    return torch.cat([inner.sort().values, torch.ones(1, dtype=torch.float64)])


def _deviation(
    grid: Tensor, power: float, generator: torch.Generator, *, noise: float = 0.0, height: float = 0.8
) -> Tensor:
    """Return height · (1 - x)^power, with noise in the log, but 0 at x = 1."""
    wobble = torch.exp(noise * normal(generator, len(grid)))
    return torch.where(grid < 1, height * (1 - grid) ** power * wobble, 0.0)


def recovers_a_power(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the exponent of an exact power, of any height."""
    grid = _uneven(generator, 60)
    for power in (1.5, 2.5, 0.5, uniform(0.3, 3, generator)):
        deviation = _deviation(grid, power, generator, height=uniform(0.1, 5, generator))
        found = float(function(grid, deviation))
        if not abs(found - power) < 1e-8:
            return f"for (1 - x)^{power:.3g} it gives {found:.10g}, and should give {power:.10g}"
    return None


def looks_at_the_window_alone(function: Function, generator: torch.Generator) -> str | None:
    """Change the deviation before 0.975 and after 0.995, and ask for the same slope."""
    grid = _uneven(generator, 60)
    deviation = _deviation(grid, 1.5, generator, noise=0.2)
    plain = float(function(grid, deviation))
    for where, outside in (("before 0.975", grid < 0.975), ("after 0.995", (grid > 0.995) & (grid < 1))):
        other = torch.where(outside, 3 * deviation + 0.01, deviation)
        if not abs(float(function(grid, other)) - plain) < 1e-9:
            return f"what the deviation does {where} should not count"
    return None


def ignores_the_height(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same slope of a deviation in another unit."""
    grid = _uneven(generator, 60)
    deviation = _deviation(grid, 2.0, generator, noise=0.2)
    found = float(function(grid, deviation))
    for factor in (10, 1e-8, 1e4):
        if not abs(float(function(grid, factor * deviation)) - found) < 1e-9:
            return f"a deviation times {factor:g} should have the same slope in log-log"
    return None


WRONG = r"""
<= 0.995 => <= 1
(grid >= 0.975) &  => :: At x = 1 both logarithms are infinite: keep to 0.975 ≤ x ≤ 0.995
<= 0.995 => < 1
(grid >= 0.975) &  => :: The power holds near the end alone: keep to 0.975 ≤ x ≤ 0.995
<= 0.995 => < 1 :: The window has an upper end as well: leave out what lies after 0.995
(grid >= 0.975) &  => :: The window has a lower end as well: leave out what lies before 0.975
1 - grid => grid :: The slope is on log(1 - x), the log of what is left of the run, not on log x
).log() => ) :: Take the logarithm of 1 - x too: a power is a line in log-log
n[kept].log() => n[kept] :: Take the logarithm of the deviation: a power is a line in log-log
= (1 - => = -(1 - :: The deviation falls as 1 - x falls: the slope on log(1 - x) is positive
n[kept].log => n[kept].log10 :: Take both logarithms to the same base: else the slope has a factor of log 10
(away * y).sum() / away.square().sum() => (y - y.mean()).square().sum() / (away * y).sum()
  :: Fit log deviation as a function of log(1 - x), not the other way round
away.square() => (y - y.mean()).square()
  :: The slope is that of log deviation on log(1 - x); yours is that of log(1 - x) on log deviation
(away * y).sum() / away.square().sum() => (y[-1] - y[0]) / (x[-1] - x[0])
  :: All points in the window count: yours is the line through the first and the last
(away * y).sum() / away.square().sum() => (y.diff() / x.diff()).mean()
  :: Fit one line to all points; a mean of the slopes between neighbours is mostly noise
 - x.mean() => :: The line has a level of its own: take the means off first
y).sum() => y).sum().abs() :: Where the deviation grows towards the end the slope is negative
<= 0.995 => < 0.995 :: x = 0.995 belongs to the window
[kept].log() => [kept].clamp(min=1e-6).log()
  :: The window leaves x = 1 out, where the deviation is 0: it needs no least value, and may be tiny
"""

end_slope = Exercise(
    id="scaling.end_slope",
    title="How the deviation vanishes at the end",
    reference=references.end_slope,
    cases=cases,
    properties=[recovers_a_power, looks_at_the_window_alone, ignores_the_height],
    wrong_answers=slips(references.end_slope, WRONG),
    hints=[
        "`inside = (grid >= 0.975) & (grid <= 0.995)` picks the window. It leaves x = 1 out, where both logarithms are "
        "infinite.",
        "The rest is the line of `fit_line`, with $\\log(1 - x)$ for $\\log c$ and $\\log\\Delta$ "
        "for $\\log(L - L_0)$, and no minus sign.",
    ],
    core=False,
    tolerance=1e-7,
    full_size=full_size,
    slow_factor=50,
    float32=False,
)
