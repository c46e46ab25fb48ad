"""Exercise 2: one step of the deterministic sampler."""

from itertools import pairwise

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import schedule
from oraledu.diffusion.checks.inputs import differ, normal


def cases(generator: torch.Generator) -> list[Case]:
    """Return small and large steps, the first and the last of the samplers, one back, and other scales."""
    first, second = schedule.alpha_bar(1.0), schedule.alpha_bar(0.95)
    x, denoised = normal(generator, 3, 1, 5, 5), normal(generator, 3, 1, 5, 5)
    colour = normal(generator, 2, 3, 4, 4), normal(generator, 2, 3, 4, 4)
    return [
        Case("a step from ᾱ = 0.3 to 0.8", (x, denoised, 0.3, 0.8)),
        Case("the sampler's first step", (x, denoised, first, second)),
        Case("a small step", (x, denoised, 0.6, 0.62)),
        Case("the last step, to ᾱ = 1", (x, denoised, 0.95, 1.0)),
        Case("a step back, to more noise", (x, denoised, 0.7, 0.4)),
        Case("images with three channels", (*colour, 0.2, 0.5)),
        Case("hardly any noise, as at the end of part 6", (x, denoised, 1 - 1.2e-10, 1 - 1e-10)),
        Case("images times 10000", (1e4 * x, 1e4 * denoised, 0.4, 0.5)),
        Case("images times 0.0001", (1e-4 * x, 1e-4 * denoised, 0.4, 0.5)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return as many images as the lesson samples at once: 24 of 14×14."""
    x, denoised = normal(generator, 24, 1, 14, 14).float(), normal(generator, 24, 1, 14, 14).float()
    return Case("24 images", (x, denoised, 0.5, 0.6))


def the_same_image_the_same_noise(function: Function, generator: torch.Generator) -> str | None:
    """Hand over the true image, ask for it and its noise at another strength, in one step or two, to the end."""
    image, noise = normal(generator, 2, 1, 4, 4), normal(generator, 2, 1, 4, 4)

    def mixed(alpha_bar: float) -> Tensor:
        return alpha_bar**0.5 * image + (1 - alpha_bar) ** 0.5 * noise

    for now, following in ((0.01, 0.2), (0.5, 0.6), (0.3, 0.99), (1 - 1e-6, 1 - 1e-8)):
        if differ(function(mixed(now), image, now, following), mixed(following)):
            return (
                f"from x = a φ + b ε at ᾱ = {now:g} and the estimate φ, it should come to a' φ + b' ε at "
                f"{following:g}, with the same φ and ε"
            )
    x, denoised = normal(generator, 2, 1, 4, 4), normal(generator, 2, 1, 4, 4)
    stopped = function(function(x, denoised, 0.1, 0.4), denoised, 0.4, 0.9)
    if differ(stopped, function(x, denoised, 0.1, 0.9)):
        return "with one and the same estimate, two steps should lead to where one step leads"
    if differ(function(x, denoised, 0.9, 1.0), denoised):
        return "at ᾱ = 1 no noise is left: the result should be the estimate itself"
    return None


def the_exact_flow_in_the_limit(function: Function, generator: torch.Generator) -> str | None:
    """Sample from a Gaussian with its exact denoiser: the error must fall with the number of steps."""
    spread, start = 0.5, normal(generator, 1, 1, 2, 2)

    def variance(t: float) -> float:
        return schedule.alpha_bar(t) * spread**2 + 1 - schedule.alpha_bar(t)

    exact = start * spread / variance(1.0) ** 0.5
    errors = []
    for steps in (20, 40, 80):
        x = start
        for now, following in pairwise(schedule.times(steps)):
            denoised = schedule.alpha_bar(now) ** 0.5 * spread**2 / variance(now) * x
            x = function(x, denoised, schedule.alpha_bar(now), schedule.alpha_bar(following))
        errors.append(float((x - exact).abs().max() / exact.abs().max()))
    if errors[0] > errors[1] > errors[2] and errors[2] < 0.02:
        return None
    return (
        "on Gaussian data with the exact denoiser, 20, 40 and 80 steps miss the exact end by "
        f"{errors[0]:.2g}, {errors[1]:.2g} and {errors[2]:.2g} of its size; that should fall towards 0"
    )


def plain(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    """Take the noise out of x, and put image and noise together again at their new strengths."""
    a, b = alpha_bar_now**0.5, (1 - alpha_bar_now) ** 0.5
    c, d = alpha_bar_next**0.5, (1 - alpha_bar_next) ** 0.5
    noise = (x - a * denoised) / b
    return c * denoised + d * noise


WRONG = r"""
now**0.5 => now
next**0.5 => next :: The image has the strength a = √ᾱ: take the root
now) ** 0.5 => now)
next) ** 0.5 => next) :: The noise has the strength b = √(1 - ᾱ): take the root
) / b => ) :: What is left of x without the image is b ε: divide by b to have the noise itself
) / b => ) * b :: Divide by b to have the noise ε; you multiply
x - a * d => x - d :: x holds the image at strength a: take a x̂₀ off, not x̂₀
(x - a * denoised) => (a * denoised - x) :: The noise has the wrong sign: ε = (x - a x̂₀)/b
(x - a * denoised) / b => torch.randn_like(x)
  :: This sampler is deterministic: it keeps the noise that is in x, and draws none
(x - a * denoised) / b => x :: Not all of x is noise: take the image off first
d * noise => b * noise :: The noise should have its new strength b', not the old one
c * denoised => a * denoised :: The image should have its new strength a', not the old one
now: float, alpha_bar_next => next: float, alpha_bar_now :: Now and next are exchanged
 + d * noise => :: The noise is left out: only at the last step nothing remains of it
c * denoised + d * noise => x + (denoised - x) * (alpha_bar_next - alpha_bar_now) / (1 - alpha_bar_now)
  :: The way from x to the estimate is no straight line: image and noise have strengths a' and b'
    a, =>     denoised = denoised.clamp(-1, 1)\n    a, :: Take the estimate as it is, also outside [-1, 1]
c * denoised + d * noise => (c * denoised + d * noise).clamp(-1, 1)
  :: A noisy image reaches beyond [-1, 1]: leave the result as it is
(x - a * denoised) / => x.sub_(a * denoised) /
  :: It changes x, which is still needed: use `x - …`, not `x -= …`
) / b => ) / max(b, 1e-3) :: Divide by b itself: with a floor under it the last steps lose their noise
    a, =>     alpha_bar_now, alpha_bar_next = map(torch.tensor, (alpha_bar_now, alpha_bar_next))\n    a,
  :: `torch.tensor(ᾱ)` has the digits of float32, which 1 - ᾱ loses as the noise falls: use `ᾱ**0.5`
"""

ddim_step = Exercise(
    id="diffusion.ddim_step",
    title="One step of the sampler",
    reference=schedule.ddim_step,
    cases=cases,
    properties=[the_same_image_the_same_noise, the_exact_flow_in_the_limit],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "Solve $x = a\\,\\hat x_0 + b\\,\\varepsilon$ for the noise $\\varepsilon$ that must be in $x$ if $\\hat x_0$ "
        "is the image.",
        "Put the same image and the same noise together again, now with $a' = \\sqrt{\\bar\\alpha'}$ and "
        "$b' = \\sqrt{1 - \\bar\\alpha'}$. What is left at $\\bar\\alpha' = 1$?",
    ],
    full_size=full_size,
)
