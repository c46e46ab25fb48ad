"""Exercise 12: how the rate of each layer falls with the width."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.scaling import mlp, transformer
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import uniform
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.mup import coordinate_check

WIDTHS = (16, 32, 64, 128)
Rates = dict[str, float]


def cases(generator: torch.Generator) -> list[Case]:
    """Return widths below, at and above the base width, and other base widths."""
    rate = uniform(1e-3, 1e-2, generator)
    return [
        Case("wider than the base", (256, rate, 64)),
        Case("narrower than the base", (16, rate, 64)),
        Case("at the base width", (64, rate, 64)),
        Case("another base width", (384, rate, 128)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a width of the network ladder."""
    return Case("width 48", (48, 3e-3, 64))


@dataclass(frozen=True)
class _Rated(mlp.MLPLadder):
    """The network ladder with rates that are given, by width and part."""

    given: Mapping[int, Rates] = field(default_factory=dict)

    def layer_rates(self, width: int) -> Rates:
        found = self.given[width]
        return {name: found.get(name, found["inner"]) for name in self._shapes(width)}


def every_width_learns_alike(function: Function, generator: torch.Generator) -> str | None:
    """Take two steps at each width with these rates, and ask for a change of the features that no width favours."""
    given = {width: function(width, 3e-3, 64) for width in WIDTHS}
    ladder = _Rated(WIDTHS, Horizon(1.0, 1.0), pool=None, modes=100, batch=64, tests=128, given=given)
    slope = coordinate_check(ladder, WIDTHS, seeds=(0, 1, 2, 3)).slope
    if abs(slope) < 0.1:
        return None
    more = "more" if slope > 0 else "less"
    return (
        f"with these rates two steps move the features of wide networks {more} than those of narrow ones: the slope of "
        f"log change on log width is {slope:.2f}, and should be within 0.1 of 0"
    )


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


def agree_at_the_base_width(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the base rate in every layer of the base width, and for twice as much at twice the base rate."""
    rate = uniform(1e-3, 1e-2, generator)
    if any(abs(value / rate - 1) > 1e-9 for value in function(96, rate, 96).values()):
        return "at the base width every layer should have the base rate"
    one, two = function(200, rate, 50), function(200, 2 * rate, 50)
    same = all(abs(two[name] / one[name] - 2) < 1e-9 for name in one)
    return None if same else "twice the base rate should give twice the rate in every layer"


def _falling(width: int, base_width: int) -> float:
    return base_width / width


def _capped(width: int, base_width: int) -> float:
    return min(1.0, base_width / width)


def _fixed(width: int, base_width: int) -> float:
    return 1.0


def _scaled(factors: Rates, rate: float) -> Rates:
    return {name: factor * rate for name, factor in factors.items()}


def _changed(
    *,
    embed: Callable[[int, int], float] = _fixed,
    inner: Callable[[int, int], float] = _falling,
    readout: Callable[[int, int], float] = _falling,
    finish: Callable[[Rates, float], Rates] = _scaled,
) -> Function:
    """Return the rule with one thing changed."""

    def layer_rates(width: int, base_rate: float, base_width: int) -> Rates:
        parts = {"embed": embed, "inner": inner, "readout": readout}
        return finish({name: part(width, base_width) for name, part in parts.items()}, base_rate)

    return layer_rates


def _root(width: int, base_width: int) -> float:
    return (base_width / width) ** 0.5


def _square(width: int, base_width: int) -> float:
    return (base_width / width) ** 2


def _rising(width: int, base_width: int) -> float:
    return width / base_width


def _without_base(width: int, base_width: int) -> float:
    return 1 / width


layer_rates = Exercise(
    id="scaling.layer_rates",
    title="The rates of muP",
    reference=references.layer_rates,
    cases=cases,
    properties=[
        Property("every width learns alike", every_width_learns_alike),
        Property("rate times fan-in", moves_an_output_by_the_same_amount),
        Property("the base rate at the base width", agree_at_the_base_width),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(inner=_fixed, readout=_fixed),
            "With one rate for all widths wide networks move further: where the width feeds a layer, divide by it",
        ),
        WrongAnswer(
            _changed(inner=_capped, readout=_capped),
            "Below the base width the rate is larger than the base rate: do not cap it",
        ),
        WrongAnswer(
            _changed(embed=_falling),
            "The embedding is fed by the input, whose size does not grow: it keeps the base rate",
        ),
        WrongAnswer(_changed(readout=_fixed), "The readout is fed by the width: its rate falls as well"),
        WrongAnswer(_changed(inner=_fixed), "The blocks are fed by the width: their rate falls as well"),
        WrongAnswer(
            _changed(inner=_rising, readout=_rising),
            "The rate falls with the width: base width over width, not its inverse",
        ),
        WrongAnswer(
            _changed(inner=_root, readout=_root),
            "Adam moves all of a layer's weights in step, so an output moves by rate times width: divide by the width, "
            "not by its root",
        ),
        WrongAnswer(
            _changed(embed=_rising, inner=_fixed),
            "These are rates for plain gradient descent; Adam's steps do not grow with the gradient",
        ),
        WrongAnswer(
            _changed(readout=_square),
            "The readout's rate falls as 1 / width, as the blocks' does, not as its square",
        ),
        WrongAnswer(
            _changed(inner=_without_base, readout=_without_base),
            "At the base width every layer has the base rate: divide by width / base width",
        ),
        WrongAnswer(
            _changed(finish=lambda factors, rate: factors),
            "Return rates, not factors: multiply by the base rate",
        ),
    ],
    hints=[
        "Adam moves each weight by about the rate, whatever its gradient, and all weights of a neuron in step. By how "
        "much does an output move that has $n$ inputs of order 1?",
        "By rate times $n$. Which of the three parts has an $n$ that grows with the width? Those get "
        '`base_rate * base_width / width`. The result is a dictionary with the keys `"embed"`, `"inner"` and '
        '`"readout"`.',
    ],
    core=False,
    full_size=full_size,
    slow_factor=100,
    guarded=(mlp.MLPLadder.layer_rates, transformer.TransformerLadder.layer_rates),
)
