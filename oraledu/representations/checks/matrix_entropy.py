"""Exercise 1: how many directions the tokens of a layer use."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import entropy
from oraledu.representations.checks.inputs import (
    all_layers,
    largest_difference,
    normal,
    same_spectrum,
    states,
    with_singular_values,
)

ORDERS = (0.5, 1.0, 1.5, 2.0, 4.0)


def cases(generator: torch.Generator) -> list[Case]:
    """Return several orders, more tokens than coordinates, layers at once, zeros, and float32."""
    z, layers = states(generator, 6, 10), states(generator, 2, 3, 5, 7)
    lonely = torch.zeros(4, 6, dtype=torch.float64)
    lonely[2] = normal(generator, 6)
    return [
        Case("six tokens", (z,)),
        Case("order 3", (states(generator, 5, 8), 3.0)),
        Case("order 2", (z, 2.0)),
        Case("order 1/2", (z, 0.5)),
        Case("order 1.2", (z, 1.2)),
        Case("order 0.8", (z, 0.8)),
        Case("more tokens than coordinates", (states(generator, 9, 4),)),
        Case("several layers at once", (layers,)),
        Case("several layers at once, order 1/2", (layers, 0.5)),
        # Beside an entropy that is not zero, so that a guard of 1e-12 inside a logarithm may show.
        Case("a layer with all tokens zero but one, among others", (torch.stack([z[:4, :6], lonely]),)),
        Case("one layer of zeros among others", (torch.stack([z, torch.zeros_like(z)]),)),
        Case("one layer of zeros among others, order 2", (torch.stack([z, torch.zeros_like(z)]), 2.0)),
        Case("tokens in float32", (z.float(),)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a prompt of the lesson at all layers."""
    return Case("32 layers, 25 tokens, 576 coordinates", (all_layers(generator),))


