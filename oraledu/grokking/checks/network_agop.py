"""Exercise 9: the average gradient outer product of a network."""

from typing import Any

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import networks
from oraledu.grokking.arithmetic import one_hot_pairs
from oraledu.grokking.checks.inputs import largest_error, random_pairs


def _network(generator: torch.Generator, p: int, width: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw W1 (width, 2p), W2 (p, width) and n training pairs."""
    first = torch.randn(width, 2 * p, generator=generator, dtype=torch.float64)
    second = torch.randn(p, width, generator=generator, dtype=torch.float64)
    return first, second, random_pairs(p, n, generator)


def cases(generator: torch.Generator) -> list[Case]:
    """Return a network as wide as its output, a narrower and a wider one, and one in float32."""
    first, second, pairs = _network(generator, 5, 8, 14)
    return [
        Case("as many hidden units as classes", _network(generator, 5, 5, 12)),
        Case("a narrow network", _network(generator, 5, 3, 11)),
        Case("a wide network", _network(generator, 5, 17, 9)),
        Case("a network in float32", (first.float(), second.float(), pairs)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a network as large as the lesson's: p = 31, 256 hidden units."""
    return Case("p = 31, width 256", _network(generator, 31, 256, 624))


def _jacobians(first: Tensor, second: Tensor, pairs: Tensor) -> Tensor:
    """Return the gradients of all outputs at all pairs by automatic differentiation: (n, 2p, p)."""

    def outputs(x: Tensor) -> Tensor:
        return second @ (first @ x).square()

    inputs = one_hot_pairs(pairs, first.shape[1] // 2)
    return torch.stack([torch.func.jacrev(outputs)(x).T for x in inputs])


def agrees_with_automatic_differentiation(function: Function, generator: torch.Generator) -> str | None:
    """Compare with Jacobians that were not derived by hand."""
    network = _network(generator, 5, 7, 12)
    jacobians = _jacobians(*network)
    error = largest_error(function(*network), (jacobians @ jacobians.mT).mean(0))
    return (
        None
        if error < 1e-10
        else f"it differs from automatic differentiation by {error:.1g} of its largest entry"
    )


def is_symmetric_and_positive(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a symmetric matrix with no negative eigenvalue."""
    agop = function(*_network(generator, 5, 7, 12))
    if not largest_error(agop, agop.T) < 1e-12:
        return "an AGOP is symmetric: a sum of products J J'"
    smallest = torch.linalg.eigvalsh(agop)[0]
    return None if smallest > -1e-12 * agop.trace() else "an AGOP has no negative eigenvalue"


def trace_is_the_mean_squared_jacobian(function: Function, generator: torch.Generator) -> str | None:
    """Ask for tr G = mean of the squared norms of the Jacobians."""
    network = _network(generator, 5, 7, 12)
    expected = _jacobians(*network).square().sum(dim=(1, 2)).mean()
    ratio = (function(*network).trace() / expected).item()
    return (
        None
        if abs(ratio - 1) < 1e-10
        else f"its trace should be the mean squared size of the Jacobian, not {ratio:.3g} of it"
    )


def _changed(**change: Any) -> Function:
    """Return the closed form with one thing changed."""

    def network_agop(first: Tensor, second: Tensor, pairs: Tensor) -> Tensor:
        x = one_hot_pairs(pairs, first.shape[1] // 2).to(first)
        hidden = x @ first.T
        if change.get("activations"):
            hidden = hidden.square()
        moment = hidden.T @ hidden / (1 if change.get("summed") else len(pairs))
        if change.get("centred"):
            moment = moment - torch.outer(hidden.mean(0), hidden.mean(0))
        weights = second @ second.T if change.get("second_transposed") else second.T @ second
        inside = weights @ moment if change.get("matrix_product") else weights * moment
        return change.get("factor", 4) * first.T @ inside @ first

    return network_agop


def _classes(first: Tensor, second: Tensor, pairs: Tensor) -> Tensor:
    jacobians = _jacobians(first, second, pairs)
    return (jacobians.mT @ jacobians).mean(0)


def _hidden_side(first: Tensor, second: Tensor, pairs: Tensor) -> Tensor:
    hidden = one_hot_pairs(pairs, first.shape[1] // 2).to(first) @ first.T
    return 4 * (second.T @ second) * (hidden.T @ hidden) / len(pairs)


network_agop = Exercise(
    id="grokking.network_agop",
    title="The AGOP of a network",
    reference=networks.network_agop,
    cases=cases,
    properties=[
        Property("agrees with automatic differentiation", agrees_with_automatic_differentiation),
        Property("symmetric, positive semidefinite", is_symmetric_and_positive),
        Property("its trace is the mean squared Jacobian", trace_is_the_mean_squared_jacobian),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(factor=1), "The derivative of the square brings a factor 2, and G holds it squared: 4"
        ),
        WrongAnswer(_changed(factor=2), "The factor 2 of the derivative enters G squared"),
        WrongAnswer(_changed(summed=True), "G is a mean over the training pairs: divide by n"),
        WrongAnswer(_changed(second_transposed=True), "The product over classes is W2' W2, width by width"),
        WrongAnswer(_changed(matrix_product=True), "The two matrices are multiplied entry by entry"),
        WrongAnswer(_changed(activations=True), "The gradient holds h = W1 x itself, not its square"),
        WrongAnswer(_changed(centred=True), "This AGOP is not centred: leave the mean in"),
        WrongAnswer(_hidden_side, "The factors W1' and W1 on the outside are missing: G is 2p by 2p"),
        WrongAnswer(_classes, "G is J J' (2p by 2p), not J' J (p by p)"),
    ],
    hints=[
        "Compute $H = X W_1^\\top$ first, with `arithmetic.one_hot_pairs` for $X$: a row for each pair.",
        "The bracket is a `*` product of two `width × width` matrices, `second.T @ second` and `hidden.T @ hidden`. "
        "Which factors stand outside, and what does the mean over samples add?",
    ],
    core=False,
    full_size=full_size,
)
