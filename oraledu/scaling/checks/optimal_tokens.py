"""Exercise 3: the horizon of the two-term model, from its derivative."""

import torch

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import uniform


def cases(generator: torch.Generator) -> list[Case]:
    """Return models with either exponent the larger, equal ones, and coefficients near and far from 1."""
    sizes = torch.tensor([30.0, 100.0, 700.0, 4000.0], dtype=torch.float64)
    a, b = uniform(2, 5, generator), uniform(0.2, 0.8, generator)
    return [
        Case("the size term falls faster", (sizes, 0.4, 0.62, a, b)),
        Case("the time term falls faster", (sizes, 0.7, 0.5, b, a)),
        Case("equal exponents", (sizes, 0.5, 0.5, a, b)),
        Case("exponents of the solvable ladder", (sizes, 0.7 / 1.5, 0.7, 1.0, 1.0)),
        Case("one size", (sizes[:1], *_model(generator))),
        Case("less than one token", (sizes, 0.6, 0.5, 1e-3 * a, b)),
        Case("sizes in millions", (1e-6 * sizes, 0.4, 0.7, a, 1e-4 * b)),
    ]


def _model(generator: torch.Generator) -> tuple[float, float, float, float]:
    """Draw μ, ν, A and B."""
    exponents = uniform(0.3, 0.8, generator), uniform(0.3, 0.8, generator)
    return *exponents, uniform(0.5, 4, generator), uniform(0.5, 4, generator)


def has_the_lowest_loss_at_equal_compute(function: Function, generator: torch.Generator) -> str | None:
    """Spend the same compute on many sizes, and ask for the size with the lowest loss."""
    for _ in range(3):
        mu, nu, a, b = _model(generator)
        size = torch.tensor([uniform(50, 500, generator)], dtype=torch.float64)
        product = function(size, mu, nu, a, b) * size  # the compute, over 6
        others = size * torch.exp(torch.linspace(-3, 3, 6001, dtype=torch.float64))
        losses = a * (product / others) ** -mu + b * others**-nu
        best = float(others[losses.argmin()] / size)
        if not abs(best - 1) < 0.01:
            return (
                f"with the compute that your horizon gives a size, the lowest loss is at {best:.3g} times that size "
                f"(μ = {mu:.2f}, ν = {nu:.2f})"
            )
    return None


def grows_as_a_power(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the exponent ν / μ, and for the right answer to a change of either coefficient."""
    mu, nu, a, b = _model(generator)
    size = torch.tensor([100.0], dtype=torch.float64)
    tokens = function(size, mu, nu, a, b)
    grown = float(function(10 * size, mu, nu, a, b) / tokens)
    if not abs(grown / 10 ** (nu / mu) - 1) < 1e-9:
        return f"ten times the size should have 10^(ν/μ) = {10 ** (nu / mu):.4g} times the tokens, not {grown:.4g}"
    if not float(function(size, mu, nu, 2 * a, b)) > float(tokens):
        return "if time costs more loss (a larger coefficient), more tokens are worth their compute"
    same = abs(float(function(size, mu, nu, 3 * a, 3 * b) / tokens) - 1) < 1e-9
    return None if same else "both terms times 3 should leave the horizon where it is"


WRONG = r"""
nu / mu * (b => (b
  :: You balance the two terms; at the optimum their derivatives balance, μ A t^(-μ) = ν B p^(-ν)
nu / mu * (b => mu / nu * (b :: The factor before B / A is ν / μ, not its inverse
b / a => a / b :: The roles of `time` and `size` are exchanged
b / a => 1 :: The horizon depends on `time` and `size` as well
-1 / mu => 1 / mu :: The sign of the root: t^(-μ) = (ν B / μ A) p^(-ν), so that the power is -1/μ
-1 / mu => -1 / nu :: Solve for t: the root is -1/μ, not -1/ν
 ** (-1 / mu) => **-1 :: Solve for t: take the root -1/μ of the factor too
** (nu / mu) => ** (mu / nu) :: The horizon grows as p^(ν/μ), not as p^(μ/ν)
** (nu / mu) => ** (-nu / mu) :: The horizon grows with the size: the power is +ν/μ
** (nu / mu) => **nu :: Take the root 1/μ of p^ν too: the power is ν/μ
(nu / mu) => 1 :: Tokens are in proportion to the size only if μ = ν; in general the power is ν/μ
return => return 6 * parameters * :: This is the compute 6 t p; the tokens are asked for
return => tokens =
* growth => * growth\n    return tokens.clamp(min=1) :: Return what the formula gives, below one token too
"""

optimal_tokens = Exercise(
    id="scaling.optimal_tokens",
    title="The compute-optimal horizon",
    reference=references.optimal_tokens,
    cases=cases,
    properties=[has_the_lowest_loss_at_equal_compute, grows_as_a_power],
    wrong_answers=slips(references.optimal_tokens, WRONG),
    hints=[
        "At fixed compute $t = c / (6p)$, so $\\log t$ falls by as much as $\\log p$ rises. Write $L$ as a function of "
        "$\\log p$ and take the derivative.",
        "$\\partial L / \\partial \\log p = \\mu\\, A\\, t^{-\\mu} - \\nu\\, B\\, p^{-\\nu}$. Where it vanishes, solve "
        "for $t$.",
        "$t^{-\\mu} = \\frac{\\nu B}{\\mu A}\\, p^{-\\nu}$. Take both sides to the power $-1/\\mu$; the compute has "
        "dropped out.",
    ],
    full_size=lambda generator: Case(
        "199 sizes", (torch.logspace(1, 6, 199, dtype=torch.float64), *_model(generator))
    ),
    slow_factor=100,
    float32=False,
)
