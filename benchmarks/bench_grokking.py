"""How fast is an RFM iteration? Ratios only, all measured in this run, on one thread.

    python benchmarks/bench_grokking.py [--p 61] [--fraction 0.5] [--iterations 7]

Two ratios for each kernel, each a median over iterations:

* a whole iteration to its own Cholesky factorisation and solve, the part that no algebra removes;
* the same iteration by the plain method to ours: one-hot vectors as dense matrices, per-sample Jacobians by
  one einsum over samples, classes and inputs, an LU solve, the root by singular values.

Both methods train, evaluate on the same pairs and give the same metric, which is checked.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from oraledu.grokking import arithmetic, rfm

BANDWIDTH = 2.5
Task = tuple[Tensor, Tensor, Tensor, Tensor]
Result = TypeVar("Result")


def plain_gram(x: Tensor, z: Tensor, metric: Tensor, kernel: str) -> Tensor:
    """Return the Gram matrix of dense inputs x (n, 2p) and z (m, 2p): (n, m)."""
    products = x @ metric @ z.T
    if kernel == "quadratic":
        return products**2
    norms_x, norms_z = ((rows @ metric * rows).sum(dim=1) for rows in (x, z))
    distances = norms_x[:, None] + norms_z - 2 * products
    return torch.exp(-distances.clamp(min=0) / (2 * BANDWIDTH**2))


def plain_jacobians(x: Tensor, coefficients: Tensor, metric: Tensor, kernel: str) -> Tensor:
    """Return the Jacobian of the machine at each of its training points x (n, 2p): (n, p, 2p)."""
    moved = x @ metric
    if kernel == "quadratic":
        return 2 * torch.einsum("ij,jc,jd->icd", x @ metric @ x.T, coefficients, moved)
    within = plain_gram(x, x, metric, kernel)
    drift = torch.einsum("ic,id->icd", within @ coefficients, moved)
    return (torch.einsum("ij,jc,jd->icd", within, coefficients, moved) - drift) / BANDWIDTH**2


def plain_step(task: Task, p: int, metric: Tensor, kernel: str) -> Tensor:
    """Solve, evaluate and return the next metric, by the plain method."""
    train_pairs, train_labels, test_pairs, test_labels = task
    x, z = (arithmetic.one_hot_pairs(pairs, p, metric.dtype) for pairs in (train_pairs, test_pairs))
    targets = torch.nn.functional.one_hot(train_labels, p).to(metric.dtype)
    within = plain_gram(x, x, metric, kernel)
    coefficients = torch.linalg.solve(within, targets)
    rfm.score(within @ coefficients, train_labels)
    rfm.score(plain_gram(z, x, metric, kernel) @ coefficients, test_labels)
    jacobians = plain_jacobians(x, coefficients, metric, kernel)
    jacobians = jacobians - jacobians.mean(dim=0)
    left, values, right = torch.linalg.svd(torch.einsum("icd,ice->de", jacobians, jacobians) / len(x))
    return left * values.sqrt() @ right


def solve_alone(task: Task, p: int, metric: Tensor, kernel: str) -> Callable[[], Tensor]:
    """Return a call of nothing but the Cholesky factorisation and solve of one iteration."""
    train_pairs, train_labels, *_ = task
    within = rfm.gram(train_pairs, train_pairs, metric, kernel=kernel)
    targets = torch.nn.functional.one_hot(train_labels, p).to(metric.dtype)
    return lambda: torch.cholesky_solve(targets, torch.linalg.cholesky_ex(within)[0])


def seconds(call: Callable[[], Result]) -> tuple[float, Result]:
    """Return how long a call took, and what it gave."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def compare(task: Task, p: int, kernel: str, iterations: int) -> tuple[float, float]:
    """Return the median ratios (iteration to its solve, plain to ours) over some iterations."""
    to_solve, to_plain = [], []
    steps = rfm.iterate(*task, p, kernel=kernel)
    for iteration in range(iterations + 1):
        ours, step = seconds(lambda: next(steps))
        solve, _ = seconds(solve_alone(task, p, step.metric, kernel))
        plain, metric = seconds(partial(plain_step, task, p, step.metric, kernel))
        # Squares, since a root turns the rounding of null directions from 1e-16 into 1e-8.
        expected = step.next_metric @ step.next_metric
        torch.testing.assert_close(metric @ metric, expected, rtol=0, atol=1e-9 * expected.abs().max().item())
        if iteration:  # the first warms up
            to_solve.append(ours / solve)
            to_plain.append(plain / ours)
    return statistics.median(to_solve), statistics.median(to_plain)


def main() -> None:
    """Print the ratios for both kernels."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--p", type=int, default=61, help="the modulus (default 61)")
    parser.add_argument("--fraction", type=float, default=0.5, help="share of the table that trains")
    parser.add_argument("--iterations", type=int, default=7, help="how many iterations to time")
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    table = arithmetic.modular_table("+", options.p)
    task = arithmetic.split(*table, options.fraction, generator=generator)
    print(f"p = {options.p}, {len(task[0])} training pairs, float64, one thread")
    for kernel in ("quadratic", "gaussian"):
        to_solve, to_plain = compare(task, options.p, kernel, options.iterations)
        print(f"{kernel:9}  iteration / (Cholesky + solve) = {to_solve:.1f}   plain / ours = {to_plain:.1f}")


if __name__ == "__main__":
    main()
