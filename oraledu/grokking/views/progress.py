"""Part 3: the curves that stand still, those that move first, and the map of training fractions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor, nan

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, matrix_image, panels, subplots
from oraledu.course.style import BLUE, GREEN, ORANGE, PURPLE
from oraledu.grokking.circulant import alignment
from oraledu.grokking.rfm import History
from oraledu.grokking.views.layout import SHARES, accuracies, at_least, leaves_zero


def progress_curves(history: History, toeplitz: Tensor, hankel: Tensor, weight: Tensor) -> Figure:
    """Draw what one usually watches over the iterations, and below it what the features do.

    These are the deviations of the block at each iteration, (iterations,), and the share of the two off-diagonal
    blocks in the squared norm of the metric.
    """
    moved = leaves_zero(history)
    words = _in_words(history, toeplitz, hankel, weight, moved)
    figure, axes = subplots(2, 3, alt=words, height=470, sharex=True)
    accuracies(axes[0, 0], history)
    axes[0, 1].plot(history.test_loss, color=BLUE)
    axes[0, 1].set(ylim=(0, None), title="test loss")
    axes[0, 2].plot(history.correct_loss, color=BLUE)
    axes[0, 2].set(ylim=(0, None), title="loss of the right class")
    # Iteration 0 has a block of zeros, whose deviation means nothing.
    steps = np.arange(1, len(toeplitz))
    _two_curves(axes[1, 0], steps, {"Hankel": hankel[1:], "Toeplitz": toeplitz[1:]}, "circulant deviation")
    whole, bare = _alignments(history)
    aligned = {"whole": whole, "without diagonal": bare}
    _two_curves(axes[1, 1], np.arange(len(whole)), aligned, "alignment with the last metric")
    axes[1, 2].semilogy(steps, weight[1:], color=PURPLE)
    axes[1, 2].set(ylim=(None, 1.3), title="weight of C in the metric")
    axes[1, 2].minorticks_off()
    for ax in axes.flat:
        ax.axvline(moved, color="black", linewidth=0.8, linestyle=":", label="accuracy leaves zero")
        ax.set_xlabel("iteration" if ax in axes[1] else "")
    figure.legend(handles=axes[0, 0].lines, loc="outside lower center", ncols=3)
    return figure


def phase_explorer(fractions: Sequence[float], accuracy: Tensor, toeplitz: Tensor) -> Explorer:
    """Let a learner walk over the map of training fractions and iterations.

    Both the test accuracies and the Toeplitz deviations of the block are (fractions, iterations).
    """
    shape = toeplitz.clone()
    shape[:, 0] = nan  # the first block is zero, and its deviation means nothing
    figure, (left, middle, right) = subplots(1, 3, alt="not drawn yet", height=280, width_ratios=[1, 1, 0.9])
    maps = {"test accuracy": (left, accuracy), "Toeplitz deviation": (middle, shape)}
    places = []
    for title, (ax, values) in maps.items():
        image = matrix_image(ax, values, title=title, symmetric=False)
        image.set(clim=(0, 1))
        ax.set(aspect="auto", xlabel="iteration", ylabel="training fraction")
        ax.set_yticks(range(len(fractions)), [f"{fraction:g}" for fraction in fractions])
        ax.invert_yaxis()
        places += ax.plot([0], [0], "o", markersize=9, color="white", markeredgecolor="black")
    steps = np.arange(accuracy.shape[1])
    (rising,) = right.plot(steps, accuracy[0], color=BLUE, label="accuracy")
    (falling,) = right.plot(steps, shape[0], color=ORANGE, linestyle="--", label="deviation")
    cursor = right.axvline(0, color="black", linewidth=1)
    right.set(ylim=SHARES, xlabel="iteration")
    figure.legend(handles=right.lines[:2], loc="outside lower right", ncols=2)

    def draw(fraction: float, iteration: int) -> Figure:
        row = list(fractions).index(fraction)
        for place in places:
            place.set_data([iteration], [row])
        rising.set_ydata(accuracy[row])
        falling.set_ydata(shape[row])
        cursor.set_xdata([iteration, iteration])
        right.set_title(f"fraction {fraction:g}")
        figure.alt = (
            "Two maps over iteration and training fraction, of the test accuracy and of the Toeplitz deviation, and "
            f"the curves for one fraction. At fraction {fraction:g} and iteration {iteration} the accuracy is "
            f"{accuracy[row, iteration]:.2f} and the deviation {_known(shape[row, iteration])}; at the last iteration "
            f"they are {accuracy[row, -1]:.2f} and {_known(shape[row, -1])}."
        )
        return figure

    labels = {"fraction": "training fraction"}
    return explore(draw, labels=labels, fraction=list(fractions), iteration=(0, len(steps) - 1))


def sweep_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the accuracies of a sweep over the training fraction, a panel for each operation, a line for each kernel.

    A line is the mean over the splits, its band reaches from the worst to the best.
    """
    found: dict[str, dict[str, dict[float, list[float]]]] = {}
    for row in sorted(rows, key=lambda row: row["fraction"]):
        of = found.setdefault(row["operation"], {}).setdefault(row["kernel"], {})
        of.setdefault(row["fraction"], []).append(row["accuracy"])
    figure, axes = panels([list(found)], height=270, width=max(340, 180 * len(found)), sharey=True)
    words, looks = [], {"quadratic": (BLUE, "o-"), "gaussian": (ORANGE, "s--")}
    for operation, ax in axes.items():
        for kernel, of in found[operation].items():
            colour, line = looks[kernel]
            low, mean, high = ([float(take(each)) for each in of.values()] for take in (min, np.mean, max))
            ax.plot(list(of), mean, line, color=colour, label=kernel)
            ax.fill_between(list(of), low, high, color=colour, alpha=0.25, linewidth=0)
            enough = [f"{x:g}" for x, least in zip(of, low, strict=True) if least > 0.95]
            words.append(f"a {operation} b, {kernel}: {(*enough, 'none')[0]}")
        ax.set(title=f"a {operation} b", ylim=SHARES, xlabel="training fraction")
    axes[next(iter(found))].set_ylabel("test accuracy")
    lines = {line.get_label(): line for ax in axes.values() for line in ax.get_lines()}
    figure.legend(handles=list(lines.values()), loc="outside lower center", ncols=len(lines))
    figure.alt = (
        "Test accuracy after the last iteration over the training fraction, mean and range of the splits. The smallest "
        f"fraction whose worst split is above 0.95: {'; '.join(words)}."
    )
    return figure


