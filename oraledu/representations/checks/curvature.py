"""Exercise 5: by which angle the path of a prompt turns."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import geometry
from oraledu.representations.checks.inputs import (
    all_layers,
    largest_difference,
    normal,
    rotation,
    states,
)


def cases(generator: torch.Generator) -> list[Case]:
    """Return paths in many and in two dimensions, of unlike steps, layers at once, repeated tokens, and float32."""
    path = states(generator, 7, 10)
    walk = normal(generator, 8, 4).cumsum(0)
    return [
        Case("seven tokens", (path,)),
        Case("a walk with long and short steps", (walk * torch.arange(1.0, 9.0).double()[:, None],)),
        Case("three tokens", (path[:3],)),
        Case("several layers at once", (states(generator, 2, 3, 5, 6),)),
        Case("a token that is repeated", (path[[0, 1, 2, 2, 3, 4, 5, 6]],)),
        Case(
            "one layer with a repeated token among others",
            (torch.stack([path, path[[0, 1, 2, 2, 4, 5, 6]]]),),
        ),
        Case("a token that stands still", (path[:1].repeat(4, 1),)),
        Case("tokens in float32", (path.float(),)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a prompt of the lesson at all layers."""
    return Case("32 layers, 25 tokens, 576 coordinates", (all_layers(generator),))


def is_zero_on_a_line_and_pi_on_a_zigzag(function: Function, generator: torch.Generator) -> str | None:
    """Walk many lines in float32, where some cosines are rounded past 1."""
    start, step = normal(generator, 64, 1, 20).float(), normal(generator, 64, 1, 20).float()
    for name, places, angle in (
        ("a straight line", torch.arange(12.0), 0.0),
        ("a zigzag between two points", torch.arange(12.0) % 2, math.pi),
    ):
        found = function(start + places[:, None] * step)
        if found.isnan().any():
            return f"on {name} it is not a number: rounding puts a cosine past 1, so clamp it to [-1, 1]"
        if not largest_difference(found, angle) < 5e-3:
            return f"on {name} it should be {angle:.4g}"
    return None


def is_two_pi_over_n_on_a_polygon(function: Function, generator: torch.Generator) -> str | None:
    """Walk around regular polygons, in a random plane."""
    for n in (3, 4, 12):
        angles = 2 * math.pi / n * torch.arange(2 * n, dtype=torch.float64)
        plane = rotation(5, generator)[:2]
        path = torch.stack([angles.cos(), angles.sin()], dim=1) @ plane
        if not largest_difference(function(path), 2 * math.pi / n) < 1e-6:
            return f"around a regular polygon with {n} corners it should be 2π/{n}"
    return None


