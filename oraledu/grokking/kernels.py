"""What a kernel is to an RFM: its Gram matrix, and the average gradient outer product (AGOP) of its machines.

Both kernels compare inputs through a metric M, a symmetric matrix of size 2p.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Tensor, finfo

from oraledu.grokking.arithmetic import check_pairs, check_tensors
from oraledu.grokking.gaussian import gaussian_agop, gaussian_gram
from oraledu.grokking.quadratic import quadratic_agop, quadratic_gram


@dataclass(frozen=True)
class Kernel:
    """A kernel machine's two ingredients, so that functions of one's own can drive `rfm.fit`.

    Attributes:
        gram: ``gram(pairs_a, pairs_b, metric)`` -> (n_a, n_b).
        agop: ``agop(pairs, coefficients, metric, *, centre=True)`` -> (2p, 2p).
    """

    gram: Callable[[Tensor, Tensor, Tensor], Tensor]
    agop: Callable[..., Tensor]


def gram(
    pairs_a: Tensor, pairs_b: Tensor, metric: Tensor, *, kernel: str | Kernel, bandwidth: float = 2.5
) -> Tensor:
    """Return the Gram matrix of a kernel between two lists of digit pairs.

    Args:
        pairs_a: (n_a, 2) integer digits; its inputs are the rows.
        pairs_b: (n_b, 2) integer digits; its inputs are the columns.
        metric: (2p, 2p) symmetric and finite.
        kernel: ``"quadratic"`` for (x'Mz)², ``"gaussian"`` for exp(-d_M²/(2 bandwidth²)), or a `Kernel`.
        bandwidth: The length of the Gaussian kernel.

    Returns:
        (n_a, n_b) in the type of ``metric``.

    Raises:
        ValueError: If the metric, a pair, the kernel's name or the bandwidth is unfit; the text says how.
        TypeError: If the pairs do not hold integers.
    """
    p = _check_metric(metric)
    check_pairs(pairs_a, p, "pairs_a")
    check_pairs(pairs_b, p, "pairs_b")
    return resolve(kernel, bandwidth).gram(pairs_a, pairs_b, metric)


def agop(
    pairs: Tensor,
    coefficients: Tensor,
    metric: Tensor,
    *,
    kernel: str | Kernel,
    bandwidth: float = 2.5,
    centre: bool = True,
) -> Tensor:
    """Return the average gradient outer product G = mean over training points of J J': (2p, 2p).

    J holds the gradients of the machine f_l(x) = Σ_j α_jl k(x, x_j) at a training point, a column a class.

    Args:
        pairs: (n, 2) the training points.
        coefficients: (n, c) the machine's α.
        metric: (2p, 2p) symmetric and finite.
        kernel: ``"quadratic"``, ``"gaussian"`` or a `Kernel`.
        bandwidth: The length of the Gaussian kernel.
        centre: Take the mean gradient off first, as the authors' code does and the paper does not say.

    Raises:
        ValueError: If the metric, a pair, the kernel's name or the bandwidth is unfit; the text says how.
        TypeError: If the pairs do not hold integers.
    """
    check_tensors(coefficients=coefficients)
    check_pairs(pairs, _check_metric(metric))
    if coefficients.ndim != 2 or len(coefficients) != len(pairs):
        raise ValueError(
            f"coefficients must have one row for each of the {len(pairs)} pairs and one column for each "
            f"class, got shape {tuple(coefficients.shape)}"
        )
    return symmetrised(resolve(kernel, bandwidth).agop(pairs, coefficients, metric, centre=centre))


def symmetrised(agop: Tensor) -> Tensor:
    """Return an AGOP without the asymmetry of rounding, which grows with the square of the coefficients.

    Raises:
        TypeError: If it is not a tensor.
        ValueError: If more than one part in a hundred is rounding: then nothing is left of the AGOP.
    """
    check_tensors(agop=agop)
    if not (agop - agop.T).abs().max() <= 1e-2 * agop.abs().max():  # false for a NaN too
        raise ValueError(
            "the AGOP is not symmetric and finite: the kernel regression is singular to working precision "
            "(pass a ridge, 1e-6 say), or the kernel's own agop is wrong"
        )
    return (agop + agop.T) / 2


def resolve(kernel: str | Kernel, bandwidth: float) -> Kernel:
    """Return the `Kernel` of a name, or the one that was given.

    Raises:
        ValueError: If the name is unknown or the bandwidth is not above 0.
    """
    if not bandwidth > 0:
        raise ValueError(f"bandwidth must be above 0, got {bandwidth}: the authors use 2.5")
    if isinstance(kernel, Kernel):
        return kernel
    if kernel == "quadratic":
        return Kernel(quadratic_gram, quadratic_agop)
    if kernel == "gaussian":
        return Kernel(
            partial(gaussian_gram, bandwidth=bandwidth), partial(gaussian_agop, bandwidth=bandwidth)
        )
    raise ValueError(f"kernel must be 'quadratic', 'gaussian' or a Kernel(gram, agop), got {kernel!r}")


def _check_metric(metric: Tensor) -> int:
    """Raise unless the metric is (2p, 2p), symmetric and finite; return p."""
    check_symmetric(metric, "metric")
    if len(metric) % 2:
        raise ValueError(f"metric must have size 2p, an even number, got {len(metric)}")
    return len(metric) // 2


def check_symmetric(matrix: Tensor, name: str) -> None:
    """Raise a ValueError unless the matrix is square, finite and symmetric up to rounding."""
    check_tensors(**{name: matrix})
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} must be a square matrix, got shape {tuple(matrix.shape)}")
    if not matrix.isfinite().all():
        raise ValueError(f"{name} holds entries that are not finite: look for a division by zero before it")
    asymmetry = (matrix - matrix.T).abs().max()
    if asymmetry > finfo(matrix.dtype).eps ** 0.5 * matrix.abs().max():
        raise ValueError(f"{name} must be symmetric; (matrix + matrix.T) / 2 is, if rounding is to blame")
