"""Which patch size a network uses at each noise level, and how well two sets of images agree."""

from collections.abc import Sequence

import torch
from torch import Tensor

from oraledu.devices import exact
from oraledu.diffusion.machines import denoise, score
from oraledu.diffusion.progress import progress
from oraledu.diffusion.sampling import Denoiser, sample
from oraledu.diffusion.schedule import alpha_bar
from oraledu.keep import NOWHERE, Keep


def patch_schedule(
    network: Denoiser,
    images: Tensor,
    candidates: Sequence[int],
    *,
    noise: Tensor,
    padding: str = "zeros",
    machine: str = "equivariant-local",
    steps: int = 20,
    labels: Tensor | None = None,
    label: int | None = None,
    keep: Keep = NOWHERE,
) -> list[int]:
    """Find for each step of the sampler the patch size with which a machine comes closest to a network.

    The network follows its own trajectory. At each of its noisy images its score is compared with the machine's for
    every candidate, by their cosine; the best candidate is noted, and the median over the images is the step's
    patch size (section 5.1 of the paper; the lower median, and the larger patch if two are equally good). Nothing
    makes the result monotone.

    Args:
        network: Any denoiser, such as `network.denoise`.
        images: (N, C, H, W) the training set.
        candidates: Odd patch sizes to choose from, at least one.
        noise: (B, C, H, W) where the trajectories start; each image has one vote.
        padding: ``"zeros"`` or ``"circular"``, as in the network.
        machine: ``"equivariant-local"`` or ``"local"``.
        steps: Steps of the sampler.
        labels: (N,) integers, if the network is conditioned on a class.
        label: The class to condition on.
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Returns:
        `steps` patch sizes in the sampler's order: the first belongs to t = 1.

    Raises:
        ValueError: If there are no candidates, or an argument is one that `machines.denoise` refuses.
    """
    if not candidates:
        raise ValueError("candidates must hold at least one odd patch size")
    # A larger patch comes first, because argmax returns the first of equals.
    ordered = sorted(candidates, reverse=True)
    trajectory = sample(network, noise, steps=steps)
    levels = [
        (x, estimate, alpha_bar(t))
        for x, estimate, t in zip(trajectory.noisy, trajectory.denoised, trajectory.times, strict=False)
    ]

    def agreement(patch: int, x: Tensor, estimate: Tensor, kept: float) -> Tensor:
        answer = denoise(
            x, images, kept, machine=machine, patch=patch, padding=padding, labels=labels, label=label
        )
        return _cosine(score(x, estimate, kept), score(x, answer, kept))

    # All steps of one candidate follow each other, so that its patches are gathered once.
    state = keep.load()
    cosines: list[Tensor] = list(state["cosines"]) if state else []
    every = len(ordered) * len(levels)
    for patch in progress(ordered[len(cosines) // len(levels) :], "calibrating"):
        for level in levels[len(cosines) % len(levels) :]:
            cosines.append(agreement(patch, *level))
            if keep.due(len(cosines), every):
                keep.save({"cosines": torch.stack(cosines)})
    best = torch.stack(cosines).unflatten(0, (len(ordered), len(levels))).argmax(dim=0).cpu()  # (steps, B)
    return torch.tensor(ordered)[best].median(dim=1).values.tolist()


def pearson_r(a: Tensor, b: Tensor) -> Tensor:
    """Return Pearson's correlation of corresponding images, over all their pixels and channels.

    This is the number that the paper reports under the name r² (see `r_squared`). It does not change if one of the
    images is scaled by a positive number or shifted.

    Args:
        a: (B, C, H, W).
        b: The same shape.

    Returns:
        (B,) numbers in [-1, 1].

    Raises:
        ValueError: If the shapes differ or are not batches of images, a value is not finite, or an image is
            constant: a constant image has no correlation with another.
    """
    if a.shape != b.shape or a.ndim != 4:
        raise ValueError(
            f"a and b must have one shape (B, C, H, W), got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    flat = []
    for name, images in (("a", a), ("b", b)):
        if not images.isfinite().all():
            raise ValueError(f"{name} must be finite")
        rows = images.flatten(1).to(exact(images.device), torch.float64)
        constant = (rows.amax(dim=1) == rows.amin(dim=1)).nonzero().flatten().tolist()
        if constant:
            raise ValueError(
                f"{name} must not hold constant images, which correlate with nothing: {constant}"
            )
        flat.append(rows - rows.mean(dim=1, keepdim=True))
    return _cosine(*flat).clamp(-1, 1).cpu()


def r_squared(a: Tensor, b: Tensor) -> Tensor:
    """Return the square of `pearson_r`: the share of one image's variance that a line in the other explains.

    Arguments and errors are those of `pearson_r`; the result lies in [0, 1].
    """
    return pearson_r(a, b).square()


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    # At t = 1 both scores are nearly -x, and float32 would not tell their angles apart.
    a, b = (each.flatten(1).to(exact(each.device), torch.float64) for each in (a, b))
    return (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1))
