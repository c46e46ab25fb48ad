"""Exercise 6: the same angle, from the Gram matrix alone."""

import math

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import geometry
from oraledu.representations.checks import inputs, references
from oraledu.representations.checks.inputs import Rows, normal, rotation, states, within


def cases(generator: torch.Generator) -> list[Case]:
    """Return Gram matrices of paths, of layers at once, in float32, and with steps that are short or none."""
    path = states(generator, 7, 10)
    walk = normal(generator, 8, 2).cumsum(0)
    giant = path.clone()
    giant[0] *= 1e4
    repeated, none, far = _repeated(path), path.clone(), path + 200 * normal(generator, 10) / 10**0.5
    none[2:4] = 0
    short = torch.stack([_with_a_short_step(path, share) for share in (8e-7, 1.3e-6)])
    return [
        Case("seven tokens", (_gram(path),)),
        Case("a walk in the plane", (_gram(walk),)),
        Case("three tokens", (_gram(path[:3]),)),
        Case("several layers at once", (_gram(states(generator, 2, 3, 5, 6)),)),
        Case("a Gram matrix in float32", (_gram(path).float(),)),
        Case("a token that is repeated", (repeated,)),
        Case("one layer with a repeated token among others", (torch.stack([repeated, repeated]),)),
        Case("steps short beside the tokens", (_gram(far),)),
        Case(
            "steps short beside the tokens, in float32", (_gram(states(generator, 6, 7, 10) + 100).float(),)
        ),
        Case("a step below the threshold, and one above it", (_gram(short),)),
        Case("tokens a ten-thousandth as long", (_gram(1e-4 * path),)),
        Case("a first token ten thousand times as long", (_gram(giant),)),
        Case("two tokens of length zero, one after the other", (_gram(none),)),
        Case("a token that stands still", (torch.ones(4, 4, dtype=torch.float64),)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the Gram matrices of a prompt of the lesson at all layers."""
    (z,) = inputs.at_all_layers(generator).arguments
    return Case("32 layers, 25 tokens", (_gram(z.double()),))


def _gram(z: Tensor) -> Tensor:
    return z @ z.mT


def _repeated(path: Tensor) -> Tensor:
    """Return the Gram matrix of a path with one token twice in a row, whose step rounding has not left at zero."""
    k = _gram(path[[0, 1, 2, 2, 3, 4, 5]]).float()
    k[2, 3] *= 1 - 1e-7
    k[3, 2] = k[2, 3]
    return k


def _with_a_short_step(path: Tensor, share: float) -> Tensor:
    """Return the path with one step whose square is this share of the squared lengths of its tokens, nearly."""
    step = (path[3] - path[4]) / (path[3] - path[4]).norm()
    return torch.cat([path[:4], path[3:4] + (2 * share) ** 0.5 * path[3].norm() * step, path[4:]])


@within(1e-6)
def is_the_curvature_of_the_path(function: Function, generator: torch.Generator) -> Rows:
    """Compare with the path that the Gram matrix is made of, and move it, which changes every entry."""
    for tokens, width in ((3, 2), (6, 3), (9, 40)):
        z = normal(generator, tokens, width) + 2 * normal(generator, width)
        told = f"for {tokens} tokens in {width} dimensions it is not the curvature of their path"
        yield function(_gram(z)), geometry.curvature(z), told
    path = normal(generator, 6, 5)
    moved = function(_gram(path + normal(generator, 5)))
    yield moved, function(_gram(path)), "if all tokens move by the same vector, it should stay the same"


@within(1e-5)
def is_0_and_π_and_2π_over_n_on_known_paths(function: Function, generator: torch.Generator) -> Rows:
    """Ask for 0 on a line, π on a zigzag and 2π/n around a polygon, far from the origin too."""
    angles = 2 * math.pi / 5 * torch.arange(9, dtype=torch.float64)
    uneven, line = 1 + torch.rand(60, generator=generator).double(), torch.ones(60).double()
    plane = rotation(4, generator)[:2]
    for name, path, angle in (
        ("a straight line", torch.stack([uneven.cumsum(0), line], 1), 0.0),
        ("a zigzag on a line", torch.stack([uneven * (-1) ** torch.arange(60), line], 1), math.pi),
        ("a pentagon", torch.stack([angles.cos(), angles.sin()], 1), 2 * math.pi / 5),
        ("a pentagon far from the origin", 5 + torch.stack([angles.cos(), angles.sin()], 1), 2 * math.pi / 5),
    ):
        found = function(_gram(path @ plane))
        yield bool(found.isnan().any()), False, f"on {name} it is not a number: clamp the cosine to [-1, 1]"
        yield found, angle, f"on {name} it should be {angle:.4g}, and is {float(found):.4g}"


WRONG = r"""
products = nexts => return (nexts / both * 2).clamp(-1, 1).arccos().mean(-1).to(k.dtype)\n    products = nexts
  :: This is the angle between neighbouring tokens: take that between steps
squares[..., 1:-1] => squares[..., :-2]
  :: The two steps share the token in the middle: -z_{k+1}·z_{k+1} belongs in their product
1e-6 => 1e-3 :: A step far shorter than its tokens still turns: only a squared share of 1e-6 counts as none
1e-6 * both => 1e-6 * squares.amax(-1, keepdim=True)
  :: Hold a step against its own two tokens, not against the longest of all
1:-1] - overs => 1:-1] :: The product of two steps has four terms: -z_k·z_{k+2} is left out
nexts[..., 1:] + nexts[..., :-1] \
=> 2 * nexts[..., 1:] :: The two mixed terms differ: z_k·z_{k+1} and z_{k+1}·z_{k+2}
(products => (-products :: The sign is wrong: (z_{k+2} - z_{k+1})·(z_{k+1} - z_k) has -z_{k+1}·z_{k+1}
both - 2 * nexts => both - nexts :: The squared length of a step has the mixed term twice
both - 2 * nexts => both + 2 * nexts :: The squared length of a step has the mixed term with a minus
1).sqrt() => 1) :: Divide by the lengths of the steps, not by their squares
steps[..., 1:] * steps[..., :-1], 1).sqrt() => steps[..., 1:], 1)
  :: Divide by the lengths of both steps, not by the square of one
