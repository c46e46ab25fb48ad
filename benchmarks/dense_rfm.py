"""The recursive feature machine on dense inputs: points of real coordinates in place of pairs of digits.

The same three steps as in `oraledu.grokking.rfm`: solve, average the gradients' outer products, take a root as the
next metric. One-hot pairs all lie at two or three distances from each other; real features have a scale, and an AGOP
has another. So the metric is scaled before each solve, and the bandwidth counts in root mean square distances of the
training points.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.grokking.arithmetic import check_tensors
from oraledu.grokking.kernels import check_symmetric, symmetrised
from oraledu.grokking.regression import solve
from oraledu.grokking.rfm import psd_power

KERNELS = ("gaussian", "laplace")


@dataclass(frozen=True, eq=False)
class Machine:
    """A solved kernel regression f_l(x) = Σ_j α_jl k(x, x_j).

    Attributes:
        points: (n, d) the training points x_j.
        coefficients: (n, c) α.
        metric: (d, d) M, scaled so that the points' mean squared distance is 1.
        kernel: ``"gaussian"`` or ``"laplace"``.
        bandwidth: The length of the kernel.
    """

    points: Tensor
    coefficients: Tensor
    metric: Tensor
    kernel: str
    bandwidth: float

    def __call__(self, x: Tensor) -> Tensor:
        """Return the outputs at points x: (m, d) -> (m, c)."""
        within = gram(x, self.points, self.metric, kernel=self.kernel, bandwidth=self.bandwidth)
        return within @ self.coefficients


def gram(x: Tensor, z: Tensor, metric: Tensor, *, kernel: str, bandwidth: float) -> Tensor:
    """Return the Gram matrix, exp(-d²/(2 bandwidth²)) for the Gaussian or exp(-d/bandwidth) for the Laplace kernel.

    Args:
        x: (n, d) the rows' points.
        z: (m, d) the columns' points.
        metric: (d, d) symmetric; d² = (x - z)'M(x - z), which counts as zero within rounding.
        kernel: ``"gaussian"`` or ``"laplace"``.
        bandwidth: The length of the kernel, above 0.

    Returns:
        (n, m) with entries in [0, 1].

    Raises:
        ValueError: If shapes do not fit, the metric is not symmetric, or the kernel or its bandwidth is unfit.
    """
    squares = _squares(x, z, metric)
    _check_kernel(kernel, bandwidth)
    return (squares / (-2 * bandwidth**2) if kernel == "gaussian" else squares.sqrt() / -bandwidth).exp()


def agop(
    points: Tensor,
    coefficients: Tensor,
    metric: Tensor,
    *,
    kernel: str,
    bandwidth: float,
    centre: bool = True,
) -> Tensor:
    """Return the AGOP of a machine over its training points, mean over i of J_i J_i': (d, d).

    J_i = M Σ_j w_ij (x_j - x_i) α_j' with w = k/bandwidth² for the Gaussian and k/(bandwidth d) for the Laplace
    kernel. That one has a kink where points coincide; its gradient there counts as zero, the mean of all sides.

    Args:
        points: (n, d) the training points.
        coefficients: (n, c) the machine's α.
        metric: (d, d) symmetric.
        kernel: ``"gaussian"`` or ``"laplace"``.
        bandwidth: The length of the kernel, above 0.
        centre: Take the mean gradient of each class off first.

    Raises:
        ValueError: As `gram` does, or if there is not one row of coefficients for each point.
    """
    check_tensors(coefficients=coefficients)
    if coefficients.ndim != 2 or len(coefficients) != len(points):
        raise ValueError(
            f"coefficients must have one row for each of the {len(points)} points, got {tuple(coefficients.shape)}"
        )
    weights = gram(points, points, metric, kernel=kernel, bandwidth=bandwidth)  # (n, n)
    if kernel == "gaussian":
        weights /= bandwidth**2
    else:
        squares = _squares(points, points, metric)
        weights *= torch.where(squares > 0, squares, torch.inf).rsqrt() / bandwidth
    inner = torch.zeros_like(weights)
    for column in coefficients.T:
        pulls = weights * column  # row i: what each x_j adds to the gradient at x_i, before M
        pulls.diagonal().sub_(pulls.sum(dim=1))
        if centre:
            pulls -= pulls.mean(dim=0)
        inner += pulls.T @ pulls
    moved = (points - points.mean(dim=0)) @ metric  # (n, d); gradients know no origin, rounding does
    return symmetrised(moved.T @ inner @ moved / len(points))


def machines(
    points: Tensor,
    targets: Tensor,
    *,
    kernel: str = "gaussian",
    bandwidth: float = 1.0,
    ridge: float = 0.1,
    power: float = 0.5,
    centre: bool = True,
) -> Iterator[Machine]:
    """Yield the machines of an RFM without end; the first one, whose metric is the identity, has learned no feature.

    Args:
        points: (n, d) the training points.
        targets: (n, c) what the machine should give there; for classes, one-hot rows.
        kernel: ``"gaussian"`` or ``"laplace"``.
        bandwidth: The length of the kernel, in root mean square distances of the points under the present metric.
        ridge: What is added to the Gram matrix's diagonal, absolute, at least 0.
        power: The power of the AGOP that becomes the next metric.
        centre: Take the mean gradient off before the average.

    Raises:
        ValueError: If an argument is unfit, the points coincide, or the regression is singular.
        TypeError: If points and targets are not of one floating-point type.
    """
    check_tensors(points=points, targets=targets)
    if points.ndim != 2 or targets.ndim != 2 or len(targets) != len(points):
        raise ValueError(
            f"points (n, d) and targets (n, c) must have as many rows, got {tuple(points.shape)} and "
            f"{tuple(targets.shape)}"
        )
    if not points.is_floating_point() or points.dtype != targets.dtype:
        raise TypeError(
            f"points and targets must be of one floating-point type, got {points.dtype} and {targets.dtype}"
        )
    if not points.isfinite().all():
        raise ValueError("points must be finite")
    around = points - points.mean(dim=0)
    metric = torch.eye(points.shape[1], dtype=points.dtype, device=points.device)
    while True:
        spread = 2 * (around @ metric * around).sum() / len(points)  # the mean squared distance
        if not spread > 0:
            raise ValueError("the points do not differ in any direction that the metric sees")
        metric = metric / spread
        within = gram(points, points, metric, kernel=kernel, bandwidth=bandwidth)
        coefficients = solve(within, targets, ridge=ridge)
        yield Machine(points, coefficients, metric, kernel, bandwidth)
        gradients = agop(points, coefficients, metric, kernel=kernel, bandwidth=bandwidth, centre=centre)
        metric = psd_power(gradients, power)


def _squares(x: Tensor, z: Tensor, metric: Tensor) -> Tensor:
    """Return the squared distances (x - z)'M(x - z): (n, m)."""
    check_tensors(x=x, z=z)
    check_symmetric(metric, "metric")
    if x.ndim != 2 or z.ndim != 2 or not x.shape[1] == z.shape[1] == len(metric):
        raise ValueError(
            f"points must have the metric's {len(metric)} coordinates, got {tuple(x.shape)} and {tuple(z.shape)}"
        )
    x, z = x - z.mean(dim=0), z - z.mean(dim=0)  # far from the origin the norms would drown the distances
    norms = (x @ metric * x).sum(dim=1)[:, None] + (z @ metric * z).sum(dim=1)
    squares = norms - 2 * (x @ metric @ z.T)
    # The root of a rounding error is no rounding error: a point's distance to itself would be 1e-8, or 1e-3 in float32.
    return squares.masked_fill_(squares < 100 * torch.finfo(squares.dtype).eps * norms, 0)


def _check_kernel(kernel: str, bandwidth: float) -> None:
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {', '.join(KERNELS)}, got {kernel!r}")
    if not bandwidth > 0:
        raise ValueError(
            f"bandwidth must be above 0, got {bandwidth}: 1 is the points' root mean square distance"
        )
