"""Exercise 10: the smallest mosaic, in closed form."""

import torch
from torch import Tensor
from torch.nn import functional

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import machines, mosaic
from oraledu.diffusion.checks.inputs import differ, first_broken, normal


def cases(generator: torch.Generator) -> list[Case]:
    """Return several noise levels and windows, one image, and faint images down to the last noise of part 6."""
    x, last = normal(generator, 3, 1, 6, 6), 1 / (1 + 1e-10)
    return [
        Case("patch 3", (x, 0.2, 3)),
        Case("patch 5", (x, 0.05, 5)),
        Case("patch 1", (x, 0.4, 1)),
        Case("one image", (x[:1], 0.1, 3)),
        Case("the patch left out", (x, 0.2)),
        Case("nearly all noise", (x, 2e-4, 3)),
        Case("hardly any noise", (x, 0.9999, 3)),
        Case("faint images, hardly any noise", (1e-4 * x, 0.9999, 3)),
        Case("the faintest images, at the last noise of part 6", (1e-10 * x, last, 3)),
        Case("images times 10000, nearly all noise", (1e4 * x, 1e-8, 3)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the lesson's toy: 16 images of 16×16."""
    return Case("16 images", (normal(generator, 16, 1, 16, 16).float(), 0.2, 3))


def the_machine_with_two_images(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the machines whose training set is an all black and an all white image."""
    x = normal(generator, 2, 1, 7, 7)
    both = torch.ones(2, 1, 7, 7, dtype=torch.float64) * torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1)
    for alpha_bar, patch in ((0.05, 3), (0.3, 3), (0.02, 5)):
        for machine in ("equivariant-local", "local"):
            expected = machines.denoise(x, both, alpha_bar, machine=machine, patch=patch, padding="circular")
            if differ(function(x, alpha_bar, patch), expected):
                return (
                    f"at ᾱ = {alpha_bar:g} with patch {patch} it differs from the {machine} machine whose training "
                    "images are all black and all white"
                )
    return None


def odd_and_between_black_and_white(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the negative where x is turned round, for nothing beyond black and white, and for a roll."""
    x = normal(generator, 3, 1, 6, 6)
    estimate, bright = function(x, 0.3, 3), function(50 * x, 0.9, 3)
    moved, rolled = function(x.roll((2, -3), (2, 3)), 0.3, 3), estimate.roll((2, -3), (2, 3))
    return first_broken(
        (function(-x, 0.3, 3), -estimate, "the negative of x should give the negative of the estimate"),
        (bright.clamp(-1, 1), bright, "an estimate lies between black, -1, and white, 1"),
        (moved, rolled, "rolling x should roll the result with it: the window wraps around"),
    )


def the_majority_decides(function: Function, generator: torch.Generator) -> str | None:
    """Ask, with hardly any noise left, for the colour that most of the window has."""
    x = normal(generator, 3, 1, 8, 8).sign()
    for patch in (3, 5):
        wide = functional.pad(x, (patch // 2,) * 4, mode="circular")
        majority = functional.avg_pool2d(wide, patch, stride=1).sign()
        if differ(function(x, 0.999, patch), majority):
            return f"with patch {patch} and hardly any noise, it should be the colour of most of the window"
    return None


def plain(x: Tensor, alpha_bar: float, patch: int = 3) -> Tensor:
    """Squash the sum over each wrapped window."""
    wide = functional.pad(x, (patch // 2,) * 4, mode="circular")
    total = patch**2 * functional.avg_pool2d(wide, patch, stride=1)
    z = alpha_bar**0.5 * total / (1 - alpha_bar)
    return torch.tanh(z)


WRONG = r"""
patch**2 * => :: Take the sum over the window; pooling gives the mean
circular => constant :: The window wraps around: pad in circular mode
(patch // 2,) * 4 => (0, patch - 1) * 2 :: The pixel stands in the middle of its window
    wide =>     patch = 3\n    wide :: The patch size is an argument, and it is not always 3
* total => * x :: Add up the window: you use the pixel alone
* total => * x.sum((2, 3), keepdim=True).expand_as(x) :: Add up the window, not the whole image
pad(x, => pad(x.sign(), :: Add up the pixels themselves, not their signs
alpha_bar**0.5 * => :: The factor a in front of the sum is missing
alpha_bar**0.5 => alpha_bar :: The factor is a = √ᾱ, not ᾱ
(1 - alpha_bar) => (1 - alpha_bar) ** 0.5 :: Divide by b², not by b
(1 - => (2 * (1 -
alpha_bar)\n => alpha_bar))\n :: The 2 of 2b² cancels: the two squares differ by four times a q
(1 - alpha_bar) => ((1 - alpha_bar) / 2) :: The argument of tanh is half the difference of the two exponents
tanh => sigmoid :: This is the probability of white: the estimate is that of white minus that of black
torch.tanh(z) => (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())
  :: With little noise the exponentials overflow: use `torch.tanh`
tanh => sign :: As long as there is noise the majority is not certain: use tanh
pad(x, => pad(torch.tanh(alpha_bar**0.5 * x / (1 - alpha_bar)),
torch.tanh(z) => total / patch**2 :: Add up first and take tanh of the sum
(1 - alpha_bar) => max(1 - alpha_bar, 1e-3)
  :: Divide by b² itself: with a floor under it the last noise levels look alike
    z = alpha_bar =>     alpha_bar = torch.tensor(alpha_bar)\n    z = alpha_bar
  :: `torch.tensor(ᾱ)` has the digits of float32, which 1 - ᾱ loses as the noise falls: use `ᾱ**0.5`
"""

two_image_denoiser = Exercise(
    id="diffusion.two_image_denoiser",
    title="Two images, in closed form",
    reference=mosaic.two_image_denoiser,
    cases=cases,
    properties=[the_machine_with_two_images, odd_and_between_black_and_white, the_majority_decides],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "There are two candidates, $p = (1, \\dots, 1)$ and $-p$. Expand $\\lvert q - a p\\rvert^2$ for both: only "
        "the mixed term, $\\mp 2a \\sum_i q_i$, differs.",
        "With the exponents $\\pm z$, the estimate is $(e^z - e^{-z})/(e^z + e^{-z}) = \\tanh z$. What is $z$?",
    ],
    core=False,
    full_size=full_size,
    guarded=(machines.denoise,),  # open in exercise 7, and the answer here
)
