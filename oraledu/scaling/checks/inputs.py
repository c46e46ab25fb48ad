"""Random inputs that several exercises share."""

import numpy as np
import torch
from torch import Tensor


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Draw one number between two."""
    return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw standard normal numbers: float64 of a shape."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def even_grid(points: int) -> Tensor:
    """Return progress in equal parts from 0 to 1: (points,) float64."""
    return torch.linspace(0, 1, points, dtype=torch.float64)


def ragged_progress(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw records at uneven progress from 0 to exactly 1, a row a run: float64 of a shape (…, points)."""
    parts = 0.1 + torch.rand((*shape[:-1], shape[-1] - 1), generator=generator, dtype=torch.float64)
    sums = torch.cat([parts.new_zeros(*shape[:-1], 1), parts.cumsum(-1)], dim=-1)
    return sums / sums[..., -1:]


def random_curves(progress: Tensor, offset: float, generator: torch.Generator) -> Tensor:
    """Draw noisy losses above an offset at progress (sizes, seeds, points), each size with a steepness of its own."""
    sizes, seeds, points = progress.shape
    height = torch.exp(0.5 * normal(generator, sizes, 1, 1))
    steepness = 0.3 + 0.2 * torch.rand((sizes, 1, 1), generator=generator, dtype=torch.float64)
    noise = torch.exp(0.15 * normal(generator, sizes, seeds, points))
    return offset + height * (0.05 + progress) ** -steepness * noise


def random_table(generator: torch.Generator, sizes: int, seeds: int, points: int) -> Tensor:
    """Draw positive curves (sizes, seeds, points), float64, that sizes and seeds each move by a good part."""
    between = 0.2 * normal(generator, sizes, 1, points)
    within = 0.15 * normal(generator, sizes, seeds, points)
    return torch.exp(0.5 + between + within)


def frontier_points(
    count: int, generator: torch.Generator, *, offset: float = 0.0, noise: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Draw compute and end losses of a ladder, two of (count,): a power law, with noise in its log, above an offset."""
    steps = 0.5 + torch.rand(count, generator=generator, dtype=torch.float64)
    compute = torch.exp(16 + 8 * steps.cumsum(0) / count)
    exponent, height = uniform(0.2, 0.4, generator), uniform(0.7, 1.4, generator)
    reducible = height * (compute / compute[0]) ** -exponent * torch.exp(noise * normal(generator, count))
    return compute, offset + reducible


def largest_difference(one: Tensor, other: Tensor) -> float:
    """Return the largest difference between two tensors, infinite if one of them is not finite."""
    return float((one - other).abs().nan_to_num(nan=torch.inf).max())


def relative_difference(one: Tensor, other: Tensor) -> float:
    """Return the largest difference over the largest entry of the second."""
    return largest_difference(one, other) / float(other.abs().max())


def interpolated(x: Tensor, at: Tensor, values: Tensor) -> Tensor:
    """Return the straight lines between values (points,), recorded at increasing places (points,), at x (n,)."""
    return torch.from_numpy(np.interp(x.numpy(), at.numpy(), values.numpy()))
