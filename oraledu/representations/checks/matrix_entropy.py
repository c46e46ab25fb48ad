"""Exercise 1: how many directions the tokens of a layer use."""

import math

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import entropy
from oraledu.representations.checks import inputs
from oraledu.representations.checks.inputs import Rows, normal, states, with_singular_values, within

ORDERS = {"3": 3.0, "2": 2.0, "1/2": 0.5, "1.2": 1.2, "0.8": 0.8, "1.001": 1.001, "1/10": 0.1, "10": 10.0}
SOME = (0.5, 1.0, 1.5, 2.0, 4.0)


def cases(generator: torch.Generator) -> list[Case]:
    """Return the orders of the lesson, more tokens than coordinates, layers at once, few directions, zeros, float32."""
    z, layers = states(generator, 6, 10), states(generator, 2, 3, 5, 7)
    lonely = torch.nn.functional.pad(normal(generator, 1, 6), (0, 0, 2, 1))
    zeros = torch.stack([z, torch.zeros_like(z)])
    one, three = (normal(generator, 18, rank) @ normal(generator, rank, 64) for rank in (1, 3))
    flat = torch.stack([one, three])
    return [
        Case("six tokens", (z,)),
        *(Case(f"order {name}", (z, alpha)) for name, alpha in ORDERS.items()),
        Case("more tokens than coordinates", (states(generator, 9, 4),)),
        Case("several layers at once", (layers,)),
        Case("several layers at once, order 1/2", (layers, 0.5)),
        # Beside an entropy that is not zero, so that a guard of 1e-12 inside a logarithm may show.
        Case("a layer with all tokens zero but one, among others", (torch.stack([z[:4, :6], lonely]),)),
        Case("tokens along one direction, and along three, order 1/2", (flat, 0.5)),
        Case("tokens along one direction, and along three, order 1/4", (flat, 0.25)),
        Case("one layer far smaller than another", (torch.stack([z, 1e-8 * z]),)),
        Case("one layer of zeros among others", (zeros,)),
        Case("one layer of zeros among others, order 2", (zeros, 2.0)),
        Case("tokens in float32, and a layer of zeros", (zeros.float(),)),
    ]


@within(1e-5)
def lies_between_0_and_the_logarithm_of_the_rank(function: Function, generator: torch.Generator) -> Rows:
    """Ask for 0 at rank one, log r for r equal singular values, and for what lies between otherwise."""
    yield function(states(generator, 1, 6)), 0.0, "for one token S should be 0"
    told = "for the singular values 1e4, 1, 1, 1 and 1, S of order 1/2 should be 0.0008"
    yield function(inputs.giant(generator), 0.5), 2 * math.log((1e4 + 4) / math.sqrt(1e8 + 4)), told
    for rank in (1, 3, 5):
        equal = with_singular_values([2.0] * rank, 6, 9, generator)
        uneven = with_singular_values(torch.linspace(1, 3, rank), 9, 6, generator)
        for alpha in SOME:
            told = f"of order {alpha:g} should be log {rank}"
            yield function(equal, alpha), math.log(rank), f"for {rank} equal singular values, S {told}"
            inside = -1e-5 < float(function(uneven, alpha)) < math.log(rank) + 1e-5
            told = f"of order {alpha:g} should lie between 0 and log {rank}"
            yield inside, True, f"for a matrix of rank {rank}, S {told}"


@within(1e-9)
def stays_the_same_after_scaling_turning_reordering(function: Function, generator: torch.Generator) -> Rows:
    """Ask for the same entropy of c Z, Z Q, the rows in another order, and each row twice."""
    z = states(generator, 5, 8)
    for alpha in (1.0, 2.0, 3.0):
        plain = function(z, alpha)
        for what, other in inputs.same_spectrum(z, generator).items():
            yield function(other, alpha), plain, f"with {what}, S of order {alpha:g} should stay the same"


