"""Exercise 5: by which angle the path of a prompt turns."""

import math

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import geometry
from oraledu.representations.checks import inputs
from oraledu.representations.checks.inputs import Rows, normal, rotation, states, within


def cases(generator: torch.Generator) -> list[Case]:
    """Return paths in many and in two dimensions, of unlike steps, layers at once, repeated tokens, and float32."""
    path = states(generator, 7, 10)
    walk = normal(generator, 8, 4).cumsum(0)
    near, repeated = path.clone(), path[[0, 1, 2, 2, 4, 5, 6]]
    near[3] = path[2] + 1e-7 * normal(generator, 10)
    return [
        Case("seven tokens", (path,)),
        Case("a walk with long and short steps", (walk * torch.arange(1.0, 9.0).double()[:, None],)),
        Case("three tokens", (path[:3],)),
        Case("several layers at once", (states(generator, 2, 3, 5, 6),)),
        Case("a token that is repeated", (path[[0, 1, 2, 2, 3, 4, 5, 6]],)),
        Case("one layer with a repeated token among others", (torch.stack([path, repeated]),)),
        Case("a step far shorter than the others", (near,)),
        Case("a token that stands still", (path[:1].repeat(4, 1),)),
        Case("tokens in float32", (path.float(),)),
    ]


@within(5e-3)
def is_0_on_a_line_and_π_on_a_zigzag(function: Function, generator: torch.Generator) -> Rows:
    """Walk many lines in float32, where some cosines are rounded past 1."""
    start, step = normal(generator, 64, 1, 20).float(), normal(generator, 64, 1, 20).float()
    for name, places, angle in (
        ("a straight line", torch.arange(12.0), 0.0),
        ("a zigzag between two points", torch.arange(12.0) % 2, math.pi),
    ):
        found = function(start + places[:, None] * step)
        told = "it is not a number: rounding puts a cosine past 1, so clamp it to [-1, 1]"
        yield bool(found.isnan().any()), False, f"on {name} {told}"
        yield found, angle, f"on {name} it should be {angle:.4g}"


@within(1e-6)
def is_2π_over_n_around_a_polygon(function: Function, generator: torch.Generator) -> Rows:
    """Walk around regular polygons, in a random plane."""
    for n in (3, 4, 12):
        angles = 2 * math.pi / n * torch.arange(2 * n, dtype=torch.float64)
        path = torch.stack([angles.cos(), angles.sin()], dim=1) @ rotation(5, generator)[:2]
        told = f"around a regular polygon with {n} corners it should be 2π/{n}"
        yield function(path), 2 * math.pi / n, told


@within(0.02)
def has_its_limits_in_many_dimensions(function: Function, generator: torch.Generator) -> Rows:
    """Ask for 2π/3 if tokens are drawn independently, and π/2 on a random walk."""
    tokens, where = normal(generator, 40, 2000), "in 2000 dimensions it should be near"
    yield function(tokens), 2 * math.pi / 3, f"for tokens drawn independently {where} 2π/3"
    yield function(tokens.cumsum(0)), math.pi / 2, f"on a random walk {where} π/2"


@within(1e-6)
def is_the_same_wherever_the_path_lies(function: Function, generator: torch.Generator) -> Rows:
    """Ask for the same angle on the path moved, turned, scaled, mirrored, reversed, and with no step at its end."""
    path = states(generator, 6, 5)
    changed = {
        "moved": path + 10 * normal(generator, 5),
        "rotated": path @ rotation(5, generator),
        "scaled by 3": 3 * path,
        "scaled by 1e4": 1e4 * path,
        "scaled by 1e-6": 1e-6 * path,
        "mirrored": -path,
        "walked backwards": path.flip(0),
        "ended by tokens that stay where they are": path[[0, 1, 2, 3, 4, 5, 5, 5]],
    }
    for what, other in changed.items():
        yield function(other), function(path), f"on a path that is {what} it should stay the same"


def plain(z: Tensor) -> Tensor:
    """Take the mean over all turns that have both of their steps."""
    steps = z.diff(dim=-2)
    ahead, back = steps[..., 1:, :], steps[..., :-1, :]
    norms = ahead.norm(dim=-1) * back.norm(dim=-1)
    there = norms > 0
    cosines = (ahead * back).sum(-1) / torch.where(there, norms, 1)
    angles = torch.where(there, cosines.clamp(-1, 1).arccos(), 0)
    return angles.sum(-1) / there.sum(-1).clamp(min=1)


