"""Exercise 3: the effective rank, from singular values."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import entropy
from oraledu.representations.checks import inputs
from oraledu.representations.checks.inputs import Rows, states, with_singular_values, within


def cases(generator: torch.Generator) -> list[Case]:
    """Return wide and tall matrices, layers at once, the diagonal (2, 1), zeros, and float32."""
    z = states(generator, 6, 10)
    zeros = torch.stack([z, torch.zeros_like(z)])
    return [
        Case("six tokens", (z,)),
        Case("singular values 2 and 1", (torch.tensor([2.0, 1.0]).double().diag(),)),
        Case("more tokens than coordinates", (states(generator, 9, 4),)),
        Case("several layers at once", (states(generator, 2, 3, 5, 7),)),
        Case("one token", (z[:1],)),
        Case("one layer of zeros among others", (zeros,)),
        Case("tokens in float32, and a layer of zeros", (zeros.float(),)),
        Case("more tokens than coordinates, in float32", (states(generator, 4, 9, 4).float(),)),
    ]


def lies_between_exp_of_the_entropy_and_the_rank(
    function: Function, generator: torch.Generator
) -> str | None:
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


@within(1e-4)
def counts_equal_singular_values_small_ones_and_products(
    function: Function, generator: torch.Generator
) -> Rows:
    """Ask for r where r singular values are equal, for what is small beside a giant, and for Z ⊗ W."""
    for rank in (1, 2, 4, 6):
        found = float(function(with_singular_values([3.0] * rank, 6, 8, generator)))
        yield found, rank, f"for {rank} equal singular values it should be {rank}, and is {found:.4g}"
    exact = (1e4 + 4) / 1e4 ** (1e4 / (1e4 + 4))
    told = f"for the singular values 1e4, 1, 1, 1 and 1 it should be {exact:.5g}"
    yield function(inputs.giant(generator)), exact, told
    z, w = inputs.normal(generator, 3, 4), inputs.normal(generator, 2, 3)
    told = "for the Kronecker product of two matrices it should be the product"
    yield function(torch.kron(z, w)), function(z) * function(w), told


def plain(z: Tensor) -> Tensor:
    """Take the exponential of the entropy of the singular values over their sum."""
    sizes = torch.linalg.svdvals(z.double())
    q = sizes / sizes.sum(-1, keepdim=True).clamp(min=1e-300)
    spread = torch.special.entr(q).sum(-1)
    return spread.exp().to(z.dtype)


WRONG = r"""
svdvals(z.double()) => svdvals(z.double()).square()
  :: These are shares of σ², and this is exp(S_1): the effective rank takes the singular values themselves
svdvals(z.double()) => svdvals(z.double()).sqrt() :: Take the singular values themselves, not their roots
spread.exp() => spread :: This is the entropy: the effective rank is its exponential
spread.exp() \
=> (spread / torch.tensor(2.0).log()).exp() :: The logarithm and the exponential must have the same base
spread.exp() => (1 / q.square().sum(-1))
  :: This is one over the sum of squared shares, exp of the entropy of order 2: the order is 1
spread.exp() => (1 / q.amax(-1)) :: This is one over the largest share: take all shares by their entropy
spread.exp() \
=> (q > 1e-10).sum(-1) :: This is the rank: it counts a tiny singular value as much as a large one
sizes.sum(-1, keepdim=True) => sizes.norm(dim=-1, keepdim=True)
  :: Divide the singular values by their sum, not by the root of the sum of squares
sizes / sizes.sum(-1, keepdim=True).clamp(min=1e-300) \
=> sizes :: Divide the singular values by their sum first
sizes / sizes.sum(-1, keepdim=True).clamp(min=1e-300) => sizes.softmax(-1)
  :: Shares are singular values over their sum, not their softmax
sizes.sum(-1, keepdim=True) => sizes.sum()
  :: Each layer has singular values of its own: you divided by the sum over all layers
.clamp(min=1e-300) \
=> :: Where all tokens are zero the shares are 0/0: the effective rank of a matrix of zeros is 1
torch.linalg.svdvals(z.double()) => torch.linalg.eigvalsh(z.double() @ z.double().mT)
q = sizes => sizes = (sizes - 1e-15 * sizes.amax(-1, keepdim=True)).sqrt()\n    q = sizes
  :: Rounding puts some eigenvalues a little below zero, where the root is not a number: use `svdvals`
z.double() => z :: In float32 1e-300 is 0, and 0/0 is not a number: keep the sum away from zero by 1e-30
torch.linalg.svdvals(z.double()) => torch.linalg.eigvalsh(z @ z.mT).clamp(min=0).sqrt().double()
  :: The root of a rounding error in float32 is 3e-4: take singular values, or go through double precision
sizes / \
=> sizes * (sizes > 1e-9) / :: Scale does not count, and a singular value of 1e-9 may be a large one: drop none
sizes / => sizes * (sizes > 1e-3 * sizes.amax(-1, keepdim=True)) /
  :: Beside one giant token all other singular values are small, and they count: drop none
"""

effective_rank = Exercise(
    id="representations.effective_rank",
    title="The effective rank",
    reference=entropy.effective_rank,
    cases=cases,
    properties=[
        lies_between_exp_of_the_entropy_and_the_rank,
        counts_equal_singular_values_small_ones_and_products,
        inputs.same_after_scaling_turning_reordering(1e-4),
    ],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "`torch.linalg.svdvals` gives the singular values of all layers at once, along the last dimension.",
        "Divide them by their sum, take the entropy of order 1 of the result with `torch.special.entr`, and the "
        "exponential of that. Keep the sum away from zero, with a `clamp` far below any real sum, as 1e-30 is (1e-300 "
        "is zero in float32): what comes out for a matrix of zeros?",
    ],
    # The root of a rounding error is much larger than the error, for whoever goes through the Gram matrix.
    tolerance=1e-6,
    # Singular values of the tokens themselves are right, if dearer than those of the smaller Gram matrix.
    slow_factor=500,
    full_size=inputs.at_all_layers,
)
