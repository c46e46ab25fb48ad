"""Exercise 9: the exact mean of one step of stochastic gradient descent."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import largest_difference, normal, uniform

COPIES = 40_000
#: How many standard errors a mean of random runs may be off. There are 24 of them in a check: three would be too few.
ERRORS = 5.5


def cases(generator: torch.Generator) -> list[Case]:
    """Return steps with large and small batches, rates, moments and noise."""
    moments, eigenvalues = _state(generator)
    rate, noise = uniform(0.2, 0.6, generator), uniform(0.3, 2, generator)
    zeros = torch.zeros_like(moments)
    return [
        Case("a batch of 8", (moments, eigenvalues, rate, 8, noise)),
        Case("a batch of one", (moments, eigenvalues, rate, 1, noise)),
        Case("a large batch", (moments, eigenvalues, rate, 500, noise)),
        Case("no noise", (moments, eigenvalues, rate, 4, 0.0)),
        Case("no error yet to remove", (zeros, eigenvalues, rate, 4, noise)),
        Case("a rate of zero", (moments, eigenvalues, 0.0, 4, noise)),
        Case("one direction", (moments[:1], eigenvalues[:1], rate, 2, noise)),
        Case("noise alone in a very large batch", (zeros, eigenvalues, rate, 98_009, noise)),
        Case(
            "an unstable rate, eigenvalues in no order", (moments, 1.7 * eigenvalues.roll(2), 1.5, 4, noise)
        ),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a step of about the widest model of the solvable ladder: 383 directions."""
    index = torch.arange(1, 384, dtype=torch.float64)
    moments = index**-0.2 * normal(generator, 383).square()
    return Case("383 directions", (moments, index**-1.5, 0.5, 8, 0.02))


def _state(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw squared errors of six directions, and falling eigenvalues."""
    eigenvalues = torch.arange(1, 7, dtype=torch.float64) ** -uniform(0.5, 1.5, generator)
    return 0.2 + normal(generator, 6).square(), eigenvalues


def agrees_with_random_runs(function: Function, generator: torch.Generator) -> str | None:
    """Train many copies on random examples, and ask for the mean of their squared errors, step by step."""
    moments, eigenvalues = _state(generator)
    rate, batch, noise = 0.3, 2, 1.5
    errors = moments.sqrt().expand(COPIES, -1).clone()  # e of every copy
    for step in range(1, 5):
        x = normal(generator, COPIES, batch, 6) * eigenvalues.sqrt()
        residual = (x * errors[:, None]).sum(-1) + noise**0.5 * normal(generator, COPIES, batch)
        errors -= rate * (residual[..., None] * x).mean(1)
        moments = function(moments, eigenvalues, rate, batch, noise)
        squares = errors.square()
        distance = (moments - squares.mean(0)) / (squares.std(0) / COPIES**0.5)
        if not distance.abs().max() < ERRORS:
            return (
                f"after {step} steps of {COPIES} random runs its mean squared errors are "
                f"{float(distance.abs().max()):.0f} standard errors away from theirs"
            )
    return None


def has_both_limits(function: Function, generator: torch.Generator) -> str | None:
    """Ask for gradient descent in an endless batch, and at a small rate for an excess of h Tr Σ / 4."""
    moments, eigenvalues = _state(generator)
    found = function(moments, eigenvalues, 0.4, 10**9, 0.7)
    if not largest_difference(found, (1 - 0.4 * eigenvalues).square() * moments) < 1e-7:
        return "with an endless batch the step is gradient descent: m (1 - h λ)²"
    rate, batch, noise = 1e-4, 4, uniform(0.5, 3, generator)
    curvature = torch.tensor([uniform(0.5, 1.5, generator)], dtype=torch.float64)
    zero, one = torch.zeros_like(curvature), torch.ones_like(curvature)
    push = function(zero, curvature, rate, batch, noise)  # the step is a linear function of the moments
    pull = 1 - (function(one, curvature, rate, batch, noise) - push)
    excess, trace = float(curvature * push / pull / 2), float(curvature * noise / batch)
    if abs(excess / (rate * trace / 4) - 1) < 0.01:
        return None
    return f"in balance the noise should keep a loss of h Tr Σ / 4; yours keeps {excess / (rate * trace):.3g} h Tr Σ"


WRONG = r"""
2 * squared => squared
  :: The fourth moment of a Gaussian: the example's own square brings 2 λ² m besides λ R, not λ² m
 + 2 * squared =>
  :: The fourth moment of a Gaussian: besides λ R the square of one example's gradient has 2 λ² m
moments + noise => moments :: R is the whole squared residual: the noise belongs to it too
moments + noise => moments + noise**2 :: The noise is given as a variance: do not square it
eigenvalues @ moments => moments.sum() :: R = Σ λ m + noise: weigh each squared error by its eigenvalue
* risk => * risk / 2 :: R is the mean squared residual; the loss is half of it
eigenvalues @ => eigenvalues * :: R is one number for all directions: sum λ m over them
(1 - 1 / batch) => 0 :: Pairs of different examples count too: they bring (1 - 1/M) λ² m
1 / => 0 / :: There are M (M - 1) pairs of different examples among M²: their share is 1 - 1/M
 / batch + (1 - 1 / batch) * squared =>
  :: A batch averages: the square of one example's gradient has the share 1/M
h + => h**2 + :: Of the M² pairs M are the same example twice: their share is 1/M, not 1/M²
rate**2 => rate :: The square of the step carries the rate squared, h²
rate**2 => 0 :: The square of the step is missing: without it the noise would add nothing
1 - 2 * => 1 - :: Squaring e - h g gives -2 h e g: the moments shrink by 2 h λ, not h λ
1 - 2 * => 1 + 2 * :: The step goes downhill: the moments shrink, 1 - 2 h λ
s * risk => s**2 * risk :: A gradient's noise in direction i is λ R, with λ to the first power
(eigenvalues * risk => (risk :: A gradient's noise in direction i is λ R: you left out λ
    risk =>     moments = moments * (1 - 2 * rate * eigenvalues)\n    risk
return moments * (1 - 2 * rate * eigenvalues) => return moments
  :: All of the step is taken at the old moments: do not update them halfway
s * (1 => s.mul_(1 :: It changes the moments: use `moments * …`, not `moments *= …`
h + => h * (batch < 999) + :: A large batch is not endless: its noise has the share 1/M
"""

mean_step = Exercise(
    id="scaling.mean_step",
    title="The mean of a step of gradient descent",
    reference=references.mean_step,
    cases=cases,
    properties=[agrees_with_random_runs, has_both_limits],
    wrong_answers=slips(references.mean_step, WRONG),
    hints=[
        "With $g$ the gradient, $e_i' = e_i - h\\,g_i$, so $m_i' = m_i - 2h\\,\\mathbb{E}\\,e_i g_i "
        "+ h^2\\,\\mathbb{E}\\,g_i^2$. The middle term is $-2h\\lambda_i m_i$.",
        "In $\\mathbb{E}\\,g_i^2$ an example meets itself with the share $1/M$, and then brings $\\lambda_i R + "
        "2\\lambda_i^2 m_i$ (fourth moments of a Gaussian); two different ones bring $\\lambda_i^2 m_i$.",
        "`risk = eigenvalues @ moments + noise` is one number. The rest is arithmetic on vectors, all of it with the "
        "old moments.",
    ],
    full_size=full_size,
    slow_factor=50,
    float32=False,
)
