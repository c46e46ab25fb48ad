"""The look of every figure: seaborn's theme, a palette for colour-blind readers, one font, a white face."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import seaborn
from cycler import cycler

from oraledu.course.surroundings import PICTURES

PALETTE: tuple[str, ...] = tuple(seaborn.color_palette("colorblind").as_hex())
BLUE, ORANGE, GREEN, RED, PURPLE = PALETTE[:5]
GREY = "#8c8c8c"
#: The grey of words that stand back.
FAINT = "#595959"
PIXELS_PER_INCH = 96  # what CSS calls an inch

STYLE: dict[Any, Any] = {
    **seaborn.axes_style("ticks"),
    **seaborn.plotting_context("paper"),
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9.6,
    "figure.dpi": PIXELS_PER_INCH,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # the one font that matplotlib brings along
    "image.cmap": "viridis",
    "legend.frameon": False,
    "savefig.facecolor": "white",
    "text.usetex": False,
}


def theme() -> None:
    """Give the course's look, and nothing of a user's own, to all figures from here on, also those of `pyplot`."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(STYLE)


@contextmanager
def styled() -> Iterator[None]:
    """Give the course's look to what this thread draws meanwhile; pictures are drawn one at a time."""
    with PICTURES, matplotlib.rc_context():
        theme()
        yield
