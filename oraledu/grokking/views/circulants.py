"""Part 5: a block of one's own making, and how far one solve gets with it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, curve_with_band, matrix_image, redraw_matrix, subplots
from oraledu.course.style import BLUE, ORANGE
from oraledu.grokking import arithmetic, rfm
from oraledu.grokking.circulant import block_metric, circulant_matrix, row_of
from oraledu.grokking.views.layout import SHARES, verdict_table, verdicts

#: Below a panel, in the middle.
BELOW: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2), "fontsize": "small"}


def circulant_explorer(p: int, fraction: float, *, seed: int = 0) -> Explorer:
    """Let a learner build a circulant block, and see which sums one Gaussian kernel regression gets right with it.

    The seed draws the training pairs and the random phases.
    """
    pairs, labels = arithmetic.modular_table("+", p)
    data = arithmetic.split(pairs, labels, fraction, generator=torch.Generator().manual_seed(seed))
    train_pairs, train_labels, test_pairs, test_labels = data
    half = (p - 1) // 2
    turns = torch.rand(half, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    figure, (left, middle, right) = subplots(1, 3, alt="not drawn yet", height=300)
    image = matrix_image(left, torch.zeros(p, p), title="the block C", colorbar=False)
    place = np.arange(1, half + 1)
    (upper,) = middle.plot(place, np.ones(half), "^", color=BLUE, label=r"$1 + |\hat c_k|$")
    (lower,) = middle.plot(place, np.ones(half), "v", color=ORANGE, label=r"$1 - |\hat c_k|$, at least 0")
    middle.set(ylim=(-0.15, 3.15), xlabel="frequency k", title="eigenvalues")
    middle.legend(**BELOW)
    table, marks = verdict_table(right, p)
    right.legend(handles=marks, **BELOW)

    def draw(
        frequencies: int = half,
        strength: float = 1.0,
        random_phases: bool = True,
        orientation: str = "toeplitz",
    ) -> Figure:
        sizes = torch.zeros(half, dtype=torch.float64)
        sizes[:frequencies] = strength
        row = row_of(sizes, turns if random_phases else torch.zeros_like(turns))
        block = circulant_matrix(row, orientation)
        try:
            outputs = rfm.regress(
                train_pairs, train_labels, test_pairs, block_metric(block), kernel="gaussian"
            )
            correct, solved = outputs.argmax(1) == test_labels, True
        except ValueError:  # the block has taken a direction away in which training pairs differ
            correct, solved = torch.zeros(len(test_labels), dtype=torch.bool), False
        table.set_data(verdicts(train_pairs, test_pairs, correct, p))
        redraw_matrix(image, block)
        upper.set_ydata(1 + sizes)
        lower.set_ydata((1 - sizes).clamp(min=0))
        accuracy = float(correct.double().mean())
        right.set_title(f"accuracy {accuracy:.2f}" if solved else "no solution")
        figure.alt = (
            f"Left: a {orientation.capitalize()}-circulant block of {frequencies} frequencies of strength "
            f"{strength:g}, with {'random' if random_phases else 'zero'} phases. Middle: the eigenvalues 1 + |c| and "
            "1 - |c| for each frequency, the latter not below 0. Right: the table of a + b with "
            f"{fraction:.0%} shown; "
            + (
                f"one solve answers {accuracy:.0%} of the questions."
                if solved
                else "the system has no solution: some of these pairs look alike."
            )
        )
        return figure

    return explore(
        draw,
        labels={"frequencies": "number of frequencies", "strength": "strength |c|"},
        frequencies=(0, half),
        strength=(0.25, 2.0, 0.25),
        random_phases=True,
        orientation={"Toeplitz": "toeplitz", "Hankel": "hankel"},
    )


def random_and_learned(
    random_fractions: Sequence[float],
    random_accuracy: Tensor,
    learned_fractions: Sequence[float],
    learned_accuracy: Tensor,
) -> Figure:
    """Draw how far random circulant features, (draws, fractions), and learned ones get with a share of the table."""
    means = random_accuracy.mean(0)
    first = ", ".join(f"{x:g}: {y:.2f}" for x, y in zip(random_fractions, means, strict=True))
    second = ", ".join(f"{x:g}: {y:.2f}" for x, y in zip(learned_fractions, learned_accuracy, strict=True))
    figure, ax = subplots(alt="not drawn yet", width=480, height=260)
    figure.alt = (
        f"Test accuracy over the training fraction. Random circulants, mean of {len(random_accuracy)} draws: "
        f"{first}. Learned features: {second}."
    )
    curve_with_band(
        ax, random_fractions, random_accuracy, label="random circulants, one solve", marker="o", color=BLUE
    )
    ax.plot(learned_fractions, learned_accuracy, "s--", color=ORANGE, label="learned features")
    ax.set(ylim=SHARES, xlabel="training fraction", ylabel="test accuracy")
    ax.legend(loc="upper left")
    return figure
