"""Exercise 3: the effective rank, from singular values."""

from collections.abc import Callable

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


def cases(generator: torch.Generator) -> list[Case]:
    """Return wide and tall matrices, layers at once, the diagonal (2, 1), zeros, and float32."""
    z = states(generator, 6, 10)
    return [
        Case("six tokens", (z,)),
        Case("singular values 2 and 1", (torch.tensor([2.0, 1.0]).double().diag(),)),
        Case("more tokens than coordinates", (states(generator, 9, 4),)),
        Case("several layers at once", (states(generator, 2, 3, 5, 7),)),
        Case("one token", (z[:1],)),
        Case("one layer of zeros among others", (torch.stack([z, torch.zeros_like(z)]),)),
        Case("tokens in float32", (z.float(),)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a prompt of the lesson at all layers."""
    return Case("32 layers, 25 tokens, 576 coordinates", (all_layers(generator),))


def lies_between_the_entropy_and_the_rank(function: Function, generator: torch.Generator) -> str | None:
    """Ask for exp(S_1) <= EffRank <= rank, for random spectra and ranks."""
    for rank in (2, 3, 5):
        spread = torch.rand(rank, generator=generator, dtype=torch.float64) + 0.05
        z = with_singular_values(spread, 7, 6, generator)
        found, directions = float(function(z)), float(entropy.matrix_entropy(z).exp())
        if not directions - 1e-6 < found < rank + 1e-4:
            return (
                f"for a matrix of rank {rank} with exp(S_1) = {directions:.3f} it is {found:.3f}, and should lie "
                "between the two"
            )
    return None


def counts_equal_singular_values(function: Function, generator: torch.Generator) -> str | None:
    """Ask for r where r singular values are equal and the rest zero."""
    for rank in (1, 2, 4, 6):
        found = float(function(with_singular_values([3.0] * rank, 6, 8, generator)))
        if not abs(found - rank) < 1e-4:
            return f"for {rank} equal singular values it should be {rank}, and is {found:.4g}"
    return None


def sees_neither_scale_nor_turn_nor_order(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same number for c Z, Z Q, the rows in another order, and each row twice."""
    z = states(generator, 5, 8)
    for what, other in same_spectrum(z, generator).items():
        if not largest_difference(function(other), function(z)) < 1e-4:
            return f"with {what} it should stay the same"
    return None


def multiplies_over_products(function: Function, generator: torch.Generator) -> str | None:
    """Ask for EffRank(Z ⊗ W) = EffRank(Z) EffRank(W)."""
    z, w = normal(generator, 3, 4), normal(generator, 2, 3)
    same = largest_difference(function(torch.kron(z, w)), function(z) * function(w)) < 1e-4
    return None if same else "for the Kronecker product of two matrices it should be the product"


def _shares(weights: Tensor) -> Tensor:
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-300)


def _entropy(p: Tensor) -> Tensor:
    return torch.special.entr(p).sum(-1)


def _changed(
    *,
    weigh: Callable[[Tensor], Tensor] = torch.linalg.svdvals,
    share: Callable[[Tensor], Tensor] = _shares,
    count: Callable[[Tensor], Tensor] = lambda p: _entropy(p).exp(),
) -> Function:
    """Return the plain method with one thing changed."""

    def effective_rank(z: Tensor) -> Tensor:
        return count(share(weigh(z.double()))).to(z.dtype)

    return effective_rank


def _squares(z: Tensor) -> Tensor:
    return torch.linalg.svdvals(z).square()


def _root_below_zero(z: Tensor) -> Tensor:
    k = z @ z.mT
    # Rounding may fall on either side of zero; here it always falls below.
    return (torch.linalg.eigvalsh(k) - 1e-15 * k.abs().amax((-2, -1))[..., None]).sqrt()


effective_rank = Exercise(
    id="representations.effective_rank",
    title="The effective rank",
    reference=entropy.effective_rank,
    cases=cases,
    properties=[
        Property("between exp(S_1) and the rank", lies_between_the_entropy_and_the_rank),
        Property("counts equal singular values", counts_equal_singular_values),
        Property("the same after scaling, turning, reordering", sees_neither_scale_nor_turn_nor_order),
        Property("multiplies over products", multiplies_over_products),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(weigh=_squares),
            "These are shares of σ², and this is exp(S_1): the effective rank takes the singular values themselves",
        ),
        WrongAnswer(
            _changed(weigh=lambda z: torch.linalg.svdvals(z).sqrt()),
            "Take the singular values themselves, not their roots",
        ),
        WrongAnswer(_changed(count=_entropy), "This is the entropy: the effective rank is its exponential"),
        WrongAnswer(
            _changed(count=lambda p: (_entropy(p) / torch.tensor(2.0).log()).exp()),
            "The logarithm and the exponential must have the same base",
        ),
        WrongAnswer(
            _changed(count=lambda p: 1 / p.square().sum(-1)),
            "This is one over the sum of squared shares, exp of the entropy of order 2: the order is 1",
        ),
        WrongAnswer(
            _changed(count=lambda p: 1 / p.amax(-1)),
            "This is one over the largest share: take all shares by their entropy",
        ),
        WrongAnswer(
            _changed(count=lambda p: (p > 1e-10).sum(-1).double()),
            "This is the rank: it counts a tiny singular value as much as a large one",
        ),
        WrongAnswer(
            _changed(share=lambda weights: weights / weights.norm(dim=-1, keepdim=True).clamp(min=1e-300)),
            "Divide the singular values by their sum, not by the root of the sum of squares",
        ),
        WrongAnswer(_changed(share=lambda weights: weights), "Divide the singular values by their sum first"),
        WrongAnswer(
            _changed(share=lambda weights: weights.softmax(-1)),
            "Shares are singular values over their sum, not their softmax",
        ),
        WrongAnswer(
            _changed(share=lambda weights: weights / weights.sum()),
            "Each layer has singular values of its own: you divided by the sum over all layers",
        ),
        WrongAnswer(
            _changed(share=lambda weights: weights / weights.sum(-1, keepdim=True)),
            "Where all tokens are zero the shares are 0/0: the effective rank of a matrix of zeros is 1",
        ),
        WrongAnswer(
            _changed(weigh=_root_below_zero),
            "Rounding puts some eigenvalues a little below zero, where the root is not a number: use `svdvals`",
        ),
    ],
    hints=[
        "`torch.linalg.svdvals` gives the singular values of all layers at once, along the last dimension.",
        "Divide them by their sum, take the entropy of order 1 of the result with `torch.special.entr`, and the "
        "exponential of that. Keep the sum away from zero, with a `clamp` far below any real sum: what comes out "
        "for a matrix of zeros?",
    ],
    # The root of a rounding error is much larger than the error, for whoever goes through the Gram matrix.
    tolerance=1e-6,
    # Singular values of the tokens themselves are right, if dearer than those of the smaller Gram matrix.
    slow_factor=500,
    full_size=full_size,
    guarded=(
        entropy.effective_rank_from_gram,
        entropy.renyi,
        entropy.spectrum,
        entropy.spectrum_from_gram,
    ),
)
