"""Exercise 2: one step of the deterministic sampler."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion import schedule
from oraledu.diffusion.checks.inputs import largest_difference


def cases(generator: torch.Generator) -> list[Case]:
    """Return small and large steps, the first and the last of the sampler, one back, and float32."""
    first, second = schedule.alpha_bar(1.0), schedule.alpha_bar(0.95)
    x, denoised = _normal(generator, 3, 1, 5, 5), _normal(generator, 3, 1, 5, 5)
    return [
        Case("a step from ᾱ = 0.3 to 0.8", (x, denoised, 0.3, 0.8)),
        Case("the sampler's first step", (x, denoised, first, second)),
        Case("a small step", (x, denoised, 0.6, 0.62)),
        Case("the last step, to ᾱ = 1", (x, denoised, 0.95, 1.0)),
        Case("a step back, to more noise", (x, denoised, 0.7, 0.4)),
        Case(
            "images with three channels",
            (_normal(generator, 2, 3, 4, 4), _normal(generator, 2, 3, 4, 4), 0.2, 0.5),
        ),
        Case("images in float32", (x.float(), denoised.float(), 0.4, 0.5)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return as many images as the lesson samples at once: 24 of 14×14."""
    return Case(
        "24 images",
        (_normal(generator, 24, 1, 14, 14).float(), _normal(generator, 24, 1, 14, 14).float(), 0.5, 0.6),
    )


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def ends_on_the_estimate(function: Function, generator: torch.Generator) -> str | None:
    """Ask for x̂₀ itself where no noise is left."""
    x, denoised = _normal(generator, 2, 1, 4, 4), _normal(generator, 2, 1, 4, 4)
    error = largest_difference(function(x, denoised, 0.9, 1.0), denoised)
    return None if error < 1e-12 else "at ᾱ = 1 no noise is left: the result should be the estimate itself"


def keeps_image_and_noise(function: Function, generator: torch.Generator) -> str | None:
    """Hand over the true image, and ask for the same image and noise at another strength."""
    image, noise = _normal(generator, 2, 1, 4, 4), _normal(generator, 2, 1, 4, 4)

    def mixed(alpha_bar: float) -> Tensor:
        return alpha_bar**0.5 * image + (1 - alpha_bar) ** 0.5 * noise

    for now, following in ((0.01, 0.2), (0.5, 0.6), (0.3, 0.99)):
        if not largest_difference(function(mixed(now), image, now, following), mixed(following)) < 1e-10:
            return (
                f"from x = a φ + b ε at ᾱ = {now:g} and the estimate φ, it should come to a' φ + b' ε at "
                f"{following:g}, with the same φ and ε"
            )
    return None


