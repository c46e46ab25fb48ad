"""Exercise 11: the power with which the deviation vanishes at the end."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import normal, uniform


def cases(generator: torch.Generator) -> list[Case]:
    """Return noisy powers on even and uneven grids, with much outside the window, and two points inside."""
    even = torch.linspace(0, 1, 1597, dtype=torch.float64)
    uneven = _uneven(generator, 80)
    near = torch.tensor([0.9, 0.978, 0.991, 0.9991, 1.0], dtype=torch.float64)
    return [
        Case("an even grid", (even, _deviation(even, 1.5, generator, noise=0.3))),
        Case("an uneven grid", (uneven, _deviation(uneven, 2.5, generator, noise=0.3))),
        Case("two points in the window", (near, _deviation(near, 1.5, generator, noise=0.3))),
        Case("a deviation that does not fall", (even, _deviation(even, 0.0, generator, noise=0.2))),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return as many points as the solvable ladder records near its end."""
    grid = _uneven(generator, 200)
    return Case("200 points", (grid, _deviation(grid, 1.5, generator, noise=0.05)))


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
            return f"for (1 - x)^{power:.3g} it gives {found:.4g}, and should give {power:.3g}"
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
    """Ask for the same slope of a deviation ten times as large."""
    grid = _uneven(generator, 60)
    deviation = _deviation(grid, 2.0, generator, noise=0.2)
    same = abs(float(function(grid, 10 * deviation)) - float(function(grid, deviation))) < 1e-9
    return None if same else "a deviation times 10 should have the same slope in log-log"


def _inside(grid: Tensor) -> Tensor:
    return (grid >= 0.975) & (grid <= 0.995)


def _line(x: Tensor, y: Tensor) -> float:
    away = x - x.mean()
    return float((away * y).sum() / away.square().sum())


def _changed(
    *,
    window: Callable[[Tensor], Tensor] = _inside,
    along: Callable[[Tensor], Tensor] = lambda grid: (1 - grid).log(),
    height: Callable[[Tensor], Tensor] = torch.log,
    line: Callable[[Tensor, Tensor], float] = _line,
) -> Function:
    """Return the plain method with one thing changed."""

    def end_slope(grid: Tensor, deviation: Tensor) -> float:
        kept = window(grid)
        return line(along(grid[kept]), height(deviation[kept]))

    return end_slope


def _through_the_ends(x: Tensor, y: Tensor) -> float:
    return float((y[-1] - y[0]) / (x[-1] - x[0]))


def _mean_of_slopes(x: Tensor, y: Tensor) -> float:
    return float((y.diff() / x.diff()).mean())


def _through_the_origin(x: Tensor, y: Tensor) -> float:
    return float((x * y).sum() / x.square().sum())


end_slope = Exercise(
    id="scaling.end_slope",
    title="How the deviation vanishes at the end",
    reference=references.end_slope,
    cases=cases,
    properties=[
        Property("recovers a power", recovers_a_power),
        Property("the window alone", looks_at_the_window_alone),
        Property("the height does not count", ignores_the_height),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(window=lambda grid: grid <= 1),
            "At x = 1 both logarithms are infinite: keep to 0.975 ≤ x ≤ 0.995",
        ),
        WrongAnswer(
            _changed(window=lambda grid: grid < 1),
            "The power holds near the end alone: keep to 0.975 ≤ x ≤ 0.995",
        ),
        WrongAnswer(
            _changed(window=lambda grid: (grid >= 0.975) & (grid < 1)),
            "The window has an upper end as well: leave out what lies after 0.995",
        ),
        WrongAnswer(
            _changed(window=lambda grid: grid <= 0.995),
            "The window has a lower end as well: leave out what lies before 0.975",
        ),
        WrongAnswer(
            _changed(along=torch.log),
            "The slope is on log(1 - x), the log of what is left of the run, not on log x",
        ),
        WrongAnswer(
            _changed(along=lambda grid: 1 - grid),
            "Take the logarithm of 1 - x too: a power is a line in log-log",
        ),
        WrongAnswer(
            _changed(height=lambda deviation: deviation),
            "Take the logarithm of the deviation: a power is a line in log-log",
        ),
        WrongAnswer(
            _changed(along=lambda grid: -(1 - grid).log()),
            "The deviation falls as 1 - x falls: the slope on log(1 - x) is positive",
        ),
        WrongAnswer(
            _changed(height=torch.log10),
            "Take both logarithms to the same base: else the slope has a factor of log 10",
        ),
        WrongAnswer(
            _changed(line=lambda x, y: 1 / _line(y, x)),
            "Fit log deviation as a function of log(1 - x), not the other way round",
        ),
        WrongAnswer(
            _changed(line=lambda x, y: _line(y, x)),
            "The slope is that of log deviation on log(1 - x); yours is that of log(1 - x) on log deviation",
        ),
        WrongAnswer(
            _changed(line=_through_the_ends),
            "All points in the window count: yours is the line through the first and the last",
        ),
        WrongAnswer(
            _changed(line=_mean_of_slopes),
            "Fit one line to all points; a mean of the slopes between neighbours is mostly noise",
        ),
        WrongAnswer(
            _changed(line=_through_the_origin), "The line has a level of its own: take the means off first"
        ),
    ],
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
)
