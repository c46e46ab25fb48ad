"""Maximal-update parametrisation (muP): how rates scale with width, so that every width learns alike.

With Adam, a weight that is fed by the width moves each output by rate · width, so its rate must fall as 1 / width; a
weight that is fed by a fixed number of inputs keeps its rate (paper, appendix B).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from oraledu.scaling.stacked import StackedPass


@dataclass(frozen=True)
class CoordinateCheck:
    """How far a few steps move a network, by width.

    Attributes:
        widths: (n,) the widths.
        change: (n,) root mean square change, over seeds, test points and coordinates.
    """

    widths: Tensor
    change: Tensor

    @property
    def slope(self) -> float:
        """The slope of log change against log width: near 0 if every width learns alike."""
        x, y = self.widths.double().log(), self.change.log()
        x = x - x.mean()
        return ((x * y).sum() / x.square().sum()).item()


class Featured(Protocol):
    """A ladder of networks that shows its features."""

    def begin(self, width: int, seeds: Sequence[int], steps: int) -> StackedPass:
        """Return all seeds of a width before the first step."""

    def features(self, run: StackedPass) -> Tensor:
        """Return the last features on some test points: (seeds, …, width)."""


@torch.no_grad()
def coordinate_check(
    ladder: Featured, widths: Sequence[int], *, seeds: Sequence[int] = (0, 1, 2, 3), steps: int = 2
) -> CoordinateCheck:
    """Measure how far a few steps at full rate move the last features, at each width.

    Only the very first steps tell: Adam and normalisation even widths out within ten (measured here).

    Args:
        ladder: An `MLPLadder` or `TransformerLadder`; its own widths do not matter.
        widths: Two or more distinct widths.
        seeds: The seeds to average over.
        steps: How many steps, at least 1.

    Raises:
        ValueError: If there are fewer than two widths, or no step.
    """
    if len(set(widths)) < 2 or steps < 1:
        raise ValueError(
            f"widths must hold two or more and steps be at least 1, got {list(widths)} and {steps}"
        )
    changes = []
    for width in widths:
        run = ladder.begin(width, seeds, steps)
        before = ladder.features(run)
        with torch.enable_grad():
            for _ in range(steps):
                run.step(1.0)
        changes.append((ladder.features(run) - before).cpu().double().square().mean().sqrt())
    return CoordinateCheck(torch.tensor(list(widths)), torch.stack(changes))
