"""Exercise 2: the loss that no size falls below, found by trying."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import frontier_points, uniform

SQUEEZED = "A lower offset squeezes all heights together, and their squares fall for that alone: take 1 - R²"


def cases(generator: torch.Generator) -> list[Case]:
    """Return exact ladders, whose offset any sensible criterion finds, one with very small losses."""
    near, end = frontier_points(4, generator, offset=uniform(0.8, 1.6, generator))
    compute, loss = frontier_points(6, generator, offset=uniform(0.8, 1.6, generator))
    return [
        Case("4 exact sizes, near each other", (near**0.1, end)),
        Case("9 exact sizes", frontier_points(9, generator, offset=uniform(0.8, 1.6, generator))),
        Case("losses of a few ten-thousandths", (compute, loss / 1e4)),
    ]


def finds_that_there_is_none(function: Function, generator: torch.Generator) -> str | None:
    """Ask for an offset near 0 where the losses themselves are a power law."""
    compute, loss = frontier_points(6, generator)
    found = float(function(compute, loss))
    if -1e-9 <= found < 0.02 * float(loss.min()):
        return None
    return f"for losses that are a power law by themselves the offset should be 0, not {found:.3g}: try 0 as well"


def bears_noise(function: Function, generator: torch.Generator) -> str | None:
    """Ask for an offset below every loss, and with errors of 0.03 % for the right one to a part of what losses span."""
    for noise in (3e-4, 3e-4, 0.003, 0.05):
        offset = uniform(0.6, 1.5, generator)
        compute, loss = frontier_points(8, generator, offset=offset, noise=noise)
        found, span = float(function(compute, loss)), float(loss.max() - loss.min())
        if not -1e-9 <= found < float(loss.min()):
            return f"the offset {found:.3g} does not lie between 0 and the smallest loss, {float(loss.min()):.3g}"
        if noise < 0.001 and not abs(found - offset) < 0.08 * span:
            return (
                f"with an error of 0.03 % in each point the offset {offset:.3f} comes out as {found:.3f}, "
                f"while the losses span {span:.3f}"
            )
    return None


def is_not_drawn_to_zero(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 1.2 to 1.45, as sensible criteria have it, of four noisy ends: those of the lesson's text ladder."""
    compute = 1e9 * torch.tensor([3.0, 12.2, 34.2, 77.4], dtype=torch.float64)
    found = float(function(compute, torch.tensor([2.150, 1.937, 1.829, 1.744], dtype=torch.float64)))
    if 1.15 < found < 1.5:
        return None
    return (
        f"for four noisy ends, whose offset is about 1.3, it gives {found:.2f}. Use all of them. {SQUEEZED}"
    )


def follows_the_units(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same offset, in the losses' unit, with losses and compute in other units."""
    compute, loss = frontier_points(6, generator, offset=1.1)
    found, span = float(function(compute, loss)), float(loss.max() - loss.min())
    for unit in (1e-8, 1e4):
        if not abs(float(function(compute / 1e15, unit * loss)) / unit - found) < 0.02 * span:
            return f"losses times {unit:g} should give an offset times {unit:g}, whatever the unit of compute"
    return None


def is_good_to_a_few_thousandths(function: Function, generator: torch.Generator) -> str | None:
    """Ask for an exact offset of 0.905 and of 0.985 of the smallest loss, which a hundred steps miss by half a step."""
    compute, loss = frontier_points(6, generator)
    for share in (0.905, 0.985):
        offset = float(loss.min()) * share / (1 - share)
        found = float(function(compute, loss + offset))
        if not abs(found - offset) < 0.002 * float(loss.min() + offset):
            return f"the offset {offset:.4g} comes out as {found:.4g}: go to a few thousandths of the smallest loss"
    return None


def plain(compute: Tensor, loss: Tensor) -> float:
    """Scan 2000 offsets for the smallest 1 - R², all at once."""
    offsets = loss.min() * torch.linspace(0, 1, 2001, dtype=loss.dtype)[:-1]
    x, y = compute.log(), (loss - offsets[:, None]).log()
    away, height = x - x.mean(), y - y.mean(1, keepdim=True)
    slope = height @ away / away.square().sum()
    rest = (height - slope[:, None] * away).square().sum(1)
    cost = rest / height.square().sum(1)
    best = int(cost.nan_to_num(nan=torch.inf).argmin())
    return float(offsets[best])


WRONG = r"""
 / height.square().sum(1) =>
  :: A lower offset squeezes all heights together, and their squares fall for that alone: take 1 - R²
offsets[best] => 0
  :: An offset of 0 is one candidate of many: scan them all, for the error rises from there before it falls
offsets[best] => loss.min() * (1 - 1e-9)
  :: The offset lies below the smallest loss, by as much as that would still fall with more compute
offsets[best] => best / len(offsets)
  :: Return the offset in the unit of the loss, not as a share of the smallest loss
[:, None]).log() => [:, None])
  :: The points are on a line in log-log: take the logarithm of what is above the offset
loss.min() * torch.linspace(0, 1, 2001, dtype=loss.dtype)[:-1] \
=> torch.arange(0, float(loss.min()), 0.01, dtype=loss.dtype)
  :: Choose the steps of the scan as shares of the smallest loss: it may be a few hundredths
compute.log() => compute :: The points are on a line in log-log: take the logarithm of compute
2001 => 11 :: The scan is too coarse: try some hundred offsets between 0 and the smallest loss
(0, 1, => (0.5, 1, :: Begin the scan at 0: the offset may be small, or there may be none
(0, 1, => (0, 0.5, :: Go on with the scan up to just below the smallest loss
(0, 1, => (0, 0.95, :: Go on up to the smallest loss: what is above the offset may be a fiftieth of it
2001 => 101 :: A hundred steps are too few: what is above the offset may be a tenth of the loss
"""

find_offset = Exercise(
    id="scaling.find_offset",
    title="The offset of a frontier",
    reference=references.find_offset,
    cases=cases,
    properties=[
        finds_that_there_is_none,
        bears_noise,
        is_not_drawn_to_zero,
        follows_the_units,
        is_good_to_a_few_thousandths,
    ],
    wrong_answers=slips(plain, WRONG),
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
    full_size=lambda generator: Case("four sizes", frontier_points(4, generator, offset=1.0)),
    slow_factor=1000,
    float32=False,
)
