"""A sweep of networks and machines: how well they agree by training seed, noise level and patch size."""

import functools
from collections.abc import Callable
from typing import Any

from torch import Tensor

from oraledu.diffusion.calibrate import pearson_r
from oraledu.diffusion.experiments import noises, trained, training_images
from oraledu.diffusion.machines import Machine, Trajectory, sample
from oraledu.diffusion.schedule import times
from oraledu.diffusion.settings import NetworkRun, preset

#: The noise levels at which the sampler asks, but 0.
LEVELS = tuple(round(t, 3) for t in times(20)[:-1])


def axes(scale: str) -> dict[str, tuple]:
    """Return what is varied at a scale; the network is the one that the lesson trains first."""
    levels = LEVELS[::2] if scale == "quick" else LEVELS
    return {"seed": (0, 1, 2), "noise": levels, "patch": preset(scale).fashion.candidates}


def run(scale: str, *, seed: int, noise: float, patch: int, device: str, keep: Callable[..., Any]) -> dict:
    """Return the settings of a run and Pearson's r, the median over images and that of each.

    It is between what the network and the equivariant-local machine take for the clean image, at one noise level of
    the network's own way. `keep` is put around the function that trains, and may remember what it returns.
    """
    chosen = preset(scale).fashion
    images, path = _way(chosen, seed, device, keep)
    machine, step = Machine(images, "equivariant-local", patch, chosen.padding), LEVELS.index(noise)
    r = pearson_r(path.denoised[step], machine(path.noisy[step], path.times[step]))
    return {"settings": repr(chosen), "r": float(r.median()), "r_of_each": r.tolist()}


@functools.lru_cache(maxsize=1)
def _way(chosen: NetworkRun, seed: int, device: str, keep: Callable[..., Any]) -> tuple[Tensor, Trajectory]:
    """Return the training images, and the network's way from the run's noises, at which many runs look."""
    network, _ = keep(trained)(chosen, seed, device)
    images = training_images(chosen).to(device)
    return images, sample(network.denoise, noises(chosen, images, calibration=False), steps=len(LEVELS))