@within(1e-6)
def grows_by_mixing_falls_with_order_adds_up(function: Function, generator: torch.Generator) -> Rows:
    """Ask for a fall to -log of the largest share, for S(Z ⊗ W) = S(Z) + S(W), and for more after mixing."""
    z, w = states(generator, 6, 9), states(generator, 2, 3)
    values = torch.stack([function(z, alpha) for alpha in (*SOME, 20.0)])
    yield bool((values.diff() < 1e-9).all()), True, "S of a larger order should not be larger"
    squares = torch.linalg.svdvals(z).square()
    above = bool(values[-1] > (squares.sum() / squares.max()).log() - 1e-9)
    yield above, True, "no order has an S below -log of the largest share"
    apart = max(abs(float(function(z, alpha) - function(z))) for alpha in (1 - 1e-5, 1 + 1e-5))
    yield apart < 1e-3, True, "S of an order near 1 should be near that of order 1, its limit"
    squares = torch.tensor([2, 0, 0, 0, 0]) + 0.2 + torch.rand(5, generator=generator, dtype=torch.float64)
    mixed = torch.cat([squares[:2].mean().expand(2), squares[2:]])
    uneven, even = (with_singular_values(each.sqrt(), 5, 7, generator) for each in (squares, mixed))
    for alpha in SOME:
        grows = bool(function(even, alpha) > function(uneven, alpha) + 1e-6)
        yield grows, True, f"with two eigenvalues replaced by their mean, S of order {alpha:g} should grow"
        told = f"for the Kronecker product of two matrices, S of order {alpha:g} should be the sum"
        yield function(torch.kron(z, w), alpha), function(z, alpha) + function(w, alpha), told


def plain(z: Tensor, alpha: float = 1.0) -> Tensor:
    """Take the entropy of the shares of the squared singular values, without those that are rounded zeros."""
    values = torch.linalg.svdvals(z.double()).square()
    values = torch.where(values > 1e-12 * values.amax(-1, keepdim=True), values, 0)
    p = values / values.sum(-1, keepdim=True).clamp(min=1e-300)
    if alpha == 1:
        s = torch.special.entr(p).sum(-1)
    else:
        total = (p**alpha).sum(-1)
        s = torch.where(total > 0, total, 1).log() / (1 - alpha)
    return s.to(z.dtype)


