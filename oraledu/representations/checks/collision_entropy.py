"""Exercise 2: the entropy of order 2, without eigenvalues."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import entropy
from oraledu.representations.checks import references
from oraledu.representations.checks.inputs import (
    Decompositions,
    all_layers,
    largest_difference,
    same_spectrum,
    states,
    with_singular_values,
)


def cases(generator: torch.Generator) -> list[Case]:
    """Return wide and tall matrices, layers at once, one token, a huge first token, and float32."""
    z = states(generator, 6, 10)
    sink = z.clone()
    sink[0] *= 10
    return [
        Case("six tokens", (z,)),
        Case("more tokens than coordinates", (states(generator, 9, 4),)),
        Case("several layers at once", (states(generator, 2, 3, 5, 7),)),
        Case("a first token ten times as long", (sink,)),
        Case("one layer of zeros among others", (torch.stack([z, torch.zeros_like(z)]),)),
        Case("tokens in float32", (z.float(),)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a prompt of the lesson at all layers."""
    return Case("32 layers, 25 tokens, 576 coordinates", (all_layers(generator),))


def takes_no_eigenvalues(function: Function, generator: torch.Generator) -> str | None:
    """Watch the calls of torch, and ask that none of them is a decomposition."""
    with Decompositions() as seen:
        function(states(generator, 5, 7))
    return "it takes eigenvalues or singular values: sums of squares are enough" if seen.sizes else None


def is_the_entropy_of_order_two(function: Function, generator: torch.Generator) -> str | None:
    """Compare with -log Σ p² for eigenvalues that are known, and with the orders around it."""
    squares = torch.rand(5, generator=generator, dtype=torch.float64) + 0.1
    p = squares / squares.sum()
    for rows, columns in ((5, 8), (8, 5)):
        z = with_singular_values(squares.sqrt(), rows, columns, generator)
        found = float(function(z))
        if not abs(found + math.log(p.square().sum())) < 1e-9:
            return "it should be -log Σ p², with p the eigenvalues of ZZ' over their sum"
        if not p.max().log().neg() - 1e-9 < found < torch.special.entr(p).sum() + 1e-9:
            return "it should lie between -log of the largest share and S_1"
    return None


