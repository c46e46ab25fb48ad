"""Exercise 6: which training positions a pixel may use when it sees the border."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion import windows
from oraledu.diffusion.checks.inputs import window_at


def _drawn(low: int, high: int, generator: torch.Generator) -> int:
    """Draw a whole number from low to high."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def cases(generator: torch.Generator) -> list[Case]:
    """Return pixels inside, at an edge and near a corner, the smallest and the largest patches."""
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
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the largest patch that the paper uses for networks of this kind, on 28×28."""
    return Case("H = 28", (28, 17, 3, 20))


def shares_what_it_sees_of_the_border(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the definition: the windows of an image of ones, padded with zeros, are alike."""
    for size, patch in ((6, 3), (7, 5), (5, 7)):
        ones = torch.ones(1, 1, size, size)
        seen = torch.stack(
            [window_at(ones, i, j, patch, "zeros")[0] for i in range(size) for j in range(size)]
        )
        for row, column in torch.randint(size, (4, 2), generator=generator).tolist():
            expected = (seen == seen[row * size + column]).all(1).view(size, size)
            if not torch.equal(function(size, patch, row, column), expected):
                return (
                    f"with H = {size} and patch {patch}, the positions of pixel ({row}, {column}) are not those "
                    "where the same part of the window lies beyond the border"
                )
    return None


def divides_the_image_into_classes(function: Function, generator: torch.Generator) -> str | None:
    """Ask that each pixel may use itself, and that pixels that may use each other may use the same ones."""
    size, patch = 7, 5
    for row, column in torch.randint(size, (4, 2), generator=generator).tolist():
        mine = function(size, patch, row, column)
        if not mine[row, column]:
            return f"pixel ({row}, {column}) should be among its own positions"
        for i, j in mine.nonzero().tolist():
            if not torch.equal(function(size, patch, i, j), mine):
                return f"({row}, {column}) may use ({i}, {j}), so both should have the same positions"
    return None


def has_the_known_counts(function: Function, generator: torch.Generator) -> str | None:
    """Ask for (H - 2d)² positions inside, H - 2d at an edge and 1 in a corner."""
    size, patch = 9, 5
    inner = size - 2 * (patch // 2)
    places = (("inside", 4, 4, inner**2), ("at the left edge", 4, 1, inner), ("in a corner", 8, 1, 1))
    for where, row, column, expected in places:
        found = int(function(size, patch, row, column).sum())
        if found != expected:
            return f"with H = {size} and patch {patch}, a pixel {where} has {expected} positions, not {found}"
    row, column = torch.randint(6, (2,), generator=generator).tolist()
    alone = int(function(6, 7, row, column).sum()) == 1
    return None if alone else "from 2d >= H - 1 on, every pixel sees where it is and has one position"


_Signature = Callable[[Tensor, int, int], Tensor]


def _right(places: Tensor, last: int, reach: int) -> Tensor:
    return torch.stack([places.clamp(max=reach), (last - places).clamp(max=reach)])


def _changed(
    *,
    signature: _Signature = _right,
    reach: Callable[[int], int] = lambda patch: patch // 2,
    join: Callable[[Tensor, Tensor], Tensor] = lambda rows, columns: rows[:, None] & columns,
) -> Function:
    """Return the comparison of what is seen on each axis, with one thing changed."""

    def same_border(size: int, patch: int, row: int, column: int) -> Tensor:
        seen = signature(torch.arange(size), size - 1, reach(patch))
        rows, columns = ((seen == seen[:, [place]]).all(0) for place in (row, column))
        return join(rows, columns)

    return same_border


def _mirrored(places: Tensor, last: int, reach: int) -> Tensor:
    return torch.minimum(places, last - places).clamp(max=reach)[None]


def _one_border(places: Tensor, last: int, reach: int) -> Tensor:
    return places.clamp(max=reach)[None]


def _touches(places: Tensor, last: int, reach: int) -> Tensor:
    return torch.stack([places < reach, last - places < reach])


def _size_for_last(places: Tensor, last: int, reach: int) -> Tensor:
    return torch.stack([places.clamp(max=reach), (last + 1 - places).clamp(max=reach)])


def _visible_pixels(size: int, patch: int, row: int, column: int) -> Tensor:
    seen = _right(torch.arange(size), size - 1, patch // 2).sum(0) + 1
    return torch.outer(seen, seen) == seen[row] * seen[column]


def _exchanged(size: int, patch: int, row: int, column: int) -> Tensor:
    return _changed()(size, patch, column, row)


def _only_itself(size: int, patch: int, row: int, column: int) -> Tensor:
    places = torch.arange(size)
    return (places == row)[:, None] & (places == column)


def _interior(size: int, patch: int, row: int, column: int) -> Tensor:
    places = torch.arange(size)
    inside = (places >= patch // 2) & (places < size - patch // 2)
    return inside[:, None] & inside


def _either_inside_or_itself(size: int, patch: int, row: int, column: int) -> Tensor:
    inside = _interior(size, patch, row, column)
    return inside if inside[row, column] else _only_itself(size, patch, row, column)


def _as_numbers(size: int, patch: int, row: int, column: int) -> Tensor:
    return _changed()(size, patch, row, column).float()


same_border = Exercise(
    id="diffusion.same_border",
    title="The positions with the same border",
    reference=windows.same_border,
    cases=cases,
    properties=[
        Property("the same part of the window is visible", shares_what_it_sees_of_the_border),
        Property("divides the image into classes", divides_the_image_into_classes),
        Property("the known counts", has_the_known_counts),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(reach=lambda patch: patch), "A window reaches d = k // 2 pixels to each side, not k"
        ),
        WrongAnswer(
            _changed(reach=lambda patch: max(patch // 2 - 1, 0)),
            "A pixel d - 1 from the border still sees it: cut the distances at d, not at d - 1",
        ),
        WrongAnswer(
            _changed(reach=lambda patch: patch // 2 + 1),
            "A pixel d from the border no longer sees it: cut the distances at d, not at d + 1",
        ),
        WrongAnswer(
            _changed(signature=_mirrored), "The top border is not the bottom one: compare both distances"
        ),
        WrongAnswer(
            _changed(signature=_one_border), "There is a border on the other side too: compare both distances"
        ),
        WrongAnswer(
            _changed(signature=_touches),
            "Not only whether a border is in sight counts, but how far away it is",
        ),
        WrongAnswer(
            _changed(signature=_size_for_last),
            "The last row is H - 1: its distance to the border is H - 1 - r",
        ),
        WrongAnswer(
            _changed(join=lambda rows, columns: rows[:, None] & torch.ones_like(columns)),
            "The columns have to agree as well as the rows",
        ),
        WrongAnswer(
            _changed(join=lambda rows, columns: torch.ones_like(rows)[:, None] & columns),
            "The rows have to agree as well as the columns",
        ),
        WrongAnswer(
            _changed(join=lambda rows, columns: rows[:, None] | columns),
            "Rows and columns both have to agree: it is an and, not an or",
        ),
        WrongAnswer(
            _visible_pixels, "As many pixels are visible, but not the same ones: compare the sides one by one"
        ),
        WrongAnswer(_exchanged, "Row and column are exchanged"),
        WrongAnswer(
            _only_itself, "A pixel that does not see a border cannot tell where it is along that axis"
        ),
        WrongAnswer(
            _interior, "A pixel near the border has positions of its own kind, not those of the interior"
        ),
        WrongAnswer(
            _either_inside_or_itself, "A pixel near one edge may still use all positions along that edge"
        ),
        WrongAnswer(_as_numbers, "Return truth values: the result of a comparison, not 0 and 1"),
    ],
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
