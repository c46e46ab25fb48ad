"""Exercise 4: the best denoiser of those that see a window, and do not know where it is."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import machines
from oraledu.diffusion.checks import inputs, references
from oraledu.diffusion.checks.inputs import differ, noisy_images, random_images
from oraledu.diffusion.checks.slips import DICTIONARY, POSTERIOR
from oraledu.diffusion.windows import windows


def cases(generator: torch.Generator) -> list[Case]:
    """Return several windows, several channels, patches that repeat, many images, hardly any noise, other scales."""
    images, many = random_images(4, 6, generator), random_images(131, 3, generator)
    colour, faint = random_images(3, 4, generator, channels=3), 0.005 * images[:2]
    x, far, last = noisy_images(images, 3, 0.3, generator), inputs.normal(generator, 2, 1, 6, 6), 1 - 2**-16
    return [
        Case("patch 3", (x, images, 0.3, 3)),
        Case("patch 5", (x, images, 0.2, 5)),
        Case("three channels", (noisy_images(colour, 2, 0.2, generator), colour, 0.2, 3)),
        Case("black and white images, whose patches repeat", (x, images.sign(), 0.3, 1)),
        Case("nearly all noise, one noisy image", (x[:1], images, 2e-4, 3)),
        Case("hardly any noise", (far, images, 0.9999, 5)),
        Case("a negative, hardly any noise", (-images[:1], images, 0.9999, 3)),
        Case("faint images, next to no noise", (noisy_images(faint, 2, last, generator), faint, last, 3)),
        Case("images times 10000", (1e4 * far, 1e4 * images[:2], 0.3, 3)),
        Case("131 training images", (noisy_images(many[-9:], 1, 0.1, generator), many, 0.1, 1)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return some of the lesson's seeds, windows of 7×7, and a prime number of images, which no batch divides."""
    images = inputs.smooth_images(521, generator)
    return Case("521 training images", (noisy_images(images[-5:], 4, 0.5, generator), images, 0.5, 7))


def the_posterior_mean_over_all_places(function: Function, generator: torch.Generator) -> str | None:
    """Compare single pixels with the definition, and the window k = H with exercise 1 on all shifts."""
    images = random_images(3, 5, generator, channels=2)
    x = noisy_images(images, 1, 0.3, generator)
    found, (patches, values) = function(x, images, 0.3, 3)[0], inputs.all_windows(images, 3)
    for row, column in ((0, 0), (2, 4), *torch.randint(5, (3, 2), generator=generator).tolist()):
        query = inputs.window_at(x, row, column, 3, "circular")[0]
        if differ(found[:, row, column], inputs.posterior_mean(query, patches, values, 0.3), 1e-5):
            return (
                f"with patch 3, pixel ({row}, {column}) is not the mean of the centres of all patches, "
                "weighted by how well they agree with its window"
            )
    orbit = torch.cat([images.roll((i, j), (2, 3)) for i in range(5) for j in range(5)])
    if differ(function(x, images, 0.3, 5), references.ideal_denoiser(x, orbit, 0.3), 1e-5):
        return "with k = H it should be the ideal denoiser on all shifts of the training images"
    return None


def knows_its_window_alone(function: Function, generator: torch.Generator) -> str | None:
    """Roll x, and one training image; change a pixel; shuffle and double the training images."""
    images, spot = random_images(4, 7, generator), (torch.arange(49) == 24).view(1, 1, 7, 7)
    x, flat = noisy_images(images, 2, 0.3, generator), torch.full((1, 1, 7, 7), 0.25).double()
    once = function(x, images, 0.3, 3)
    if differ(function(x.roll((3, -4), (2, 3)), images, 0.3, 3), once.roll((3, -4), (2, 3)), 1e-5):
        return "rolling x by 3 rows and -4 columns should roll the result with it"
    if differ(function(x, torch.cat([images[:3], images[3:].roll((2, 1), (2, 3))]), 0.3, 3), once, 1e-5):
        return "rolling a training image should change nothing: its wrapped patches stay the same"
    for patch in (1, 3, 5):
        change = (function(x[:1] + spot, images, 0.05, patch) - function(x[:1], images, 0.05, patch)).abs()
        changed = int((change > 1e-7).sum())
        if changed != patch**2:
            return f"with patch {patch}, a pixel should reach {patch**2} outputs, and it reaches {changed}"
    if differ(function(x, flat, 0.3, 3), flat, 1e-5):
        return "with one training image of a single shade, the estimate should have that shade"
    return inputs.order_or_number(lambda images: function(x, images, 0.3, 3), images, 1e-5)


