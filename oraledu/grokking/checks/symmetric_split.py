"""Exercise 10: what to hold out so that the rest keeps its symmetry."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import symmetry


def _shuffled(size: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(size, generator=generator)


def cases(generator: torch.Generator) -> list[Case]:
    """Return reflections, permutations with longer cycles, and what `count` can be at its limits."""
    tables = {op: symmetry.reflected_table(op, 7)[2] for op in "+-/"}
    order = {op: _shuffled(len(image), generator) for op, image in tables.items()}
    fixed = (tables["+"] == torch.arange(49)).nonzero()[:, 0]
    cycles = (torch.arange(60) + 12) % 60  # five steps lead back
    return [
        Case("a + b, swapped", (tables["+"], order["+"], 20)),
        Case("a - b, reflected", (tables["-"], order["-"], 21)),
        Case("a / b, reflected", (tables["/"], order["/"], 10)),
        Case("fixed points alone", (tables["+"], fixed, 7)),
        Case("fixed points first", (tables["+"], torch.cat([fixed, order["+"]]), 16)),
        Case("cycles of five", (cycles, _shuffled(60, generator), 12)),
        Case("any permutation", (_shuffled(50, generator), _shuffled(50, generator), 25)),
        Case("nothing", (tables["+"], order["+"], 0)),
        Case("one", (cycles, _shuffled(60, generator), 1)),
        Case("everything", (tables["-"], order["-"], 49)),
        Case("more than the order holds", (tables["+"], fixed[:3], 30)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a tenth of the table for p = 31."""
    return Case("p = 31", (symmetry.reflected_table("+", 31)[2], _shuffled(961, generator), 96))


def is_mapped_to_itself(function: Function, generator: torch.Generator) -> str | None:
    """Ask that images of what is held out are held out, and of what is left are left."""
    for image in (_shuffled(40, generator), symmetry.reflected_table("*", 11)[2]):
        held = function(image, _shuffled(len(image), generator), len(image) // 3)
        if not torch.equal(held[image], held):
            return "a pair that is left is mapped to one that is held out: take whole orbits"
    return None


def holds_out_no_more_than_it_must(function: Function, generator: torch.Generator) -> str | None:
    """Ask for at least the count, and for less than an orbit above it."""
    image = symmetry.reflected_table("+", 11)[2]
    for count in (1, 6, 30, 121):
        found = int(function(image, _shuffled(121, generator), count).sum())
        if not count <= found <= count + 1:
            return (
                f"{found} pairs are held out where {count} were asked for, and orbits have two pairs at most"
            )
    return None


def orbits(image: Tensor, order: Tensor, count: int) -> Tensor:
    """Hold out each place of the order with its orbit, until there are enough."""
    held = torch.zeros(len(image), dtype=torch.bool)
    for place in order.tolist():
        if held.sum() >= count:
            break
        while not held[place]:
            held[place] = True
            place = int(image[place])
    return held


WRONG = r"""
while not => if not :: An orbit is more than one pair: follow the images until you come back
place = int(image[place]) => held[image[place]] = True :: In a longer orbit the image of the image belongs to it too
>= count => > count :: Stop as soon as `count` pairs are held out
>= count => >= count - 1 :: Hold out `count` pairs at least
return held => return ~held :: True is for what is held out, not for what is left
held.sum() >= count => len(order) and held[order[:count]].all()
  :: Count the images too: with them there are more than you took from the order
order.tolist() => range(len(image)) :: Go through the pairs in the order that is given
order.tolist() => order.argsort().tolist() :: `order` lists the places themselves, not their ranks
dtype=torch.bool) => dtype=torch.int64) :: The result is a mask, of type bool
break => held[place] = True; break :: Stop before the next pair, not after it
int(image[place]) => int(image[image[place]])
  :: One step at a time: the image of the image is the pair itself in a reflection
"""

symmetric_split = Exercise(
    id="grokking.symmetric_split",
    title="A split that keeps a symmetry",
    reference=symmetry.symmetric_split,
    cases=cases,
    properties=[is_mapped_to_itself, holds_out_no_more_than_it_must],
    wrong_answers=slips(orbits, WRONG),
    hints=[
        "Begin with a mask that is False everywhere. For each place of the order, set it and follow `image` until you "
        "meet a place that is set.",
        "Before each new place, stop if enough are held out. Never stop inside an orbit.",
    ],
    core=False,
    full_size=full_size,
    # The lesson splits small tables: a loop over the places is fast enough.
    slow_factor=100,
)