def lies_between_zero_and_the_log_of_the_rank(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 0 at rank one, log r for r equal singular values, and for what lies between otherwise."""
    if not largest_difference(function(states(generator, 1, 6)), 0.0) < 1e-5:
        return "for one token S should be 0"
    for rank in (1, 3, 5):
        equal = with_singular_values([2.0] * rank, 6, 9, generator)
        uneven = with_singular_values(torch.linspace(1, 3, rank), 9, 6, generator)
        for alpha in ORDERS:
            if not largest_difference(function(equal, alpha), math.log(rank)) < 1e-5:
                return f"for {rank} equal singular values, S of order {alpha:g} should be log {rank}"
            if not -1e-5 < float(function(uneven, alpha)) < math.log(rank) + 1e-5:
                return (
                    f"for a matrix of rank {rank}, S of order {alpha:g} should lie between 0 and log {rank}"
                )
    return None


def sees_neither_scale_nor_turn_nor_order(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same entropy of c Z, Z Q, the rows in another order, and each row twice."""
    z = states(generator, 5, 8)
    for alpha in (1.0, 2.0, 3.0):
        for what, other in same_spectrum(z, generator).items():
            if not largest_difference(function(other, alpha), function(z, alpha)) < 1e-9:
                return f"with {what}, S of order {alpha:g} should stay the same"
    return None


def never_grows_with_the_order(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a family that falls with the order, down to -log of the largest share, and meets itself at 1."""
    z = states(generator, 6, 9)
    values = [float(function(z, alpha)) for alpha in (*ORDERS, 20.0)]
    if not all(later < earlier + 1e-9 for earlier, later in pairwise(values)):
        return "S of a larger order should not be larger"
    squares = torch.linalg.svdvals(z).square()
    if not values[-1] > float((squares.sum() / squares.max()).log()) - 1e-9:
        return "no order has an S below -log of the largest share"
    for alpha in (1 - 1e-5, 1 + 1e-5):
        if not largest_difference(function(z, alpha), function(z)) < 1e-3:
            return "S of an order near 1 should be near that of order 1, its limit"
    return None


def mixing_raises_it(function: Function, generator: torch.Generator) -> str | None:
    """Replace two eigenvalues by their mean, and ask for more (Schur concavity)."""
    squares = 0.2 + torch.rand(5, generator=generator, dtype=torch.float64)
    squares[0] += 2
    mixed = squares.clone()
    mixed[:2] = squares[:2].mean()
    for alpha in ORDERS:
        before, after = (
            float(function(with_singular_values(each.sqrt(), 5, 7, generator), alpha))
            for each in (squares, mixed)
        )
        if not after > before + 1e-6:
            return f"with two eigenvalues replaced by their mean, S of order {alpha:g} should grow"
    return None


def adds_up_over_products(function: Function, generator: torch.Generator) -> str | None:
    """Ask for S(Z ⊗ W) = S(Z) + S(W)."""
    z, w = states(generator, 3, 4), states(generator, 2, 3)
    for alpha in ORDERS:
        parts = function(z, alpha) + function(w, alpha)
        if not largest_difference(function(torch.kron(z, w), alpha), parts) < 1e-6:
            return f"for the Kronecker product of two matrices, S of order {alpha:g} should be the sum"
    return None


def _squares(z: Tensor) -> Tensor:
    return torch.linalg.svdvals(z).square()


def _shares(weights: Tensor) -> Tensor:
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-300)


def _renyi(p: Tensor, alpha: float) -> Tensor:
    if alpha == 1:
        return torch.special.entr(p).sum(-1)
    total = (p**alpha).sum(-1)
    return torch.where(total > 0, total, 1).log() / (1 - alpha)


def _infinite_at_zero(p: Tensor, alpha: float) -> Tensor:
    return _renyi(p, alpha) if alpha == 1 else (p**alpha).sum(-1).log() / (1 - alpha)


def _changed(
    *,
    prepare: Callable[[Tensor], Tensor] = lambda z: z,
    weigh: Callable[[Tensor], Tensor] = _squares,
    share: Callable[[Tensor], Tensor] = _shares,
    entropy: Callable[[Tensor, float], Tensor] = _renyi,
    finish: Callable[[Tensor, Tensor], Tensor] = lambda result, z: result,
) -> Function:
    """Return the plain method with one thing changed."""

    def matrix_entropy(z: Tensor, alpha: float = 1.0) -> Tensor:
        return finish(entropy(share(weigh(prepare(z.double()))), alpha), z).to(z.dtype)

    return matrix_entropy


def _clamped_entries(z: Tensor) -> Tensor:
    return torch.linalg.eigvalsh((z @ z.mT).clamp(min=0)).clamp(min=0)


def _not_clamped(z: Tensor) -> Tensor:
    k = z @ z.mT
    # Rounding may fall on either side of zero; here it always falls below.
    return torch.linalg.eigvalsh(k) - 1e-15 * k.abs().amax((-2, -1))[..., None]


def _plain_logarithm(p: Tensor, alpha: float) -> Tensor:
    return -(p * p.log()).sum(-1) if alpha == 1 else _renyi(p, alpha)


matrix_entropy = Exercise(
    id="representations.matrix_entropy",
    title="The matrix entropy",
    reference=entropy.matrix_entropy,
    cases=cases,
    properties=[
        Property("between 0 and the logarithm of the rank", lies_between_zero_and_the_log_of_the_rank),
        Property("the same after scaling, turning, reordering", sees_neither_scale_nor_turn_nor_order),
        Property("never grows with the order", never_grows_with_the_order),
        Property("mixing raises it", mixing_raises_it),
        Property("adds up over products", adds_up_over_products),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(weigh=torch.linalg.svdvals),
            "These are shares of the singular values of Z: the eigenvalues of ZZ' are their squares",
        ),
        WrongAnswer(
            _changed(weigh=lambda z: z.square().sum(-1)),
            "These are the squared lengths of the tokens, the diagonal of ZZ': take its eigenvalues",
        ),
        WrongAnswer(
            _changed(weigh=_clamped_entries),
            "Clamp eigenvalues that rounding has put below zero, never entries of the Gram matrix",
        ),
        WrongAnswer(
            _changed(prepare=lambda z: z - z.mean(-2, keepdim=True)),
            "Take the tokens as they are: you took their mean off",
        ),
        WrongAnswer(
            _changed(prepare=lambda z: torch.nn.functional.normalize(z, dim=-1)),
            "Take the tokens as they are: you gave each of them length one",
        ),
        WrongAnswer(
            _changed(share=lambda weights: weights),
            "Divide the eigenvalues by their sum, the trace: shares add up to 1",
        ),
        WrongAnswer(
            _changed(share=lambda weights: weights / weights.sum()),
            "Each layer has a trace of its own: you divided by the sum over all layers",
        ),
        WrongAnswer(
            _changed(entropy=lambda p, alpha: _renyi(p, 1.0)),
            "The order alpha is an argument, and it is not always 1",
        ),
        WrongAnswer(
            _changed(entropy=lambda p, alpha: _renyi(p, alpha) * (1 if alpha == 1 else -1)),
            "The logarithm of the sum is divided by 1 - alpha; yours has the opposite sign",
        ),
        WrongAnswer(
            _changed(entropy=lambda p, alpha: _renyi(p, alpha) * (1 if alpha == 1 else 1 - alpha)),
            "The logarithm of the sum has to be divided by 1 - alpha",
        ),
        WrongAnswer(
            _changed(entropy=lambda p, alpha: _renyi(p, 1 + 1e-4 if alpha == 1 else alpha)),
            "At order 1 use the limit itself, the sum of -p log p, not an order close by",
        ),
        WrongAnswer(
            _changed(share=lambda weights: weights / weights.sum(-1, keepdim=True)),
            "Where all tokens are zero the shares are 0/0: the entropy of a matrix of zeros is 0",
        ),
        WrongAnswer(
            _changed(entropy=lambda p, alpha: _renyi(p, 1.0 if abs(alpha - 1) <= 0.4 else alpha)),
            "Only at order 1 itself is it the sum of -p log p: orders near 1 have values of their own",
        ),
        WrongAnswer(
            _changed(entropy=_infinite_at_zero),
            "A matrix of zeros has entropy 0 at every order, and the logarithm of 0 is infinite",
        ),
        WrongAnswer(
            _changed(entropy=_plain_logarithm),
            "Where a share is 0, p log p is 0 times minus infinity: `torch.special.entr` gives its limit, 0",
        ),
        WrongAnswer(
            _changed(weigh=_not_clamped),
            "Rounding puts some eigenvalues a little below zero, where the logarithm is not a number: clamp them",
        ),
        WrongAnswer(
            _changed(finish=lambda result, z: result / math.log(max(2, min(z.shape[-2:])))),
            "Return the entropy itself in nats, not its share of the largest possible one",
        ),
        WrongAnswer(
            _changed(finish=lambda result, z: result.exp()),
            "This is exp(S), the number of directions: return S",
        ),
    ],
    hints=[
        "Which of $ZZ'$ and $Z'Z$ is smaller? Both have the same eigenvalues above zero, and $p$ are these over their "
        "sum. `z.mT` transposes the last two dimensions only.",
        "`torch.linalg.eigvalsh` takes all layers at once. Clamp what rounding has put below zero, and divide by the "
        "sum with `keepdim=True`. What if that sum is zero?",
        "At order 1 return `torch.special.entr(p).sum(dim=-1)`, which knows that $0 \\log 0 = 0$; at any other order "
        "`(p**alpha).sum(dim=-1).log() / (1 - alpha)`.",
    ],
    # At order 1/2 the root of a rounding error counts, and how many of them there are depends on the way taken.
    tolerance=1e-7,
    full_size=full_size,
    guarded=(entropy.from_gram, entropy.renyi, entropy.spectrum, entropy.spectrum_from_gram),
)