.clamp(-1, 1).arccos() => :: This is the mean cosine: take the angle by `arccos`
.clamp(-1, 1).arccos() =>
.to(k.dtype) \
=> .clamp(-1, 1).arccos().to(k.dtype) :: Take the mean of the angles, not the angle of the mean cosine
(torch.where(there, angles, 0).sum(-1) / there.sum(-1).clamp(min=1)) => angles.mean()
  :: Each layer has a path of its own: take the mean over the last dimension only
steps > 1e-6 * both => steps == steps
  :: Where a token equals the next there is no step, and 0/0 is not a number: leave such turns out
1e-6 * both => 0
  :: Rounding can leave a step of a repeated token just above zero: compare it with the tokens' lengths
.sum(-1) / there.sum(-1).clamp(min=1) => .mean(-1)
  :: Divide by the number of turns that there are: those without a step do not count
1e-6 * both => 8 * torch.finfo(k.dtype).eps * both
  :: The threshold is the same in both types: 1e-6 of the squared lengths of the step's two tokens
1e-6 * both => 1e-6 * squares[..., 1:] :: The threshold takes the squared lengths of both tokens of the step
1e-6 * both \
=> 1e-6 :: Hold a squared step against the squared lengths of its tokens, not against a fixed number
steps > 1e-6 => steps >= 1e-6 :: Two tokens of length zero are equal, and 0 is not above 0: there is no step
.clamp(-1, 1).arccos => .clamp(max=1).arccos
  :: Rounding puts a cosine below -1 as well, where `arccos` is not a number: clamp it to [-1, 1]
.clamp(-1, 1).arccos => .arccos
  :: Rounding puts a cosine past 1, where `arccos` is not a number: clamp it to [-1, 1]
k.double() => k :: Compute in double precision: where tokens are long and near each other, most digits cancel
"""

curvature_from_gram = Exercise(
    id="representations.curvature_from_gram",
    title="The curvature, from the Gram matrix alone",
    reference=references.curvature_from_gram,
    cases=cases,
    properties=[is_the_curvature_of_the_path, is_0_and_π_and_2π_over_n_on_known_paths],
    wrong_answers=slips(
        references.curvature_from_gram,
        WRONG,
        (geometry.curvature, "The rows of K are not the tokens: write the steps' products in entries of K"),
    ),
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
)
