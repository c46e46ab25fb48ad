"""Exercise 6: how far apart the normalised curves are."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.scaling import curves
from oraledu.scaling.checks.inputs import largest_difference, normal, random_table


def cases(generator: torch.Generator) -> list[Case]:
    """Return ladders of several shapes, one that has collapsed, and one of one size and one of one seed."""
    table = random_table(generator, 3, 4, 6)
    return [
        Case("3 sizes, 4 seeds", (table,)),
        Case("as many seeds as points", (random_table(generator, 2, 5, 5),)),
        Case("one size", (table[:1],)),
        Case("one seed", (table[:, :1],)),
        Case("nearly collapsed", (1 + 1e-3 * normal(generator, 4, 3, 5),)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the solvable ladder: 4 sizes, 16 seeds, 61 points."""
    return Case("4 sizes, 16 seeds", (random_table(generator, 4, 16, 61),))


def vanishes_where_all_curves_meet(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 0 where every run is 1, and not before."""
    table = random_table(generator, 3, 4, 6)
    table[..., -1] = 1
    found = function(table)
    if not abs(float(found[-1])) < 1e-12:
        return "where every run is normalised to 1 nothing deviates, and the result should be 0"
    return None if (found[:-1] > 0).all() else "curves that differ should have a deviation above 0"


def is_the_spread_of_two_runs(function: Function, generator: torch.Generator) -> str | None:
    """Ask for d / m where there are two runs, at m + d and m - d, of two sizes or of two seeds."""
    middle = torch.tensor([4.0, 2.0, 1.5], dtype=torch.float64)
    away = torch.tensor([1.0, 0.5, 0.15], dtype=torch.float64)
    runs = torch.stack([middle + away, middle - away])
    for table, of in ((runs[:, None], "sizes"), (runs[None], "seeds")):
        if not largest_difference(function(table), away / middle) < 1e-10:
            return f"for two {of} at m + d and m - d the deviation is d / m: moments of a population, correction=0"
    return None


def sees_the_runs_and_not_their_order(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same number after runs change places, are all there twice, or have another unit."""
    table = random_table(generator, 3, 4, 5)
    plain = function(table)
    shuffled = table.flatten(0, 1)[torch.randperm(12, generator=generator)].view(3, 4, 5)
    if not largest_difference(function(shuffled), plain) < 1e-10:
        return "it is pooled over sizes and seeds: which run belongs to which size should not count"
    if not largest_difference(function(torch.cat([table, table], 1)), plain) < 1e-10:
        return "with every run there twice it should be the same: divide by the count, correction=0"
    same = largest_difference(function(5 * table), plain) < 1e-10
    return None if same else "curves times 5 should have the same deviation: it is relative to the mean"


def tends_to_the_root_of_two(function: Function, generator: torch.Generator) -> str | None:
    """Give every point fresh noise of 2 %, normalise by the own end, and ask for √2 times that."""
    noisy = torch.exp(0.02 * normal(generator, 4, 5000, 3))
    found = function(noisy / noisy[..., -1:])[:-1] / 0.02
    if ((found - 2**0.5).abs() < 0.06).all():
        return None
    return f"with fresh noise in point and end it is √2 times the noise; yours is {float(found[0]):.3g} times"


def _pooled(table: Tensor) -> Tensor:
    return table.flatten(0, 1)


def _spread(runs: Tensor) -> Tensor:
    return runs.std(0, correction=0)


def _changed(
    *,
    runs: Callable[[Tensor], Tensor] = _pooled,
    spread: Callable[[Tensor], Tensor] = _spread,
    middle: Callable[[Tensor], Tensor] = lambda runs: runs.mean(0),
    finish: Callable[[Tensor, Tensor], Tensor] = torch.div,
) -> Function:
    """Return the plain method with one thing changed."""

    def collapse_deviation(normalized: Tensor) -> Tensor:
        found = runs(normalized)
        return finish(spread(found), middle(found))

    return collapse_deviation


def _mean_over_sizes(table: Tensor) -> Tensor:
    return (table.std(1, correction=0) / table.mean(1)).mean(0)


def _mean_over_seeds(table: Tensor) -> Tensor:
    return (table.std(0, correction=0) / table.mean(0)).mean(0)


def _by_point(table: Tensor) -> Tensor:
    return table.std((0, 2), correction=0) / table.mean((0, 2))


def _floor_of_each(table: Tensor) -> Tensor:
    return table.std(1, correction=0) / table.mean(1)


collapse_deviation = Exercise(
    id="scaling.collapse_deviation",
    title="The collapse deviation",
    reference=curves.collapse_deviation,
    cases=cases,
    properties=[
        Property("0 where all curves meet", vanishes_where_all_curves_meet),
        Property("two runs", is_the_spread_of_two_runs),
        Property("pooled over sizes and seeds", sees_the_runs_and_not_their_order),
        Property("√2 for fresh noise", tends_to_the_root_of_two),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(spread=lambda runs: runs.std(0)),
            "Moments of a population: divide by the number of runs, not by one less (`correction=0`)",
        ),
        WrongAnswer(
            _changed(runs=lambda table: table.mean(1)),
            "Pool sizes and seeds: yours averages over the seeds first, and sees the sizes alone",
        ),
        WrongAnswer(
            _changed(runs=lambda table: table.mean(0)),
            "Pool sizes and seeds: yours averages over the sizes first, and sees the seeds alone",
        ),
        WrongAnswer(
            _mean_over_sizes,
            "Pool sizes and seeds: a spread within each size cannot see that sizes differ",
        ),
        WrongAnswer(
            _mean_over_seeds, "Pool sizes and seeds: yours is a spread over sizes, averaged over the seeds"
        ),
        WrongAnswer(
            _changed(finish=lambda spread, middle: spread), "Divide by the mean: the deviation is relative"
        ),
        WrongAnswer(
            _changed(spread=lambda runs: runs.var(0, correction=0)),
            "Take the root: it is a standard deviation over a mean, not a variance",
        ),
        WrongAnswer(
            _changed(finish=lambda spread, middle: spread / middle.square()),
            "Divide by the mean, not by its square: that would go with the variance",
        ),
        WrongAnswer(
            _changed(spread=lambda runs: (runs - 1).square().mean(0).sqrt()),
            "The deviation is from the mean of the curves at that x, not from 1",
        ),
        WrongAnswer(
            _changed(spread=lambda runs: (runs - runs.mean(0)).abs().mean(0)),
            "Take the root of the mean square, not the mean distance",
        ),
        WrongAnswer(
            _changed(spread=lambda runs: runs.amax(0) - runs.amin(0)),
            "This is the full range of the curves; the standard deviation is asked for",
        ),
        WrongAnswer(
            _changed(middle=lambda runs: runs.quantile(0.5, dim=0)), "Divide by the mean, not by the median"
        ),
        WrongAnswer(
            _by_point, "The axes are (sizes, seeds, points): one number for each point, none is averaged over"
        ),
        WrongAnswer(
            _floor_of_each, "One number for each point: pool the sizes with the seeds, `flatten(0, 1)`"
        ),
    ],
    hints=[
        "A run is a run, of whatever size and seed: `normalized.flatten(0, 1)` has one row for each.",
        "Standard deviation over mean, both along the rows. torch divides a variance by $n - 1$ unless told otherwise: "
        "`correction=0`.",
    ],
    full_size=full_size,
    slow_factor=100,
    guarded=(curves.variance_parts,),
)
