"""The recursive feature machine (RFM): kernel regression and its own gradients, in turns.

Each iteration solves a kernel regression on the training pairs, averages the outer products of its
gradients over them (the AGOP), and takes a power of that matrix as the metric of the next kernel. There is
no gradient descent, and the training loss is zero throughout.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from oraledu.grokking.gaussian import gaussian_agop, gaussian_gram
from oraledu.grokking.kernels import Kernel, agop, check_symmetric, gram, resolve, symmetrised
from oraledu.grokking.quadratic import quadratic_agop, quadratic_gram
from oraledu.grokking.regression import Score, check_examples, one_hot_targets, regress, score, solve
from oraledu.keep import NOWHERE, Keep

__all__ = [
    "History",
    "Kernel",
    "Score",
    "Step",
    "Stopped",
    "agop",
    "collect",
    "fit",
    "gaussian_agop",
    "gaussian_gram",
    "gram",
    "iterate",
    "psd_power",
    "quadratic_agop",
    "quadratic_gram",
    "regress",
    "score",
    "solve",
]


@dataclass(frozen=True)
class Step:
    """One iteration: a metric, how well the machine with it does, and the metric that its AGOP gives."""

    metric: Tensor
    train: Score
    test: Score
    next_metric: Tensor


@dataclass(frozen=True)
class History:
    """What `fit` saw. Entry t of each curve belongs to ``metrics[t]``, before the update.

    Attributes:
        metrics: (iterations + 1, 2p, 2p), from the identity to the last update; on the CPU, wherever the run was.
        train_accuracy: (iterations,) the share of training pairs that are right.
        test_accuracy: (iterations,) the share of test pairs that are right.
        train_loss: (iterations,) squared error, averaged over training pairs and classes.
        test_loss: (iterations,) squared error, averaged over test pairs and classes.
        correct_loss: (iterations,) squared error of the right class's output alone, over test pairs.
    """

    metrics: Tensor
    train_accuracy: Tensor
    test_accuracy: Tensor
    train_loss: Tensor
    test_loss: Tensor
    correct_loss: Tensor


class Stopped(ValueError):
    """A run that could not go on; ``history`` holds the iterations before."""

    history: History


def psd_power(matrix: Tensor, power: float) -> Tensor:
    """Return V max(w, 0)^power V', a power of the symmetric matrix with eigenvalues w and vectors V.

    An AGOP has null directions, whose computed eigenvalues may be a hair below zero: they count as zero. For an
    indefinite matrix the result is the power of its positive part.

    Args:
        matrix: (d, d) symmetric and finite.
        power: The exponent, above 0; the paper takes 0.5.

    Returns:
        (d, d) symmetric and positive semi-definite.

    Raises:
        ValueError: If the matrix is not square, symmetric and finite, or the power is not above 0.
    """
    check_symmetric(matrix, "matrix")
    if not power > 0:
        raise ValueError(f"power must be above 0, got {power}: 0.5 gives the square root")
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * values.clamp(min=0) ** power) @ vectors.T


def fit(
    train_pairs: Tensor,
    train_labels: Tensor,
    test_pairs: Tensor,
    test_labels: Tensor,
    p: int,
    *,
    kernel: str | Kernel = "quadratic",
    iterations: int = 30,
    ridge: float = 0.0,
    bandwidth: float = 2.5,
    power: float = 0.5,
    centre: bool = True,
    dtype: torch.dtype = torch.float64,
    psd_power: Callable[[Tensor, float], Tensor] = psd_power,
    keep: Keep = NOWHERE,
) -> History:
    """Run an RFM from the identity metric and record how well each of its machines does.

    Args:
        train_pairs: (n, 2) integer digits below p; the run stays on their device.
        train_labels: (n,) answers.
        test_pairs: (m, 2) integer digits.
        test_labels: (m,) answers.
        p: The modulus and the number of classes.
        kernel: ``"quadratic"`` for (x'Mz)², ``"gaussian"``, or a `Kernel` of your own functions.
        iterations: How many machines to solve, at least 1.
        ridge: What is added to the Gram matrix's diagonal, absolute; the paper takes 0.
        bandwidth: The length of the Gaussian kernel.
        power: The power of the AGOP that becomes the next metric.
        centre: Take the mean gradient off before the average.
        dtype: The type of all numbers; float32 halves time and memory.
        psd_power: The function that takes the power.
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Returns:
        The `History`; entry t of its curves is evaluated with ``metrics[t]``, before the update.

    Raises:
        ValueError: If an argument is unfit or the first kernel regression is singular; the text says what to do.
        Stopped: If a later iteration cannot go on; its ``history`` holds those before.
        TypeError: If pairs or labels do not hold integers.
    """
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, got {iterations}")
    kept = keep.load() or {"steps": []}
    done = [_unpacked(step, train_pairs.device) for step in kept["steps"]]
    steps = iterate(
        train_pairs,
        train_labels,
        test_pairs,
        test_labels,
        p,
        kernel=kernel,
        ridge=ridge,
        bandwidth=bandwidth,
        power=power,
        centre=centre,
        dtype=dtype,
        psd_power=psd_power,
        metric=done[-1].next_metric if done else None,
    )
    try:
        for step in islice(steps, iterations - len(done)):
            done.append(step)
            if keep.due(len(done), iterations):
                keep.save({"steps": [asdict(each) for each in done]})
    except ValueError as error:
        if not done:
            raise
        stopped = Stopped(f"iteration {len(done)}: {error}; the error's .history holds those before")
        stopped.history = collect(done)
        raise stopped from error
    return collect(done)


def iterate(
    train_pairs: Tensor,
    train_labels: Tensor,
    test_pairs: Tensor,
    test_labels: Tensor,
    p: int,
    *,
    kernel: str | Kernel = "quadratic",
    ridge: float = 0.0,
    bandwidth: float = 2.5,
    power: float = 0.5,
    centre: bool = True,
    dtype: torch.dtype = torch.float64,
    psd_power: Callable[[Tensor, float], Tensor] = psd_power,
    metric: Tensor | None = None,
) -> Iterator[Step]:
    """Yield the iterations of `fit` one by one, without end.

    For a progress bar, and to keep what is done when a long run is stopped: append each `Step` to a list, and
    make a `History` of the list with `collect`. Arguments and errors are those of `fit`, but for the metric to begin
    with, the identity if left out.
    """
    check_examples(train_pairs, train_labels, p, "train")
    check_examples(test_pairs, test_labels, p, "test")
    machine = resolve(kernel, bandwidth)
    targets = one_hot_targets(train_labels, p, dtype)  # (n, p)

    def steps() -> Iterator[Step]:
        now = torch.eye(2 * p, dtype=dtype, device=train_pairs.device) if metric is None else metric
        while True:
            train_gram = machine.gram(train_pairs, train_pairs, now)  # (n, n)
            coefficients = solve(train_gram, targets, ridge=ridge)  # (n, p)
            train = score(train_gram @ coefficients, train_labels)
            del train_gram  # its room goes to the test Gram matrix: 180 MB at p = 97
            test = score(machine.gram(test_pairs, train_pairs, now) @ coefficients, test_labels)
            gradients = machine.agop(train_pairs, coefficients, now, centre=centre)  # (2p, 2p)
            following = psd_power(symmetrised(gradients), power)
            check_symmetric(following, "the power of the AGOP")
            yield Step(now, train, test, following)
            now = following

    return steps()


def collect(steps: Iterable[Step]) -> History:
    """Make a `History` of the steps of `iterate`, in their order.

    Raises:
        ValueError: If there is no step.
    """
    steps = list(steps)
    if not steps:
        raise ValueError("steps must hold at least one iteration")
    return History(
        metrics=torch.stack([step.metric for step in steps] + [steps[-1].next_metric]).cpu(),
        train_accuracy=torch.tensor([step.train.accuracy for step in steps], dtype=torch.float64),
        test_accuracy=torch.tensor([step.test.accuracy for step in steps], dtype=torch.float64),
        train_loss=torch.tensor([step.train.loss for step in steps], dtype=torch.float64),
        test_loss=torch.tensor([step.test.loss for step in steps], dtype=torch.float64),
        correct_loss=torch.tensor([step.test.correct_loss for step in steps], dtype=torch.float64),
    )


def _unpacked(step: dict[str, Any], device: torch.device) -> Step:
    """Return a step from its dictionary, on a device."""
    train, test = Score(**step["train"]), Score(**step["test"])
    return Step(step["metric"].to(device), train, test, step["next_metric"].to(device))
