"""Exercise 4: the best denoiser of those that see a window, and do not know where it is."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion import machines
from oraledu.diffusion.checks import references, slips
from oraledu.diffusion.checks.inputs import (
    largest_difference,
    noisy_images,
    posterior_mean,
    random_images,
    smooth_images,
    window_at,
)
from oraledu.diffusion.checks.slips import centres, wrapped


def cases(generator: torch.Generator) -> list[Case]:
    """Return several windows, several channels, patches that repeat, hardly any noise, and float32."""
    images = random_images(4, 6, generator)
    colour = random_images(3, 4, generator, channels=3)
    x, far = noisy_images(images, 3, 0.3, generator), torch.randn(2, 1, 6, 6, generator=generator).double()
    return [
        Case("patch 3", (x, images, 0.3, 3)),
        Case("patch 5", (x, images, 0.2, 5)),
        Case("patch 1", (x, images, 0.5, 1)),
        Case("three channels", (noisy_images(colour, 2, 0.2, generator), colour, 0.2, 3)),
        Case("black and white images, whose patches repeat", (x, images.sign(), 0.3, 1)),
        Case("nearly all noise", (x, images, 2e-4, 3)),
        Case("hardly any noise", (far, images, 0.9999, 5)),
        Case("one noisy image, one training image", (x[:1], images[:1], 0.5, 3)),
        Case("images in float32", (x.float(), images.float(), 0.3, 3)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return some of the lesson's seeds: 4, with 500 training images of 14×14 and windows of 7×7."""
    images = smooth_images(500, generator)
    return Case("500 training images", (noisy_images(images, 4, 0.5, generator), images, 0.5, 7))


def is_the_posterior_mean_over_all_places(function: Function, generator: torch.Generator) -> str | None:
    """Compare single pixels with the definition: the wrapped patches of all images at all places."""
    size, patch, alpha_bar = 5, 3, 0.3
    images = random_images(3, size, generator, channels=2)
    x = noisy_images(images, 1, alpha_bar, generator)
    found = function(x, images, alpha_bar, patch)[0]
    places = torch.cartesian_prod(torch.arange(size), torch.arange(size)).tolist()
    patches = torch.cat([window_at(images, row, column, patch, "circular") for row, column in places])
    values = torch.cat([images[:, :, row, column] for row, column in places])
    for row, column in ((0, 0), (2, 4), *torch.randint(size, (3, 2), generator=generator).tolist()):
        query = window_at(x, row, column, patch, "circular")[0]
        expected = posterior_mean(query, patches, values, alpha_bar)
        if not largest_difference(found[:, row, column], expected) < 1e-9:
            return (
                f"with patch {patch}, pixel ({row}, {column}) is not the mean of the centres of all patches, "
                "weighted by how well they agree with its window"
            )
    return None


def moves_with_the_image(function: Function, generator: torch.Generator) -> str | None:
    """Roll x, and ask for the rolled result; roll one training image, and ask for the same result."""
    images = random_images(4, 7, generator)
    x = noisy_images(images, 2, 0.3, generator)
    plain = function(x, images, 0.3, 3)
    moved = function(x.roll((3, -4), (2, 3)), images, 0.3, 3)
    if not largest_difference(moved, plain.roll((3, -4), (2, 3))) < 1e-10:
        return "rolling x by 3 rows and -4 columns should roll the result with it"
    moved = function(x, torch.cat([images[:3], images[3:].roll((2, 1), (2, 3))]), 0.3, 3)
    if not largest_difference(moved, plain) < 1e-10:
        return "rolling a training image should change nothing: its wrapped patches stay the same"
    return None