WRONG = r"""
.square() => :: These are shares of the singular values of Z: the eigenvalues of ZZ' are their squares
torch.linalg.svdvals(z.double()).square() => z.double().square().sum(-1)
  :: These are the squared lengths of the tokens, the diagonal of ZZ': take its eigenvalues
torch.linalg.svdvals(z.double()).square() \
=> torch.linalg.eigvalsh((z @ z.mT).clamp(min=0).double()).clamp(min=0)
  :: Clamp eigenvalues that rounding has put below zero, never entries of the Gram matrix
z.double() => (z - z.mean(-2, keepdim=True)).double() :: Take the tokens as they are: you took their mean off
z.double() => torch.nn.functional.normalize(z.double(), dim=-1)
  :: Take the tokens as they are: you gave each of them length one
values / values.sum(-1, keepdim=True).clamp(min=1e-300) => values
  :: Divide the eigenvalues by their sum, the trace: shares add up to 1
sum(-1, keepdim=True) => sum() :: Each layer has a trace of its own: you divided by the sum over all layers
alpha == 1 => True :: The order alpha is an argument, and it is not always 1
(1 - alpha) => (alpha - 1) :: The logarithm of the sum is divided by 1 - alpha; yours has the opposite sign
.log() / (1 - alpha) => .log() :: The logarithm of the sum has to be divided by 1 - alpha
alpha == 1: => alpha == 1:\n        alpha += 1e-4\n    if False:
  :: At order 1 use the limit itself, the sum of -p log p, not an order close by
.clamp(min=1e-300) => :: Where all tokens are zero the shares are 0/0: the entropy of a matrix of zeros is 0
alpha == 1 => abs(alpha - 1) <= 0.4
  :: Only at order 1 itself is it the sum of -p log p: orders near 1 have values of their own
torch.where(total > 0, total, 1) => total
  :: A matrix of zeros has entropy 0 at every order, and the logarithm of 0 is infinite
torch.special.entr(p) => -(p * p.log())
  :: Where a share is 0, p log p is 0 times minus infinity: `torch.special.entr` gives its limit, 0
torch.linalg.svdvals(z.double()).square() => torch.linalg.eigvalsh(z.double() @ z.double().mT)
values / values => (values - 1e-15 * values.abs().amax(-1, keepdim=True)) / values
  :: Rounding puts some eigenvalues a little below zero, where the logarithm is not a number: clamp them
s.to( => (s / math.log(max(2, min(z.shape[-2:])))).to(
  :: Return the entropy itself in nats, not its share of the largest possible one
s.to( => s.exp().to( :: This is exp(S), the number of directions: return S
torch.linalg.svdvals(z.double()).square() => torch.linalg.eigvalsh(z.double() @ z.double().mT).clamp(min=0)
  :: Where there are more tokens than coordinates ZZ' is the larger Gram matrix: take the smaller one, Z'Z
z.double() \
=> z :: In float32 1e-300 is 0, and 0/0 is not a number: compute in double precision, or clamp at 1e-30
1e-300 => 1e-12 :: Scale does not count, and 1e-12 may be a sound sum: keep it away from zero by far less
values / values => values * (values > 1e-6 * values.amax(-1, keepdim=True)) / values
  :: Beside one giant token all other shares are tiny, and at small orders they count: drop none above 10⁻¹²
torch.linalg.svdvals(z.double()).square() \
=> torch.linalg.eigvalsh((z @ z.mT if z.shape[-2] <= z.shape[-1] else z.mT @ z).double())
values > 1e-12 * values.amax(-1, keepdim=True) => values > 0
  :: At small orders rounded zeros count: take eigenvalues below 10⁻¹² of the largest for zero
values.amax(-1, keepdim=True) => values.amax()
  :: Each layer has a largest eigenvalue of its own: you compared with the largest of all layers
values > 1e-12 * values.amax(-1, keepdim=True) => values > 1e-12
  :: Whether an eigenvalue is a rounded zero shows beside the largest one, not beside 1
alpha == 1 \
=> (alpha := min(max(alpha, 0.5), 4)) == 1 :: The order may be any number above 0, not from 1/2 to 4 alone
alpha == 1 => abs(alpha - 1) < 0.01 :: Order 1.001 is not order 1: only there take the limit
"""

matrix_entropy = Exercise(
    id="representations.matrix_entropy",
    title="The matrix entropy",
    reference=entropy.matrix_entropy,
    cases=cases,
    properties=[
        inputs.takes_the_smaller_gram_matrix,
        lies_between_0_and_the_logarithm_of_the_rank,
        stays_the_same_after_scaling_turning_reordering,
        grows_by_mixing_falls_with_order_adds_up,
    ],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "Which of $ZZ^\\top$ and $Z^\\top Z$ is smaller? Both have the same eigenvalues above zero, and $p$ are these "
        "over their sum. `z.mT` transposes the last two dimensions only.",
        "`torch.linalg.eigvalsh` takes all layers at once. `torch.where` and `values.amax(-1, keepdim=True)` find the "
        "rounded zeros. Divide by the sum with `keepdim=True`. What if that sum is zero?",
        "At order 1 return `torch.special.entr(p).sum(dim=-1)`, which knows that $0 \\log 0 = 0$; at any other order "
        "`(p**alpha).sum(dim=-1).log() / (1 - alpha)`.",
    ],
    # At order 1/2 the root of a rounding error counts, and how many of them there are depends on the way taken.
    tolerance=1e-7,
    full_size=inputs.at_all_layers,
)
