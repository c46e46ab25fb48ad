"""Lesson 4: an iteration of the RFM beside its own solve, a plain implementation, and the package xrfm."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from benchmarks.timing import Call, Row, growth, peak, ratio
from oraledu.grokking import arithmetic, rfm

BANDWIDTH = 2.5
PART = "4, RFM"
Task = tuple[Tensor, Tensor, Tensor, Tensor]


def task_of(p: int) -> Task:
    """Return half of the table of addition modulo p to learn from, and the other half."""
    generator = torch.Generator().manual_seed(0)
    return arithmetic.split(*arithmetic.modular_table("+", p), 0.5, generator=generator)


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
    """Solve, evaluate and return the next metric: dense one-hot inputs, per-sample Jacobians, LU and SVD."""
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


def our_step(task: Task, p: int, kernel: str) -> Call:
    """Return a call of one iteration of ours, from the metric after the first."""
    steps = rfm.iterate(*task, p, kernel=kernel)
    return lambda: next(steps)


def solve_alone(task: Task, p: int, metric: Tensor, kernel: str) -> Call:
    """Return a call of nothing but the Cholesky factorisation and solve of one iteration."""
    within = rfm.gram(task[0], task[0], metric, kernel=kernel)
    targets = torch.nn.functional.one_hot(task[1], p).to(metric.dtype)
    return lambda: torch.cholesky_solve(targets, torch.linalg.cholesky_ex(within)[0])


def quadratic_steps(p: int) -> Call:
    """Return an iteration with the quadratic kernel."""
    return our_step(task_of(p), p, "quadratic")


def gaussian_steps(p: int) -> Call:
    """Return an iteration with the Gaussian kernel."""
    return our_step(task_of(p), p, "gaussian")


STEPS: dict[str, Callable[[int], Call]] = {"quadratic": quadratic_steps, "gaussian": gaussian_steps}


def package(task: Task, p: int, iterations: int) -> Call | None:
    """Return a call of xrfm with our Gaussian kernel on dense inputs, or None where it is not installed."""
    try:
        from xrfm.rfm_src import RFM
        from xrfm.rfm_src.kernels import LaplaceKernel
    except ImportError:
        return None
    x, z = (arithmetic.one_hot_pairs(task[place], p, torch.float64) for place in (0, 2))
    y, answers = (torch.nn.functional.one_hot(task[place], p).double() for place in (1, 3))

    def fit() -> None:
        kernel = LaplaceKernel(bandwidth=2**0.5 * BANDWIDTH, exponent=2.0)
        model = RFM(kernel, iters=iterations - 1, device="cpu", verbose=False)
        model.fit((x, y), (z, answers), reg=1e-9, center_grads=True)

    return fit


def rows(quick: bool) -> Iterator[Row]:
    """Yield the rows of both kernels, and those of the package."""
    sizes, rounds = ((17, 23, 31), 5) if quick else ((31, 43, 61), 7)
    p = sizes[-1]
    task, where = task_of(p), f"p = {p}, half of the table"
    for kernel, make in STEPS.items():
        steps = rfm.iterate(*task, p, kernel=kernel)
        step = [next(steps) for _ in range(3)][-1]
        # Squares, since a root turns the rounding of null directions from 1e-16 into 1e-8.
        plain, expected = plain_step(task, p, step.metric, kernel), step.next_metric @ step.next_metric
        torch.testing.assert_close(plain @ plain, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))
        ours, alone = (lambda steps=steps: next(steps)), solve_alone(task, p, step.metric, kernel)
        yield Row(
            PART,
            f"iteration, {kernel} / its Cholesky + solve",
            where,
            ratio(ours, alone, rounds),
            growth(make, sizes, "p"),
            peak(make, p),
        )
        slow = partial(plain_step, task, p, step.metric, kernel)
        yield Row(PART, f"plain iteration / ours, {kernel}", where, ratio(slow, ours, rounds))
    p, iterations = sizes[0], 6
    task = task_of(p)
    if theirs := package(task, p, iterations):
        ours = partial(rfm.fit, *task, p, kernel="gaussian", iterations=iterations)
        what = f"xrfm / ours, Gaussian, {iterations} iterations"
        yield Row(PART, what, f"p = {p}, half of the table", ratio(theirs, ours, rounds))