def sees_the_window_alone(function: Function, generator: torch.Generator) -> str | None:
    """Change one pixel, and ask how many outputs change: k²."""
    images = random_images(4, 7, generator)
    x = noisy_images(images, 1, 0.3, generator)
    row, column = (int(place) for place in torch.randint(7, (2,), generator=generator))
    touched = x.clone()
    touched[0, 0, row, column] += 1
    for patch in (1, 3, 5):
        change = (function(touched, images, 0.3, patch) - function(x, images, 0.3, patch)).abs()
        changed = int((change > 1e-10).sum())
        if changed != patch**2:
            return f"with patch {patch}, a pixel should reach {patch**2} outputs, and it reaches {changed}"
    return None


def is_ideal_on_all_translates(function: Function, generator: torch.Generator) -> str | None:
    """Ask for exercise 1 on the shifted training images, where the window is the whole image."""
    size = 5
    images = random_images(3, size, generator)
    x = noisy_images(images, 2, 0.3, generator)
    orbit = torch.cat([images.roll((i, j), (2, 3)) for i in range(size) for j in range(size)])
    same = largest_difference(function(x, images, 0.3, size), references.ideal_denoiser(x, orbit, 0.3)) < 1e-9
    return None if same else "with k = H it should be the ideal denoiser on all shifts of the training images"


