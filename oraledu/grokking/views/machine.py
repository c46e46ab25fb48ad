"""Parts 1 and 2: the table, the first machine, and the first run of the recursive feature machine."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nan

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import MISSING, Figure, matrix_image, redraw_matrix, subplots
from oraledu.course.style import BLUE, ORANGE, PURPLE
from oraledu.grokking import arithmetic, rfm
from oraledu.grokking.rfm import History
from oraledu.grokking.views.layout import SHARES, accuracies, digit_axes, on_grid, verdict_table, verdicts


def table(pairs: Tensor, labels: Tensor, train_pairs: Tensor, p: int) -> Figure:
    """Draw the whole table of an operation beside the part of it that is shown in training."""
    whole = on_grid(pairs, labels, p)
    shown = np.where(np.isnan(on_grid(train_pairs, train_pairs[:, 0], p)), np.nan, whole)
    figure, axes = subplots(1, 2, alt="not drawn yet", height=330)
    for ax, values, title in ((axes[0], whole, "the table"), (axes[1], shown, "what the machine is shown")):
        ax.imshow(values, cmap="viridis", vmin=0, vmax=p - 1, interpolation="nearest")
        digit_axes(ax, title)
    figure.alt = (
        f"Two pictures of the {p} by {p} table of answers. Left: every entry has the colour of its answer. "
        f"Right: the same table with {len(pairs) - len(train_pairs)} entries left white, the questions."
    )
    return figure


def scores_by_occurrence(scores: Tensor, occurrences: Tensor, right: Tensor) -> Figure:
    """Draw how a first machine scores a class, (m, p), by how often it occurs in the question's row and column, (m, p).

    Beside them stand the scores of the right class, (m,).
    """
    groups = [scores[occurrences == count].numpy() for count in (0, 1, 2)] + [right.numpy()]
    names = ["seen in neither", "seen in one", "seen in both", "the right class"]
    medians = [f"{name} {np.median(group):.2f}" for name, group in zip(names, groups, strict=True)]
    figure, ax = subplots(
        alt="Scores of the classes in four groups, as violins, by how often a class occurs in the row and the column "
        f"of the question. Medians: {', '.join(medians)}.",
        height=280,
    )
    parts = ax.violinplot(groups, showmedians=True, showextrema=False, widths=0.8)
    for body, colour in zip(parts["bodies"], [MISSING, MISSING, ORANGE, BLUE], strict=True):
        body.set(facecolor=colour, edgecolor="black", alpha=1)
    parts["cmedians"].set_color("black")
    ax.set_xticks(range(1, 5), names)
    ax.set_ylabel("score")
    ax.axhline(0, color="black", linewidth=0.5)
    return figure


def first_machine_explorer(p: int, gram: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Explorer:
    """Let a learner choose an operation and a training fraction, and see what the machine with M = I answers.

    The Gram matrix is the learner's or the reference's.
    """
    metric = torch.eye(2 * p, dtype=torch.float64)
    figure, ax = subplots(alt="not drawn yet", width=600, height=400)
    image, handles = verdict_table(ax, p)
    figure.legend(handles=handles, loc="outside right upper")

    def draw(operation: str, fraction: float) -> Figure:
        pairs, labels = arithmetic.modular_table(operation, p)
        split = arithmetic.split(pairs, labels, fraction, generator=torch.Generator().manual_seed(0))
        train_pairs, train_labels, test_pairs, test_labels = split
        targets = torch.nn.functional.one_hot(train_labels, p).double()
        coefficients = rfm.solve(gram(train_pairs, train_pairs, metric), targets)
        right = (gram(test_pairs, train_pairs, metric) @ coefficients).argmax(1) == test_labels
        image.set_data(verdicts(train_pairs, test_pairs, right, p))
        title = f"a {operation} b: accuracy {right.double().mean():.3f} (chance {1 / p:.3f})"
        ax.set_title(title)
        figure.alt = (
            f"The {p} by {p} table of a {operation} b, with the pairs shown in training ({fraction:.0%}), "
            f"those answered wrongly and those answered correctly marked. {title}"
        )
        return figure

    labels = {"fraction": "training fraction"}
    return explore(draw, labels=labels, operation=list("+-*/"), fraction=(0.1, 0.9, 0.05))


def accuracy_curves(history: History) -> Figure:
    """Draw the accuracies and the losses of a run over its iterations."""
    figure, (left, right) = subplots(1, 2, alt="not drawn yet")
    accuracies(left, history)
    left.legend(loc="center right")
    right.semilogy(history.train_loss.clamp(min=1e-35), color=ORANGE, linestyle="--", label="training loss")
    right.semilogy(history.test_loss, color=BLUE, label="test loss")
    right.set_ylim(1e-36, 10)
    right.set(xlabel="iteration", ylabel="squared error", title="losses")
    right.legend(loc="center right")
    half = next((t for t, share in enumerate(history.test_accuracy) if share > 0.5), "none")
    figure.alt = (
        f"Left: training accuracy is at least {history.train_accuracy.min():.2f} at every iteration; test accuracy "
        f"passes one half at iteration {half} and ends at {history.test_accuracy[-1]:.2f}. Right: on a logarithmic "
        f"scale the training loss is {'always' if history.train_loss.max() < 1e-20 else 'not always'} below 1e-20, "
        f"while the test loss goes from {history.test_loss[0]:.3f} to {history.test_loss[-1]:.3f}."
    )
    return figure


def iteration_explorer(history: History) -> Explorer:
    """Let a learner move through the iterations: the metric without its diagonal, its spectrum, the curves."""
    metrics = history.metrics[: len(history.test_accuracy)]
    # The diagonal is large from the start, and would hide the rest.
    bare = [metric.clone().fill_diagonal_(nan) for metric in metrics]
    spectra = torch.linalg.eigvalsh(metrics).clamp(min=0).flip(1)
    spectra = spectra / spectra[:, :1]
    figure, (left, middle, right) = subplots(1, 3, alt="not drawn yet", height=280)
    image = matrix_image(left, bare[0], title="metric,\ndiagonal removed", colorbar=False)
    half = len(bare[0]) // 2
    left.axhline(half - 0.5, color="black", linewidth=0.4)
    left.axvline(half - 0.5, color="black", linewidth=0.4)
    (spectrum,) = middle.plot(np.arange(1, 2 * half + 1), spectra[0], ".", color=PURPLE, markersize=3)
    middle.set(ylim=SHARES, xlabel="rank", ylabel="eigenvalue / largest", title="its spectrum")
    accuracies(right, history)
    cursor = right.axvline(0, color="black", linewidth=1)

    def draw(iteration: int) -> Figure:
        redraw_matrix(image, bare[iteration])
        left.set_title(f"metric at iteration {iteration},\ndiagonal removed")
        spectrum.set_ydata(spectra[iteration])
        cursor.set_xdata([iteration, iteration])
        figure.alt = (
            f"Iteration {iteration}: the metric without its diagonal, its eigenvalues, and the accuracies: "
            f"training {history.train_accuracy[iteration]:.2f}, test {history.test_accuracy[iteration]:.2f}."
        )
        return figure

    return explore(draw, iteration=(0, len(bare) - 1))
