"""Exercise 6: the same angle, from the Gram matrix alone."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import geometry
from oraledu.representations.checks.inputs import all_layers, largest_difference, normal, rotation, states


def cases(generator: torch.Generator) -> list[Case]:
    """Return Gram matrices of paths, of layers at once, in float32, and with a token twice in a row."""
    path = states(generator, 7, 10)
    walk = normal(generator, 8, 2).cumsum(0)
    giant = path.clone()
    giant[0] *= 1e4
    return [
        Case("seven tokens", (_gram(path),)),
        Case("a walk in the plane", (_gram(walk),)),
        Case("three tokens", (_gram(path[:3]),)),
        Case("several layers at once", (_gram(states(generator, 2, 3, 5, 6)),)),
        Case("a Gram matrix in float32", (_gram(path).float(),)),
        Case("a token that is repeated", (_repeated(path),)),
        Case(
            "one layer with a repeated token among others", (torch.stack([_repeated(path), _repeated(path)]),)
        ),
        Case("steps short beside the tokens", (_gram(path + 200 * normal(generator, 10) / 10**0.5),)),
        Case("a first token ten thousand times as long", (_gram(giant),)),
        Case("a token that stands still", (torch.ones(4, 4, dtype=torch.float64),)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the Gram matrices of a prompt of the lesson at all layers."""
    return Case("32 layers, 25 tokens", (_gram(all_layers(generator).double()),))


def _gram(z: Tensor) -> Tensor:
    return z @ z.mT


def _repeated(path: Tensor) -> Tensor:
    """Return the Gram matrix of a path with one token twice in a row, whose step rounding has not left at zero."""
    k = _gram(path[[0, 1, 2, 2, 3, 4, 5]]).float()
    k[2, 3] *= 1 - 1e-7
    k[3, 2] = k[2, 3]
    return k