def depends_on_the_set_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same estimate after a shuffle and with images twice, and the shade of a flat image."""
    images = random_images(5, 5, generator)
    x = noisy_images(images, 2, 0.3, generator)
    plain = function(x, images, 0.3, 3)
    if not largest_difference(function(x, images.flip(0), 0.3, 3), plain) < 1e-10:
        return "the order of the training images should not matter"
    if not largest_difference(function(x, torch.cat([images, images]), 0.3, 3), plain) < 1e-10:
        return "with every training image there twice, the estimate should stay as it is"
    flat = torch.full((1, 1, 5, 5), 0.25, dtype=torch.float64)
    same = largest_difference(function(x, flat, 0.3, 3), flat) < 1e-12
    return None if same else "with one training image of a single shade, the estimate should have that shade"


def _changed(
    *,
    signal: Callable[[float], float] = lambda alpha_bar: alpha_bar**0.5,
    spread: Callable[[float], float] = lambda alpha_bar: 2 * (1 - alpha_bar),
    queries: Callable[[Tensor, int], Tensor] = wrapped,
    patches: Callable[[Tensor, int], Tensor] = wrapped,
    values: Callable[[Tensor, int], Tensor] = centres,
    distance: Callable[[Tensor], Tensor] = lambda differences: differences.square().sum(-1),
    weigh: Callable[[Tensor], Tensor] = lambda logits: logits.softmax(1),
) -> Function:
    """Return the plain method with one thing changed."""

    def equivariant_local_denoiser(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
        bank = patches(images, patch).flatten(0, 2)
        pixels = values(images, patch).flatten(0, 2)
        asked = queries(x, patch)
        differences = asked.flatten(0, 2)[:, None] - signal(alpha_bar) * bank
        weights = weigh(-distance(differences) / spread(alpha_bar))
        return (weights @ pixels).view(*asked.shape[:3], -1).permute(0, 3, 1, 2)

    return equivariant_local_denoiser


def _same_place(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    return references.local_denoiser(x, images, alpha_bar, patch, "circular")


def _broken_by_the_border(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    return machines.denoise(x, images, alpha_bar, machine="equivariant-local", patch=patch, padding="zeros")


def _whole_image(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    size = images.shape[-1]
    orbit = torch.cat([images.roll((i, j), (2, 3)) for i in range(size) for j in range(size)])
    return references.ideal_denoiser(x, orbit, alpha_bar)


def _best_place_of_each_image(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    bank, asked = wrapped(images, patch).flatten(1, 2), wrapped(x, patch)
    squares = (asked.flatten(0, 2)[:, None, None] - alpha_bar**0.5 * bank).square().sum(-1)
    nearest, place = squares.min(2)
    pixels = images.flatten(2).mT[torch.arange(len(images)), place]
    weights = (-nearest / (2 * (1 - alpha_bar))).softmax(1)
    return torch.einsum("qn,qnc->qc", weights, pixels).view(*asked.shape[:3], -1).permute(0, 3, 1, 2)


def _without_repetitions(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    centre = torch.arange(images.shape[1]) * patch**2 + patch**2 // 2
    bank, asked = wrapped(images, patch).flatten(0, 2).unique(dim=0), wrapped(x, patch)
    squares = (asked.flatten(0, 2)[:, None] - alpha_bar**0.5 * bank).square().sum(-1)
    means = (-squares / (2 * (1 - alpha_bar))).softmax(1) @ bank[:, centre]
    return means.view(*asked.shape[:3], -1).permute(0, 3, 1, 2)


def _means_of_means(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    halves = images.split((len(images) + 1) // 2)
    if len(images) % 2 == 0:
        halves = images.split((1, len(images) - 1))
    return torch.stack([_changed()(x, half, alpha_bar, patch) for half in halves]).mean(0)


def _transposed(x: Tensor, images: Tensor, alpha_bar: float, patch: int) -> Tensor:
    return _changed()(x, images, alpha_bar, patch).mT


equivariant_local_denoiser = Exercise(
    id="diffusion.equivariant_local_denoiser",
    title="The equivariant-local denoiser",
    reference=references.equivariant_local_denoiser,
    cases=cases,
    properties=[
        Property("the posterior mean over all places", is_the_posterior_mean_over_all_places),
        Property("moves with the image", moves_with_the_image),
        Property("sees its window alone", sees_the_window_alone),
        Property("ideal on all translates for k = H", is_ideal_on_all_translates),
        Property("a set has no order", depends_on_the_set_alone),
    ],
    wrong_answers=[
        *slips.posterior(_changed),
        *slips.dictionary(_changed),
        WrongAnswer(
            _changed(distance=lambda differences: differences.square().mean(-1)),
            "Sum the squares over the patch and its channels; you take their mean",
        ),
        WrongAnswer(
            _same_place, "This is the local denoiser: a window is compared with the patches of all places"
        ),
        WrongAnswer(
            _broken_by_the_border,
            "Here no pixel knows a border: every window meets every patch, and all are wrapped",
        ),
        WrongAnswer(_whole_image, "Only the window around a pixel counts, not the whole image"),
        WrongAnswer(
            _best_place_of_each_image, "All places of an image count, not only the one that agrees best"
        ),
        WrongAnswer(
            _without_repetitions, "A patch that occurs twice counts twice: do not remove repetitions"
        ),
        WrongAnswer(
            _means_of_means,
            "An average of the averages of two parts is not the average: the parts weigh alike",
        ),
        WrongAnswer(_transposed, "Rows and columns are exchanged in the result"),
    ],
    hints=[
        "Exercise 1 once more, with patches in the place of images: every window of $x$ is a query, all "
        "$N H W$ training patches are the candidates, and what is averaged is the middle pixel of each.",
        '`windows.windows(images, patch, "circular").flatten(0, 2)` is the bank of patches, one in each row; its '
        "middle pixels are `images.permute(0, 2, 3, 1).flatten(0, 2)`. Go through the windows of $x$ a few dozen at a "
        "time, with `.split(28)`: the exponents of a whole image, $HW \\times NHW$ numbers, fill the memory and take "
        "three times as long.",
        "$-\\lvert q - a p\\rvert^2 = 2a\\, q \\cdot p - a^2 \\lvert p\\rvert^2 - \\lvert q\\rvert^2$, and the last "
        "term is the same for all patches: the softmax does not see it. What is left is the matrix product "
        "`q @ bank.T` and one number for each patch.",
    ],
    tolerance=1e-3,
    full_size=full_size,
    # As measured, 28 windows at a time take 2 to 3 times as long as the reference, a whole image at once 4 to 6 times,
    # and single windows 40 times.
    slow_factor=8,
    guarded=references.MACHINES,
)
