"""Exercise 6: which training positions a pixel may use when it sees the border."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import windows
from oraledu.diffusion.checks.inputs import window_at


def _drawn(low: int, high: int, generator: torch.Generator) -> int:
    """Draw a whole number from low to high."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def cases(generator: torch.Generator) -> list[Case]:
    """Return pixels inside, at an edge and near a corner, the smallest and the largest patches and images."""
    inside, along = _drawn(3, 10, generator), _drawn(5, 8, generator)
    row, column = (_drawn(0, 7, generator) for _ in range(2))
    return [
        Case("a pixel inside", (14, 5, inside, along)),
        Case("one row from the top", (14, 5, 1, along)),
        Case("at the right edge", (14, 7, along, 13)),
        Case("near the lower left corner", (9, 7, 7, 1)),
        Case("a patch of one pixel", (8, 1, row, column)),
        Case("a patch that meets two edges at once", (8, 9, row, column)),
        Case("a patch of 2H - 1", (5, 9, 2, 3)),
        Case("an image of one pixel", (1, 1, 0, 0)),
        Case("H = 131", (131, 5, 130, 60 + along)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the largest patch that the paper uses for networks of this kind, on 28×28."""
    return Case("H = 28", (28, 17, 3, 20))


def the_same_part_of_the_window_is_visible(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the definition: the windows of an image of ones, padded with zeros, are alike."""
    for size, patch in ((6, 3), (7, 5), (5, 7)):
        ones, places = torch.ones(1, 1, size, size), range(size)
        seen = torch.cat([window_at(ones, i, j, patch, "zeros") for i in places for j in places])
        for row, column in torch.randint(size, (4, 2), generator=generator).tolist():
            expected = (seen == seen[row * size + column]).all(1).view(size, size)
            if not torch.equal(function(size, patch, row, column), expected):
                return (
                    f"with H = {size} and patch {patch}, the positions of pixel ({row}, {column}) are not those "
                    "where the same part of the window lies beyond the border"
                )
    return None


def divides_the_image_into_classes(function: Function, generator: torch.Generator) -> str | None:
    """Ask that each pixel may use itself, and pixels that may use each other the same; and for the known counts."""
    size, patch = 7, 5
    for row, column in torch.randint(size, (4, 2), generator=generator).tolist():
        mine = function(size, patch, row, column)
        if not mine[row, column]:
            return f"pixel ({row}, {column}) should be among its own positions"
        for i, j in mine.nonzero().tolist():
            if not torch.equal(function(size, patch, i, j), mine):
                return f"({row}, {column}) may use ({i}, {j}), so both should have the same positions"
    for where, row, column, expected in (
        ("inside", 4, 4, 25),
        ("at the left edge", 4, 1, 5),
        ("in a corner", 8, 1, 1),
    ):
        found = int(function(9, patch, row, column).sum())
        if found != expected:
            return f"with H = 9 and patch {patch}, a pixel {where} has {expected} positions, not {found}"
    row, column = torch.randint(6, (2,), generator=generator).tolist()
    alone = int(function(6, 7, row, column).sum()) == 1
    return None if alone else "from 2d >= H - 1 on, every pixel sees where it is and has one position"


def plain(size: int, patch: int, row: int, column: int) -> Tensor:
    """Compare on each axis how far both borders are, as long as they are in sight."""
    places, reach = torch.arange(size), patch // 2
    near, far = places.clamp(max=reach), (size - 1 - places).clamp(max=reach)
    rows = (near == near[row]) & (far == far[row])
    columns = (near == near[column]) & (far == far[column])
    return rows[:, None] & columns


def _interior(size: int, patch: int, row: int, column: int) -> Tensor:
    places = torch.arange(size)
    inside = (places >= patch // 2) & (places < size - patch // 2)
    return inside[:, None] & inside


def _only_itself(size: int, patch: int, row: int, column: int) -> Tensor:
    return torch.arange(size * size).view(size, size) == row * size + column


def _either_inside_or_itself(size: int, patch: int, row: int, column: int) -> Tensor:
    inside = _interior(size, patch, row, column)
    return inside if inside[row, column] else _only_itself(size, patch, row, column)


WRONG = r"""
patch // 2 => patch :: A window reaches d = k // 2 pixels to each side, not k
patch // 2 => max(patch // 2 - 1, 0)
  :: A pixel d - 1 from the border still sees it: cut the distances at d, not at d - 1
patch // 2 => patch // 2 + 1
  :: A pixel d from the border no longer sees it: cut the distances at d, not at d + 1
    rows = =>     near = far = torch.minimum(near, far)\n    rows =
  :: The top border is not the bottom one: compare both distances
size - 1 - places => places :: There is a border on the other side too: compare both distances
    rows = =>     near, far = near < reach, far < reach\n    rows =
  :: Not only whether a border is in sight counts, but how far away it is
size - 1 => size :: The last row is H - 1: its distance to the border is H - 1 - ρ
& columns => & (columns | True) :: The columns have to agree as well as the rows
rows[:, None] & => (rows | True)[:, None] & :: The rows have to agree as well as the columns
None] & => None] | :: Rows and columns both have to agree: it is an and, not an or
return rows[:, None] & columns \
=> seen = near + far + 1\n    return torch.outer(seen, seen) == seen[row] * seen[column]
  :: As many pixels are visible, but not the same ones: compare the sides one by one
row: int, column => column: int, row :: Row and column are exchanged
None] & => None] * 1.0 * :: Return truth values: the result of a comparison, not 0 and 1
torch.arange(size) => torch.arange(size, dtype=torch.int8)
  :: Whole numbers of 8 bits end at 127: leave `torch.arange` its own type
"""

same_border = Exercise(
    id="diffusion.same_border",
    title="The positions with the same border",
    reference=windows.same_border,
    cases=cases,
    properties=[the_same_part_of_the_window_is_visible, divides_the_image_into_classes],
    wrong_answers=slips(
        plain,
        WRONG,
        (_only_itself, "A pixel that does not see a border cannot tell where it is along that axis"),
        (_interior, "A pixel near the border has positions of its own kind, not those of the interior"),
        (_either_inside_or_itself, "A pixel near one edge may still use all positions along that edge"),
    ),
    hints=[
        "Rows and columns do not know of each other, so look at one axis. From row $\\rho$ the window reaches "
        "$d = k // 2$ rows up and down. What can a pixel know about $\\rho$?",
        "It knows $\\min(\\rho, d)$ and $\\min(H - 1 - \\rho, d)$: the distance to each border, as long as that is in "
        "sight. `torch.arange(size).clamp(max=d)` is the first of these for all rows at once.",
        "With two vectors of truth values, `rows[:, None] & columns` is the matrix.",
    ],
    core=False,
    full_size=full_size,
)
