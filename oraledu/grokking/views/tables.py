"""Part 7 and after it: the results beside the paper's."""

from collections.abc import Sequence

from torch import Tensor

from oraledu.course.tables import Table, beside_the_paper
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
    with_circulants, without = circulant_inputs
    return beside_the_paper(
        __file__,
        rounding=_power_of_ten(float(history.train_loss.max())),
        accuracy=at_least(float(history.test_accuracy[-1])),
        operations=at_least(operations),
        rises=leaves_zero(history),
        halved=int((toeplitz[2:] < toeplitz[2] / 2).nonzero()[0]) + 2,
        random_circulant=at_least(random_circulant),
        correlation=correlation,
        with_circulants=bounded(with_circulants),
        without=bounded(without),
    )


def _power_of_ten(value: float) -> str:
    """Return a round upper bound, coarse enough to be the same on every machine."""
    return next(f"1e-{exponent}" for exponent in (20, 15, 10, 5, 0) if value < 10.0**-exponent)
