"""The rival's part: what a symmetric training set leaves to learn, and how many broken pairs set a machine free."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from oraledu.course.figures import Figure, curve_with_band, matrix_image, subplots
from oraledu.course.style import BLUE, GREEN, ORANGE, RED
from oraledu.grokking.circulant import deviation
from oraledu.grokking.rfm import History
from oraledu.grokking.views.layout import SHARES, block_of


def symmetric_blocks(machines: Mapping[str, History]) -> Figure:
    """Draw the last lower left block of machines for a + b, each under what was held out."""
    figure, axes = subplots(1, len(machines), alt="not drawn yet", height=270, squeeze=False)
    words = []
    for ax, (name, history) in zip(axes[0], machines.items(), strict=True):
        block = block_of(history.metrics[-1])
        accuracy = float(history.test_accuracy[-1])
        matrix_image(ax, block, title=f"{name}\naccuracy {accuracy:.2f}", colorbar=False)
        share = block.diagonal().square().sum() / block.square().sum()
        symmetric = float((block - block.T).norm() / block.norm())
        words.append(
            f"held out {name}: {share:.0%} of the squared norm on the main diagonal, Toeplitz deviation "
            f"{deviation(block, 'toeplitz'):.2f}, distance to its transpose {symmetric:.2f} of its norm, accuracy "
            f"{accuracy:.2f}"
        )
    figure.alt = f"The lower left blocks of {len(machines)} metrics for a + b. {'; '.join(words)}."
    return figure


def breaking_curve(counts: Sequence[int], curves: Mapping[str, Tensor]) -> Figure:
    """Draw the accuracy on the fixed points over how many pairs of mirror images are touched.

    Args:
        counts: How many pairs, in rising order.
        curves: Accuracies under their names, up to four, each of shape (splits, counts).
    """
    figure, ax = subplots(alt="not drawn yet", width=560, height=290)
    styles = ((BLUE, "o-"), (ORANGE, "s-"), (GREEN, "^--"), (RED, "v--"))
    words = []
    for (name, runs), (colour, style) in zip(curves.items(), styles, strict=False):
        curve_with_band(ax, counts, runs, label=name, color=colour, marker=style[0], linestyle=style[1:])
        # Below 0.1 are machines whose scores tie: rounding picks one.
        said = [f"{mean:.2f}" if mean >= 0.1 else "below 0.1" for mean in runs.mean(0)]
        means = ", ".join(f"{count}: {mean}" for count, mean in zip(counts, said, strict=True))
        words.append(f"{name}, mean of {len(runs)} splits: {means}")
    ax.set(ylim=SHARES, xlabel="pairs of mirror images touched", ylabel="accuracy on the fixed points")
    ax.set_xscale("log", base=2)
    ax.set_xticks(counts, labels=[str(count) for count in counts])
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize="small")
    figure.alt = f"Accuracy on the fixed points over the number of pairs touched. {'; '.join(words)}."
    return figure
