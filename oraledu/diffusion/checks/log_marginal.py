"""Exercise 5: the log density of a noisy patch, whose derivative is the score."""

from math import log
from typing import Any

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion.checks import references
from oraledu.diffusion.checks.inputs import differ, normal, posterior_mean


def cases(generator: torch.Generator) -> list[Case]:
    """Return noise levels from nearly all to nearly none, one patch, one query, many patches, other scales."""
    queries, patches = normal(generator, 4, 9), normal(generator, 7, 9)
    many = normal(generator, 1031, 5)
    return [
        Case("four queries, seven patches", (queries, patches, 0.4)),
        Case("nearly all noise", (queries, patches, 2e-4)),
        Case("hardly any noise", (queries, patches, 0.9999)),
        Case("next to no noise", (queries, patches, 1 - 1e-8)),
        Case("faint patches, next to no noise", (1e-4 * queries, 1e-4 * patches, 1 - 1e-8)),
        Case("patches times 10000", (1e4 * queries, 1e4 * patches, 0.4)),
        Case("one query, one patch", (queries[:1], patches[:1], 0.5)),
        Case("as many queries as patches", (many[:7], many[7:14], 0.3)),
        Case("1031 patches", (many[-3:], many, 0.9)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return as many patches as 500 images of 14×14 have, but a prime number of them, and the last as queries."""
    patches = normal(generator, 98009, 9).float()
    return Case("98009 patches", (patches[-4:].clone(), patches, 0.9))


def its_gradient_is_the_score(function: Function, generator: torch.Generator) -> str | None:
    """Ask autograd for (a x̂₀ - q)/b² with x̂₀ the posterior mean of the patch."""
    queries, patches = normal(generator, 3, 9), normal(generator, 6, 9)
    for alpha_bar in (0.2, 0.8):
        value = function(queries.clone().requires_grad_(), patches, alpha_bar)
        if not value.requires_grad:
            return "the result cannot be differentiated: stay in torch, without `detach` and `no_grad`"
        means = torch.stack([posterior_mean(query, patches, patches, alpha_bar) for query in queries])
        score = (alpha_bar**0.5 * means - queries) / (1 - alpha_bar)
        found = _gradient(value)
        if found is None or differ(found, score, 1e-9 * float(score.abs().max())):
            return f"at ᾱ = {alpha_bar:g} its gradient in q is not the score (a x̂₀ - q)/b²"
    return None


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


def a_mean_of_exponentials(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a number between the largest term and its share of the sum, and for the set's own."""
    queries, patches = normal(generator, 5, 4), normal(generator, 8, 4)
    largest = -(queries[:, None] - 0.6**0.5 * patches).square().sum(-1).amin(1) / 0.8
    found = function(queries, patches, 0.6)
    if not (found <= largest + 1e-9).all():
        return "a mean of exponentials cannot be above the largest of them"
    if not (found >= largest - torch.tensor(8.0).double().log() - 1e-5).all():
        return "it is below a P-th of the largest exponential alone"
    if differ(function(queries, patches.flip(0), 0.6), found):
        return "the order of the patches should not matter"
    # A logarithm of the number of patches in float32 is good enough; a sum in place of the mean is off by log 2.
    if differ(function(queries, torch.cat([patches, patches]), 0.6), found, 1e-5):
        return "with every patch there twice the mean should stay as it is: take the mean, not the sum"
    return None


def plain(queries: Tensor, patches: Tensor, alpha_bar: float) -> Tensor:
    """Take the log of the mean over patches by `logsumexp`."""
    squares = (queries[:, None] - alpha_bar**0.5 * patches).square().sum(2)
    logits = -squares / (2 * (1 - alpha_bar))
    total, n = logits.logsumexp(1), logits.shape[1]
    return total - log(n)


WRONG = r"""
total - log(n) => logits.exp().mean(1).log()
  :: With little noise every exponential underflows, and the log of 0 is left: use `torch.logsumexp`
 - log(n) => :: Divide by the number of patches: it is the log of a mean, not of a sum
total - log(n) => logits.mean(1) :: It is the log of the mean, not the mean of the logs
total - log(n) => logits.amax(1) :: All patches count, not the nearest one alone
logits.logsumexp(1), logits.shape[1] => logits.logsumexp(0), logits.shape[0]
  :: The mean runs over the patches, and one number is left for each query
total - log(n) => total.exp() / n :: Return the log of the density, not the density
-squares => squares :: The exponent is negative
alpha_bar)) => alpha_bar) ** 0.5) :: Divide by 2b², the variance twice, not by 2b
2 * (1 - => (1 - :: The exponent of a Gaussian is the squared distance over 2b²: you left out the 2
.sum(2) => .sum(2).sqrt() :: The distance stands squared in the exponent
alpha_bar**0.5 * => :: Compare q with a times a patch, not with the patch
.sum(2) => .mean(2) :: The squared distance is a sum over the patch, not a mean
log(n) => log(n) - queries.shape[1] / 2 * log(2 * torch.pi * (1 - alpha_bar))
  :: Leave the Gaussian's constant factor out: the definition starts from the exponential alone
queries[:, None] => queries.detach()[:, None]
  :: The lesson differentiates the result: compute it with gradients, without `torch.no_grad`
total - log(n) => (total - log(n)).sum() :: Return one number for each query, not their sum
total - log(n) \
=> torch.stack([part.logsumexp(1) - log(part.shape[1]) for part in logits.split(1000, 1)])\
.logsumexp(0) - log(-(-n // 1000))
  :: A mean of the means of chunks is the mean only if all chunks have one length
    squares =>     alpha_bar = torch.tensor(alpha_bar)\n    squares
  :: `torch.tensor(ᾱ)` has the digits of float32, which 1 - ᾱ loses as the noise falls: use `ᾱ**0.5`
    total =>     logits = logits.clamp(min=-1e6)\n    total
  :: Exponents may be as low as they like: `logsumexp` needs no bound
"""

log_marginal = Exercise(
    id="diffusion.log_marginal",
    title="The log density of a noisy patch",
    reference=references.log_marginal,
    cases=cases,
    properties=[its_gradient_is_the_score, a_mean_of_exponentials],
    wrong_answers=slips(plain, WRONG),
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
