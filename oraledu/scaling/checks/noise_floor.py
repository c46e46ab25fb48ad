"""Exercise 8: how far the seeds of one size are apart."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling import curves
from oraledu.scaling.checks.inputs import largest_difference, normal, random_table


def cases(generator: torch.Generator) -> list[Case]:
    """Return ladders with and without an offset, of several shapes."""
    loss = random_table(generator, 3, 4, 6) + 0.5
    alike = random_table(generator, 3, 7, 40) + 0.5
    alike[..., :30] = alike[:, :1, :30]
    return [
        Case("3 sizes, 4 seeds", (loss, 0.6)),
        Case("a smaller offset", (loss, 0.2)),
        Case("no offset", (loss, 0.0)),
        Case(
            "as many sizes as seeds and points", (random_table(generator, 4, 4, 4).transpose(0, 1) + 1, 1.0)
        ),
        Case("one size", (loss[:1], 0.4)),
        Case("two seeds", (loss[:, :2], 0.4)),
        Case("seeds that begin alike", (alike, 0.4)),
    ]


def forgets_scale_and_offset(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same floor after L → c L + d and L₀ → c L₀ + d."""
    loss = random_table(generator, 3, 5, 4) + 0.3
    found = function(loss, 0.3)
    for factor in (3, 1e-8, 1e4):
        if not largest_difference(function(factor * loss, factor * 0.3), found) < 1e-9:
            return (
                f"losses and offset times {factor:g} should have the same floor: it is relative to the mean"
            )
    if not largest_difference(function(loss + 0.7, 1.0), found) < 1e-9:
        return "with losses and offset 0.7 higher the floor should be the same: take the offset off first"
    return None


def measures_every_size_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same floor of a size by itself, and whatever its seeds are called."""
    loss = random_table(generator, 4, 5, 3)
    found = function(loss, 0.1)
    alone = torch.cat([function(loss[row : row + 1], 0.1) for row in range(4)])
    if not largest_difference(alone, found) < 1e-10:
        return "a size should have the same floor by itself as among others"
    loss[0] *= 1 + normal(generator, 5, 1).square()
    if not largest_difference(function(loss, 0.1)[1:], found[1:]) < 1e-10:
        return "other losses in one size should not move the floors of the others"
    shuffled = loss[:, torch.randperm(5, generator=generator)]
    same = largest_difference(function(shuffled, 0.1), function(loss, 0.1)) < 1e-10
    return None if same else "the order of the seeds should not count"


def is_not_small_at_the_end(function: Function, generator: torch.Generator) -> str | None:
    """Give all points the same noise, and ask for it at x = 1 too."""
    loss = torch.exp(0.03 * normal(generator, 2, 4000, 3)) + 0.5
    floor = function(loss, 0.5)
    if ((floor / 0.03 - 1).abs() < 0.07).all():
        return None
    return f"where seeds differ by 3 % at every point the floor is 0.03, at the end too; yours is {floor[0, -1]:.3g}"


def plain(loss: Tensor, offset: float) -> Tensor:
    """Take both moments over the seeds."""
    above = loss - offset
    spread = above.std(1, correction=0)
    return spread / above.mean(1)


WRONG = r"""
loss - offset => (loss - offset) / (loss[..., -1:] - offset)
  :: The floor is that of the raw losses: with each run divided by its own end the shared noise is gone
 - offset => :: Take the offset off: the floor is relative to L - L₀
correction=0 => correction=1
  :: Moments of a population: divide by the number of seeds, not by one less (`correction=0`)
.std => .var :: Take the root: it is a standard deviation over a mean, not a variance
above.std(1, correction=0) => (above - above.mean(1, keepdim=True)).abs().mean(1)
  :: Take the root of the mean square, not the mean distance
 / above.mean(1) => :: Divide by the mean: the floor is relative
mean(1) => mean(1)[:, -1:] :: Divide by the mean at the same x, not by the mean end
std(1, => std(0,
mean(1) => mean(0) :: The spread is over the seeds of a size, axis 1; yours is over the sizes, axis 0
std(1, => std((0, 1),
mean(1) => mean((0, 1))
  :: Every size has a floor of its own: sizes must not be pooled, for they differ by more than noise
mean(1) => mean(1)).mean(0)
spread / => (spread / :: Return a row for each size; the mean over sizes is taken later
loss - offset => loss.sub_(offset)
  :: It changes the losses, which are still needed: use `loss - …`, not `loss -= …`
n(1) => n(1).clamp(1e-2) :: Divide by the mean as it is: small losses have the same floor
/ above.mean(1) => / (above.mean(1) + 1e-9) :: Divide by the mean as it is, without a guard
above.std(1, correction=0) => (above.square().mean(1) - above.mean(1).square()).sqrt()
  :: Where seeds agree a mean square less a squared mean is a rounding error: take the mean square of the distances
"""

noise_floor = Exercise(
    id="scaling.noise_floor",
    title="The noise floor",
    reference=curves.noise_floor,
    cases=cases,
    properties=[forgets_scale_and_offset, measures_every_size_alone, is_not_small_at_the_end],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "Which axis holds the seeds of a size? Standard deviation and mean both run along it, and a table (sizes, "
        "points) is left.",
        "Nothing is normalised here: only the offset comes off. And as before, `correction=0`.",
    ],
    core=False,
    full_size=lambda generator: Case("5 sizes, 17 seeds", (random_table(generator, 5, 17, 61) + 0.1, 0.1)),
    slow_factor=100,
    float32=False,
)
