"""Exercise 12: how the rate of each layer falls with the width."""

import torch

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import uniform

Rates = dict[str, float]


def cases(generator: torch.Generator) -> list[Case]:
    """Return widths below, at and above the base width, and other base widths."""
    rate = uniform(1e-3, 1e-2, generator)
    return [
        Case("wider than the base", (256, rate, 64)),
        Case("narrower than the base", (16, rate, 64)),
        Case("at the base width", (64, rate, 64)),
        Case("another base width", (384, rate, 128)),
        Case("a width that is no multiple", (97, rate, 64)),
        Case("a small rate", (61, 1e-3 * rate, 24)),
    ]


def moves_an_output_by_the_same_amount(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same product of rate and fan-in at every width."""
    wide, narrow = function(512, 0.01, 64), function(32, 0.01, 64)
    for name, why in (("inner", "blocks"), ("readout", "readout")):
        if not abs(wide[name] * 512 / (narrow[name] * 32) - 1) < 1e-9:
            return (
                f"the {why} are fed by the width: rate times width should be the same for every width, and is "
                f"{narrow[name] * 32:.3g} at 32 and {wide[name] * 512:.3g} at 512"
            )
    same = abs(wide["embed"] / narrow["embed"] - 1) < 1e-9
    return None if same else "the embedding is fed by the input, whose size is fixed: its rate should be too"


def has_the_base_rate_at_the_base_width(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the base rate in every layer of the base width, and for twice as much at twice the base rate."""
    rate = uniform(1e-3, 1e-2, generator)
    if any(abs(value / rate - 1) > 1e-9 for value in function(96, rate, 96).values()):
        return "at the base width every layer should have the base rate"
    one, two = function(200, rate, 50), function(200, 2 * rate, 50)
    same = all(abs(two[name] / one[name] - 2) < 1e-9 for name in one)
    return None if same else "twice the base rate should give twice the rate in every layer"


WRONG = r"""
= base_width / width => = 1
  :: With one rate for all widths wide networks move further: where the width feeds a layer, divide by it
base_width / width => min(1.0, base_width / width)
  :: Below the base width the rate is larger than the base rate: do not cap it
= 1.0, => = r, :: The embedding is fed by the input, whose size does not grow: it keeps the base rate
, r, r => , r, 1.0 :: The readout is fed by the width: its rate falls as well
, r, r => , 1.0, r :: The blocks are fed by the width: their rate falls as well
, r, r => , 1 / r, 1 / r :: The rate falls with the width: base width over width, not its inverse
base_width / width => (base_width / width) ** 0.5
  :: Adam moves all of a layer's weights in step, so an output moves by rate times width: divide by the \
width, not by its root
1.0, r, r => 1 / r, 1.0, r
  :: These are rates for plain gradient descent; Adam's steps do not grow with the gradient
, r, r => , r, r**2 :: The readout's rate falls as 1 / width, as the blocks' does, not as its square
base_width / width => 1 / width
  :: At the base width every layer has the base rate: divide by width / base width
base_rate * part => part :: Return rates, not factors: multiply by the base rate
base_width / width => base_width / width if width < base_width else 1 / (width // base_width)
  :: Divide as numbers, not as whole ones: a width need not be a multiple of the base width
"""

layer_rates = Exercise(
    id="scaling.layer_rates",
    title="The rates of muP",
    reference=references.layer_rates,
    cases=cases,
    properties=[moves_an_output_by_the_same_amount, has_the_base_rate_at_the_base_width],
    wrong_answers=slips(references.layer_rates, WRONG),
    hints=[
        "Adam moves each weight by about the rate, whatever its gradient, and all weights of a neuron in step. By how "
        "much does an output move that has $n$ inputs of order 1?",
        "By rate times $n$. Which of the three parts has an $n$ that grows with the width? Those get "
        '`base_rate * base_width / width`. The result is a dictionary with the keys `"embed"`, `"inner"` and '
        '`"readout"`.',
    ],
    core=False,
    full_size=lambda generator: Case("width 48", (48, 3e-3, 64)),
    slow_factor=100,
)
