"""Exercise 5: the log density of a noisy patch, whose derivative is the score."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion.checks import references
from oraledu.diffusion.checks.inputs import largest_difference, posterior_mean


def cases(generator: torch.Generator) -> list[Case]:
    """Return noise levels from nearly all to nearly none, one patch, one query, and float32."""
    queries, patches = _patches(generator, 4, 9), _patches(generator, 7, 9)
    return [
        Case("four queries, seven patches", (queries, patches, 0.4)),
        Case("nearly all noise", (queries, patches, 2e-4)),
        Case("hardly any noise", (queries, patches, 0.9999)),
        Case("one query", (queries[:1], patches, 0.7)),
        Case("one patch", (queries, patches[:1], 0.5)),
        Case("as many queries as patches", (_patches(generator, 7, 5), _patches(generator, 7, 5), 0.3)),
        Case("patches in float32", (queries.float(), patches.float(), 0.6)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the patches of 500 images of 14×14, k = 3, and a few queries."""
    return Case(
        "98000 patches", (_patches(generator, 4, 9).float(), _patches(generator, 98000, 9).float(), 0.5)
    )


def _patches(generator: torch.Generator, count: int, size: int) -> Tensor:
    return torch.randn(count, size, generator=generator, dtype=torch.float64)


def _gradient(value: Tensor) -> Tensor | None:
    """Return the gradient of a sum of results at the one leaf they depend on: the function saw a copy."""
    value.sum().backward()
    nodes: list[Any] = [value.grad_fn]
    while nodes:
        node = nodes.pop()
        if hasattr(node, "variable"):
            return node.variable.grad
        nodes += [following for following, _ in node.next_functions if following]
    return None


def its_gradient_is_the_score(function: Function, generator: torch.Generator) -> str | None:
    """Ask autograd for (a x̂₀ - q)/b² with x̂₀ the posterior mean of the patch."""
    queries, patches = _patches(generator, 3, 9), _patches(generator, 6, 9)
    for alpha_bar in (0.2, 0.8):
        value = function(queries.clone().requires_grad_(), patches, alpha_bar)
        if not value.requires_grad:
            return "the result cannot be differentiated: stay in torch, without `detach` and `no_grad`"
        means = torch.stack([posterior_mean(query, patches, patches, alpha_bar) for query in queries])
        score = (alpha_bar**0.5 * means - queries) / (1 - alpha_bar)
        found = _gradient(value)
        if found is None or not largest_difference(found, score) < 1e-9 * float(score.abs().max()):
            return f"at ᾱ = {alpha_bar:g} its gradient in q is not the score (a x̂₀ - q)/b²"
    return None


