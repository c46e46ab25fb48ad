"""Exercise 13: the weight decay of each layer, so that every size forgets over the same share of its run."""

import math

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks.inputs import uniform
from oraledu.scaling.decayed import layer_decays as reference


def cases(generator: torch.Generator) -> list[Case]:
    """Return ladders of many shapes, with as many layers as sizes among them, and timescales on both sides of 1."""
    return [
        Case("four sizes of two layers", _ladder(generator, 4, 2, 0.3, 128)),
        Case("as many layers as sizes", _ladder(generator, 3, 3, 1.7, 64)),
        Case("one layer", _ladder(generator, 5, 1, 1.0, 8)),
        Case("one size", _ladder(generator, 1, 4, 0.05, 256)),
        Case("one token in a step", _ladder(generator, 2, 3, 3.0, 1)),
        Case("runs of few steps", _ladder(generator, 3, 2, 0.7, 128, steps=1.5)),
        Case("high rates", _ladder(generator, 2, 2, 0.5, 32, highest=1.0)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return 97 sizes of 53 layers."""
    return Case("97 sizes", _ladder(generator, 97, 53, 0.3, 128))


def _ladder(
    generator: torch.Generator,
    sizes: int,
    layers: int,
    timescale: float,
    batch: int,
    *,
    steps: float = 200.0,
    highest: float = 1e-2,
) -> tuple[float, Tensor, Tensor, int]:
    """Draw rates (sizes, layers) over a decade below the highest, and tokens (sizes,) for up to 20 times the steps."""
    chance = torch.rand((sizes, layers + 1), generator=generator, dtype=torch.float64)
    return timescale, highest * 0.1 ** chance[:, 1:], batch * steps * 20 ** chance[:, 0], batch


def forgets_over_the_timescale(function: Function, generator: torch.Generator) -> str | None:
    """Ask for what is left of a weight without gradients after the run at the full rate: exp(-1 / θ)."""
    for timescale in (0.4, 2.0):
        _, rates, tokens, batch = _ladder(generator, 3, 4, timescale, 16)
        decays = function(timescale, rates, 30 * tokens, batch)
        left = (1 - rates * decays) ** (30 * tokens / batch)[:, None]
        wanted = math.exp(-1 / timescale)
        if not bool(((left / wanted - 1).abs() < 0.02).all()):
            low, high = float(left.min()), float(left.max())
            return (
                f"a run of T steps at the full rate multiplies a weight by (1 - ηζ)^T, which at θ = {timescale:g} "
                f"should be exp(-1/θ) = {wanted:.2g} in every layer; with yours it is {low:.2g} to {high:.2g}"
            )
    return None


def scales_with_each(function: Function, generator: torch.Generator) -> str | None:
    """Ask for half the decay at twice the tokens or the rates, and for twice the decay at twice the batch."""
    timescale, rates, tokens, batch = _ladder(generator, 3, 2, uniform(0.2, 2.0, generator), 32)
    one = function(timescale, rates, tokens, batch)
    for name, changed, factor in (
        ("tokens", (timescale, rates, 2 * tokens, batch), 0.5),
        ("rates", (timescale, 2 * rates, tokens, batch), 0.5),
        ("batch", (timescale, rates, tokens, 2 * batch), 2.0),
        ("timescale", (2 * timescale, rates, tokens, batch), 0.5),
    ):
        if not bool(((function(*changed) / one / factor - 1).abs() < 1e-6).all()):
            return f"twice the {name} should give {factor:g} times the decay in every layer of every size"
    return None


def plain(timescale: float, rates: Tensor, tokens: Tensor, batch: int) -> Tensor:
    """Return what a step may take off, 1 / (θ T), over the rate that it is multiplied by."""
    steps = tokens / batch
    taken = timescale * steps[:, None]
    return 1 / taken / rates


WRONG = r"""
tokens / batch => tokens :: A step takes a batch of tokens: the run has tokens / batch steps
tokens / batch => tokens * batch :: The steps are the tokens over the batch, not times it
tokens / batch => (tokens / batch).round() :: Leave the steps as they come out, not rounded to whole ones
tokens / batch => (tokens / batch).sqrt() :: The decay falls as one over the steps, not over their root
tokens / batch => (tokens / batch).mean().expand(len(tokens))
  :: Every size has a run of its own length: one length for all holds the decay constant
tokens / batch => (tokens[:1] / batch).expand(len(tokens))
  :: Each size forgets over a share of its own run: do not take the first size's steps for all
 / rates => :: AdamW multiplies the decay by the rate: divide by it
 / rates => * rates :: AdamW multiplies the decay by the rate already: divide by it
 / rates => / rates[:1].expand_as(rates) :: Each size has rates of its own: do not take the first size's for all
 / rates => / rates.mean(1, keepdim=True).expand_as(rates)
  :: Each layer has a rate of its own: one decay for all layers gives them different timescales
 / rates => / rates[:, :1].expand_as(rates) :: Each layer has a rate of its own: the first one's is not the others'
1 / taken => timescale**2 / taken :: A long timescale means a weak decay: θ stands below
timescale * steps => steps :: The timescale is missing: a larger θ means a weaker decay
1 / taken => 2 / taken
  :: θ is defined by the peak rate; that a schedule falls does not enter
1 / taken => 1 - torch.exp(-1 / taken)
  :: A step takes off the rate times the decay itself: 1 / (θ T), without an exponential
"""

layer_decays = Exercise(
    id="scaling.layer_decays",
    title="One timescale for all sizes",
    reference=reference,
    cases=cases,
    properties=[forgets_over_the_timescale, scales_with_each],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "How many steps does a size take, if a step sees `batch` tokens? Leave the number as it comes out.",
        "A step at the full rate takes off the share $\\eta\\zeta$ of a weight, so the weights remember about "
        "$1 / (\\eta \\zeta)$ steps. In a run of $T$ steps that is to be $\\theta T$. Solve for $\\zeta$.",
        "`tokens[:, None]` has the shape `(sizes, 1)` and goes with `rates` row by row.",
    ],
    core=False,
    full_size=full_size,
    slow_factor=100,
)
