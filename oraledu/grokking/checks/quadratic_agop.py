"""Exercise 2: the average gradient outer product of a quadratic kernel machine."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import rfm
from oraledu.grokking.arithmetic import one_hot_pairs
from oraledu.grokking.checks.inputs import random_machine, random_pairs, unlike_the_agop


def cases(generator: torch.Generator) -> list[Case]:
    """Return machines with a random metric, centred and not, in float32, without a digit and small."""
    pairs, coefficients, metric = random_machine(5, 13, generator)
    return [
        Case("not centred", (pairs, coefficients, metric), {"centre": False}),
        Case("centred", (pairs, coefficients, metric)),
        Case("the identity metric", (pairs, coefficients, torch.eye(10, dtype=torch.float64))),
        Case("a machine in float32", (pairs, coefficients.float(), metric.float())),
        Case("pairs without the digit 4", (random_pairs(4, 13, generator), coefficients, metric)),
        Case("a small metric", (pairs, 1e12 * coefficients, 1e-8 * metric)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a machine as large as in the large run: p = 61, half of the table."""
    return Case("p = 61", random_machine(61, 1861, generator))


def agrees_with_automatic_differentiation(function: Function, generator: torch.Generator) -> str | None:
    """Compare with Jacobians that were not derived by hand."""
    pairs, coefficients, metric = machine = random_machine(5, 9, generator)
    inputs = one_hot_pairs(pairs, 5)

    def scores(x: Tensor) -> Tensor:
        return (inputs @ metric @ x).square() @ coefficients

    jacobians = torch.stack([torch.func.jacrev(scores)(x).T for x in inputs])  # (n, 2p, p)
    centred = jacobians - jacobians.mean(0)
    plain = unlike_the_agop(function(*machine, centre=False), jacobians, "without centring ")
    return plain or unlike_the_agop(function(*machine, centre=True), centred, "centred, ")


def agop(pairs: Tensor, coefficients: Tensor, metric: Tensor, *, centre: bool = True) -> Tensor:
    """Return the closed form, with products of n × n matrices."""
    n, p = len(pairs), len(metric) // 2
    x = one_hot_pairs(pairs, p).to(metric)  # (n, 2p)
    s = x @ metric @ x.T  # (n, n)
    outer = 4 / n * x.T @ ((coefficients @ coefficients.T) * (s.T @ s)) @ x
    mean = 2 * metric @ x.T @ (s.mean(0)[:, None] * coefficients)  # (2p, p): mean Jacobian
    return metric @ outer @ metric - (mean @ mean.T if centre else 0)


WRONG = r"""
4 / n => 1 / n
2 * metric => metric :: The derivative of the square brings a factor 2, and G holds it squared: 4
4 / n => 2 / n :: The factor 2 of the derivative enters G squared
4 / n => 4 :: G is a mean over the training pairs: divide by n
if centre => if False :: With centre=True the mean Jacobian's outer product has to be taken off
if centre => if True :: With centre=False nothing is taken off
metric @ outer @ metric => outer
2 * metric @ => 2 * :: The gradient of x' M z in x is M z: a factor M stands on both sides of G
outer = => s = s**2\n    outer = :: The derivative of S² is 2 S: weigh with S, not with K = S²
return metric @ outer @ metric - (mean @ mean.T if centre else 0) \
=> return 4 / n * coefficients.T @ (s.T @ s * (x @ metric @ metric @ x.T)) @ coefficients
  :: G is J J' (2p by 2p), not J' J (p by p)
outer @ metric => outer :: The factor M stands on the right of G too: J' = 2 T' M
s.mean(0) => s.sum(0) :: What is taken off belongs to the mean Jacobian, not to the sum of all
mean @ mean.T => mean @ mean.T / n :: The product of the mean Jacobian is not divided by n again
outer = => s = s.where(s.abs() > 1e-6, 0)\n    outer = :: S is as small as the metric: drop none of it
.to(metric) => :: The one-hot vectors need the type of the metric: `.to(metric)`
len(metric) // 2 => int(pairs.max()) + 1 :: Take p from the metric: a digit may be missing
s.T @ s => sum(rows.T @ rows / len(rows) for rows in s.split(60)) * n / len(s.split(60))
  :: Blocks of samples may differ in size: add their sums up, and divide by n at the end
return => return 1e-10 * torch.eye(2 * p).to(metric) +
  :: Nothing is to be added to the diagonal: its root, 1e-5, would count
"""

quadratic_agop = Exercise(
    id="grokking.quadratic_agop",
    title="The average gradient outer product",
    reference=rfm.quadratic_agop,
    opens=(one_hot_pairs,),
    cases=cases,
    properties=[agrees_with_automatic_differentiation],
    wrong_answers=slips(agop, WRONG),
    hints=[
        "Leave the centring for last. How large is $X^\\top [\\,\\cdot\\,] X$, and what stands in the brackets?",
        "With $X$ = `arithmetic.one_hot_pairs(pairs, p).to(metric)` and $S = X M X^\\top$, the bracket is "
        "`(coefficients @ coefficients.T) * (S.T @ S)`, an $n \\times n$ matrix.",
        "The mean Jacobian is `2 * metric @ X.T @ (S.mean(0)[:, None] * coefficients)`, of shape $2p \\times p$. To be "
        "fast at full size, compute $S^\\top S$ as $X Q X^\\top$ with $Q = M X^\\top X M$.",
    ],
    full_size=full_size,
    # S'S as a product of n × n matrices costs n³ and is right; only a Jacobian for each sample is too slow.
    slow_factor=100,
)
