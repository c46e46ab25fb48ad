"""Exercise 5: loss curves on one footing, each divided by its own end."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.scaling import curves
from oraledu.scaling.checks.inputs import even_grid, largest_difference, ragged_progress, random_curves


def cases(generator: torch.Generator) -> list[Case]:
    """Return records at uneven progress, of each run or shared, with and without an offset, and shorter grids."""
    progress, loss = _ladder(generator, 0.8)
    shared = ragged_progress(generator, 9)
    together = random_curves(shared.expand(2, 4, 9), 0.0, generator)
    late = torch.tensor([0.31, 0.5, 0.87, 1.0], dtype=torch.float64)
    even = even_grid(9)
    return [
        Case("records of each run", (progress, loss, 0.8, even_grid(8))),
        Case("a smaller offset", (progress, loss, 0.3, even_grid(8))),
        Case("shared records, no offset", (shared, together, 0.0, even_grid(6))),
        Case("a grid that starts late", (progress, loss, 0.8, late)),
        Case("the records themselves as grid", (even, together, 0.0, even)),
        Case("one run", (progress[:1, :1], loss[:1, :1], 0.5, even_grid(5))),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the solvable ladder: 4 sizes, 16 seeds, 61 records."""
    progress = even_grid(61).expand(4, 16, 61).clone()
    return Case("4 sizes, 16 seeds", (progress, random_curves(progress, 0.1, generator), 0.1, even_grid(61)))


def _ladder(generator: torch.Generator, offset: float) -> tuple[Tensor, Tensor]:
    """Draw progress and losses, (3, 2, 12), each run recorded at progress of its own."""
    progress = ragged_progress(generator, 3, 2, 12)
    return progress, random_curves(progress, offset, generator)


def ends_at_one(function: Function, generator: torch.Generator) -> str | None:
    """Ask for exactly 1 at x = 1, in every run."""
    progress, loss = _ladder(generator, 0.4)
    ends = function(progress, loss, 0.4, even_grid(7))[..., -1]
    if largest_difference(ends, torch.ones_like(ends)) < 1e-12:
        return None
    return "every run should be 1 at x = 1: divide each by its own end, not by one that runs share"


