"""Part 7 and after it: the results beside the paper's."""

from collections.abc import Sequence

from torch import Tensor

from oraledu.course.tables import Table, results
from oraledu.course.words import bounded
from oraledu.grokking.rfm import History
from oraledu.grokking.views.layout import at_least, leaves_zero


def paper_and_here(
    *,
    history: History,
    toeplitz: Tensor,
    operations: float,
    random_circulant: float,
    correlation: float,
    circulant_inputs: Sequence[float],
) -> Table:
    """Set the large run's numbers beside the paper's, with the reason for each difference.

    The accuracy of the operations is the lowest of all. Those of the network are with circulant inputs, and with plain
    ones.
    """
    halved = int((toeplitz[2:] < toeplitz[2] / 2).nonzero()[0]) + 2
    with_circulants, without = circulant_inputs
    rounding = _power_of_ten(float(history.train_loss.max()))
    rows = [
        ("training loss", "identically zero", f"below {rounding}", "rounding"),
        (
            "test accuracy of a + b, half of the table",
            "perfect",
            at_least(float(history.test_accuracy[-1])),
            "a few questions may stay wrong; which ones depends on the split",
        ),
        (
            "all four operations, both kernels",
            "full accuracy",
            at_least(operations),
            "the lowest of several splits; the quadratic kernel misses a question here and there",
        ),
        ("it rises", "around iterations 8 to 15", f"from iteration {leaves_zero(history)}", "none"),
        (
            "the deviation falls",
            "from the start",
            f"halved at iteration {halved}",
            "ours is the Toeplitz one; the paper's formula, taken literally, is blind to it",
        ),
        (
            "random circulants, one solve",
            "generalise",
            at_least(random_circulant),
            "the lowest of five draws",
        ),
        (
            "feature matrix and root of the AGOP",
            "correlation 0.955",
            correlation,
            "it depends on width and epochs, and is nearly as high before training",
        ),
        (
            "network with circulant inputs, and without",
            "from 17.5 % of the table: all right; not in 3000 epochs",
            f"{bounded(with_circulants)}; {bounded(without)}",
            "a smaller prime needs a larger share; at full scale the plain network learns too, but later",
        ),
        (
            "orientation of the block for a + b",
            "circulant",
            "Toeplitz; in the network Hankel",
            "the paper has one word for both",
        ),
    ]
    return results(["quantity", "paper", "here", "reason for the difference"], rows)


def _power_of_ten(value: float) -> str:
    """Return a round upper bound, coarse enough to be the same on every machine."""
    return next(f"1e-{exponent}" for exponent in (20, 15, 10, 5, 0) if value < 10.0**-exponent)
