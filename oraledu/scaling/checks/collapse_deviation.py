"""Exercise 6: how far apart the normalised curves are."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling import curves
from oraledu.scaling.checks.inputs import largest_difference, normal, random_table


def cases(generator: torch.Generator) -> list[Case]:
    """Return ladders of several shapes, two that have collapsed, and one of one size and one of one seed."""
    table = random_table(generator, 3, 4, 6)
    return [
        Case("3 sizes, 4 seeds", (table,)),
        Case("as many seeds as points", (random_table(generator, 5, 2, 5).transpose(0, 1),)),
        Case("one size", (table[:1],)),
        Case("one seed", (table[:, :1],)),
        Case("nearly collapsed", (1 + 1e-3 * normal(generator, 4, 3, 5),)),
        Case("shortly before the end", (1 + 1e-5 * normal(generator, 4, 3, 5),)),
    ]


def is_the_spread_of_two_runs(function: Function, generator: torch.Generator) -> str | None:
    """Ask for d / m where there are two runs, at m + d and m - d, of two sizes or of two seeds."""
    middle = torch.tensor([4.0, 2.0, 1.5, 1.0], dtype=torch.float64)
    away = torch.tensor([1.0, 0.5, 0.15, 0.0], dtype=torch.float64)
    runs = torch.stack([middle + away, middle - away])
    for table, of in ((runs[:, None], "sizes"), (runs[None], "seeds")):
        found = function(table)
        if not abs(float(found[-1])) < 1e-12:
            return "where every run is normalised to 1 nothing deviates, and the result should be 0"
        if not largest_difference(found, away / middle) < 1e-10:
            return f"for two {of} at m + d and m - d the deviation is d / m: moments of a population, correction=0"
    return None


def sees_the_runs_and_not_their_order_or_unit(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same number after runs change places, are all there twice, or have another unit."""
    table = random_table(generator, 3, 4, 5)
    found = function(table)
    shuffled = table.flatten(0, 1)[torch.randperm(12, generator=generator)].view(3, 4, 5)
    if not largest_difference(function(shuffled), found) < 1e-10:
        return "it is pooled over sizes and seeds: which run belongs to which size should not count"
    if not largest_difference(function(torch.cat([table, table], 1)), found) < 1e-10:
        return "with every run there twice it should be the same: divide by the count, correction=0"
    for unit in (5, 1e-8, 1e4):
        if not largest_difference(function(unit * table), found) < 1e-10:
            return f"curves times {unit:g} should have the same deviation: it is relative to the mean"
    return None


def plain(normalized: Tensor) -> Tensor:
    """Put all runs into rows."""
    runs = normalized.flatten(0, 1)
    spread = runs.std(0, correction=0)
    return spread / runs.mean(0)


WRONG = r"""
correction=0 => correction=1
  :: Moments of a population: divide by the number of runs, not by one less (`correction=0`)
flatten(0, 1) => mean(1)
  :: Pool sizes and seeds: yours averages over the seeds first, and sees the sizes alone
flatten(0, 1) => mean(0)
  :: Pool sizes and seeds: yours averages over the sizes first, and sees the seeds alone
spread / runs.mean(0) => (normalized.std(1, correction=0) / normalized.mean(1)).mean(0)
  :: Pool sizes and seeds: a spread within each size cannot see that sizes differ
spread / runs.mean(0) => (normalized.std(0, correction=0) / normalized.mean(0)).mean(0)
  :: Pool sizes and seeds: yours is a spread over sizes, averaged over the seeds
 / runs.mean(0) => :: Divide by the mean: the deviation is relative
.std => .var :: Take the root: it is a standard deviation over a mean, not a variance
mean(0) => mean(0)**2 :: Divide by the mean, not by its square: that would go with the variance
runs.std(0, correction=0) => (runs - 1).square().mean(0).sqrt()
  :: The deviation is from the mean of the curves at that x, not from 1
runs.std(0, correction=0) => (runs - runs.mean(0)).abs().mean(0)
  :: Take the root of the mean square, not the mean distance
runs.std(0, correction=0) => runs.amax(0) - runs.amin(0)
  :: This is the full range of the curves; the standard deviation is asked for
mean(0) => quantile(0.5, dim=0) :: Divide by the mean, not by the median
spread / runs.mean(0) => normalized.std((0, 2), correction=0) / normalized.mean((0, 2))
  :: The axes are (sizes, seeds, points): one number for each point, none is averaged over
spread / runs.mean(0) => normalized.std(1, correction=0) / normalized.mean(1)
  :: One number for each point: pool the sizes with the seeds, `flatten(0, 1)`
runs.std(0, correction=0) => (runs.square().mean(0) - runs.mean(0).square()).clamp(min=0).sqrt()
  :: Take off the mean before you square: E ℓ² - (E ℓ)² has no digit left where the curves nearly meet
mean(0) => mean(0).clamp(min=1e-3) :: Divide by the mean as it is, without a least value
spread / runs.mean(0) \
=> torch.stack([some.std(0, correction=0) / some.mean(0) for some in runs.split(32)]).mean(0)
  :: Pool all runs at once: a mean over groups of runs does not see how the groups differ
"""

collapse_deviation = Exercise(
    id="scaling.collapse_deviation",
    title="The collapse deviation",
    reference=curves.collapse_deviation,
    cases=cases,
    properties=[is_the_spread_of_two_runs, sees_the_runs_and_not_their_order_or_unit],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "A run is a run, of whatever size and seed: `normalized.flatten(0, 1)` has one row for each.",
        "Standard deviation over mean, both along the rows. torch divides a variance by $n - 1$ unless told otherwise: "
        "`correction=0`.",
    ],
    full_size=lambda generator: Case("127 seeds", (random_table(generator, 1, 127, 401),)),
    slow_factor=100,
    float32=False,
)
