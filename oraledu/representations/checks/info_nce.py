"""Exercise 7: how well views of one prompt find each other."""

import math

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import invariance
from oraledu.representations.checks.inputs import (
    Rows,
    normal,
    rotation,
    two_views,
    views_at_full_size,
    within,
)


def cases(generator: torch.Generator) -> list[Case]:
    """Return few and many prompts, other temperatures, two prompts, and unrelated views."""
    a, b = two_views(generator, 6, 10)
    return [
        Case("six prompts", (a, b)),
        Case("temperature 1/2", (a, b, 0.5)),
        Case("more prompts than coordinates", (*two_views(generator, 9, 4), 0.2)),
        Case("two prompts", (*two_views(generator, 2, 5), 1.0)),
        Case("views that have nothing in common", (normal(generator, 5, 8), normal(generator, 5, 8))),
        Case("a tiny temperature", (normal(generator, 5, 8), normal(generator, 5, 8), 1e-5)),
    ]


@within(1e-9)
def is_chance_where_all_is_alike_and_small_where_views_agree(
    function: Function, generator: torch.Generator
) -> Rows:
    """Ask for log(2N - 1) if all vectors are or seem alike, and the exact loss of equal views of orthonormal rows."""
    for count, temperature in ((2, 1.0), (3, 0.5), (6, 0.3), (8, 1.0)):
        same, chance = normal(generator, 1, 6).repeat(count, 1), math.log(2 * count - 1)
        yield (
            function(same, same),
            chance,
            f"for {count} prompts that are all alike it should be log(2·{count} - 1)",
        )
        told = f"for {count} prompts at a huge temperature it should be near log(2·{count} - 1)"
        yield function(*two_views(generator, count, 6), 1e12), chance, told
        rows, exact = rotation(8, generator)[:count], math.log1p((2 * count - 2) * math.exp(-1 / temperature))
        where = f"for {count} orthonormal rows, each its own other view, and τ = {temperature:g}"
        told = f"it should be log(1 + {2 * count - 2} e^(-1/τ)) = {exact:.4g}"
        yield function(rows, rows.clone(), temperature), exact, f"{where} {told}"


@within(1e-9)
def stays_the_same_after_stretching_turning_reordering(
    function: Function, generator: torch.Generator
) -> Rows:
    """Ask for the same loss after what changes no pair, and for a larger one where each has a wrong partner."""
    a, b = two_views(generator, 6, 5)
    turn, order = rotation(5, generator), torch.randperm(6, generator=generator)
    lengths = 0.1 + 5 * torch.rand(6, 1, generator=generator, dtype=torch.float64)
    changed = {
        "both views rotated by the same rotation": (a @ turn, b @ turn),
        "every vector of one view stretched by its own factor": (a * lengths, b),
        "one view times 1e4 and the other times 1e-6": (1e4 * a, 1e-6 * b),
        "the prompts in another order in both views": (a[order], b[order]),
        "the two views exchanged": (b, a),
    }
    for what, views in changed.items():
        yield function(*views), function(a, b), f"with {what} it should stay the same"
    a, b = two_views(generator, 8, 12)
    grows = bool(function(a, b.roll(1, 0)) > function(a, b) + 0.1)
    yield grows, True, "it should grow if the prompts of one view are shifted by one"


def plain(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    """Take what the partner's logit falls behind the sum over all others, averaged over both views."""
    count = len(a)
    u = torch.cat([a, b])
    u = u / u.norm(dim=-1, keepdim=True)
    logits = u @ u.T / temperature
    itself = torch.eye(2 * count, dtype=torch.bool)
    rows = torch.arange(2 * count)
    right = logits[rows, rows.roll(count)]
    total = logits.masked_fill(itself, -torch.inf).logsumexp(1)
    losses = total - right
    return losses.mean()


WRONG = r"""
u / u.norm(dim=-1, keepdim=True) => u :: Give every vector length one first: similarity is a cosine
u.norm(dim=-1, keepdim=True) => u.norm(dim=0) :: Give every vector length one, not every coordinate
torch.cat([a, b]) => torch.cat([a, b]) - torch.cat([a, b]).mean(0)
  :: Take the vectors as they are: you took their mean off
u @ u.T => -(u[:, None] - u).square().sum(-1) :: Compare by the cosine, not by the squared distance
/ temperature => / 0.1 :: The temperature is an argument, and it is not always 0.1
/ temperature => * temperature :: Cosines are divided by the temperature, not multiplied
logits.masked_fill(itself, -torch.inf) => logits
  :: A vector does not compete with itself: set the diagonal to minus infinity
logits.masked_fill(itself, -torch.inf) => logits.masked_fill(itself, 0)
  :: A zero on the diagonal still counts as e⁰ = 1: set it to minus infinity
fill(itself, => fill(itself | itself.roll(count, 0), :: The other view belongs in the denominator as well
total - right => torch.logaddexp(total, right) - right :: The other view is counted twice in the denominator
.logsumexp(1) => .exp().sum(1).log()
  :: At small temperatures the exponentials overflow: use `logsumexp` or `cross_entropy`
rows.roll(count) => rows.roll(1) :: The other view of vector i is vector i + N, not its neighbour
losses.mean() => losses.sum() :: Take the mean over the 2N vectors, not the sum
losses.mean() => losses[:count].mean()
  :: Vectors of both views look for their partner: you took the mean over the first view alone
return losses => return -losses :: The sign is wrong: the loss is minus a logarithm
losses.mean() \
=> (-losses).exp().mean() :: This is the mean chance to find the partner: the loss is the mean of -log
losses.mean() \
=> -(-losses).exp().mean().log() :: Take the mean of the logarithms, not the logarithm of the mean
losses.mean() => losses.mean() / math.log(2) :: Your loss is in bits: take natural logarithms
u.norm(dim=-1, keepdim=True) => u.norm(dim=-1, keepdim=True).clamp(min=1e-2)
  :: Vectors may be shorter than 1e-2, and a cosine does not see lengths: put no such floor below them
torch.eye(2 * count, dtype=torch.bool) => torch.eye(2).kron(torch.ones(count, count)).bool()
losses.mean() => losses[:count].mean()
  :: A vector also competes with those of its own view: there are 2N - 2 wrong ones, not N - 1
torch.eye(2 * count, dtype=torch.bool) => torch.eye(2).kron(torch.ones(count, count)).bool()
  :: Both views ask, but each among the other view alone: there are 2N - 2 wrong ones, not N - 1
/ temperature => / max(temperature, 1e-4) :: The temperature may be smaller: the lesson ends with 1e-5
"""

info_nce = Exercise(
    id="representations.info_nce",
    title="InfoNCE",
    reference=invariance.info_nce,
    cases=cases,
    properties=[
        is_chance_where_all_is_alike_and_small_where_views_agree,
        stays_the_same_after_stretching_turning_reordering,
    ],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "Put both views into one matrix with $2N$ rows of length one. Row $i$ has its partner at $i + N$, or at "
        "$i - N$: `torch.arange(2 * N).roll(N)`.",
        "Cosines over the temperature are the logits of a classification into $2N$ classes, in which a row must not "
        "choose itself: what logit has chance zero?",
        "`torch.nn.functional.cross_entropy(logits, partners)` is the mean of $-\\log$, and does not overflow.",
    ],
    core=False,
    full_size=views_at_full_size,
    number=True,
)