def lies_between_zero_and_log_tokens(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 0 at rank one, and log r for r equal singular values."""
    for rank in (1, 2, 5):
        found = function(with_singular_values([3.0] * rank, 6, 7, generator))
        if not largest_difference(found, math.log(rank)) < 1e-9:
            return f"for {rank} equal singular values it should be log {rank}"
    return None


def sees_neither_scale_nor_turn_nor_order(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same entropy of c Z, Z Q, the rows in another order, and each row twice."""
    z = states(generator, 5, 8)
    for what, other in same_spectrum(z, generator).items():
        if not largest_difference(function(other), function(z)) < 1e-9:
            return f"with {what} it should stay the same"
    return None


def adds_up_over_products(function: Function, generator: torch.Generator) -> str | None:
    """Ask for S(Z ⊗ W) = S(Z) + S(W)."""
    z, w = states(generator, 3, 4), states(generator, 2, 3)
    same = largest_difference(function(torch.kron(z, w)), function(z) + function(w)) < 1e-9
    return None if same else "for the Kronecker product of two matrices it should be the sum"


def _diagonal(k: Tensor) -> Tensor:
    return k.diagonal(dim1=-2, dim2=-1)


def _trace(k: Tensor) -> Tensor:
    return _diagonal(k).sum(-1)


def _norm(k: Tensor) -> Tensor:
    return k.square().sum((-2, -1))


def _purity(k: Tensor) -> Tensor:
    trace = _trace(k)
    return torch.where(trace > 0, _norm(k) / torch.where(trace > 0, trace, 1).square(), 1)


def _changed(
    *,
    prepare: Callable[[Tensor], Tensor] = lambda z: z,
    purity: Callable[[Tensor], Tensor] = lambda k: _purity(k),
    finish: Callable[[Tensor], Tensor] = lambda purity: -purity.log(),
) -> Function:
    """Return the plain method with one thing changed."""

    def collision_entropy(z: Tensor) -> Tensor:
        z = prepare(z)
        return finish(purity(z @ z.mT))

    return collision_entropy


def _of_order_one(z: Tensor) -> Tensor:
    return entropy.matrix_entropy(z, 1.0)


def _by_eigenvalues(z: Tensor) -> Tensor:
    squares = torch.linalg.svdvals(z).square()
    p = squares / squares.sum(-1, keepdim=True).clamp(min=1e-300)
    total = p.square().sum(-1)
    return -torch.where(total > 0, total, 1).log()


collision_entropy = Exercise(
    id="representations.collision_entropy",
    title="The entropy of order 2, without eigenvalues",
    reference=references.collision_entropy,
    cases=cases,
    properties=[
        Property("no eigenvalues", takes_no_eigenvalues),
        Property("the entropy of order 2", is_the_entropy_of_order_two),
        Property("between 0 and the logarithm of the rank", lies_between_zero_and_log_tokens),
        Property("the same after scaling, turning, reordering", sees_neither_scale_nor_turn_nor_order),
        Property("adds up over products", adds_up_over_products),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(purity=lambda k: _norm(k) / _trace(k).square()),
            "A matrix of zeros has entropy 0: mind 0/0",
        ),
        WrongAnswer(
            _changed(purity=_norm),
            "Divide by the squared trace: without it this depends on the scale of the tokens",
        ),
        WrongAnswer(
            _changed(purity=lambda k: _norm(k) / _trace(k)),
            "Each of two factors is divided by the trace, so divide by its square",
        ),
        WrongAnswer(
            _changed(purity=lambda k: _norm(k).sqrt() / _trace(k)),
            "Take the squared norm of the Gram matrix: yours is half the entropy",
        ),
        WrongAnswer(
            _changed(purity=lambda k: _diagonal(k).square().sum(-1) / _trace(k).square()),
            "Take the squares of all entries of the Gram matrix, not of the diagonal alone",
        ),
        WrongAnswer(
            _changed(purity=lambda k: (k @ k).sum((-2, -1)) / _trace(k).square()),
            "The sum of the squared eigenvalues is the trace of K², not the sum of its entries",
        ),
        WrongAnswer(
            _changed(purity=lambda k: _norm(k) / k.sum((-2, -1)).square()),
            "Divide by the squared trace, not by the square of the sum of all entries",
        ),
        WrongAnswer(
            _changed(purity=lambda k: _norm(k) / k.shape[-1] ** 2),
            "The trace is the number of tokens only if each has length one",
        ),
        WrongAnswer(
            _changed(purity=lambda k: k.square().sum() / _trace(k).sum().square()),
            "Each layer has a Gram matrix of its own: sum over the last two dimensions only",
        ),
        WrongAnswer(_changed(finish=lambda purity: purity), "This is the purity: the entropy is -log of it"),
        WrongAnswer(
            _changed(finish=lambda purity: purity.log()),
            "The sign is wrong: 1 / (1 - alpha) is -1 at alpha = 2",
        ),
        WrongAnswer(
            _changed(finish=lambda purity: 1 - purity),
            "This is 1 minus the purity, its entropy to first order: take -log",
        ),
        WrongAnswer(
            _changed(finish=lambda purity: -purity.log2()), "Your entropy is in bits: take natural logarithms"
        ),
        WrongAnswer(
            _changed(prepare=lambda z: z - z.mean(-2, keepdim=True)),
            "Take the tokens as they are: you took their mean off",
        ),
        WrongAnswer(
            _changed(prepare=lambda z: torch.nn.functional.normalize(z, dim=-1)),
            "Take the tokens as they are: you gave each of them length one",
        ),
        WrongAnswer(_of_order_one, "This is the entropy of order 1"),
        WrongAnswer(_by_eigenvalues, "It takes eigenvalues: sums of squares are enough"),
    ],
    hints=[
        "For a symmetric matrix, $\\sum_i \\lambda_i^2 = \\operatorname{tr} K^2$. Write that trace out in the entries "
        "of $K$: no eigenvalue is needed.",
        "$\\sum_i p_i^2 = \\lVert K \\rVert_F^2 / (\\operatorname{tr} K)^2$. For many layers, "
        "`k.square().sum(dim=(-2, -1))` and `k.diagonal(dim1=-2, dim2=-1).sum(dim=-1)`.",
    ],
    full_size=full_size,
    guarded=(
        entropy.matrix_entropy,
        entropy.from_gram,
        entropy.renyi,
        entropy.spectrum,
        entropy.spectrum_from_gram,
    ),
)
