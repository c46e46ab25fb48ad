"""What the views of this lesson share."""

import math

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor, nan

from oraledu.course.figures import PALETTE
from oraledu.grokking.rfm import History

BLUE, ORANGE, GREEN, PURPLE = PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[4]


def accuracies(ax: Axes, history: History) -> None:
    """Draw training and test accuracy over the iterations."""
    ax.plot(history.train_accuracy, color=ORANGE, linestyle="--", label="training pairs")
    ax.plot(history.test_accuracy, color=BLUE, label="questions")
    ax.set(ylim=(-0.03, 1.05), xlabel="iteration", title="accuracy")


def bounded(share: float) -> str:
    """Say between which tenths a share lies, from below or from above: one digit, so that machines agree on it."""
    return (
        f"above {math.floor(10 * share) / 10:.1f}"
        if share > 0.5
        else f"below {math.floor(10 * share + 1) / 10:.1f}"
    )


def without_diagonal(metric: Tensor) -> np.ndarray:
    """Return a copy with NaN on the diagonal, which is large from the start and hides the rest."""
    bare = metric.clone()
    bare.fill_diagonal_(nan)
    return bare.numpy()


def on_grid(pairs: Tensor, values: Tensor, p: int) -> np.ndarray:
    """Lay values (N,) of digit pairs out as a table, first digit down; pairs that are missing are NaN: (p, p)."""
    grid = np.full((p, p), np.nan)
    grid[tuple(pairs.numpy().T)] = values.numpy()
    return grid


def digit_axes(ax: Axes, title: str) -> None:
    """Label the axes of a table: first digit down, second digit across."""
    ax.set(xlabel="b", ylabel="a", title=title)
    ax.locator_params(integer=True, nbins=5)
