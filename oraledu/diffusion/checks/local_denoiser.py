"""Exercise 3: the best denoiser of those that see a window only."""

import torch
from torch import Tensor
from torch.nn import functional

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import machines
from oraledu.diffusion.checks import inputs, references
from oraledu.diffusion.checks.inputs import differ, noisy_images, random_images
from oraledu.diffusion.checks.slips import POSTERIOR


def cases(generator: torch.Generator) -> list[Case]:
    """Return both paddings, all sizes of window, several channels, many images, hardly any noise, other scales."""
    images, many = random_images(5, 6, generator), random_images(131, 3, generator)
    colour, faint = random_images(4, 5, generator, channels=3), 0.01 * images
    x, far = noisy_images(images, 3, 0.3, generator), inputs.normal(generator, 2, 1, 6, 6)
    return [
        Case("patch 3, the default padding", (x, images, 0.3, 3)),
        Case("patch 3, circular padding", (x, images, 0.3, 3, "circular")),
        Case("patch 2H - 1, the ideal denoiser", (x, images, 0.3, 11)),
        Case("nearly all noise, one noisy image", (x[:1], images, 2e-4, 5)),
        Case("three channels", (noisy_images(colour, 2, 0.2, generator), colour, 0.2, 3)),
        Case("hardly any noise", (far, images, 0.9999, 5, "circular")),
        Case("faint images, hardly any noise", (noisy_images(faint, 2, 0.9999, generator), faint, 0.9999, 3)),
        Case("images times 10000", (1e4 * far, 1e4 * images, 0.3, 3)),
        Case("131 training images, patch 1", (noisy_images(many[-9:], 3, 0.05, generator), many, 0.05, 1)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return some of the lesson's seeds, windows of 7×7, and a prime number of images, which no batch divides."""
    images = inputs.smooth_images(1031, generator).double()
    return Case("1031 training images", (noisy_images(images[-5:], 4, 0.5, generator), images, 0.5, 7))


def the_posterior_mean_given_the_window(function: Function, generator: torch.Generator) -> str | None:
    """Compare single pixels with the definition, the windows written out."""
    images = random_images(5, 6, generator, channels=2)
    x = noisy_images(images, 1, 0.4, generator)
    for padding in ("zeros", "circular"):
        found = function(x, images, 0.4, 3, padding)[0]
        for row, column in ((0, 0), (0, 3), (5, 4), *torch.randint(6, (3, 2), generator=generator).tolist()):
            query, patches = (inputs.window_at(each, row, column, 3, padding) for each in (x, images))
            expected = inputs.posterior_mean(query[0], patches, images[:, :, row, column], 0.4)
            if differ(found[:, row, column], expected):
                return (
                    f"with patch 3 and {padding} padding, pixel ({row}, {column}) is not the mean of that "
                    "training pixel, weighted by how well the windows around it agree"
                )
    return None


def knows_its_window_and_its_place(function: Function, generator: torch.Generator) -> str | None:
    """Change a pixel, roll the images, shuffle and double them, and leave only one."""
    images, spot = random_images(4, 7, generator), torch.zeros(1, 1, 7, 7).double()
    x = noisy_images(images, 1, 0.4, generator)
    spot.view(49)[torch.randint(49, (), generator=generator)] = 1
    for padding, mode in (("zeros", "constant"), ("circular", "circular")):
        near = functional.max_pool2d(functional.pad(spot, (1,) * 4, mode=mode), 3, stride=1) > 0
        before, after = (function(each, images, 0.4, 3, padding) for each in (x, x + spot))
        if differ(before[~near], after[~near]):
            return f"with patch 3 and {padding} padding, a pixel changes the output outside its window"
        if not (before[near] != after[near]).all():
            return f"with patch 3 and {padding} padding, not all of its window depends on a pixel"
    rolled, moved, both = (each.roll((2, -1), (2, 3)) for each in (before, x, images))
    if differ(function(moved, both, 0.4, 3, "circular"), rolled):
        return "on a torus, rolling all images should roll the result"
    if not differ(function(moved, images, 0.4, 3, "circular"), rolled, 1e-3):
        return "rolling x alone only rolls the result: a pixel should be compared with training pixels at its place"
    if differ(function(x, images[:1], 0.4, 3), images[:1]):
        return "with one training image the estimate should be that image"
    return inputs.order_or_number(lambda images: function(x, images, 0.4, 3), images)


def plain(x: Tensor, images: Tensor, alpha_bar: float, patch: int, padding: str = "zeros") -> Tensor:
    """Sum the squares over every window by pooling, and average under a softmax for each pixel."""
    reach, mode = patch // 2, "circular" if padding == "circular" else "constant"

    def pooled(maps: Tensor) -> Tensor:
        return functional.avg_pool2d(functional.pad(maps, (reach,) * 4, mode=mode), patch, stride=1)

    signal, spread = alpha_bar**0.5, 2 * (1 - alpha_bar)
    squares = (x[:, None] - signal * images).square().sum(2)
    logits = -pooled(squares) * patch**2 / spread
    weights = logits.softmax(1)
    return torch.einsum("bnhw,nchw->bchw", weights, images)


WRONG = r"""
.sum(2) => .mean(2) :: Sum the squares over the channels; you take their mean
 * patch**2 => :: Sum the squares over the window; pooling takes their mean, so multiply by k²
== "circular" => == 0 :: With circular padding the window goes on at the other side of the image
== "circular" => != 0 :: With zero padding the window ends at the border: nothing is wrapped
    reach =>     patch = 2 * patch + 1\n    reach
  :: The patch size k is the width of the window: it reaches k // 2 pixels to each side, not k
(reach,) * 4 => (0, 2 * reach) * 2 :: The pixel stands in the middle of its window: pad by k // 2 on all sides
(squares) => (squares) / pooled(squares * 0 + 1)
  :: Beyond the border there is nothing to compare: add the squares that are there, without rescaling
pooled(squares) * patch**2 => squares.sum((2, 3), keepdim=True).expand_as(squares)
  :: This is the ideal denoiser: add the squares of the window, not of the image
pooled(squares) * patch**2 => squares
  :: You compare single pixels: add the squares over the window before the softmax
logits.softmax(1) => logits.flatten(2).softmax(2).view_as(logits)
  :: The weights sum to 1 over the training images, not over the positions
weights, images) => weights, pooled(images))
  :: Average the training pixel in the middle of the window, not the mean of the window
"""

local_denoiser = Exercise(
    id="diffusion.local_denoiser",
    title="The local denoiser",
    reference=references.local_denoiser,
    cases=cases,
    properties=[the_posterior_mean_given_the_window, knows_its_window_and_its_place],
    wrong_answers=slips(
        plain,
        POSTERIOR + WRONG,
        (
            lambda x, images, alpha_bar, patch, padding="zeros": machines.denoise(
                x, images, alpha_bar, machine="equivariant-local", patch=patch, padding=padding
            ),
            "A window is compared with training windows at its own place, not from everywhere",
        ),
    ),
    hints=[
        "Exercise 1 has one weight for each pair of a noisy and a training image. Here there is one for each pixel "
        "as well: leave both sides in, and replace the sum over the image by a sum over the window.",
        "A sum over every $k \\times k$ window is $k^2$ times `torch.nn.functional.avg_pool2d(…, k, stride=1)` of the "
        "padded squares. `torch.nn.functional.pad(squares, (k // 2,) * 4)` pads with zeros, with "
        '`mode="circular"` it wraps. Why may the squares be padded, rather than the images?',
        "With `squares = (x[:, None] - a * images).square().sum(2)`, of shape $B \\times N \\times H \\times H$, the "
        'softmax runs over dimension 1, and `torch.einsum("bnhw,nchw->bchw", weights, images)` takes the means.',
    ],
    full_size=full_size,
    # As measured, sums by pooling take 5 to 8 times as long as the reference, windows written out 30 to 50 times.
    slow_factor=20,
    guarded=(machines.denoise,),  # open in exercise 7, and the answer here
)