WRONG = r"""
z.diff(dim=-2) => z :: This is the angle between tokens: take that between steps z_{k+1} - z_k
z.diff(dim=-2) => z - z.mean(-2, keepdim=True)
  :: This is the angle between centred tokens: take that between steps z_{k+1} - z_k
1:, :], steps[..., :-1 \
=> 2:, :], steps[..., :-2 :: Compare each step with the next one, not with the one after it
diff(dim=-2) => diff(dim=-1) :: You took differences along the coordinates: steps go from token to token
diff(dim=-2) => diff(dim=-2, n=2) :: You took differences twice: the angle lies between one step and the next
cosines.clamp(-1, 1).arccos() => cosines :: This is the mean cosine: take the angle by `arccos`
cosines.clamp(-1, 1).arccos() => cosines
return angles.sum(-1) / there.sum(-1).clamp(min=1) \
=> return (angles.sum(-1) / there.sum(-1).clamp(min=1)).arccos()
  :: Take the mean of the angles, not the angle of the mean cosine
.arccos() => .arccos().rad2deg() :: Give the angle in radians, not in degrees
cosines.clamp => math.pi - cosines.clamp
  :: A straight path turns by 0: yours is the angle between the two segments, π minus the turn
cosines.clamp => cosines.abs().clamp :: A step back turns by π: keep the sign of the cosine
torch.where(there, norms, 1) => torch.where(there, ahead.norm(dim=-1).square(), 1)
  :: Divide by the lengths of both steps, not by the square of one
sum(-1) / torch.where(there, norms, 1) => sum(-1)
  :: Divide the product of two steps by both their lengths to have a cosine
angles.sum(-1) / there.sum(-1).clamp(min=1) => angles.sum(-1) :: Take the mean of the angles, not their sum
there = norms > 0 => there = norms >= 0
  :: Where a token equals the next there is no step, and 0/0 is not a number: leave such turns out
(ahead * back).sum(-1) / torch.where(there, norms, 1) => torch.cosine_similarity(ahead, back, dim=-1)
there = norms > 0 => there = norms >= 0
  :: `cosine_similarity` calls a step of length zero a right angle: leave such turns out
angles.sum(-1) / there.sum(-1).clamp(min=1) => angles.mean()
  :: Each layer has a path of its own: take the mean over the last dimension only
angles.sum(-1) / there.sum(-1).clamp(min=1) => angles.mean(-1)
  :: Divide by the number of turns that there are: those without a step do not count
.clamp(-1, 1) => :: Rounding puts a cosine past 1, where `arccos` is not a number: clamp it to [-1, 1]
torch.where(there, norms, 1) => (norms + 1e-12)
  :: A path may be short: a guard of 1e-12 beside its steps is not small, and changes the cosines
norms > 0 => norms > 1e-9 :: A path may be short: there is no step only where a token equals the next one
norms > 0 => norms > 1e-6 * norms.amax(-1, keepdim=True)
  :: A step far shorter than the others still turns: there is none only where a token equals the next one
"""

curvature = Exercise(
    id="representations.curvature",
    title="The curvature of a path",
    reference=geometry.curvature,
    cases=cases,
    properties=[
        is_0_on_a_line_and_π_on_a_zigzag,
        is_2π_over_n_around_a_polygon,
        has_its_limits_in_many_dimensions,
        is_the_same_wherever_the_path_lies,
    ],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "`z.diff(dim=-2)` are the steps. The cosine of the angle between two vectors is their product over both "
        "lengths, and `torch.linalg.vecdot` multiplies many pairs at once.",
        "Rounding can put a cosine past 1, where `arccos` gives NaN: `clamp(-1, 1)` first.",
        "Where a token is repeated a length is zero. Find these turns (`norms > 0`), replace their cosine by anything "
        "with `torch.where`, and divide the sum of the other angles by how many there are, at least 1.",
    ],
    # Near a straight turn, arccos makes the root of a rounding error of it.
    tolerance=1e-6,
    full_size=inputs.at_all_layers,
    slow_factor=300,
)
