"""Exercise 9: the average gradient outer product of a network."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import networks
from oraledu.grokking.arithmetic import one_hot_pairs
from oraledu.grokking.checks.inputs import random_pairs, unlike_the_agop


def _network(generator: torch.Generator, p: int, width: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw W1 (width, 2p), W2 (p, width) and n training pairs."""
    first = torch.randn(width, 2 * p, generator=generator, dtype=torch.float64)
    second = torch.randn(p, width, generator=generator, dtype=torch.float64)
    return first, second, random_pairs(p, n, generator)


def cases(generator: torch.Generator) -> list[Case]:
    """Return networks of all widths, on pairs without a digit, and with small weights."""
    first, second, pairs = _network(generator, 5, 8, 14)
    return [
        Case("as many hidden units as classes", _network(generator, 5, 5, 12)),
        Case("a narrow network", _network(generator, 5, 3, 11)),
        Case("a wide network", _network(generator, 5, 17, 9)),
        Case("pairs without the digit 4", (first, second, random_pairs(4, 13, generator))),
        Case("small weights", (first, 1e-4 * second, pairs)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a network as large as the lesson's: p = 31, 256 hidden units."""
    return Case("p = 31, width 256", _network(generator, 31, 256, 619))


def _jacobians(first: Tensor, second: Tensor, pairs: Tensor) -> Tensor:
    """Return the gradients of all outputs at all pairs by automatic differentiation: (n, 2p, p)."""

    def outputs(x: Tensor) -> Tensor:
        return second @ (first @ x).square()

    return torch.stack([torch.func.jacrev(outputs)(x).T for x in one_hot_pairs(pairs, first.shape[1] // 2)])


def agrees_with_automatic_differentiation(function: Function, generator: torch.Generator) -> str | None:
    """Compare with Jacobians that were not derived by hand."""
    network = _network(generator, 5, 7, 12)
    return unlike_the_agop(function(*network), _jacobians(*network))


def agop(first: Tensor, second: Tensor, pairs: Tensor) -> Tensor:
    """Return the closed form."""
    n, p = len(pairs), first.shape[1] // 2
    h = one_hot_pairs(pairs, p).to(first) @ first.T  # (n, width): H
    inside = (second.T @ second) * (h.T @ h)  # (width, width)
    return 4 / n * first.T @ inside @ first


WRONG = r"""
4 / n => 1 / n :: The derivative of the square brings a factor 2, and G holds it squared: 4
4 / n => 2 / n :: The factor 2 of the derivative enters G squared
4 / n => 4 :: G is a mean over the training pairs: divide by n
second.T @ second => second @ second.T :: The product over classes is W2' W2, width by width
) * ( => ) @ ( :: The two matrices are multiplied entry by entry
h.T @ h => (h**2).T @ h**2 :: The gradient holds h = W1 x itself, not its square
h.T @ h => h.T @ (h - h.mean(0)) :: This AGOP is not centred: leave the mean in
first.T @ inside @ first => inside :: The factors W1' and W1 on the outside are missing: G is 2p by 2p
4 / n * first.T @ inside @ first => ((j := _jacobians(first, second, pairs)).mT @ j).mean(0)
  :: G is J J' (2p by 2p), not J' J (p by p)
.to(first) => :: The one-hot vectors need the type of the weights: `.to(first)`
first.shape[1] // 2 => int(pairs.max()) + 1 :: Take p from the weights: a digit may be missing
(h.T @ h) => sum(each.T @ each / len(each) for each in h.split(64)) * n / len(h.split(64))
  :: Blocks of samples may differ in size: add their sums up, and divide by n at the end
inside @ first => inside @ first + 1e-10 * torch.eye(2 * p).to(first)
  :: Nothing is to be added to the diagonal: its root, 1e-5, would count
"""

network_agop = Exercise(
    id="grokking.network_agop",
    title="The AGOP of a network",
    reference=networks.network_agop,
    opens=(one_hot_pairs,),
    cases=cases,
    properties=[agrees_with_automatic_differentiation],
    wrong_answers=slips(agop, WRONG),
    hints=[
        "Compute $H = X W_1^\\top$ first, with `arithmetic.one_hot_pairs(pairs, p).to(first)` for $X$: a row for each "
        "pair.",
        "The bracket is a `*` product of two `width × width` matrices, `second.T @ second` and `hidden.T @ hidden`. "
        "Which factors stand outside, and what does the mean over samples add?",
    ],
    core=False,
    full_size=full_size,
    # Called once in the lesson: a loop over the outputs or the samples is fast enough.
    slow_factor=100,
)
