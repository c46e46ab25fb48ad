"""Exercise 6: the average gradient outer product of a Gaussian kernel machine."""

from typing import Any

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import rfm
from oraledu.grokking.arithmetic import one_hot_pairs
from oraledu.grokking.checks.inputs import largest_error, random_coefficients, random_metric, random_pairs


def cases(generator: torch.Generator) -> list[Case]:
    """Return machines centred and not, with another bandwidth, and with the identity as metric."""
    pairs, coefficients, metric = _machine(generator)
    return [
        Case("not centred", (pairs, coefficients, metric), {"centre": False}),
        Case("centred", (pairs, coefficients, metric)),
        Case("another bandwidth", (pairs, coefficients, metric), {"bandwidth": 1.7}),
        Case("the identity metric", (pairs, coefficients, torch.eye(len(metric), dtype=torch.float64))),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a machine as large as in the run of the four operations: p = 31, three quarters of the table."""
    p = 31
    pairs = random_pairs(p, 3 * p * p // 4, generator)
    return Case("p = 31", (pairs, random_coefficients(len(pairs), p, generator), random_metric(p, generator)))


def _machine(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    p, n = 5, 12
    return random_pairs(p, n, generator), random_coefficients(n, p, generator), random_metric(p, generator)


def _jacobians(pairs: Tensor, coefficients: Tensor, metric: Tensor, bandwidth: float) -> Tensor:
    """Return the gradients of all scores at all training inputs by automatic differentiation: (n, 2p, p)."""
    inputs = one_hot_pairs(pairs, len(metric) // 2)

    def scores(x: Tensor) -> Tensor:
        steps = x - inputs
        return torch.exp(-((steps @ metric) * steps).sum(1) / (2 * bandwidth**2)) @ coefficients

    return torch.stack([torch.func.jacrev(scores)(x).T for x in inputs])


def agrees_with_automatic_differentiation(function: Function, generator: torch.Generator) -> str | None:
    """Compare with Jacobians that were not derived by hand."""
    machine = _machine(generator)
    for bandwidth in (2.5, 0.8):
        jacobians = _jacobians(*machine, bandwidth)
        for centre in (False, True):
            used = jacobians - jacobians.mean(0) if centre else jacobians
            found = function(*machine, bandwidth=bandwidth, centre=centre)
            error = largest_error(found, (used @ used.mT).mean(0))
            if not error < 1e-10:
                return (
                    f"with bandwidth={bandwidth} and centre={centre} it differs from automatic differentiation "
                    f"by {error:.1g} of its largest entry"
                )
    return None


def is_symmetric_and_positive(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a symmetric matrix with no negative eigenvalue."""
    agop = function(*_machine(generator))
    if not largest_error(agop, agop.T) < 1e-12:
        return "an AGOP is symmetric: a sum of products J J'"
    smallest = torch.linalg.eigvalsh(agop)[0]
    return None if smallest > -1e-12 * agop.trace() else "an AGOP has no negative eigenvalue"


def ignores_the_direction_that_no_pair_has(function: Function, generator: torch.Generator) -> str | None:
    """Ask for G (1, -1) = 0 with the identity as metric: differences of inputs are at right angles to it."""
    pairs, coefficients, metric = _machine(generator)
    p = len(metric) // 2
    agop = function(pairs, coefficients, torch.eye(2 * p, dtype=torch.float64))
    for sign in (1, -1):
        direction = torch.cat([torch.ones(p), sign * torch.ones(p)]).double()
        if not (agop @ direction).abs().max() < 1e-12 * agop.trace():
            return "the gradients are sums of differences x_i - x_j, whose halves sum to 0; yours are not"
    return None


def _from_jacobians(**change: Any) -> Function:
    """Return the plain method with one thing changed."""

    def agop(
        pairs: Tensor, coefficients: Tensor, metric: Tensor, *, bandwidth: float = 2.5, centre: bool = True
    ) -> Tensor:
        length = change.get("length", bandwidth)
        x = one_hot_pairs(pairs, len(metric) // 2)
        kernel = rfm.gaussian_gram(pairs, pairs, metric, bandwidth=length)
        inside = torch.einsum("jd,ij,jl->idl", x, kernel, coefficients)
        if change.get("pull", True):
            inside = inside - x[:, :, None] * (kernel @ coefficients)[:, None]
        outer = metric if change.get("outer", True) else torch.eye(len(metric), dtype=metric.dtype)
        jacobians = outer @ inside * change.get("scale", lambda length: 1 / length**2)(length)
        if change.get("centre", centre):
            jacobians = jacobians - jacobians.mean(0)
        products = jacobians @ jacobians.mT
        return products.sum(0) if change.get("summed") else products.mean(0)

    return agop


gaussian_agop = Exercise(
    id="grokking.gaussian_agop",
    title="The AGOP of a Gaussian machine",
    reference=rfm.gaussian_agop,
    cases=cases,
    properties=[
        Property("agrees with automatic differentiation", agrees_with_automatic_differentiation),
        Property("symmetric, positive semidefinite", is_symmetric_and_positive),
        Property("blind to what all inputs share", ignores_the_direction_that_no_pair_has),
    ],
    wrong_answers=[
        WrongAnswer(
            _from_jacobians(pull=False),
            "The kernel depends on x - x_j: you left out the term with x_i itself, times the prediction there",
        ),
        WrongAnswer(
            _from_jacobians(scale=lambda length: 1 / length), "The gradient has the factor 1/L², not 1/L"
        ),
        WrongAnswer(
            _from_jacobians(scale=lambda length: 1 / (2 * length**2)),
            "The derivative of the square brings a 2 that cancels the one in the exponent: the factor is 1/L²",
        ),
        WrongAnswer(
            _from_jacobians(scale=lambda length: 1.0),
            "The factor 1/L² of the gradient is missing: in G it stands squared",
        ),
        WrongAnswer(
            _from_jacobians(outer=False),
            "The gradient of the squared distance is 2 M (x - x_j): you left out M",
        ),
        WrongAnswer(_from_jacobians(summed=True), "G is a mean over the training pairs: divide by n"),
        WrongAnswer(
            _from_jacobians(centre=False), "With centre=True the mean Jacobian has to be taken off first"
        ),
        WrongAnswer(_from_jacobians(centre=True), "With centre=False nothing is taken off"),
        WrongAnswer(_from_jacobians(length=2.5), "The bandwidth is an argument, and it is not always 2.5"),
    ],
    hints=[
        "For one sample $i$ the bracket is `x.T @ (kernel[i][:, None] * coefficients)` minus the outer product of "
        "`x[i]` and `kernel[i] @ coefficients`. Start with a loop over $i$, and sum $J_i J_i^\\top$ and $J_i$.",
        "To be faster, take 64 samples at once: the first term becomes an `einsum` of $X$, of 64 rows of $K$ and of "
        "$\\alpha$, with an index for each of sample, input and class.",
        "The mean Jacobian is a $2p \\times p$ matrix $\\bar J$; centred, $G_c = G - \\bar J \\bar J^\\top$.",
    ],
    core=False,
    full_size=full_size,
    slow_factor=40,
)
