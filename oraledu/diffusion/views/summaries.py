"""Many numbers at a glance: as rows of dots, and rounded so that they hold on every machine."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.style import BLUE


def rounded(value: float, step: float) -> str:
    """Write a number with two digits, rounded to a multiple of the step."""
    return f"{round(value / step) * step:.2f}"


def dot_rows(ax: Axes, values: Mapping[str, Tensor]) -> None:
    """Draw a row of dots for the numbers (n,) of each name, from top to bottom, with a bar at the median."""
    for place, row in enumerate(row.cpu() for row in values.values()):
        # The golden ratio's multiples fill a row evenly, and without a visible order.
        spread = np.arange(len(row)) * (math.sqrt(5) - 1) / 2 % 1 - 0.5
        ax.plot(row, place + 0.56 * spread, "o", color=BLUE, alpha=0.6, markersize=4, markeredgewidth=0)
        ax.plot([row.median()] * 2, [place - 0.38, place + 0.38], color="black", linewidth=2)
    ax.set_yticks(range(len(values)), list(values))
    ax.set_ylim(len(values) - 0.5, -0.5)
