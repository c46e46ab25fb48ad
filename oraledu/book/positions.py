"""The positions of an explorer's controls: all of them, or a part that a page can hold."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import ipywidgets as widgets

from oraledu.course import controls
from oraledu.course.explorer import Explorer

#: A menu with at most so many entries is never thinned.
SHORT = 8


@dataclass(frozen=True)
class Choices:
    """What one control can be put to.

    Attributes:
        name: The parameter of the drawing.
        label: The words beside the control.
        kind: How a page shows it.
        values: What the drawing is called with.
        words: The same, as the control shows them.
        start: Where it begins, as an index.
    """

    name: str
    label: str
    kind: Literal["range", "select", "checkbox"]
    values: tuple[Any, ...]
    words: tuple[str, ...]
    start: int

    def every(self, step: int) -> Choices:
        """Keep every so many values, counted from the start, and both ends."""
        last = len(self.values) - 1
        kept = [i for i in range(last + 1) if (i - self.start) % step == 0 or i in (0, last)]
        return replace(
            self,
            values=tuple(self.values[i] for i in kept),
            words=tuple(self.words[i] for i in kept),
            start=kept.index(self.start),
        )


def choices(explorer: Explorer) -> list[Choices]:
    """List what each control of an explorer can be put to.

    Raises:
        TypeError: A control takes more values than can be listed.
    """
    return [_choices(name, control) for name, control in explorer.controls.items()]


def count(every: list[Choices]) -> int:
    """Return how many positions some controls have together."""
    return math.prod(len(each.values) for each in every)


def combinations(every: list[Choices]) -> Iterator[dict[str, Any]]:
    """Yield what the drawing is called with at each position; the last control moves fastest."""
    for values in itertools.product(*(each.values for each in every)):
        yield dict(zip((each.name for each in every), values, strict=True))


def thinned(every: list[Choices], most: int) -> list[Choices]:
    """Take values away, from the longest control first, until there are no more than `most` positions.

    Short menus and boxes stay whole, so there may be more in the end.
    """
    steps, kept = [1] * len(every), every
    while count(kept) > most:
        long = [i for i, each in enumerate(kept) if len(each.values) > (3 if each.kind == "range" else SHORT)]
        if not long:
            break
        longest = max(long, key=lambda i: len(kept[i].values))
        steps[longest] += 1
        kept = [each.every(step) for each, step in zip(every, steps, strict=True)]
    return kept


def _choices(name: str, control: widgets.DOMWidget) -> Choices:
    kind: Literal["range", "select", "checkbox"] = "range"
    if isinstance(control, widgets.FloatSlider):
        steps = round((control.max - control.min) / control.step)
        values = [round(control.min + control.step * step, 10) for step in range(steps + 1)]
    else:
        values = controls.positions(name, control)
    if isinstance(control, controls.LISTED):
        kind = "range" if isinstance(control, widgets.SelectionSlider) else "select"
        words = list(control._options_labels)
    elif isinstance(control, widgets.Checkbox):
        kind, words = "checkbox", ["no", "yes"]
    else:
        words = [format(value, control.readout_format) for value in values]
    return Choices(name, control.description, kind, tuple(values), tuple(words), values.index(control.value))
