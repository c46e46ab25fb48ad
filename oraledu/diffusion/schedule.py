"""The noise schedule, and one step of the deterministic sampler.

A noisy image at time t is x = a x₀ + b ε with a² = ᾱ(t), b² = 1 - ᾱ(t): all image at t = 0, all noise at t = 1.
"""

import math
from typing import overload

import torch
from torch import Tensor

#: Stretches time a little, so that ᾱ(1) is small and not zero: at t = 1 a trace of the image is left.
STRETCH = 1.008


@overload
def alpha_bar(t: float) -> float: ...
@overload
def alpha_bar(t: Tensor) -> Tensor: ...
def alpha_bar(t: float | Tensor) -> float | Tensor:
    """Return the share of the image's variance that is left at time t: cos²(π t / (2 · 1.008)).

    The "legacy cosine" schedule of the authors' code. It is 1 at t = 0 and 1.55e-4 at t = 1.

    Args:
        t: A number in [0, 1], or a tensor of such numbers.

    Returns:
        A number for a number, else a tensor of the same shape.

    Raises:
        ValueError: If a time lies outside [0, 1].
    """
    if isinstance(t, Tensor):
        if not ((t >= 0) & (t <= 1)).all():
            raise ValueError("t must lie in [0, 1]: 0 is the image, 1 is the noise")
        return torch.cos(t * (math.pi / 2 / STRETCH)).square()
    if not 0 <= t <= 1:
        raise ValueError(f"t must lie in [0, 1], got {t}: 0 is the image, 1 is the noise")
    return math.cos(t * math.pi / 2 / STRETCH) ** 2


def times(steps: int) -> list[float]:
    """Return the times that a sampler visits, from 1 down to 0, equally spaced: steps + 1 of them.

    A denoiser is asked at all of them but the last, so it has `steps` noise levels.

    Raises:
        ValueError: If there is not at least one step.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    return [(steps - step) / steps for step in range(steps + 1)]


def ddim_step(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    """Return the next noisy image: the denoised one, with the noise that is believed to be in x, at its new size.

    ε = (x - a x̂₀) / b, and then a' x̂₀ + b' ε. Equals the exact flow if x̂₀ does not change on the way
    (Song, Meng and Ermon 2021, equation 12 with σ = 0).

    Args:
        x: Any shape; the noisy image now.
        denoised: The same shape; the estimate x̂₀ of the clean image.
        alpha_bar_now: ᾱ of x, in (0, 1).
        alpha_bar_next: ᾱ of the result, in (0, 1]; at 1 the result is `denoised`.

    Raises:
        ValueError: If the shapes differ, or an ᾱ is outside its range.
    """
    if x.shape != denoised.shape:
        raise ValueError(f"denoised must have the shape of x, {tuple(x.shape)}, got {tuple(denoised.shape)}")
    if not 0 < alpha_bar_now < 1:
        raise ValueError(f"alpha_bar_now must lie in (0, 1), got {alpha_bar_now}")
    if not 0 < alpha_bar_next <= 1:
        raise ValueError(f"alpha_bar_next must lie in (0, 1], got {alpha_bar_next}")
    noise = (x - math.sqrt(alpha_bar_now) * denoised) / math.sqrt(1 - alpha_bar_now)
    return math.sqrt(alpha_bar_next) * denoised + math.sqrt(1 - alpha_bar_next) * noise
