"""Exercise 10: the smallest mosaic, in closed form."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion import machines, mosaic
from oraledu.diffusion.checks import references
from oraledu.diffusion.checks.inputs import largest_difference


def cases(generator: torch.Generator) -> list[Case]:
    """Return several noise levels and windows, one image, hardly any noise, and float32."""
    x = _normal(generator, 3, 1, 6, 6)
    return [
        Case("patch 3", (x, 0.2, 3)),
        Case("patch 5", (x, 0.05, 5)),
        Case("patch 1", (x, 0.4, 1)),
        Case("one image", (x[:1], 0.1, 3)),
        Case("the patch left out", (x, 0.2)),
        Case("nearly all noise", (x, 2e-4, 3)),
        Case("hardly any noise", (x, 0.9999, 3)),
        Case("images in float32", (x.float(), 0.2, 3)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the lesson's toy: 16 images of 16×16."""
    return Case("16 images", (_normal(generator, 16, 1, 16, 16).float(), 0.2, 3))


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def is_the_machine_with_two_images(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the machines whose training set is an all black and an all white image."""
    x = _normal(generator, 2, 1, 7, 7)
    both = torch.ones(2, 1, 7, 7, dtype=torch.float64) * torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1)
    for alpha_bar, patch in ((0.05, 3), (0.3, 3), (0.02, 5)):
        for machine in ("equivariant-local", "local"):
            expected = machines.denoise(x, both, alpha_bar, machine=machine, patch=patch, padding="circular")
            if not largest_difference(function(x, alpha_bar, patch), expected) < 1e-9:
                return (
                    f"at ᾱ = {alpha_bar:g} with patch {patch} it differs from the {machine} machine whose training "
                    "images are all black and all white"
                )
    return None


def is_odd_and_bounded(function: Function, generator: torch.Generator) -> str | None:
    """Ask for black in the place of white if x is turned round, and for nothing beyond either."""
    x = _normal(generator, 3, 1, 6, 6)
    estimate = function(x, 0.3, 3)
    if not largest_difference(function(-x, 0.3, 3), -estimate) < 1e-12:
        return "the negative of x should give the negative of the estimate"
    if not function(50 * x, 0.9, 3).abs().max() <= 1:
        return "an estimate lies between black, -1, and white, 1"
    return None


def follows_the_majority(function: Function, generator: torch.Generator) -> str | None:
    """Ask, with hardly any noise left, for the colour that most of the window has."""
    x = _normal(generator, 3, 1, 8, 8).sign()
    for patch in (3, 5):
        wide = functional.pad(x, (patch // 2,) * 4, mode="circular")
        majority = functional.avg_pool2d(wide, patch, stride=1).sign()
        if not largest_difference(function(x, 0.999, patch), majority) < 1e-12:
            return f"with patch {patch} and hardly any noise, it should be the colour of most of the window"
    return None


def moves_with_the_image(function: Function, generator: torch.Generator) -> str | None:
    """Roll x, and ask for the rolled result."""
    x = _normal(generator, 2, 1, 6, 6)
    moved = function(x.roll((2, -3), (2, 3)), 0.2, 3)
    same = largest_difference(moved, function(x, 0.2, 3).roll((2, -3), (2, 3))) < 1e-10
    return None if same else "rolling x should roll the result with it: the window wraps around"


def _box(x: Tensor, patch: int) -> Tensor:
    """Add up each wrapped k×k window."""
    return patch**2 * functional.avg_pool2d(
        functional.pad(x, (patch // 2,) * 4, mode="circular"), patch, stride=1
    )


def _changed(
    *,
    box: Callable[[Tensor, int], Tensor] = _box,
    signal: Callable[[float], float] = lambda alpha_bar: alpha_bar**0.5,
    spread: Callable[[float], float] = lambda alpha_bar: 1 - alpha_bar,
    squash: Callable[[Tensor], Tensor] = torch.tanh,
) -> Function:
    """Return the closed form with one thing changed."""

    def two_image_denoiser(x: Tensor, alpha_bar: float, patch: int = 3) -> Tensor:
        return squash(signal(alpha_bar) * box(x, patch) / spread(alpha_bar))

    return two_image_denoiser


def _zero_padded(x: Tensor, patch: int) -> Tensor:
    return patch**2 * functional.avg_pool2d(x, patch, stride=1, padding=patch // 2)


def _off_centre(x: Tensor, patch: int) -> Tensor:
    wide = functional.pad(x, (0, patch - 1) * 2, mode="circular")
    return patch**2 * functional.avg_pool2d(wide, patch, stride=1)


def _by_exponentials(sums: Tensor) -> Tensor:
    return (sums.exp() - (-sums).exp()) / (sums.exp() + (-sums).exp())


def _squashed_first(x: Tensor, alpha_bar: float, patch: int = 3) -> Tensor:
    return _box(torch.tanh(alpha_bar**0.5 * x / (1 - alpha_bar)), patch) / patch**2


two_image_denoiser = Exercise(
    id="diffusion.two_image_denoiser",
    title="Two images, in closed form",
    reference=mosaic.two_image_denoiser,
    cases=cases,
    properties=[
        Property("the machine with two images", is_the_machine_with_two_images),
        Property("odd, and between black and white", is_odd_and_bounded),
        Property("the majority decides", follows_the_majority),
        Property("moves with the image", moves_with_the_image),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(box=lambda x, patch: _box(x, patch) / patch**2),
            "Take the sum over the window; pooling gives the mean",
        ),
        WrongAnswer(_changed(box=_zero_padded), "The window wraps around: pad in circular mode"),
        WrongAnswer(_changed(box=_off_centre), "The pixel stands in the middle of its window"),
        WrongAnswer(
            _changed(box=lambda x, patch: _box(x, 3)), "The patch size is an argument, and it is not always 3"
        ),
        WrongAnswer(_changed(box=lambda x, patch: x), "Add up the window: you use the pixel alone"),
        WrongAnswer(
            _changed(box=lambda x, patch: x.sum((2, 3), keepdim=True).expand_as(x)),
            "Add up the window, not the whole image",
        ),
        WrongAnswer(
            _changed(box=lambda x, patch: _box(x.sign(), patch)),
            "Add up the pixels themselves, not their signs",
        ),
        WrongAnswer(_changed(signal=lambda alpha_bar: 1.0), "The factor a in front of the sum is missing"),
        WrongAnswer(_changed(signal=lambda alpha_bar: alpha_bar), "The factor is a = √ᾱ, not ᾱ"),
        WrongAnswer(_changed(spread=lambda alpha_bar: (1 - alpha_bar) ** 0.5), "Divide by b², not by b"),
        WrongAnswer(
            _changed(spread=lambda alpha_bar: 2 * (1 - alpha_bar)),
            "The 2 of 2b² cancels: the two squares differ by four times a q",
        ),
        WrongAnswer(
            _changed(spread=lambda alpha_bar: (1 - alpha_bar) / 2),
            "The argument of tanh is half the difference of the two exponents",
        ),
        WrongAnswer(
            _changed(squash=torch.sigmoid),
            "This is the probability of white: the estimate is that of white minus that of black",
        ),
        WrongAnswer(
            _changed(squash=_by_exponentials), "With little noise the exponentials overflow: use `torch.tanh`"
        ),
        WrongAnswer(
            _changed(squash=torch.sign), "As long as there is noise the majority is not certain: use tanh"
        ),
        WrongAnswer(_squashed_first, "Add up first and take tanh of the sum"),
    ],
    hints=[
        "There are two candidates, $p = (1, \\dots, 1)$ and $-p$. Expand $\\lvert q - a p\\rvert^2$ for both: only "
        "the mixed term, $\\mp 2a \\sum_i q_i$, differs.",
        "With the exponents $\\pm z$, the estimate is $(e^z - e^{-z})/(e^z + e^{-z}) = \\tanh z$. What is $z$?",
    ],
    core=False,
    full_size=full_size,
    guarded=references.MACHINES,
)
