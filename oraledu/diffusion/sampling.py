"""One sampler for machines and networks: the same start, the same steps."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from oraledu.diffusion.schedule import alpha_bar, ddim_step, times
from oraledu.keep import NOWHERE, Keep

#: A denoiser maps noisy images (B, C, H, W) and their time t in (0, 1] to estimates of the clean images.
Denoiser = Callable[[Tensor, float], Tensor]

#: A step maps noisy images, their estimates and ᾱ now and next to the next noisy images.
Step = Callable[[Tensor, Tensor, float, float], Tensor]


@dataclass(frozen=True)
class Trajectory:
    """What a sampler went through, in its order: from noise to image.

    Attributes:
        times: steps + 1 numbers from 1 down to 0.
        noisy: (steps + 1, B, C, H, W) the noisy images at those times.
        denoised: (steps, B, C, H, W) the denoiser's estimates at all times but the last.
    """

    times: list[float]
    noisy: Tensor
    denoised: Tensor

    @property
    def images(self) -> Tensor:
        """The images at t = 0, (B, C, H, W): the last estimate."""
        return self.noisy[-1]


def sample(
    denoiser: Denoiser, noise: Tensor, *, steps: int = 20, step: Step = ddim_step, keep: Keep = NOWHERE
) -> Trajectory:
    """Follow the deterministic reverse flow from noise at t = 1 to images at t = 0.

    Args:
        denoiser: ``denoiser(x, t)`` returns the estimate of the clean images, with the shape of x.
        noise: (B, C, H, W) the start, standard normal.
        steps: How often the denoiser is asked; the paper's machines use 20.
        step: How to go from one noise level to the next (DDIM).
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Raises:
        ValueError: If the noise is not a batch of images, or an estimate has another shape or is not finite.
    """
    if noise.ndim != 4:
        raise ValueError(f"noise must be a batch of images (B, C, H, W), got shape {tuple(noise.shape)}")
    visited = times(steps)
    noisy, denoised = [noise], list[Tensor]()
    if (state := keep.load()) is not None:
        noisy, denoised = (list(state[name].to(noise.device)) for name in ("noisy", "denoised"))
    with torch.no_grad():
        for now, following in list(pairwise(visited))[len(denoised) :]:
            estimate = denoiser(noisy[-1], now)
            if not estimate.isfinite().all():
                raise ValueError(f"the denoiser's estimate at t = {now:.3f} is not finite")
            denoised.append(estimate)
            noisy.append(step(noisy[-1], estimate, alpha_bar(now), alpha_bar(following)))
            if keep.due(len(denoised), steps):
                keep.save({"noisy": torch.stack(noisy), "denoised": torch.stack(denoised)})
    return Trajectory(visited, torch.stack(noisy), torch.stack(denoised))