def forgets_scale_and_offset(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same curves after L → c L + d and L₀ → c L₀ + d."""
    progress, loss = _ladder(generator, 0.5)
    grid = even_grid(7)
    plain = function(progress, loss, 0.5, grid)
    if not largest_difference(function(progress, 3 * loss, 1.5, grid), plain) < 1e-9:
        return "losses and offset times 3 should give the same curves: divide by the end"
    if not largest_difference(function(progress, loss + 0.7, 1.2, grid), plain) < 1e-9:
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


def agrees_with_the_definition(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the definition, run by run and point by point."""
    progress, loss = _ladder(generator, 0.6)
    grid = even_grid(9)
    expected = torch.empty(3, 2, 9, dtype=torch.float64)
    for size, seed in np.ndindex(3, 2):
        on_grid = np.interp(grid.numpy(), progress[size, seed].numpy(), loss[size, seed].numpy())
        expected[size, seed] = torch.from_numpy((on_grid - 0.6) / (on_grid[-1] - 0.6))
    same = largest_difference(function(progress, loss, 0.6, grid), expected) < 1e-9
    return (
        None
        if same
        else "it is not (L(x) - L₀) / (L(1) - L₀) with L between two records on their straight line"
    )


def _nearest(progress: Tensor, loss: Tensor, grid: Tensor) -> Tensor:
    places = (grid[:, None] - progress[..., None, :]).abs().argmin(-1)
    return loss.gather(-1, places)


def _last_record(progress: Tensor, loss: Tensor, grid: Tensor) -> Tensor:
    places = (progress[..., None, :] <= grid[:, None]).sum(-1) - 1
    return loss.gather(-1, places)


def _by_place(progress: Tensor, loss: Tensor, grid: Tensor) -> Tensor:
    return curves.on_grid(even_grid(loss.shape[-1]), loss, grid)


def _records_of_the_first(progress: Tensor, loss: Tensor, grid: Tensor) -> Tensor:
    return curves.on_grid(progress[0, 0], loss, grid)


def _in_the_log(progress: Tensor, loss: Tensor, grid: Tensor) -> Tensor:
    return curves.on_grid(progress, loss.log(), grid).exp()


def _changed(
    *,
    place: Callable[[Tensor, Tensor, Tensor], Tensor] = curves.on_grid,
    above: Callable[[Tensor, float], Tensor] = lambda loss, offset: loss - offset,
    end: Callable[[Tensor], Tensor] = lambda reducible: reducible[..., -1:],
    below: Callable[[Tensor, float], Tensor] | None = None,
    finish: Callable[[Tensor, Tensor], Tensor] = torch.div,
) -> Function:
    """Return the plain method with one thing changed."""

    def normalize(progress: Tensor, loss: Tensor, offset: float, grid: Tensor) -> Tensor:
        found = place(progress.expand_as(loss).contiguous(), loss, grid)
        return finish(above(found, offset), end((below or above)(found, offset)))

    return normalize


def _in_place(progress: Tensor, loss: Tensor, offset: float, grid: Tensor) -> Tensor:
    loss -= offset
    found = curves.on_grid(progress, loss, grid)
    return found / found[..., -1:]


def _between_ends(progress: Tensor, loss: Tensor, offset: float, grid: Tensor) -> Tensor:
    found = curves.on_grid(progress, loss, grid)
    last = found[..., -1:]
    return (found - last) / (found[..., :1] - last)


normalize = Exercise(
    id="scaling.normalize",
    title="The normalised curve",
    reference=curves.normalize,
    cases=cases,
    properties=[
        Property("1 at the end", ends_at_one),
        Property("scale and offset do not count", forgets_scale_and_offset),
        Property("every run alone", treats_every_run_alone),
        Property("the definition on uneven records", agrees_with_the_definition),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(end=lambda reducible: reducible[..., -1:].mean(1, keepdim=True)),
            "Divide each run by its own end, not by the mean end of its size",
        ),
        WrongAnswer(
            _changed(end=lambda reducible: reducible[..., -1:].mean((0, 1), keepdim=True)),
            "Divide each run by its own end, not by the mean of all ends",
        ),
        WrongAnswer(
            _changed(end=lambda reducible: reducible[:, :1, -1:]),
            "Divide each run by its own end; yours takes that of the first seed",
        ),
        WrongAnswer(
            _changed(end=lambda reducible: reducible[..., :1]),
            "Divide by the end of the run, not by its first point",
        ),
        WrongAnswer(
            _changed(end=lambda reducible: reducible.amin(-1, keepdim=True)),
            "Divide by the last loss, not by the lowest one",
        ),
        WrongAnswer(
            _changed(end=lambda reducible: reducible[..., -2:].mean(-1, keepdim=True)),
            "Divide by the last loss as it is: a smoothed end no longer cancels the run's own noise",
        ),
        WrongAnswer(
            _changed(end=lambda reducible: torch.ones_like(reducible)),
            "Divide by what is above the offset at the end, L(1) - L₀",
        ),
        WrongAnswer(
            _changed(above=lambda loss, offset: loss), "Take the offset off before you divide by the end"
        ),
        WrongAnswer(
            _changed(above=lambda loss, offset: loss - offset, below=lambda loss, offset: loss),
            "Take the offset off the end as well: the denominator is L(1) - L₀",
        ),
        WrongAnswer(
            _changed(above=lambda loss, offset: loss, below=lambda loss, offset: loss - offset),
            "Take the offset off the loss as well: the numerator is L(x) - L₀",
        ),
        WrongAnswer(
            _changed(finish=lambda reducible, end: reducible - end),
            "Divide by the end; you subtract it",
        ),
        WrongAnswer(
            _between_ends,
            "The end goes to 1 and the offset to 0; yours maps the first loss to 1 and the last to 0",
        ),
        WrongAnswer(
            _changed(place=_nearest),
            "Between two records the loss lies on their straight line; yours takes the nearest record",
        ),
        WrongAnswer(
            _changed(place=_last_record),
            "Between two records the loss lies on their straight line; yours takes the record before",
        ),
        WrongAnswer(
            _changed(place=_by_place),
            "Records are not evenly spaced: interpolate in their progress, not in their number",
        ),
        WrongAnswer(
            _changed(place=_records_of_the_first),
            "Every run has records of its own: yours uses the progress of the first for all",
        ),
        WrongAnswer(
            _changed(place=_in_the_log), "Interpolate the loss linearly in progress, without logarithms"
        ),
        WrongAnswer(
            _in_place, "It changes the losses, which are still needed: use `loss - …`, not `loss -= …`"
        ),
    ],
    hints=[
        "Three steps: bring every run to the grid, take the offset off, divide by the last column. `[..., -1:]` keeps "
        "the axis, so that each run is divided by its own end.",
        "`np.interp(grid, progress, loss)` interpolates one run linearly. `progress.expand_as(loss)` has a row for "
        "each run, whether progress is shared or not, so a loop over sizes and seeds does it; "
        "`curves.on_grid(progress, loss, grid)` does it for all runs at once.",
    ],
    full_size=full_size,
    slow_factor=100,
)
