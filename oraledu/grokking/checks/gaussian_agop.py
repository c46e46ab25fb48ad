"""Exercise 6: the average gradient outer product of a Gaussian kernel machine."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import rfm
from oraledu.grokking.arithmetic import one_hot_pairs
from oraledu.grokking.checks.inputs import random_machine, random_pairs, unlike_the_agop


def cases(generator: torch.Generator) -> list[Case]:
    """Return machines centred and not, with other bandwidths and metrics, and without a digit."""
    pairs, coefficients, metric = random_machine(5, 12, generator)
    return [
        Case("not centred", (pairs, coefficients, metric), {"centre": False}),
        Case("centred", (pairs, coefficients, metric)),
        Case("another bandwidth", (pairs, coefficients, metric), {"bandwidth": 1.7}),
        Case(
            "the identity metric, small coefficients",
            (pairs, 1e-3 * coefficients, torch.eye(10, dtype=torch.float64)),
        ),
        Case("pairs without the digit 4", (random_pairs(4, 12, generator), coefficients, metric)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a machine as large as in the run of the four operations: p = 31, three quarters of the table."""
    return Case("p = 31", random_machine(31, 719, generator))


def agrees_with_automatic_differentiation(function: Function, generator: torch.Generator) -> str | None:
    """Compare with Jacobians that were not derived by hand."""
    pairs, coefficients, metric = machine = random_machine(5, 12, generator)
    inputs = one_hot_pairs(pairs, 5)
    for length in (2.5, 0.8):

        def scores(x: Tensor, length: float = length) -> Tensor:
            steps = x - inputs
            return torch.exp(-((steps @ metric) * steps).sum(1) / (2 * length**2)) @ coefficients

        jacobians = torch.stack([torch.func.jacrev(scores)(x).T for x in inputs])  # (n, 2p, p)
        for centre in (False, True):
            found = function(*machine, bandwidth=length, centre=centre)
            used = jacobians - jacobians.mean(0) if centre else jacobians
            if failure := unlike_the_agop(found, used, f"with bandwidth={length} and centre={centre} "):
                return failure
    return None


def is_blind_to_what_all_inputs_share(function: Function, generator: torch.Generator) -> str | None:
    """Ask for G (1, ±1) = 0 with the identity as metric: differences of inputs are at right angles to it."""
    pairs, coefficients, _ = random_machine(5, 12, generator)
    agop = function(pairs, coefficients, torch.eye(10, dtype=torch.float64))
    halves = agop.unflatten(1, (2, 5)).sum(2)  # (2p, 2): G (1, 0) and G (0, 1)
    if halves.abs().max() < 1e-12 * agop.trace():
        return None
    return "the gradients are sums of differences x_i - x_j, whose halves sum to 0; yours are not"


def agop(
    pairs: Tensor, coefficients: Tensor, metric: Tensor, *, bandwidth: float = 2.5, centre: bool = True
) -> Tensor:
    """Return the mean of J J' over the Jacobians of all samples."""
    n, p, length = len(pairs), len(metric) // 2, bandwidth
    x = one_hot_pairs(pairs, p).to(metric)  # (n, 2p)
    kernel = rfm.gaussian_gram(pairs, pairs, metric, bandwidth=length)  # (n, n)
    inside = torch.einsum("jd,ij,jl->idl", x, kernel, coefficients)  # (n, 2p, p)
    inside = inside - x[:, :, None] * (kernel @ coefficients)[:, None]
    jacobians = metric @ inside / length**2
    if centre:
        jacobians = jacobians - jacobians.mean(0)
    return (jacobians @ jacobians.mT).sum(0) / n


WRONG = r"""
 - x[:, :, None] * (kernel @ coefficients)[:, None] =>
  :: The kernel depends on x - x_j: you left out the term with x_i itself, times the prediction there
length**2 => length :: The gradient has the factor 1/L², not 1/L
length**2 => (2 * length**2)
  :: The derivative of the square brings a 2 that cancels the one in the exponent: the factor is 1/L²
 / length**2 => :: The factor 1/L² of the gradient is missing: in G it stands squared
metric @ => 1 * :: The gradient of the squared distance is 2 M (x - x_j): you left out M
 / n => :: G is a mean over the training pairs: divide by n
if centre => if False :: With centre=True the mean Jacobian has to be taken off first
if centre => if True :: With centre=False nothing is taken off
2, bandwidth => 2, 2.5 :: The bandwidth is an argument, and it is not always 2.5
=length => =2.5 :: The bandwidth enters twice: as the factor, and in the kernel
) / n => ) @ metric.inverse() / n :: M stands on both sides of G: on the right it is missing
.to(metric) => :: The one-hot vectors need the type of the metric: `.to(metric)`
len(metric) // 2 => int(pairs.max()) + 1 :: Take p from the metric: a digit may be missing
(jacobians @ jacobians.mT).sum(0) / n \
=> torch.stack([(each @ each.mT).mean(0) for each in jacobians.split(60)]).mean(0)
  :: Blocks of samples may differ in size: add their sums up, and divide by n at the end
jacobians = jacobians - jacobians.mean(0) \
=> jacobians = torch.cat([each - each.mean(0) for each in jacobians.split(64)])
  :: What is taken off is the mean Jacobian of all samples, not that of each block
sum(0) / n => sum(0) / n + 1e-10 * torch.eye(2 * p).to(metric)
  :: Nothing is to be added to the diagonal: its root, 1e-5, would count
"""

gaussian_agop = Exercise(
    id="grokking.gaussian_agop",
    title="The AGOP of a Gaussian machine",
    reference=rfm.gaussian_agop,
    opens=(rfm.gaussian_gram, one_hot_pairs),
    cases=cases,
    properties=[agrees_with_automatic_differentiation, is_blind_to_what_all_inputs_share],
    wrong_answers=slips(agop, WRONG),
    hints=[
        "For one sample $i$ the bracket is `x.T @ (kernel[i][:, None] * coefficients)` minus the outer product of "
        "`x[i]` and `kernel[i] @ coefficients`, with `x = arithmetic.one_hot_pairs(pairs, p).to(metric)`. Start with "
        "a loop over $i$, and sum $J_i J_i^\\top$ and $J_i$.",
        "To be faster, take 64 samples at once: the first term becomes an `einsum` of $X$, of 64 rows of $K$ and of "
        "$\\alpha$, with an index for each of sample, input and class.",
        "The mean Jacobian is a $2p \\times p$ matrix $\\bar J$; centred, $G_c = G - \\bar J \\bar J^\\top$.",
    ],
    core=False,
    full_size=full_size,
    slow_factor=40,
)
