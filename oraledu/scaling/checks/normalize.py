"""Exercise 5: loss curves on one footing, each divided by its own end."""

import numpy as np
import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling import curves
from oraledu.scaling.checks.inputs import (
    even_grid,
    interpolated,
    largest_difference,
    ragged_progress,
    random_curves,
)


def cases(generator: torch.Generator) -> list[Case]:
    """Return records at uneven progress, of each run or shared, with and without an offset, and shorter grids."""
    progress, loss = _ladder(generator, 0.8)
    shared = ragged_progress(generator, 9)
    together = random_curves(shared.expand(2, 4, 9), 0.0, generator)
    late = torch.tensor([0.31, 0.5, 0.87, 1.0], dtype=torch.float64)
    return [
        Case("records of each run", (progress, loss, 0.8, even_grid(8))),
        Case("a smaller offset", (progress, loss, 0.3, even_grid(8))),
        Case("shared records, no offset", (shared, together, 0.0, even_grid(6))),
        Case("a grid that starts late", (progress, loss, 0.8, late)),
        Case("the records themselves as grid", (even_grid(9), together, 0.0, even_grid(9))),
        Case("one run", (progress[:1, :1], loss[:1, :1], 0.5, even_grid(5))),
        Case(
            "one progress for the seeds of a size", (progress[:, :1].expand_as(loss), loss, 0.6, even_grid(8))
        ),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return about as many runs as the solvable ladder: 4 sizes, 17 seeds, 61 records."""
    progress = even_grid(61).expand(4, 17, 61).clone()
    return Case("4 sizes, 17 seeds", (progress, random_curves(progress, 0.1, generator), 0.1, even_grid(61)))


def _ladder(generator: torch.Generator, offset: float) -> tuple[Tensor, Tensor]:
    """Draw progress and losses, (3, 2, 12), each run recorded at progress of its own."""
    progress = ragged_progress(generator, 3, 2, 12)
    return progress, random_curves(progress, offset, generator)


def forgets_height_and_offset(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 1 at x = 1 in every run, and for the same curves after L → c L + d and L₀ → c L₀ + d."""
    progress, loss = _ladder(generator, 0.5)
    grid = even_grid(7)
    found = function(progress, loss, 0.5, grid)
    if not ((found[..., -1] - 1).abs() < 1e-12).all():
        return "every run should be 1 at x = 1: divide each by its own end, not by one that runs share"
    for factor in (3, 1e-8, 1e4):
        if not largest_difference(function(progress, factor * loss, factor * 0.5, grid), found) < 1e-9:
            return f"losses and offset times {factor:g} should give the same curves: divide by the end"
    if not largest_difference(function(progress, loss + 0.7, 1.2, grid), found) < 1e-9:
        return "with losses and offset 0.7 higher the curves should be the same: take the offset off both"
    return None


def treats_every_run_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same curve of a run alone, and after another run has changed."""
    progress, loss = _ladder(generator, 0.2)
    grid = even_grid(7)
    together = function(progress, loss, 0.2, grid)
    alone = function(progress[2:, 1:], loss[2:, 1:], 0.2, grid)
    if not largest_difference(alone, together[2:, 1:]) < 1e-10:
        return "a run should have the same curve by itself as among others"
    loss[0, 0] *= 2
    changed = function(progress, loss, 0.2, grid)
    same = largest_difference(changed[1:], together[1:]) < 1e-10
    return None if same else "another loss in one run should not move the curves of the others"


def plain(progress: Tensor, loss: Tensor, offset: float, grid: Tensor) -> Tensor:
    """Go through the runs one by one."""
    rows = progress.expand_as(loss)
    found = loss.new_empty(*loss.shape[:2], len(grid))
    for size, seed in np.ndindex(*loss.shape[:2]):
        at, run = rows[size, seed], loss[size, seed]
        found[size, seed] = interpolated(grid, at, run)
    above = found - offset
    return above / above[..., -1:]


WRONG = r"""
-1:] => -1:].mean(1, True) :: Divide each run by its own end, not by the mean end of its size
-1:] => -1:].mean((0, 1), True) :: Divide each run by its own end, not by the mean of all ends
[..., -1:] => [:, :1, -1:] :: Divide each run by its own end; yours takes that of the first seed
-1:] => :1] :: Divide by the end of the run, not by its first point
[..., -1:] => .amin(-1, keepdim=True) :: Divide by the last loss, not by the lowest one
-1:] => -2:].mean(-1, keepdim=True)
  :: Divide by the last loss as it is: a smoothed end no longer cancels the run's own noise
 / above[..., -1:] => :: Divide by what is above the offset at the end, L(1) - L₀
found - offset => found :: Take the offset off before you divide by the end
/ above => / found :: Take the offset off the end as well: the denominator is L(1) - L₀
return above => return found :: Take the offset off the loss as well: the numerator is L(x) - L₀
/ => - :: Divide by the end; you subtract it
above / above[..., -1:] => (above - above[..., -1:]) / (above[..., :1] - above[..., -1:])
  :: The end goes to 1 and the offset to 0; yours maps the first loss to 1 and the last to 0
interpolated(grid, at, run) => run[(grid[:, None] - at).abs().argmin(1)]
  :: Between two records the loss lies on their straight line; yours takes the nearest record
interpolated(grid, at, run) => run[(at <= grid[:, None]).sum(1) - 1]
  :: Between two records the loss lies on their straight line; yours takes the record before
rows[size, seed] => even_grid(loss.shape[2])
  :: Records are not evenly spaced: interpolate in their progress, not in their number
rows[size, seed] => rows[0, 0]
  :: Every run has records of its own: yours uses the progress of the first for all
run) => run.log()).exp() :: Interpolate the loss linearly in progress, without logarithms
rows = => loss -= offset\n    rows =
found - offset => found :: It changes the losses, which are still needed: use `loss - …`, not `loss -= …`
-1:] => -1:].clamp(1e-3) :: Divide by the end as it is: with small losses a least value counts
-1:] => -1:].add(1e-9) :: Divide by the end as it is: with small losses a guard counts
"""

normalize = Exercise(
    id="scaling.normalize",
    title="The normalised curve",
    reference=curves.normalize,
    cases=cases,
    properties=[forgets_height_and_offset, treats_every_run_alone],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "Three steps: bring every run to the grid, take the offset off, divide by the last column. `[..., -1:]` keeps "
        "the axis, so that each run is divided by its own end.",
        "`np.interp(grid, progress, loss)` interpolates one run linearly. `progress.expand_as(loss)` has a row for "
        "each run, whether progress is shared or not, so a loop over sizes and seeds does it; "
        "`curves.on_grid(progress, loss, grid)` does it for all runs at once.",
    ],
    full_size=full_size,
    slow_factor=100,
    opens=(curves.on_grid,),
    float32=False,
)