def has_its_limits_in_many_dimensions(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 2π/3 if tokens are drawn independently, and π/2 on a random walk."""
    tokens = normal(generator, 40, 2000)
    for name, path, angle in (
        ("for tokens drawn independently in 2000 dimensions it should be near 2π/3", tokens, 2 * math.pi / 3),
        ("on a random walk in 2000 dimensions it should be near π/2", tokens.cumsum(0), math.pi / 2),
    ):
        if not largest_difference(function(path), angle) < 0.02:
            return name
    return None


def sees_no_move_turn_scale_or_reversal(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same angle on the path moved, rotated, scaled, mirrored and walked backwards."""
    path = states(generator, 6, 5)
    changed = {
        "moved": path + 10 * normal(generator, 5),
        "rotated": path @ rotation(5, generator),
        "scaled by 3": 3 * path,
        "mirrored": -path,
        "walked backwards": path.flip(0),
    }
    for what, other in changed.items():
        if not largest_difference(function(other), function(path)) < 1e-6:
            return f"on a path that is {what} it should stay the same"
    return None


def leaves_out_what_has_no_step(function: Function, generator: torch.Generator) -> str | None:
    """Let the last token stay, and ask for the same mean."""
    path = normal(generator, 5, 6)
    same = largest_difference(function(path[[0, 1, 2, 3, 4, 4, 4]]), function(path)) < 1e-6
    return None if same else "if the path ends with tokens that stay where they are, its mean should stay too"


def _steps(z: Tensor) -> Tensor:
    return z.diff(dim=-2)


def _arccos(cosines: Tensor) -> Tensor:
    return cosines.clamp(-1, 1).arccos()


def _changed(
    *,
    walk: Callable[[Tensor], Tensor] = _steps,
    behind: int = 1,
    angle: Callable[[Tensor], Tensor] = _arccos,
    mean: Callable[[Tensor, Tensor], Tensor] = lambda angles, defined: (
        torch.where(defined, angles, 0).sum(-1) / defined.sum(-1).clamp(min=1)
    ),
    unlike: Callable[[Tensor, Tensor], Tensor] = lambda ahead, back: ahead.norm(dim=-1) * back.norm(dim=-1),
) -> Function:
    """Return the plain method with one thing changed."""

    def curvature(z: Tensor) -> Tensor:
        steps = walk(z)
        ahead, back = steps[..., behind:, :], steps[..., : steps.shape[-2] - behind, :]
        norms = unlike(ahead, back)
        defined = (ahead.norm(dim=-1) * back.norm(dim=-1)) > 0
        cosines = (ahead * back).sum(-1) / torch.where(defined, norms, 1)
        return mean(angle(cosines), defined)

    return curvature


def _with_nan(z: Tensor) -> Tensor:
    steps = _steps(z)
    ahead, back = steps[..., 1:, :], steps[..., :-1, :]
    cosines = (ahead * back).sum(-1) / (ahead.norm(dim=-1) * back.norm(dim=-1))
    return _arccos(cosines).mean(-1)


def _right_angles(z: Tensor) -> Tensor:
    steps = _steps(z)
    return _arccos(torch.cosine_similarity(steps[..., 1:, :], steps[..., :-1, :], dim=-1)).mean(-1)


def _over_all_turns(angles: Tensor, defined: Tensor) -> Tensor:
    return torch.where(defined, angles, 0).mean(-1)


def _of_the_mean_cosine(z: Tensor) -> Tensor:
    return _arccos(_changed(angle=lambda cosines: cosines)(z))


curvature = Exercise(
    id="representations.curvature",
    title="The curvature of a path",
    reference=geometry.curvature,
    cases=cases,
    properties=[
        Property("0 on a line, π on a zigzag", is_zero_on_a_line_and_pi_on_a_zigzag),
        Property("2π/n around a polygon", is_two_pi_over_n_on_a_polygon),
        Property("2π/3 and π/2 in many dimensions", has_its_limits_in_many_dimensions),
        Property("the same wherever the path lies", sees_no_move_turn_scale_or_reversal),
        Property("no step, no angle", leaves_out_what_has_no_step),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(walk=lambda z: z),
            "This is the angle between tokens: take that between steps z_{k+1} - z_k",
        ),
        WrongAnswer(
            _changed(walk=lambda z: z - z.mean(-2, keepdim=True)),
            "This is the angle between centred tokens: take that between steps z_{k+1} - z_k",
        ),
        WrongAnswer(_changed(behind=2), "Compare each step with the next one, not with the one after it"),
        WrongAnswer(
            _changed(walk=lambda z: z.diff(dim=-1)),
            "You took differences along the coordinates: steps go from token to token",
        ),
        WrongAnswer(
            _changed(walk=lambda z: z.diff(dim=-2, n=2)),
            "You took differences twice: the angle lies between one step and the next",
        ),
        WrongAnswer(
            _changed(angle=lambda cosines: cosines), "This is the mean cosine: take the angle by `arccos`"
        ),
        WrongAnswer(_of_the_mean_cosine, "Take the mean of the angles, not the angle of the mean cosine"),
        WrongAnswer(
            _changed(angle=lambda cosines: torch.rad2deg(_arccos(cosines))),
            "Give the angle in radians, not in degrees",
        ),
        WrongAnswer(
            _changed(angle=lambda cosines: math.pi - _arccos(cosines)),
            "A straight path turns by 0: yours is the angle between the two segments, π minus the turn",
        ),
        WrongAnswer(
            _changed(angle=lambda cosines: _arccos(cosines.abs())),
            "A step back turns by π: keep the sign of the cosine",
        ),
        WrongAnswer(
            _changed(unlike=lambda ahead, back: ahead.norm(dim=-1).square()),
            "Divide by the lengths of both steps, not by the square of one",
        ),
        WrongAnswer(
            _changed(unlike=lambda ahead, back: torch.ones_like(ahead[..., 0])),
            "Divide the product of two steps by both their lengths to have a cosine",
        ),
        WrongAnswer(
            _changed(mean=lambda angles, defined: torch.where(defined, angles, 0).sum(-1)),
            "Take the mean of the angles, not their sum",
        ),
        WrongAnswer(
            _with_nan,
            "Where a token equals the next there is no step, and 0/0 is not a number: leave such turns out",
        ),
        WrongAnswer(
            _right_angles,
            "`cosine_similarity` calls a step of length zero a right angle: leave such turns out",
        ),
        WrongAnswer(
            _changed(mean=lambda angles, defined: angles.mean()),
            "Each layer has a path of its own: take the mean over the last dimension only",
        ),
        WrongAnswer(
            _changed(mean=_over_all_turns),
            "Divide by the number of turns that there are: those without a step do not count",
        ),
        WrongAnswer(
            _changed(angle=lambda cosines: cosines.arccos()),
            "Rounding puts a cosine past 1, where `arccos` is not a number: clamp it to [-1, 1]",
        ),
    ],
    hints=[
        "`z.diff(dim=-2)` are the steps. The cosine of the angle between two vectors is their product over both "
        "lengths, and `torch.linalg.vecdot` multiplies many pairs at once.",
        "Rounding can put a cosine past 1, where `arccos` gives NaN: `clamp(-1, 1)` first.",
        "Where a token is repeated a length is zero. Find these turns (`norms > 0`), replace their cosine by anything "
        "with `torch.where`, and divide the sum of the other angles by how many there are, at least 1.",
    ],
    # Near a straight turn, arccos makes the root of a rounding error of it.
    tolerance=1e-6,
    full_size=full_size,
    slow_factor=300,
    guarded=(geometry.curvature_from_gram,),
)
