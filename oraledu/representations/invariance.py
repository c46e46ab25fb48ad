"""Invariance: how far a layer looks past typing errors (paper, section 3.2).

Each prompt is seen through several noisy views (`augment`). A layer is invariant if views of one prompt lie
together, and tells prompts apart if views of different ones do not.
"""

import torch
from torch import Tensor

from oraledu.representations.augment import augment
from oraledu.representations.entropy import from_gram, matrix_entropy
from oraledu.representations.states import check_states, unit_rows

__all__ = ["augment", "dime", "info_nce", "lidar"]

#: Prompt means this much smaller than the views count as equal.
_ROUNDING = 1e-13


def info_nce(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    """Return the InfoNCE loss of two views in the SimCLR form, on rows of length one.

    Each of the 2N vectors has to find the other view of its prompt among the 2N - 1 other vectors by a softmax
    over cosine / temperature; the loss is the mean of -log of that chance. It is log(2N - 1) if nothing tells
    the vectors apart, and goes to 0 if views agree and prompts do not. Other forms with N - 1 negatives have
    log N as chance. A vector of zeros has cosine 0 with all.

    Args:
        a: (..., N, D) the first view of each prompt, N >= 2.
        b: (..., N, D) the second, in the same order.
        temperature: What cosines are divided by, above 0.

    Returns:
        (...) nats, at least 0, in the type of ``a``.

    Raises:
        TypeError: If a view is not a float32 or float64 tensor.
        ValueError: If the views differ in shape, are unfit, or the temperature is not above 0.
    """
    _check_pair(a, b)
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}: the paper uses 0.1")
    count = a.shape[-2]
    z = unit_rows(torch.cat([a, b], dim=-2))  # (..., 2N, D)
    right = torch.linalg.vecdot(z, z.roll(count, dims=-2)) / temperature
    wrong = z @ z.mT / temperature - right[..., None]
    for offset in (0, count, -count):  # neither a vector itself nor its other view is wrong
        wrong.diagonal(offset, dim1=-2, dim2=-1).fill_(-torch.inf)
    # -log(e^r / (e^r + Σ e^w)) = log(1 + Σ e^(w - r)), exact also where the loss is tiny
    return torch.nn.functional.softplus(torch.logsumexp(wrong, dim=-1)).mean(dim=-1)


def lidar(views: Tensor, delta: float = 1e-4) -> Tensor:
    """Return LiDAR: the entropy of the directions in which prompts differ by more than their views do.

    With the scatter of prompt means Sb and the scatter around them Sw + delta·I, it is the matrix entropy of
    order 1 of Sw^-½ Sb Sw^-½ (D × D). That has the eigenvalues above zero of C Sw^-1 C' (n × n), where C holds the
    centred prompt means, and the smaller of the two is used. Thilak et al., who introduced it, report exp of
    this entropy; this paper's code reports the entropy.

    It says how evenly prompts spread, not how far: views that have nothing in common give nearly the largest value.
    And n (q - 1) has to be far above D, or delta is what it measures.

    Args:
        views: (..., n, q, D) q views of each of n prompts, n and q >= 2.
        delta: What is added to the diagonal of Sw, above 0. It is absolute, so LiDAR sees scale: states as
            small as its root look like noise.

    Returns:
        (...) nats in [0, log min(n - 1, D)], in the type of ``views``; it is computed in double precision.

    Raises:
        TypeError: If ``views`` is not one float32 or float64 tensor.
        ValueError: If there are fewer than 2 prompts or views, an entry is not finite, or ``delta`` is not above
            0 or too small to keep Sw invertible.
    """
    check_states(views, "views", rows=2, kind="view")
    if views.ndim < 3 or views.shape[-3] < 2:
        raise ValueError(f"views must have shape (..., n >= 2, q >= 2, D), got shape {tuple(views.shape)}")
    if not delta > 0:
        raise ValueError(f"delta must be above 0, got {delta}: the paper uses 1e-4")
    # One by one, since each is large enough to fill the machine, and all at once would fill its memory.
    values = [_lidar(each.double(), delta) for each in views.reshape(-1, *views.shape[-3:])]
    return torch.stack(values).reshape(views.shape[:-3]).to(views.dtype)


