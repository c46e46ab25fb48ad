"""The look of every figure: seaborn's theme, a palette for colour-blind readers, one font, a white face.

Seaborn's numbers are written down, and a test holds them to its own: to import it takes longer than to import torch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler

from oraledu.course.surroundings import PICTURES

#: Seaborn's "colorblind".
PALETTE = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"),
)
BLUE, ORANGE, GREEN, RED, PURPLE = PALETTE[:5]
GREY = "#8c8c8c"
#: The grey of words that stand back.
FAINT = "#595959"
PIXELS_PER_INCH = 96  # what CSS calls an inch

#: Where seaborn's "ticks" for "paper" differs from matplotlib's defaults.
SEABORN: dict[str, Any] = {
    **dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"), ".15"),
    "axes.axisbelow": True,
    "grid.color": ".8",
    "patch.edgecolor": "w",
    "patch.force_edgecolor": True,
    "lines.solid_capstyle": "round",
    **dict.fromkeys(("font.size", "axes.labelsize", "axes.titlesize", "legend.title_fontsize"), 9.6),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), 8.8),
    "lines.linewidth": 1.2,
    "lines.markersize": 4.8,
    **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 1.0),
    **dict.fromkeys(("patch.linewidth", "xtick.minor.width", "ytick.minor.width"), 0.8),
    **dict.fromkeys(("xtick.major.size", "ytick.major.size"), 4.8),
    **dict.fromkeys(("xtick.minor.size", "ytick.minor.size"), 3.2),
}
STYLE: dict[Any, Any] = {
    **SEABORN,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
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
