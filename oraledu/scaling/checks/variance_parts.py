"""Exercise 7: what sizes and what seeds contribute to the spread of the curves."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import normal, random_table, relative_difference


def cases(generator: torch.Generator) -> list[Case]:
    """Return ladders of several shapes, and some in which one part is small or absent."""
    table = random_table(generator, 3, 4, 6)
    return [
        Case("3 sizes, 4 seeds", (table,)),
        Case("as many sizes as seeds and points", (random_table(generator, 4, 4, 4).transpose(0, 1),)),
        Case("seeds alone", (table[:1],)),
        Case("sizes alone", (table[:, :1],)),
        Case("curves far from 0", (table + 5,)),
        Case("curves very far from 0", (table + 1e4,)),
    ]


def sum_to_the_whole(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the variance over all runs, whatever the shape and the unit."""
    for sizes, seeds, unit in ((4, 3, 1.0), (2, 8, 1e-4), (7, 2, 1e4)):
        table = unit * random_table(generator, sizes, seeds, 5)
        size, seed = function(table)
        if not relative_difference(size + seed, table.flatten(0, 1).var(0, correction=0)) < 1e-11:
            return (
                f"for {sizes} sizes and {seeds} seeds the parts do not sum to the variance over all runs "
                "(correction=0)"
            )
    return None


def each_vanish_with_their_cause(function: Function, generator: torch.Generator) -> str | None:
    """Ask for no seed part where seeds agree, and no size part where the means of sizes agree."""
    by_size = random_table(generator, 3, 1, 5)
    size, seed = function(by_size.expand(3, 4, 5).contiguous())
    if not (seed.abs() < 1e-12).all():
        return "where all seeds of a size have the same curve, the seed part should be 0"
    if not relative_difference(size, by_size[:, 0].var(0, correction=0)) < 1e-11:
        return "where seeds agree, the size part should be the variance over the sizes"
    noise = normal(generator, 3, 4, 5)
    size, _ = function(2 + noise - noise.mean(1, keepdim=True))
    same = bool((size.abs() < 1e-12).all())
    return None if same else "where all sizes have the same mean, the size part should be 0"


def keep_the_sizes_out_of_the_seed_part(function: Function, generator: torch.Generator) -> str | None:
    """Move every size by an amount of its own, and ask for the same seed part."""
    table = random_table(generator, 3, 4, 5)
    moved = table + normal(generator, 3, 1, 5)
    if relative_difference(function(moved)[1], function(table)[1]) < 1e-11:
        return None
    return "moving all seeds of a size by the same amount should leave the seed part as it is"


def plain(normalized: Tensor) -> tuple[Tensor, Tensor]:
    """Take the variance of the means over seeds, and the mean of the variances over seeds."""
    means, variances = normalized.mean(1), normalized.var(1, correction=0)
    size = means.var(0, correction=0)
    seed = variances.mean(0)
    return size, seed


WRONG = r"""
return size, seed => return seed, size :: Return the size part first, then the seed part
means.var(0, correction=0) => normalized.var(0, correction=0).mean(0)
  :: Average over the seeds first: the size part is the variance of that mean, not a mean of variances
variances.mean(0) => normalized.mean(0).var(0, correction=0)
  :: Take the variance over the seeds of each size first, then its mean: yours averages the sizes first
mean(1), normalized.var(1 => mean(0), normalized.var(0
  :: Sizes and seeds are exchanged: the size part is the variance, over sizes, of the mean over seeds
means.var => normalized.flatten(0, 1).var
  :: This size part is the variance over all runs: average over the seeds before
variances.mean(0) => normalized.flatten(0, 1).var(0, correction=0)
  :: This seed part is the variance over all runs: take it within each size
(1, correction=0) => (1)
  :: Divide by the number of seeds, not by one less (`correction=0`): else the parts do not sum to the whole
(0, correction=0) => (0)
  :: Divide by the number of sizes, not by one less (`correction=0`): else the parts do not sum to the whole
(1, correction=0) => (1)
(0, correction=0) => (0)
  :: Divide by the counts, not by one less (`correction=0`): else the parts do not sum to the whole
size, seed => size**0.5, seed**0.5 :: Return variances: standard deviations do not add up
es.mean => es.sum :: Take the mean over the sizes of the variance over seeds, not the sum
es.mean(0) => es :: One number for each point: average the variance over seeds over the sizes too
return size => return size - (1 - 1 / len(means)) * seed / max(normalized.shape[1] - 1, 1)
  :: Leave the correction for few seeds out here: as they are, the parts sum to the whole
normalized.var(1, correction=0) => normalized.square().mean(1) - normalized.mean(1).square()
  :: Take off the mean before you square: E ℓ² - (E ℓ)² loses digits where the curves are far from 0
n size => n size.clamp(1e-6) :: A part may be as small as it likes: no least value for it
"""

variance_parts = Exercise(
    id="scaling.variance_parts",
    title="The variance between sizes and between seeds",
    reference=references.variance_parts,
    cases=cases,
    properties=[sum_to_the_whole, each_vanish_with_their_cause, keep_the_sizes_out_of_the_seed_part],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "The law of total variance: $\\mathrm{Var}\\,\\ell = \\mathrm{Var}_p\\,\\mathbb{E}_\\omega\\,\\ell + "
        "\\mathbb{E}_p\\,\\mathrm{Var}_\\omega\\,\\ell$. Read each term from the inside to the outside.",
        "Sizes are axis 0 and seeds axis 1. After one of them is averaged away, the other is axis 0. Variances take "
        "`correction=0`.",
    ],
    core=False,
    full_size=lambda generator: Case("5 sizes, 17 seeds", (random_table(generator, 5, 17, 61),)),
    slow_factor=100,
    float32=False,
)