def two_steps_are_one(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same end, with or without a stop on the way, as long as the estimate stays."""
    x, denoised = _normal(generator, 2, 1, 4, 4), _normal(generator, 2, 1, 4, 4)
    stopped = function(function(x, denoised, 0.1, 0.4), denoised, 0.4, 0.9)
    same = largest_difference(stopped, function(x, denoised, 0.1, 0.9)) < 1e-10
    return None if same else "with one and the same estimate, two steps should lead to where one step leads"


def follows_the_flow_of_a_gaussian(function: Function, generator: torch.Generator) -> str | None:
    """Sample from a Gaussian with its exact denoiser: the error must fall with the number of steps."""
    spread = 0.5
    start = _normal(generator, 1, 1, 2, 2)

    def variance(t: float) -> float:
        return schedule.alpha_bar(t) * spread**2 + 1 - schedule.alpha_bar(t)

    exact = start * spread / variance(1.0) ** 0.5
    errors = []
    for steps in (20, 40, 80):
        x, visited = start, schedule.times(steps)
        for now, following in pairwise(visited):
            denoised = schedule.alpha_bar(now) ** 0.5 * spread**2 / variance(now) * x
            x = function(x, denoised, schedule.alpha_bar(now), schedule.alpha_bar(following))
        errors.append(largest_difference(x, exact) / float(exact.abs().max()))
    if errors[0] > errors[1] > errors[2] and errors[2] < 0.02:
        return None
    return (
        "on Gaussian data with the exact denoiser, 20, 40 and 80 steps miss the exact end by "
        f"{errors[0]:.2g}, {errors[1]:.2g} and {errors[2]:.2g} of its size; that should fall towards 0"
    )


def _root(share: float) -> float:
    return share**0.5


def _changed(
    *,
    signal: Callable[[float], float] = _root,
    strength: Callable[[float], float] = lambda alpha_bar: (1 - alpha_bar) ** 0.5,
    noise: Callable[[Tensor, Tensor, float, float], Tensor] = lambda x, denoised, a, b: (
        (x - a * denoised) / b
    ),
) -> Function:
    """Return the step with one thing changed."""

    def ddim_step(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
        found = noise(x, denoised, signal(alpha_bar_now), strength(alpha_bar_now))
        return signal(alpha_bar_next) * denoised + strength(alpha_bar_next) * found

    return ddim_step


def _old_noise(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    return _root(alpha_bar_next) * denoised + x - _root(alpha_bar_now) * denoised


def _old_image(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    noise = (x - _root(alpha_bar_now) * denoised) / _root(1 - alpha_bar_now)
    return _root(alpha_bar_now) * denoised + _root(1 - alpha_bar_next) * noise


def _exchanged(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    noise = (x - _root(alpha_bar_next) * denoised) / max(_root(1 - alpha_bar_next), 1e-6)
    return _root(alpha_bar_now) * denoised + _root(1 - alpha_bar_now) * noise


def _without_noise(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    return _root(alpha_bar_next) * denoised


def _straight(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    return x + (denoised - x) * (alpha_bar_next - alpha_bar_now) / (1 - alpha_bar_now)


def _clamped(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    return _changed()(x, denoised.clamp(-1, 1), alpha_bar_now, alpha_bar_next)


def _clamped_result(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    return _changed()(x, denoised, alpha_bar_now, alpha_bar_next).clamp(-1, 1)


def _in_place(x: Tensor, denoised: Tensor, alpha_bar_now: float, alpha_bar_next: float) -> Tensor:
    x -= _root(alpha_bar_now) * denoised
    x *= _root(1 - alpha_bar_next) / _root(1 - alpha_bar_now)
    return x.add_(_root(alpha_bar_next) * denoised)


ddim_step = Exercise(
    id="diffusion.ddim_step",
    title="One step of the sampler",
    reference=schedule.ddim_step,
    cases=cases,
    properties=[
        Property("the last step ends on the estimate", ends_on_the_estimate),
        Property("the same image, the same noise", keeps_image_and_noise),
        Property("two steps are one", two_steps_are_one),
        Property("the exact flow in the limit", follows_the_flow_of_a_gaussian),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(signal=lambda alpha_bar: alpha_bar), "The image has the strength a = √ᾱ: take the root"
        ),
        WrongAnswer(
            _changed(strength=lambda alpha_bar: 1 - alpha_bar),
            "The noise has the strength b = √(1 - ᾱ): take the root",
        ),
        WrongAnswer(
            _changed(noise=lambda x, denoised, a, b: x - a * denoised),
            "What is left of x without the image is b ε: divide by b to have the noise itself",
        ),
        WrongAnswer(
            _changed(noise=lambda x, denoised, a, b: (x - a * denoised) * b),
            "Divide by b to have the noise ε; you multiply",
        ),
        WrongAnswer(
            _changed(noise=lambda x, denoised, a, b: (x - denoised) / b),
            "x holds the image at strength a: take a x̂₀ off, not x̂₀",
        ),
        WrongAnswer(
            _changed(noise=lambda x, denoised, a, b: (a * denoised - x) / b),
            "The noise has the wrong sign: ε = (x - a x̂₀)/b",
        ),
        WrongAnswer(
            _changed(noise=lambda x, denoised, a, b: torch.randn_like(x)),
            "This sampler is deterministic: it keeps the noise that is in x, and draws none",
        ),
        WrongAnswer(
            _changed(noise=lambda x, denoised, a, b: x), "Not all of x is noise: take the image off first"
        ),
        WrongAnswer(_old_noise, "The noise should have its new strength b', not the old one"),
        WrongAnswer(_old_image, "The image should have its new strength a', not the old one"),
        WrongAnswer(_exchanged, "Now and next are exchanged"),
        WrongAnswer(_without_noise, "The noise is left out: only at the last step nothing remains of it"),
        WrongAnswer(
            _straight,
            "The way from x to the estimate is no straight line: image and noise have strengths a' and b'",
        ),
        WrongAnswer(_clamped, "Take the estimate as it is, also outside [-1, 1]"),
        WrongAnswer(_clamped_result, "A noisy image reaches beyond [-1, 1]: leave the result as it is"),
        WrongAnswer(_in_place, "It changes x, which is still needed: use `x - …`, not `x -= …`"),
    ],
    hints=[
        "Solve $x = a\\,\\hat x_0 + b\\,\\varepsilon$ for the noise $\\varepsilon$ that must be in $x$ if $\\hat x_0$ "
        "is the image.",
        "Put the same image and the same noise together again, now with $a' = \\sqrt{\\bar\\alpha'}$ and "
        "$b' = \\sqrt{1 - \\bar\\alpha'}$. What is left at $\\bar\\alpha' = 1$?",
    ],
    full_size=full_size,
)
