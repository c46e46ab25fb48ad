"""Part 6: the network beside the kernel machine."""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, matrix_image, redraw_matrix, subplots
from oraledu.course.style import BLUE, GREEN, ORANGE
from oraledu.course.words import bounded
from oraledu.grokking.circulant import deviation
from oraledu.grokking.networks import NetworkHistory
from oraledu.grokking.rfm import History
from oraledu.grokking.views.layout import SHARES, block_of


class _Row:
    """One learner of the comparison: its block as a picture, and its curves with a cursor.

    It was seen at some steps, (s,); there it had these features, (s, 2p, 2p), and this test accuracy, (s,).
    """

    def __init__(
        self, axes: tuple[Axes, Axes], name: str, unit: str, steps: Tensor, features: Tensor, accuracy: Tensor
    ) -> None:
        self.name, self.unit, self.steps, self.accuracy = name, unit, steps, accuracy
        self.blocks = block_of(features)
        self.deviations = {
            orientation: torch.stack([deviation(block, orientation) for block in self.blocks])
            for orientation in ("toeplitz", "hankel")
        }
        self.left, right = axes
        self.image = matrix_image(self.left, self.blocks[-1], title="", colorbar=False)
        right.plot(steps, accuracy, color=BLUE, label="accuracy")
        # A block of zeros, which the kernel machine starts with, has no deviation worth drawing.
        known = self.blocks.abs().amax((1, 2)) > 0
        styles = zip(self.deviations.items(), (ORANGE, GREEN), ("--", ":"), strict=True)
        for (orientation, values), colour, style in styles:
            label = f"{orientation.capitalize()} deviation"
            right.plot(steps[known], values[known], color=colour, linestyle=style, label=label)
        right.set(ylim=SHARES, xlabel=unit)
        self.cursor = right.axvline(0, color="black", linewidth=1)

    def show(self, index: int) -> str:
        """Draw one step, and return it in words."""
        block, step = self.blocks[index], int(self.steps[index])
        redraw_matrix(self.image, block)
        self.left.set_title(f"{self.name}, {self.unit} {step}")
        self.cursor.set_xdata([step, step])
        found = "a block of zeros"
        if block.any():
            found = ", ".join(
                f"{orientation.capitalize()} deviation {values[index]:.2f}"
                for orientation, values in self.deviations.items()
            )
        return f"{self.name} at {self.unit} {step}: accuracy {self.accuracy[index]:.2f}, {found}"


def comparison_explorer(history: History, trained: NetworkHistory) -> Explorer:
    """Let a learner move kernel machine and network through their steps, one above the other."""
    figure, axes = subplots(2, 2, alt="not drawn yet", width=640, height=470, width_ratios=[1, 1.5])
    count = len(history.test_accuracy)
    seen = torch.arange(count), history.metrics[:count], history.test_accuracy
    machine = _Row(axes[0], "kernel machine", "iteration", *seen)
    network = _Row(axes[1], "network", "epoch", trained.epochs, trained.features, trained.test_accuracy)
    figure.legend(handles=axes[0, 1].lines[:3], loc="outside lower right", ncols=3)
    epochs = [int(epoch) for epoch in trained.epochs]

    def draw(iteration: int = count - 1, epoch: int = epochs[-1]) -> Figure:
        words = [machine.show(iteration), network.show(epochs.index(epoch))]
        figure.alt = f"The lower left blocks of two feature matrices, and curves. {'. '.join(words)}."
        return figure

    return explore(
        draw,
        labels={"iteration": "kernel machine: iteration", "epoch": "network: epoch"},
        iteration=(0, count - 1),
        epoch=epochs,
    )


def circulant_inputs(runs: Mapping[str, NetworkHistory]) -> Figure:
    """Draw the test accuracy of networks that see their inputs in different ways."""
    ends = ", ".join(f"{name} {bounded(float(trained.test_accuracy[-1]))}" for name, trained in runs.items())
    figure, ax = subplots(alt=f"Test accuracy over the epochs. At the end: {ends}.", width=480, height=250)
    for (name, trained), style, marker in zip(runs.items(), ("-", "--", ":"), ("o", "s", "^"), strict=False):
        look = {"linestyle": style, "marker": marker, "markersize": 3}
        ax.plot(trained.epochs, trained.test_accuracy, **look, label=name)
    ax.set(ylim=SHARES, xlabel="epoch", ylabel="test accuracy")
    ax.set_xlim(0, np.max([trained.epochs[-1] for trained in runs.values()]))
    ax.legend(loc="center right")
    return figure
