"""Exercise 4: the one curve of all sizes."""

import torch

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import uniform


def cases(generator: torch.Generator) -> list[Case]:
    """Return either exponent the larger, equal ones, a table of progress, and a run from its first steps on."""
    x = torch.linspace(0.05, 1, 20, dtype=torch.float64)
    drawn = torch.rand((3, 5), generator=generator, dtype=torch.float64) * 0.9 + 0.1
    return [
        Case("the size term falls faster", (x, *_exponents(generator, 1.5))),
        Case("the time term falls faster", (x, *_exponents(generator, 0.6))),
        Case("equal exponents", (x, 0.5, 0.5)),
        Case("a table of progress", (drawn, *_exponents(generator, 1.3))),
        Case("the very first steps", (1e-6 * drawn, *_exponents(generator, 1.3))),
        Case("beyond the horizon", (100 * drawn, *_exponents(generator, 1.3))),
    ]


def _exponents(generator: torch.Generator, ratio: float) -> tuple[float, float]:
    """Draw μ, and ν in a given ratio to it."""
    mu = uniform(0.3, 0.7, generator)
    return mu, ratio * mu


def ends_at_one_with_the_slope_of_the_frontier(function: Function, generator: torch.Generator) -> str | None:
    """Ask for ℓ(1) = 1 and ℓ'(1) = -μν / (μ + ν)."""
    mu, nu = _exponents(generator, uniform(0.6, 1.6, generator))
    step = 1e-5
    x = torch.tensor([1 - step, 1.0, 1 + step], dtype=torch.float64)
    before, end, after = (float(value) for value in function(x, mu, nu))
    if not abs(end - 1) < 1e-12:
        return f"at x = 1 every run is at its own end, and the curve should be 1, not {end:.4g}"
    slope, expected = (after - before) / (2 * step), -mu * nu / (mu + nu)
    if not abs(slope - expected) < 1e-6:
        return (
            f"its slope at x = 1 is {slope:.4f}; the frontier's is -μν / (μ + ν) = {expected:.4f}, and the curve "
            "touches the frontier there"
        )
    return None


def levels_off_at_the_share_of_the_size(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a falling curve that ends at 1 / (r + 1) if training goes on for ever."""
    mu, nu = _exponents(generator, 1.4)
    x = torch.tensor([0.01, 0.1, 0.5, 1.0, 1e30], dtype=torch.float64)
    found = function(x, mu, nu)
    if not (found.diff() < 0).all():
        return "a longer training has a lower loss: the curve should fall from left to right"
    limit = mu / (mu + nu)
    if not abs(float(found[-1]) - limit) < 1e-8:
        return f"long after the horizon the size term is left, {limit:.4f} of the end; yours is {float(found[-1]):.4g}"
    return None


WRONG = r"""
nu / mu => mu / nu :: The ratio is r = ν/μ, not its inverse, and r belongs to the term that falls with time
nu / mu => 1.0 :: The terms are not equal at the horizon: the time term is r = ν/μ times the size term
 / (r + 1) => :: Divide by the end, r + 1, so that ℓ(1) = 1
(r * power + 1) / (r + 1) => power
  :: Not all of the loss falls with time: the size term stays, however long the training
power + 1 => power :: The size term is missing: it stays where it is as x moves
-mu => -nu :: Tokens t = x t* stand in the term with μ: the power of x is -μ
-mu => mu :: The loss falls: the power of x is -μ
-mu => (-mu * nu / (mu + nu)) :: The frontier's exponent is the slope at the end; the power of x inside is -μ
-mu => (-mu * nu / (mu + nu))
(r * power + 1) / (r + 1) => power
  :: This is the frontier itself; a single run touches it at x = 1 and lies above it elsewhere
x** => x.clamp(min=1e-2) ** :: The curve goes on rising towards x = 0: no least progress
x** => x.clamp(max=1) ** :: Beyond x = 1 the curve goes on falling, towards 1 / (r + 1)
"""

universal_curve = Exercise(
    id="scaling.universal_curve",
    title="The universal curve",
    reference=references.universal_curve,
    cases=cases,
    properties=[ends_at_one_with_the_slope_of_the_frontier, levels_off_at_the_share_of_the_size],
    wrong_answers=slips(references.universal_curve, WRONG),
    hints=[
        "Put $t = x\\,t^*(p)$ into both terms. Which of them feels $x$?",
        "Where the derivatives balance, $A\\,t^{*-\\mu} = r\\,B\\,p^{-\\nu}$ with $r = \\nu/\\mu$. So every term is a "
        "multiple of $B\\,p^{-\\nu}$, which cancels in $\\ell(x)$.",
    ],
    core=False,
    full_size=lambda generator: Case(
        "397 points", (torch.linspace(0.01, 1, 397, dtype=torch.float64), 0.47, 0.7)
    ),
    slow_factor=100,
    float32=False,
)