def lies_below_the_nearest_patch(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a mean: below the largest term, and above its share of the sum."""
    queries, patches = _patches(generator, 5, 4), _patches(generator, 8, 4)
    squares = (queries[:, None] - 0.6**0.5 * patches).square().sum(-1)
    largest = (-squares / 0.8).amax(1)
    found = function(queries, patches, 0.6)
    if not (found <= largest + 1e-10).all():
        return "a mean of exponentials cannot be above the largest of them"
    lowest = largest - torch.tensor(8.0, dtype=torch.float64).log()
    return None if (found >= lowest - 1e-10).all() else "it is below a P-th of the largest exponential alone"


def depends_on_the_set_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same number after a shuffle, and with every patch there twice."""
    queries, patches = _patches(generator, 3, 9), _patches(generator, 6, 9)
    plain = function(queries, patches, 0.5)
    if not largest_difference(function(queries, patches.flip(0), 0.5), plain) < 1e-10:
        return "the order of the patches should not matter"
    # A logarithm of the number of patches in float32 is good enough; a sum in place of the mean is off by log 2.
    if not largest_difference(function(queries, torch.cat([patches, patches]), 0.5), plain) < 1e-5:
        return "with every patch there twice the mean should stay as it is: take the mean, not the sum"
    return None


def _squares(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    return (queries[:, None] - alpha_bar**0.5 * patches).square().sum(-1)


def _log_mean(logits: Tensor, dim: int = 1) -> Tensor:
    return torch.logsumexp(logits, dim) - torch.tensor(logits.shape[dim]).log()


def _changed(
    *,
    squares: Callable[[Tensor, Tensor, float], Tensor] = _squares,
    spread: Callable[[float], float] = lambda alpha_bar: 2 * (1 - alpha_bar),
    collect: Callable[[Tensor], Tensor] = _log_mean,
) -> Function:
    """Return the plain method with one thing changed."""

    def log_marginal(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
        return collect(-squares(queries, patches, alpha_bar) / spread(alpha_bar))

    return log_marginal


def _not_squared(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    return _squares(queries, patches, alpha_bar).sqrt()


def _of_whole_patches(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    return (queries[:, None] - patches).square().sum(-1)


def _mean_over_the_patch(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    return (queries[:, None] - alpha_bar**0.5 * patches).square().mean(-1)


def _normalised(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    constant = queries.shape[1] / 2 * torch.tensor(2 * torch.pi * (1 - alpha_bar)).log()
    return _changed()(queries, patches, alpha_bar) - constant


def _detached(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    with torch.no_grad():
        return _changed()(queries, patches, alpha_bar)


def _one_number(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    return _changed()(queries, patches, alpha_bar).sum()


log_marginal = Exercise(
    id="diffusion.log_marginal",
    title="The log density of a noisy patch",
    reference=references.log_marginal,
    cases=cases,
    properties=[
        Property("its gradient is the score", its_gradient_is_the_score),
        Property("a mean of exponentials", lies_below_the_nearest_patch),
        Property("a set has no order", depends_on_the_set_alone),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(collect=lambda logits: logits.exp().mean(1).log()),
            "With little noise every exponential underflows, and the log of 0 is left: use `torch.logsumexp`",
        ),
        WrongAnswer(
            _changed(collect=lambda logits: torch.logsumexp(logits, 1)),
            "Divide by the number of patches: it is the log of a mean, not of a sum",
        ),
        WrongAnswer(
            _changed(collect=lambda logits: logits.mean(1)),
            "It is the log of the mean, not the mean of the logs",
        ),
        WrongAnswer(
            _changed(collect=lambda logits: logits.amax(1)), "All patches count, not the nearest one alone"
        ),
        WrongAnswer(
            _changed(collect=lambda logits: _log_mean(logits, 0)),
            "The mean runs over the patches, and one number is left for each query",
        ),
        WrongAnswer(
            _changed(collect=lambda logits: _log_mean(logits).exp()),
            "Return the log of the density, not the density",
        ),
        WrongAnswer(_changed(collect=lambda logits: _log_mean(-logits)), "The exponent is negative"),
        WrongAnswer(
            _changed(spread=lambda alpha_bar: 2 * (1 - alpha_bar) ** 0.5),
            "Divide by 2b², the variance twice, not by 2b",
        ),
        WrongAnswer(
            _changed(spread=lambda alpha_bar: 1 - alpha_bar),
            "The exponent of a Gaussian is the squared distance over 2b²: you left out the 2",
        ),
        WrongAnswer(_changed(squares=_not_squared), "The distance stands squared in the exponent"),
        WrongAnswer(
            _changed(squares=_of_whole_patches), "Compare q with a times a patch, not with the patch"
        ),
        WrongAnswer(
            _changed(squares=_mean_over_the_patch), "The squared distance is a sum over the patch, not a mean"
        ),
        WrongAnswer(
            _normalised,
            "Leave the Gaussian's constant factor out: the definition starts from the exponential alone",
        ),
        WrongAnswer(
            _detached,
            "The lesson differentiates the result: compute it with gradients, without `torch.no_grad`",
        ),
        WrongAnswer(_one_number, "Return one number for each query, not their sum"),
    ],
    hints=[
        "`queries[:, None] - a * patches` has shape $Q \\times P \\times K$. Its squares, summed over the last "
        "dimension, are the $Q \\times P$ distances.",
        "`torch.logsumexp(exponents, dim=1)` is the log of a sum, and does not underflow. What turns the sum into a "
        "mean?",
    ],
    core=False,
    tolerance=1e-6,
    full_size=full_size,
)
