"""Exercise 7: what sizes and what seeds contribute to the spread of the curves."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.scaling import curves
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import largest_difference, normal, random_table

Parts = tuple[Tensor, Tensor]


def cases(generator: torch.Generator) -> list[Case]:
    """Return ladders of several shapes, and some in which one part is small or absent."""
    table = random_table(generator, 3, 4, 6)
    return [
        Case("3 sizes, 4 seeds", (table,)),
        Case("as many sizes as seeds and points", (random_table(generator, 4, 4, 4),)),
        Case("seeds alone", (table[:1],)),
        Case("sizes alone", (table[:, :1],)),
        Case("curves far from 0", (table + 5,)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the solvable ladder: 4 sizes, 16 seeds, 61 points."""
    return Case("4 sizes, 16 seeds", (random_table(generator, 4, 16, 61),))


def sum_to_the_whole(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the variance over all runs, whatever the shape."""
    for sizes, seeds in ((4, 3), (2, 8), (7, 2)):
        table = random_table(generator, sizes, seeds, 5)
        size, seed = function(table)
        if not largest_difference(size + seed, table.flatten(0, 1).var(0, correction=0)) < 1e-12:
            return (
                f"for {sizes} sizes and {seeds} seeds the parts do not sum to the variance over all runs "
                "(correction=0)"
            )
    return None


def each_vanishes_with_its_cause(function: Function, generator: torch.Generator) -> str | None:
    """Ask for no seed part where seeds agree, and no size part where the means of sizes agree."""
    by_size = random_table(generator, 3, 1, 5)
    size, seed = function(by_size.expand(3, 4, 5).contiguous())
    if not (seed.abs() < 1e-12).all():
        return "where all seeds of a size have the same curve, the seed part should be 0"
    if not largest_difference(size, by_size[:, 0].var(0, correction=0)) < 1e-12:
        return "where seeds agree, the size part should be the variance over the sizes"
    noise = normal(generator, 3, 4, 5)
    same_means = 2 + noise - noise.mean(1, keepdim=True)
    size, _ = function(same_means)
    return (
        None
        if (size.abs() < 1e-12).all()
        else "where all sizes have the same mean, the size part should be 0"
    )


def shifting_a_size_leaves_the_seeds_alone(function: Function, generator: torch.Generator) -> str | None:
    """Move every size by an amount of its own, and ask for the same seed part."""
    table = random_table(generator, 3, 4, 5)
    moved = table + normal(generator, 3, 1, 5)
    same = largest_difference(function(moved)[1], function(table)[1]) < 1e-12
    return (
        None if same else "moving all seeds of a size by the same amount should leave the seed part as it is"
    )


def _variance(table: Tensor, dim: int) -> Tensor:
    return table.var(dim, correction=0)


def _size(table: Tensor) -> Tensor:
    return _variance(table.mean(1), 0)


def _seed(table: Tensor) -> Tensor:
    return _variance(table, 1).mean(0)


def _changed(
    *,
    size: Callable[[Tensor], Tensor] = _size,
    seed: Callable[[Tensor], Tensor] = _seed,
    finish: Callable[[Tensor, Tensor], Parts] = lambda size, seed: (size, seed),
) -> Function:
    """Return the plain method with one thing changed."""

    def variance_parts(normalized: Tensor) -> Parts:
        return finish(size(normalized), seed(normalized))

    return variance_parts


def _unbiased_size(table: Tensor) -> Tensor:
    sizes, seeds = table.shape[:2]
    return _size(table) - (sizes - 1) / sizes * _seed(table) / max(seeds - 1, 1)


variance_parts = Exercise(
    id="scaling.variance_parts",
    title="The variance between sizes and between seeds",
    reference=references.variance_parts,
    cases=cases,
    properties=[
        Property("the parts sum to the whole", sum_to_the_whole),
        Property("each vanishes with its cause", each_vanishes_with_its_cause),
        Property("sizes do not enter the seed part", shifting_a_size_leaves_the_seeds_alone),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(finish=lambda size, seed: (seed, size)), "Return the size part first, then the seed part"
        ),
        WrongAnswer(
            _changed(size=lambda table: _variance(table, 0).mean(0)),
            "Average over the seeds first: the size part is the variance of that mean, not a mean of variances",
        ),
        WrongAnswer(
            _changed(seed=lambda table: _variance(table.mean(0), 0)),
            "Take the variance over the seeds of each size first, then its mean: yours averages the sizes first",
        ),
        WrongAnswer(
            _changed(
                size=lambda table: _variance(table, 0).mean(0),
                seed=lambda table: _variance(table.mean(0), 0),
            ),
            "Sizes and seeds are exchanged: the size part is the variance, over sizes, of the mean over seeds",
        ),
        WrongAnswer(
            _changed(size=lambda table: _variance(table.flatten(0, 1), 0)),
            "This size part is the variance over all runs: average over the seeds before",
        ),
        WrongAnswer(
            _changed(seed=lambda table: _variance(table.flatten(0, 1), 0)),
            "This seed part is the variance over all runs: take it within each size",
        ),
        WrongAnswer(
            _changed(seed=lambda table: table.var(1).mean(0)),
            "Divide by the number of seeds, not by one less (`correction=0`): else the parts do not sum to the whole",
        ),
        WrongAnswer(
            _changed(size=lambda table: table.mean(1).var(0)),
            "Divide by the number of sizes, not by one less (`correction=0`): else the parts do not sum to the whole",
        ),
        WrongAnswer(
            _changed(size=lambda table: table.mean(1).var(0), seed=lambda table: table.var(1).mean(0)),
            "Divide by the counts, not by one less (`correction=0`): else the parts do not sum to the whole",
        ),
        WrongAnswer(
            _changed(finish=lambda size, seed: (size.sqrt(), seed.sqrt())),
            "Return variances: standard deviations do not add up",
        ),
        WrongAnswer(
            _changed(seed=lambda table: _variance(table, 1).sum(0)),
            "Take the mean over the sizes of the variance over seeds, not the sum",
        ),
        WrongAnswer(
            _changed(seed=lambda table: _variance(table, 1)),
            "One number for each point: average the variance over seeds over the sizes too",
        ),
        WrongAnswer(
            _changed(size=_unbiased_size),
            "Leave the correction for few seeds out here: as they are, the parts sum to the whole",
        ),
    ],
    hints=[
        "The law of total variance: $\\mathrm{Var}\\,\\ell = \\mathrm{Var}_p\\,\\mathbb{E}_w\\,\\ell + "
        "\\mathbb{E}_p\\,\\mathrm{Var}_w\\,\\ell$. Read each term from the inside to the outside.",
        "Sizes are axis 0 and seeds axis 1. After one of them is averaged away, the other is axis 0. Variances take "
        "`correction=0`.",
    ],
    core=False,
    full_size=full_size,
    slow_factor=100,
    guarded=(curves.variance_parts,),
)