def _known(value: Tensor) -> str:
    return "undefined" if value.isnan() else f"{value:.2f}"


def _two_curves(ax: Axes, steps: np.ndarray, curves: dict[str, Tensor], title: str) -> None:
    for (name, values), colour, style in zip(curves.items(), (GREEN, ORANGE), ("--", "-"), strict=True):
        ax.plot(steps, values, color=colour, linestyle=style, label=name)
    ax.set(ylim=SHARES, title=title)
    ax.legend(loc="best")


def _alignments(history: History) -> tuple[Tensor, Tensor]:
    """Return the alignment of every metric with the last one, whole and without the diagonal."""
    *metrics, last = history.metrics
    whole = torch.stack([alignment(metric, last) for metric in metrics])
    return whole, torch.stack([alignment(metric, last, off_diagonal=True) for metric in metrics])


def _in_words(history: History, toeplitz: Tensor, hankel: Tensor, weight: Tensor, moved: int) -> str:
    before = moved - 1
    whole, bare = _alignments(history)
    return (
        f"Six panels over {len(toeplitz)} iterations. Upper row: the test accuracy leaves zero at iteration {moved} "
        f"and is {at_least(float(history.test_accuracy[-1]))} at the end; the test loss goes from "
        f"{history.test_loss[0]:.4f} over {history.test_loss[before]:.4f} at iteration {before} to "
        f"{history.test_loss[-1]:.4f}; the loss of the "
        f"right class from {history.correct_loss[0]:.2f} over {history.correct_loss[before]:.2f} to "
        f"{history.correct_loss[-1]:.2f}. Lower row: from iteration 2 to {before} the Toeplitz deviation falls from "
        f"{toeplitz[2]:.2f} to {toeplitz[before]:.2f}, while the Hankel deviation ends at {hankel[-1]:.2f}; the "
        f"alignment of the whole metric starts at {whole[0]:.2f}, that without the diagonal is {bare[before]:.2f} at "
        f"iteration {before}; on a logarithmic scale the weight of the off-diagonal blocks rises from "
        f"{weight[2]:.1g} to {weight[before]:.1g}, and ends at {weight[-1]:.1g}."
    )
