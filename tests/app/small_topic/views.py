"""The picture of the small sweep."""

from collections.abc import Mapping, Sequence
from typing import Any

from oraledu.course.figures import Figure, subplots


def sweep_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    if len(rows) < 2:
        raise ValueError("it takes two runs")
    figure, ax = subplots(alt=f"{len(rows)} runs")
    ax.plot([row["losses"][-1] for row in rows])
    return figure