def plain(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    """Compare every window with the patches of all places, and average their middle pixels under a softmax."""
    signal, spread = alpha_bar**0.5, 2 * (1 - alpha_bar)
    asked = windows(x, patch, "circular")
    bank = windows(images, patch, "circular").flatten(0, 2)
    values = images.permute(0, 2, 3, 1).flatten(0, 2)
    logits = -(asked.flatten(0, 2)[:, None] - signal * bank).square().sum(2) / spread
    weights = logits.softmax(1)
    return (weights @ values).view(*asked.shape[:3], -1).permute(0, 3, 1, 2)


def _whole_image(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    size = images.shape[-1]
    orbit = torch.cat([images.roll((i, j), (2, 3)) for i in range(size) for j in range(size)])
    return references.ideal_denoiser(x, orbit, alpha_bar)


def _best_place_of_each_image(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    bank, asked = windows(images, patch, "circular").flatten(1, 2), windows(x, patch, "circular")
    squares = (asked.flatten(0, 2)[:, None, None] - alpha_bar**0.5 * bank).square().sum(-1)
    nearest, place = squares.min(2)
    pixels = images.flatten(2).mT[torch.arange(len(images)), place]
    weights = (-nearest / (2 * (1 - alpha_bar))).softmax(1)
    return torch.einsum("qn,qnc->qc", weights, pixels).view(*asked.shape[:3], -1).permute(0, 3, 1, 2)


WRONG = r"""
.sum(2) => .mean(2) :: Sum the squares over the patch and its channels; you take their mean
    logits = =>     bank = bank.unique(dim=0)\n    logits =
values = images.permute(0, 2, 3, 1).flatten(0, 2) =>
weights @ values => weights @ bank.unflatten(1, (images.shape[1], -1))[..., patch**2 // 2]
  :: A patch that occurs twice counts twice: do not remove repetitions
logits.softmax(1) \
=> torch.cat([part.softmax(1) / 2 for part in logits.tensor_split([len(values) // 4], 1)], 1)
  :: An average of the averages of two parts is not the average: the parts weigh alike
permute(0, 3, 1, 2) => permute(0, 3, 2, 1) :: Rows and columns are exchanged in the result
"""

equivariant_local_denoiser = Exercise(
    id="diffusion.equivariant_local_denoiser",
    title="The equivariant-local denoiser",
    reference=references.equivariant_local_denoiser,
    cases=cases,
    properties=[the_posterior_mean_over_all_places, knows_its_window_alone],
    wrong_answers=slips(
        plain,
        POSTERIOR + DICTIONARY + WRONG,
        (
            lambda x, images, level, k: references.local_denoiser(x, images, level, k, "circular"),
            "This is the local denoiser: a window is compared with the patches of all places",
        ),
        (
            lambda x, images, alpha_bar, patch: machines.denoise(
                x, images, alpha_bar, machine="equivariant-local", patch=patch, padding="zeros"
            ),
            "Here no pixel knows a border: every window meets every patch, and all are wrapped",
        ),
        (_whole_image, "Only the window around a pixel counts, not the whole image"),
        (_best_place_of_each_image, "All places of an image count, not only the one that agrees best"),
    ),
    hints=[
        "Exercise 1 once more, with patches in the place of images: every window of $x$ is a query, all "
        "$N H^2$ training patches are the candidates, and what is averaged is the middle pixel of each.",
        '`windows.windows(images, patch, "circular").flatten(0, 2)` is the bank of patches, one in each row; its '
        "middle pixels are `images.permute(0, 2, 3, 1).flatten(0, 2)`. Go through the windows of $x$ a few dozen at a "
        "time, with `.split(28)`: the exponents of a whole image, $H^2 \\times N H^2$ numbers, fill the memory and "
        "take twice as long.",
        "$-\\lvert q - a p\\rvert^2 = 2a\\, q \\cdot p - a^2 \\lvert p\\rvert^2 - \\lvert q\\rvert^2$, and the last "
        "term is the same for all patches: the softmax does not see it. What is left is the matrix product "
        "`q @ bank.T` and one number for each patch.",
    ],
    tolerance=1e-3,
    full_size=full_size,
    # As measured, 28 windows at a time take 2 to 3 times as long as the reference, a whole image at once 4 to 6 times,
    # and single windows 40 times.
    slow_factor=8,
    opens=(windows,),
    guarded=(machines.denoise,),  # open in exercise 7, and the answer here
)