def agrees_with_the_path_itself(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the angle of the path that the Gram matrix is made of."""
    for tokens, width in ((3, 2), (6, 3), (9, 40)):
        z = normal(generator, tokens, width) + 2 * normal(generator, width)
        if not largest_difference(function(_gram(z)), geometry.curvature(z)) < 1e-6:
            return f"for {tokens} tokens in {width} dimensions it is not the curvature of their path"
    return None


def has_the_limits_of_known_paths(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 0 on a line, π on a zigzag and 2π/n around a polygon, far from the origin too."""
    angles = 2 * math.pi / 5 * torch.arange(9, dtype=torch.float64)
    places = torch.arange(8, dtype=torch.float64)
    plane = rotation(4, generator)[:2]
    for name, path, angle in (
        ("a straight line", torch.stack([places, 1 + places], 1), 0.0),
        ("a zigzag between two points", torch.stack([places % 2, 1 + places % 2], 1), math.pi),
        ("a pentagon", torch.stack([angles.cos(), angles.sin()], 1), 2 * math.pi / 5),
        ("a pentagon far from the origin", 5 + torch.stack([angles.cos(), angles.sin()], 1), 2 * math.pi / 5),
    ):
        found = function(_gram(path @ plane))
        if found.isnan().any():
            return f"on {name} it is not a number: clamp the cosine to [-1, 1]"
        if not largest_difference(found, angle) < 1e-5:
            return f"on {name} it should be {angle:.4g}, and is {float(found):.4g}"
    return None


def sees_no_move(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same angle after all tokens have moved, which changes every entry of the Gram matrix."""
    path = normal(generator, 6, 5)
    same = largest_difference(function(_gram(path + normal(generator, 5))), function(_gram(path))) < 1e-6
    return None if same else "if all tokens move by the same vector, it should stay the same"


def _parts(k: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    squares, nexts, overs = (k.diagonal(offset, -2, -1) for offset in (0, 1, 2))
    return squares, nexts, overs


def _squared_steps(k: Tensor) -> Tensor:
    squares, nexts, _ = _parts(k)
    return squares[..., 1:] + squares[..., :-1] - 2 * nexts


def _products(k: Tensor) -> Tensor:
    squares, nexts, overs = _parts(k)
    return nexts[..., 1:] + nexts[..., :-1] - squares[..., 1:-1] - overs


def _changed(
    *,
    products: Callable[[Tensor], Tensor] = _products,
    steps: Callable[[Tensor], Tensor] = _squared_steps,
    norms: Callable[[Tensor], Tensor] = lambda steps: (steps[..., 1:] * steps[..., :-1]).sqrt(),
    turn: Callable[[Tensor], Tensor] = lambda cosines: cosines.clamp(-1, 1).arccos(),
    mean: Callable[[Tensor, Tensor], Tensor] = lambda angles, there: (
        torch.where(there, angles, 0).sum(-1) / there.sum(-1).clamp(min=1)
    ),
    least: Callable[[Tensor], Tensor] = lambda squares: 1e-6 * (squares[..., 1:] + squares[..., :-1]),
) -> Function:
    """Return the plain method with one thing changed."""

    def curvature_from_gram(k: Tensor) -> Tensor:
        wide = k.double()
        squares = wide.diagonal(0, -2, -1)
        taken = _squared_steps(wide) > least(squares)
        there = taken[..., 1:] & taken[..., :-1]
        divisors = norms(steps(wide))
        cosines = products(wide) / torch.where(there & (divisors != 0), divisors, 1)
        return mean(turn(cosines), there).to(k.dtype)

    return curvature_from_gram


def _off_by_one(k: Tensor) -> Tensor:
    squares, nexts, overs = _parts(k)
    return nexts[..., 1:] + nexts[..., :-1] - squares[..., :-2] - overs


def _forgotten(k: Tensor) -> Tensor:
    squares, nexts, _ = _parts(k)
    return nexts[..., 1:] + nexts[..., :-1] - squares[..., 1:-1]


def _one_mixed_term(k: Tensor) -> Tensor:
    squares, nexts, overs = _parts(k)
    return 2 * nexts[..., 1:] - squares[..., 1:-1] - overs


def _single_mixed(k: Tensor) -> Tensor:
    squares, nexts, _ = _parts(k)
    return squares[..., 1:] + squares[..., :-1] - nexts


def _plus_mixed(k: Tensor) -> Tensor:
    squares, nexts, _ = _parts(k)
    return squares[..., 1:] + squares[..., :-1] + 2 * nexts


def _between_tokens(k: Tensor) -> Tensor:
    squares, nexts, _ = _parts(k)
    return (nexts / (squares[..., 1:] * squares[..., :-1]).sqrt()).clamp(-1, 1).arccos().mean(-1)


def _unguarded(k: Tensor) -> Tensor:
    wide = k.double()
    steps = _squared_steps(wide).clamp(min=0)
    cosines = _products(wide) / (steps[..., 1:] * steps[..., :-1]).sqrt()
    return cosines.clamp(-1, 1).arccos().mean(-1).to(k.dtype)


def _rows_as_points(k: Tensor) -> Tensor:
    return geometry.curvature(k)


curvature_from_gram = Exercise(
    id="representations.curvature_from_gram",
    title="The curvature, from the Gram matrix alone",
    reference=geometry.curvature_from_gram,
    cases=cases,
    properties=[
        Property("the curvature of the path", agrees_with_the_path_itself),
        Property("0, π and 2π/n", has_the_limits_of_known_paths),
        Property("the same wherever the path lies", sees_no_move),
    ],
    wrong_answers=[
        WrongAnswer(
            _rows_as_points,
            "The rows of K are not the tokens: write the steps' products in entries of K",
        ),
        WrongAnswer(
            _between_tokens, "This is the angle between neighbouring tokens: take that between steps"
        ),
        WrongAnswer(
            _changed(products=_off_by_one),
            "The two steps share the token in the middle: -z_{k+1}·z_{k+1} belongs in their product",
        ),
        WrongAnswer(
            _changed(least=lambda squares: 1e-3 * (squares[..., 1:] + squares[..., :-1])),
            "A step far shorter than its tokens still turns: only a squared share of 1e-6 counts as none",
        ),
        WrongAnswer(
            _changed(least=lambda squares: 1e-6 * squares.amax(-1, keepdim=True)),
            "Hold a step against its own two tokens, not against the longest of all",
        ),
        WrongAnswer(
            _changed(products=_forgotten), "The product of two steps has four terms: -z_k·z_{k+2} is left out"
        ),
        WrongAnswer(
            _changed(products=_one_mixed_term),
            "The two mixed terms differ: z_k·z_{k+1} and z_{k+1}·z_{k+2}",
        ),
        WrongAnswer(
            _changed(products=lambda k: -_products(k)),
            "The sign is wrong: (z_{k+2} - z_{k+1})·(z_{k+1} - z_k) has -z_{k+1}·z_{k+1}",
        ),
        WrongAnswer(_changed(steps=_single_mixed), "The squared length of a step has the mixed term twice"),
        WrongAnswer(
            _changed(steps=_plus_mixed), "The squared length of a step has the mixed term with a minus"
        ),
        WrongAnswer(
            _changed(norms=lambda steps: steps[..., 1:] * steps[..., :-1]),
            "Divide by the lengths of the steps, not by their squares",
        ),
        WrongAnswer(
            _changed(norms=lambda steps: steps[..., 1:]),
            "Divide by the lengths of both steps, not by the square of one",
        ),
        WrongAnswer(
            _changed(turn=lambda cosines: cosines),
            "This is the mean cosine: take the angle by `arccos`",
        ),
        WrongAnswer(
            lambda k: _changed(turn=lambda cosines: cosines)(k).clamp(-1, 1).arccos(),
            "Take the mean of the angles, not the angle of the mean cosine",
        ),
        WrongAnswer(
            _changed(mean=lambda angles, there: angles.mean()),
            "Each layer has a path of its own: take the mean over the last dimension only",
        ),
        WrongAnswer(
            _unguarded,
            "Where a token equals the next there is no step, and 0/0 is not a number: leave such turns out",
        ),
        WrongAnswer(
            _changed(least=lambda squares: 0.0 * squares[..., 1:]),
            "Rounding can leave a step of a repeated token just above zero: compare it with the tokens' lengths",
        ),
        WrongAnswer(
            _changed(mean=lambda angles, there: torch.where(there, angles, 0).mean(-1)),
            "Divide by the number of turns that there are: those without a step do not count",
        ),
    ],
    hints=[
        "Write out $(z_{k+2} - z_{k+1}) \\cdot (z_{k+1} - z_k)$: four products of tokens, so four entries of $K$. And "
        "$\\lvert z_{k+1} - z_k \\rvert^2$?",
        "`k.diagonal(1, dim1=-2, dim2=-1)` holds $z_i \\cdot z_{i+1}$ for all $i$, of all layers. Which three "
        "diagonals are needed?",
        "With `s`, `n` and `o` for the diagonals 0, 1 and 2: products `n[..., 1:] + n[..., :-1] - s[..., 1:-1] - o`, "
        "squared steps `s[..., 1:] + s[..., :-1] - 2 * n`. A step is there if its square is above "
        "`1e-6 * (s[..., 1:] + s[..., :-1])`, a turn if both of its steps are.",
    ],
    core=False,
    tolerance=1e-6,
    full_size=full_size,
    guarded=(geometry.curvature,),
)
