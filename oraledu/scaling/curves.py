"""Loss curves on one footing: normalised, compared, and held against the noise between seeds.

Arrays of curves are (sizes, seeds, points). Moments are those of a population (divided by the count, ddof = 0).
With few seeds S a spread over seeds is low by √(1 - 1/S). Curves are interpolated linearly in progress x on a grid
that contains x = 1, and each run is normalised by its own end, never by the mean of the ends.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.scaling.frontier import check_offset


@dataclass(frozen=True)
class VarianceParts:
    """The variance of normalised curves over sizes and seeds, split by the law of total variance.

    Attributes:
        size: (points,) the variance over sizes of the mean over seeds.
        seed: (points,) the mean over sizes of the variance over seeds.
    """

    size: Tensor
    seed: Tensor

    @property
    def whole(self) -> Tensor:
        """The variance over all runs, (points,): the sum of the parts."""
        return self.size + self.seed


def on_grid(progress: Tensor, loss: Tensor, grid: Tensor) -> Tensor:
    """Interpolate curves linearly in progress.

    Args:
        progress: (points,) shared, or one row a run, in any shape (…, points) that broadcasts to that of the loss;
            increasing, to 1 at the end.
        loss: (…, points) finite.
        grid: (n,) increasing, within the records and with 1 at its end.

    Returns:
        (…, n) in the loss's type.

    Raises:
        ValueError: If progress does not increase to 1, the shapes do not fit, the grid leaves what was recorded or
            does not end at 1, or a run has diverged.
    """
    progress = _rows(progress, loss)
    _check_grid(grid, progress)
    if not loss.isfinite().all():
        run = (~loss.isfinite().all(dim=-1)).nonzero()[0].tolist()
        raise ValueError(f"loss must be finite; the run at index {run} is not: leave out what has diverged")
    x = grid.to(progress).expand(*loss.shape[:-1], -1).contiguous()
    right = torch.searchsorted(progress.contiguous(), x).clamp(1, progress.shape[-1] - 1)
    left = right - 1
    x0, x1 = progress.gather(-1, left), progress.gather(-1, right)
    y0, y1 = loss.gather(-1, left), loss.gather(-1, right)
    share = ((x - x0) / (x1 - x0)).to(loss.dtype)
    return torch.where(
        share == 1, y1, y0 + share * (y1 - y0)
    )  # a record is returned as it is, to the last bit


def normalize(progress: Tensor, loss: Tensor, offset: float, grid: Tensor) -> Tensor:
    """Return ℓ(x) = (L(x) - L₀) / (L(1) - L₀), each run divided by its own end (paper, section 2.2).

    Args:
        progress: (points,) shared, or one row a run, (sizes, seeds, points); increasing, to 1 at the end.
        loss: (sizes, seeds, points) above the offset.
        offset: L₀, the irreducible loss.
        grid: (n,) increasing, within the records and with 1 at its end.

    Returns:
        (sizes, seeds, n), 1 at the end.

    Raises:
        ValueError: If the offset is not below every loss, or for one of the reasons of `on_grid`.
    """
    _check_curves(loss, "loss")
    reducible = on_grid(progress, loss, grid)
    check_offset(loss, offset)
    reducible = reducible - offset
    return reducible / reducible[..., -1:]


def collapse_deviation(normalized: Tensor) -> Tensor:
    """Return Δ(x), the spread of normalised curves over sizes and seeds together, relative to their mean.

    Args:
        normalized: (sizes, seeds, points), of at least two runs.

    Returns:
        (points,) standard deviation over mean; 0 where every run is normalised to 1.

    Raises:
        ValueError: If there is one run, or a value is not finite.
    """
    _check_curves(normalized, "normalized")
    runs = normalized.flatten(0, 1)
    if len(runs) < 2:
        raise ValueError("normalized must hold at least two runs: one has nothing to deviate from")
    return runs.std(dim=0, correction=0) / runs.mean(dim=0)


def noise_floor(loss: Tensor, offset: float) -> Tensor:
    """Return σ(x, p), the spread of raw reducible losses over the seeds of a size, relative to their mean.

    Args:
        loss: (sizes, seeds, points) at equal progress, not normalised, above the offset; at least two seeds.
        offset: L₀, the irreducible loss.

    Returns:
        (sizes, points) standard deviation over mean.

    Raises:
        ValueError: If there is one seed, a value is not finite, or the offset is not below every loss.
    """
    _check_curves(loss, "loss")
    if loss.shape[1] < 2:
        raise ValueError(
            "loss must hold at least two seeds of each size: the floor is the spread between them"
        )
    check_offset(loss, offset)
    reducible = loss - offset
    return reducible.std(dim=1, correction=0) / reducible.mean(dim=1)


def variance_parts(normalized: Tensor) -> VarianceParts:
    """Split the variance of normalised curves into what sizes and what seeds contribute.

    Args:
        normalized: (sizes, seeds, points).

    Returns:
        The parts; their sum is the variance over all runs, (Δ · mean)².

    Raises:
        ValueError: If the shape is another, or a value is not finite.
    """
    _check_curves(normalized, "normalized")
    return VarianceParts(
        size=normalized.mean(dim=1).var(dim=0, correction=0),
        seed=normalized.var(dim=1, correction=0).mean(dim=0),
    )


def f_test(size: Tensor, seed: Tensor, counts: tuple[int, int]) -> tuple[Tensor, float]:
    """Hold the size part of a variance against what seeds alone put there: the F test of one-way analysis.

    A mean of S seeds wobbles with a variance of seed / (S - 1), of which the variance over N sizes sees the share
    (N - 1) / N. If sizes do not differ, and runs are independent, normal and of one spread, the quotient follows F
    with N - 1 and N (S - 1) degrees of freedom.

    Args:
        size: (points,) the variance between sizes, divided by the count.
        seed: (points,) the mean variance between seeds, divided by the count.
        counts: How many sizes N and seeds S there are, at least two of each.

    Returns:
        F, (points,), and the limit that it passes by chance once in twenty.

    Raises:
        ValueError: If there is one size or one seed.
    """
    from scipy.special import fdtri  # slow to load, and no figure waits for it

    sizes, seeds = counts
    if sizes < 2 or seeds < 2:
        raise ValueError(f"counts must be at least 2 sizes and 2 seeds, got {sizes} and {seeds}")
    free = sizes - 1, sizes * (seeds - 1)
    return size / seed * free[1] / free[0], float(fdtri(*free, 0.95))


def supercollapse_from(deviation: Tensor, floor: Tensor, grid: Tensor) -> float | None:
    """Return the progress from which the deviation stays below the floor up to the end.

    Args:
        deviation: (points,) Δ at the grid.
        floor: (points,) σ at the grid, or (sizes, points), of which the mean over sizes counts.
        grid: (points,) increasing; at x = 1 the deviation is 0 by definition, and does not count.

    Returns:
        The first grid point of the unbroken stretch that reaches the last point below 1; None if there is none.

    Raises:
        ValueError: If the lengths differ.
    """
    floor = floor.mean(dim=0) if floor.ndim == 2 else floor
    if not deviation.shape == floor.shape == grid.shape:
        raise ValueError(
            "deviation, floor and grid must have the same points, "
            f"got {tuple(deviation.shape)}, {tuple(floor.shape)} and {tuple(grid.shape)}"
        )
    inner = grid < 1
    above = (deviation >= floor)[inner].nonzero()
    first = int(above[-1]) + 1 if len(above) else 0
    return grid[inner][first].item() if first < int(inner.sum()) else None


def _check_curves(values: Tensor, name: str) -> None:
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(f"{name} must have shape (sizes, seeds, points), got {tuple(values.shape)}")
    if not values.isfinite().all():
        size, seed, point = (~values.isfinite()).nonzero()[0].tolist()
        raise ValueError(
            f"{name} must be finite; size {size}, seed {seed} is not at point {point}: leave out what has diverged"
        )


def _rows(progress: Tensor, loss: Tensor) -> Tensor:
    """Return progress with one row a run, after looking at it."""
    if progress.ndim not in (1, loss.ndim) or progress.shape[-1] != loss.shape[-1]:
        raise ValueError(
            f"progress must have shape ({loss.shape[-1]},), or one row a run for losses of shape {tuple(loss.shape)}; "
            f"got {tuple(progress.shape)}"
        )
    if progress.shape[-1] < 2 or not (progress.diff(dim=-1) > 0).all():
        raise ValueError(
            "progress must increase from record to record: sort the records, and drop repeated ones"
        )
    if not (progress[..., -1] == 1).all():
        raise ValueError("progress must end at 1, the run's own end: divide steps by the last one")
    try:
        return progress.double().expand(loss.shape)
    except RuntimeError as error:
        raise ValueError(
            f"progress of shape {tuple(progress.shape)} does not fit losses of shape {tuple(loss.shape)}"
        ) from error


def _check_grid(grid: Tensor, progress: Tensor) -> None:
    if grid.ndim != 1 or len(grid) == 0 or not (grid.diff() > 0).all() or grid[-1] != 1:
        raise ValueError("grid must be increasing and end at x = 1, where every run is normalised")
    first = progress[..., 0].max().item()
    if grid[0] < first:
        raise ValueError(
            f"grid must start at {first:.4g} or later, the first record of every run; got {grid[0]:.4g}"
        )
