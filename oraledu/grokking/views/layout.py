"""What the views of this lesson share."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import ListedColormap
from matplotlib.image import AxesImage
from torch import Tensor, cat, zeros

from oraledu.course.figures import MISSING
from oraledu.course.style import BLUE, ORANGE
from oraledu.grokking.rfm import History

#: What an answer can be; the words stand in the legend, so that colour is never alone.
VERDICTS = (("shown in training", MISSING), ("answered wrongly", ORANGE), ("answered correctly", BLUE))
#: The vertical axis of accuracies and other shares.
SHARES = (-0.03, 1.05)
#: The accuracy from which on a run counts as having left zero.
MOVED = 0.02


def at_least(share: float) -> str:
    """Say two digits of a share, rounded down: only what is 1 is called 1."""
    return "1.00" if share >= 1 else f"at least {math.floor(100 * share + 1e-9) / 100:.2f}"


def accuracies(ax: Axes, history: History) -> None:
    """Draw training and test accuracy over the iterations."""
    ax.plot(history.train_accuracy, color=ORANGE, linestyle="--", label="training pairs")
    ax.plot(history.test_accuracy, color=BLUE, label="questions")
    ax.set(ylim=SHARES, xlabel="iteration", title="accuracy")


def leaves_zero(history: History) -> int:
    """Return the first iteration at which the test accuracy is not zero any more."""
    return int((history.test_accuracy > MOVED).nonzero()[0])


def block_of(features: Tensor) -> Tensor:
    """Return the lower left block of a metric, or of several: (..., 2p, 2p) -> (..., p, p)."""
    half = features.shape[-1] // 2
    return features[..., half:, :half]


def on_grid(pairs: Tensor, values: Tensor, p: int) -> np.ndarray:
    """Lay values (N,) of digit pairs out as a table, first digit down; pairs that are missing are NaN: (p, p)."""
    grid = np.full((p, p), np.nan)
    grid[tuple(pairs.numpy().T)] = values.numpy()
    return grid


def digit_axes(ax: Axes, title: str) -> None:
    """Label the axes of a table: first digit down, second digit across."""
    ax.set(xlabel="b", ylabel="a", title=title)
    ax.locator_params(integer=True, nbins=5)


def verdict_table(ax: Axes, p: int) -> tuple[AxesImage, list[PathCollection]]:
    """Draw an empty table of verdicts; return its picture and what stands in its legend."""
    colours = ListedColormap([colour for _, colour in VERDICTS])
    image = ax.imshow(np.zeros((p, p)), cmap=colours, vmin=0, vmax=2)
    digit_axes(ax, "")
    return image, [ax.scatter([], [], marker="s", color=colour, label=name) for name, colour in VERDICTS]


def verdicts(train_pairs: Tensor, test_pairs: Tensor, right: Tensor, p: int) -> np.ndarray:
    """Lay out which pairs were shown, answered wrongly and answered correctly, as places in `VERDICTS`: (p, p)."""
    return on_grid(cat([train_pairs, test_pairs]), cat([zeros(len(train_pairs)), 1 + right]), p)
