"""Exercise 2: the entropy of order 2, without eigenvalues."""

import math

import numpy as np
import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import entropy
from oraledu.representations.checks import inputs, references
from oraledu.representations.checks.inputs import Rows, states, with_singular_values, within


def cases(generator: torch.Generator) -> list[Case]:
    """Return wide and tall matrices, layers at once, a huge first token, zeros, and float32."""
    z = states(generator, 6, 10)
    sink = z.clone()
    sink[0] *= 10
    zeros = torch.stack([z, torch.zeros_like(z)])
    return [
        Case("six tokens", (z,)),
        Case("more tokens than coordinates", (states(generator, 9, 4),)),
        Case("several layers at once", (states(generator, 2, 3, 5, 7),)),
        Case("a first token ten times as long", (sink,)),
        Case("one layer of zeros among others", (zeros,)),
        Case("tokens in float32, and a layer of zeros", (zeros.float(),)),
    ]


def takes_no_eigenvalues(function: Function, generator: torch.Generator) -> str | None:
    """Watch the calls of torch, NumPy and SciPy, and ask that none of them is a decomposition."""
    with inputs.Decompositions() as seen:
        function(states(generator, 5, 7))
    return "it takes eigenvalues or singular values: sums of squares are enough" if seen.sizes else None


@within(1e-9)
def is_the_entropy_of_order_two_and_adds_up_over_products(
    function: Function, generator: torch.Generator
) -> Rows:
    """Compare with -log Σ p² for known eigenvalues, log r for r equal ones, and S(Z) + S(W) for Z ⊗ W."""
    squares = torch.rand(5, generator=generator, dtype=torch.float64) + 0.1
    p = squares / squares.sum()
    for rows, columns in ((5, 8), (8, 5)):
        found = function(with_singular_values(squares.sqrt(), rows, columns, generator))
        expected = -math.log(p.square().sum())
        yield found, expected, "it should be -log Σ p², with p the eigenvalues of ZZ' over their sum"
    for rank in (1, 2, 5):
        found = function(with_singular_values([3.0] * rank, 6, 7, generator))
        yield found, math.log(rank), f"for {rank} equal singular values it should be log {rank}"
    z, w = states(generator, 3, 4), states(generator, 2, 3)
    found = function(torch.kron(z, w))
    yield found, function(z) + function(w), "for the Kronecker product of two matrices it should be the sum"


def by_numpy(z: Tensor) -> Tensor:
    """Take the shares of the singular values that NumPy finds."""
    squares = torch.from_numpy(np.linalg.svd(z.numpy(), compute_uv=False)).square()
    p = squares / squares.sum(-1, keepdim=True).clamp(min=1e-30)
    return -torch.where(squares[..., 0] > 0, p.square().sum(-1), 1).log()


def plain(z: Tensor) -> Tensor:
    """Divide the squared norm of the Gram matrix by its squared trace."""
    k = z @ z.mT
    trace = k.diagonal(dim1=-2, dim2=-1).sum(-1)
    total = k.square().sum((-2, -1))
    purity = torch.where(trace > 0, total / trace.square(), 1)
    return -purity.log()


WRONG = r"""
torch.where(trace > 0, total / trace.square(), 1) \
=> total / trace.square() :: A matrix of zeros has entropy 0: mind 0/0
total / trace.square() => total
  :: Divide by the squared trace: without it this depends on the scale of the tokens
trace.square() => trace :: Each of two factors is divided by the trace, so divide by its square
total / trace.square() => total.sqrt() / trace
  :: Take the squared norm of the Gram matrix: yours is half the entropy
k.square().sum((-2, -1)) => k.diagonal(dim1=-2, dim2=-1).square().sum(-1)
  :: Take the squares of all entries of the Gram matrix, not of the diagonal alone
k.square() => (k @ k) :: The sum of the squared eigenvalues is the trace of K², not the sum of its entries
trace.square() => k.sum((-2, -1)).square()
  :: Divide by the squared trace, not by the square of the sum of all entries
trace.square() => k.shape[-1] ** 2 :: The trace is the number of tokens only if each has length one
k.square().sum((-2, -1)) => k.square().sum()
trace.square() => trace.sum().square()
  :: Each layer has a Gram matrix of its own: sum over the last two dimensions only
-purity.log() => purity :: This is the purity: the entropy is -log of it
-purity.log() => purity.log() :: The sign is wrong: 1 / (1 - alpha) is -1 at alpha = 2
-purity.log() => 1 - purity :: This is 1 minus the purity, its entropy to first order: take -log
purity.log() => purity.log2() :: Your entropy is in bits: take natural logarithms
k = z @ z.mT => k = (z - z.mean(-2, keepdim=True)) @ (z - z.mean(-2, keepdim=True)).mT
  :: Take the tokens as they are: you took their mean off
k = z @ z.mT => k = torch.nn.functional.cosine_similarity(z[..., :, None, :], z[..., None, :, :], dim=-1)
  :: Take the tokens as they are: you gave each of them length one
k.square().sum((-2, -1)) => torch.linalg.eigvalsh(k).square().sum(-1)
  :: It takes eigenvalues: sums of squares are enough
k.diagonal(dim1=-2, dim2=-1).sum(-1) => torch.linalg.matrix_norm(k, "nuc")
  :: The nuclear norm is a sum of singular values: the trace is the sum of the diagonal
trace > 0 \
=> trace > 1e-12 :: Scale does not count: only a matrix of zeros has the trace 0, and 1e-12 may be a sound one
"""

collision_entropy = Exercise(
    id="representations.collision_entropy",
    title="The entropy of order 2, without eigenvalues",
    reference=references.collision_entropy,
    cases=cases,
    properties=[
        takes_no_eigenvalues,
        is_the_entropy_of_order_two_and_adds_up_over_products,
        inputs.same_after_scaling_turning_reordering(1e-9),
    ],
    wrong_answers=slips(
        plain,
        WRONG,
        (entropy.matrix_entropy, "This is the entropy of order 1"),
        (by_numpy, "NumPy's singular values are singular values too: sums of squares are enough"),
    ),
    hints=[
        "For a symmetric matrix, $\\sum_i \\lambda_i^2 = \\operatorname{tr} K^2$. Write that trace out in the entries "
        "of $K$: no eigenvalue is needed.",
        "$\\sum_i p_i^2 = \\lVert K \\rVert_F^2 / (\\operatorname{tr} K)^2$. For many layers, "
        "`k.square().sum(dim=(-2, -1))` and `k.diagonal(dim1=-2, dim2=-1).sum(dim=-1)`.",
    ],
    full_size=inputs.at_all_layers,
)
