"""Exercise 2: the average gradient outer product of a quadratic kernel machine."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import rfm
from oraledu.grokking.arithmetic import one_hot_pairs
from oraledu.grokking.checks.inputs import largest_error, random_coefficients, random_metric, random_pairs


def cases(generator: torch.Generator) -> list[Case]:
    """Return machines with a random metric and random coefficients, centred and not."""
    p, n = 5, 12
    pairs, metric = random_pairs(p, n, generator), random_metric(p, generator)
    coefficients = random_coefficients(n, p, generator)
    return [
        Case("not centred", (pairs, coefficients, metric), {"centre": False}),
        Case("centred", (pairs, coefficients, metric)),
        Case("the identity metric", (pairs, coefficients, torch.eye(2 * p, dtype=torch.float64))),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a machine as large as in the large run: p = 61, half of the table."""
    p = 61
    pairs = random_pairs(p, p * p // 2, generator)
    return Case("p = 61", (pairs, random_coefficients(len(pairs), p, generator), random_metric(p, generator)))


def _machine(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    p, n = 5, 9
    return random_pairs(p, n, generator), random_coefficients(n, p, generator), random_metric(p, generator)


def _jacobians(pairs: Tensor, coefficients: Tensor, metric: Tensor) -> Tensor:
    """Return the gradients of all scores at all training inputs by automatic differentiation: (n, 2p, p)."""
    inputs = one_hot_pairs(pairs, len(metric) // 2)

    def scores(x: Tensor) -> Tensor:
        return (inputs @ metric @ x).square() @ coefficients

    return torch.stack([torch.func.jacrev(scores)(x).T for x in inputs])


def agrees_with_automatic_differentiation(function: Function, generator: torch.Generator) -> str | None:
    """Compare with Jacobians that were not derived by hand."""
    machine = _machine(generator)
    jacobians = _jacobians(*machine)
    expected = (jacobians @ jacobians.mT).mean(0)
    error = largest_error(function(*machine, centre=False), expected)
    if error > 1e-10:
        return (
            f"without centring it differs from automatic differentiation by {error:.1g} of its largest entry"
        )
    centred = jacobians - jacobians.mean(0)
    error = largest_error(function(*machine, centre=True), (centred @ centred.mT).mean(0))
    return None if error < 1e-10 else f"centred, it differs from automatic differentiation by {error:.1g}"


def is_symmetric_and_positive(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a symmetric matrix with no negative eigenvalue."""
    agop = function(*_machine(generator))
    if largest_error(agop, agop.T) > 1e-12:
        return "an AGOP is symmetric: a sum of products J J'"
    return (
        None
        if torch.linalg.eigvalsh(agop)[0] > -1e-12 * agop.trace()
        else "an AGOP has no negative eigenvalue"
    )


def trace_is_the_mean_squared_jacobian(function: Function, generator: torch.Generator) -> str | None:
    """Ask for tr G = mean of the squared norms of the Jacobians."""
    machine = _machine(generator)
    expected = _jacobians(*machine).square().sum(dim=(1, 2)).mean()
    ratio = (function(*machine, centre=False).trace() / expected).item()
    return (
        None
        if abs(ratio - 1) < 1e-10
        else f"its trace should be the mean squared size of the Jacobian, not {ratio:.3g} of it"
    )


def _inner(pairs: Tensor, metric: Tensor) -> Tensor:
    return _x(pairs, metric) @ metric @ _x(pairs, metric).T


def _x(pairs: Tensor, metric: Tensor) -> Tensor:
    return one_hot_pairs(pairs, len(metric) // 2)


def _by_parts(
    pairs: Tensor,
    coefficients: Tensor,
    metric: Tensor,
    centre: bool,
    *,
    factor: float = 2.0,
    outer: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return the Jacobians (n, 2p, p) and their mean, or those of T alone if the metric is left out."""
    x, inner = _x(pairs, metric), _inner(pairs, metric)
    jacobians = factor * torch.einsum("jd,ij,jl->idl", x, inner, coefficients)
    if outer:
        jacobians = metric @ jacobians
    return jacobians, jacobians.mean(0) if centre else torch.zeros_like(jacobians[0])


def _factor_missing(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    jacobians, mean = _by_parts(pairs, coefficients, metric, centre, factor=1.0)
    return (jacobians @ jacobians.mT).mean(0) - mean @ mean.T


def _factor_once(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    jacobians, mean = _by_parts(pairs, coefficients, metric, centre, factor=2**0.5)
    return (jacobians @ jacobians.mT).mean(0) - mean @ mean.T


def _summed(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    jacobians, mean = _by_parts(pairs, coefficients, metric, centre)
    return (jacobians @ jacobians.mT).sum(0) - len(pairs) * mean @ mean.T


def _never_centred(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    jacobians, _ = _by_parts(pairs, coefficients, metric, centre)
    return (jacobians @ jacobians.mT).mean(0)


def _always_centred(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    jacobians, mean = _by_parts(pairs, coefficients, metric, True)
    return (jacobians @ jacobians.mT).mean(0) - mean @ mean.T


def _metric_left_out(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    jacobians, mean = _by_parts(pairs, coefficients, metric, centre, outer=False)
    return (jacobians @ jacobians.mT).mean(0) - mean @ mean.T


def _kernel_instead_of_inner(
    pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True
) -> Tensor:
    x, gram = _x(pairs, metric), _inner(pairs, metric) ** 2
    jacobians = 2 * metric @ torch.einsum("jd,ij,jl->idl", x, gram, coefficients)
    mean = jacobians.mean(0) if centre else torch.zeros_like(jacobians[0])
    return (jacobians @ jacobians.mT).mean(0) - mean @ mean.T


def _inner_of_classes(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    jacobians, mean = _by_parts(pairs, coefficients, metric, centre)
    centred = jacobians - mean
    return (centred.mT @ centred).mean(0)


quadratic_agop = Exercise(
    id="grokking.quadratic_agop",
    title="The average gradient outer product",
    reference=rfm.quadratic_agop,
    cases=cases,
    properties=[
        Property("agrees with automatic differentiation", agrees_with_automatic_differentiation),
        Property("symmetric, positive semidefinite", is_symmetric_and_positive),
        Property("its trace is the mean squared Jacobian", trace_is_the_mean_squared_jacobian),
    ],
    wrong_answers=[
        WrongAnswer(
            _factor_missing, "The derivative of the square brings a factor 2, and G holds it squared: 4"
        ),
        WrongAnswer(_factor_once, "The factor 2 of the derivative enters G squared"),
        WrongAnswer(_summed, "G is a mean over the training pairs: divide by n"),
        WrongAnswer(_never_centred, "With centre=True the mean Jacobian's outer product has to be taken off"),
        WrongAnswer(_always_centred, "With centre=False nothing is taken off"),
        WrongAnswer(
            _metric_left_out, "The gradient of x' M z in x is M z: a factor M stands on both sides of G"
        ),
        WrongAnswer(_kernel_instead_of_inner, "The derivative of S² is 2 S: weigh with S, not with K = S²"),
        WrongAnswer(_inner_of_classes, "G is J J' (2p by 2p), not J' J (p by p)"),
    ],
    hints=[
        "Leave the centring for last. How large is $X^\\top [\\,\\cdot\\,] X$, and what stands in the brackets?",
        "With $X$ = `arithmetic.one_hot_pairs(pairs, p)` and $S = X M X^\\top$, the bracket is "
        "`(coefficients @ coefficients.T) * (S.T @ S)`, an $n \\times n$ matrix.",
        "The mean Jacobian is `2 * metric @ X.T @ (S.mean(0)[:, None] * coefficients)`, of shape $2p \\times p$. To be "
        "fast at full size, compute $S^\\top S$ as $X Q X^\\top$ with $Q = M X^\\top X M$.",
    ],
    full_size=full_size,
    # S'S as a product of n × n matrices costs n³ and is right; only a Jacobian for each sample is too slow.
    slow_factor=100,
)