def _lidar(views: Tensor, delta: float) -> Tensor:
    """Return LiDAR for one layer: (n, q, D) -> ()."""
    prompts, count, width = views.shape
    centred = views.flatten(0, 1)
    centred = centred - centred.mean(dim=0)
    if 2 * len(centred) <= width:  # few vectors: turn them into their own span, which changes no product
        centred = torch.linalg.qr(centred.mT, mode="r").R.mT
    views = centred.unflatten(0, (prompts, count))
    means = views.mean(dim=1)
    if means.norm() <= _ROUNDING * centred.norm():
        return views.new_zeros(())
    within = (views - means[:, None]).flatten(0, 1)
    scatter = within.mT @ within / len(within)
    # Whether a Cholesky factor is found in spite of rounding differs between machines, so the sizes decide.
    if delta <= len(scatter) * torch.finfo(scatter.dtype).eps * scatter.trace():
        raise ValueError(
            f"delta={delta} is lost in rounding beside the scatter of the views: take a larger one"
        )
    scatter.diagonal().add_(delta)
    factor = torch.linalg.cholesky(scatter)
    return matrix_entropy(torch.linalg.solve_triangular(factor, means.mT, upper=False).mT)


def dime(
    a: Tensor,
    b: Tensor,
    alpha: float = 1.0,
    permutations: int = 10,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return DiME: how much more even the joint spectrum of two views is if their pairing is broken.

    With the cosine Gram matrices Ka and Kb of the views (N × N, also where N > D) and ∘ the product entry by
    entry, it is the mean of S_α(Ka ∘ Π Kb Π') over random permutations Π, minus S_α(Ka ∘ Kb). Higher means
    that the pairing says more. It is 0 for rows that are all alike, and for two equal views of orthogonal ones.

    At alpha = 2 no permutation is drawn: exp(-S_2) is the purity ‖K‖²/(tr K)², whose exact mean over all
    permutations is (N + off(Ka) off(Kb) / (N (N - 1))) / N² with off the sum of squares beside the diagonal. The
    result is -log of this mean purity minus S_2(Ka ∘ Kb). The mean of the entropies is not that: since -log
    is convex, it is at least as large (Jensen), by little if purities vary little.

    Args:
        a: (..., N, D) the first view of each prompt, N >= 2.
        b: (..., N, D) the second, in the same order.
        alpha: The order of the entropy, above 0.
        permutations: How many permutations to draw, at least 1; they are the same for all leading dimensions.
        generator: The source of randomness, needed unless ``alpha`` is 2.

    Returns:
        (...) nats in [-log N, log N], in the type of ``a``.

    Raises:
        TypeError: If a view is not a float32 or float64 tensor.
        ValueError: If the views differ in shape or are unfit, ``alpha`` is not above 0, there is no permutation,
            or no generator to draw it with.
    """
    _check_pair(a, b)
    gram_a, gram_b = _cosines(a), _cosines(b)
    paired = from_gram(gram_a * gram_b, alpha)
    if alpha == 2:
        return _mean_purity(gram_a, gram_b).log().neg() - paired
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}")
    if generator is None:
        raise ValueError("generator must be given to draw permutations, unless alpha is 2")
    broken = torch.zeros_like(paired)
    for _ in range(permutations):
        order = torch.randperm(a.shape[-2], generator=generator, device=generator.device).to(a.device)
        broken += from_gram(gram_a * gram_b[..., order, :][..., order], alpha)
    return broken / permutations - paired


def _mean_purity(gram_a: Tensor, gram_b: Tensor) -> Tensor:
    """Return the mean over all permutations of ‖Ka ∘ Π Kb Π'‖² / N², for unit diagonals: (...)."""
    count = gram_a.shape[-1]
    off_a, off_b = (gram.square().sum(dim=(-2, -1)) - count for gram in (gram_a, gram_b))
    return (count + off_a * off_b / (count * (count - 1))) / count**2


def _cosines(z: Tensor) -> Tensor:
    """Return the cosines of the rows, ones on the diagonal: a row of zeros is like itself alone."""
    z = unit_rows(z)
    cosines = z @ z.mT
    cosines.diagonal(dim1=-2, dim2=-1).fill_(1)
    return cosines


def _check_pair(a: Tensor, b: Tensor) -> None:
    check_states(a, "a", rows=2, kind="prompt")
    check_states(b, "b", rows=2, kind="prompt")
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(
            f"a and b must be two views of the same prompts in one shape and type, got {tuple(a.shape)} "
            f"{a.dtype} and {tuple(b.shape)} {b.dtype}"
        )
