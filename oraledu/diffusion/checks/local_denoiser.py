"""Exercise 3: the best denoiser of those that see a window only."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

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


def cases(generator: torch.Generator) -> list[Case]:
    """Return both paddings, all sizes of window, several channels, hardly any noise, and float32."""
    images = random_images(5, 6, generator)
    colour = random_images(4, 5, generator, channels=3)
    x, far = noisy_images(images, 3, 0.3, generator), torch.randn(2, 1, 6, 6, generator=generator).double()
    return [
        Case("patch 3, the default padding", (x, images, 0.3, 3)),
        Case("patch 3, circular padding", (x, images, 0.3, 3, "circular")),
        Case("patch 1", (x, images, 0.3, 1)),
        Case("patch 7, larger than the image", (x, images, 0.3, 7)),
        Case("patch 5, circular padding", (x, images, 0.3, 5, "circular")),
        Case("three channels", (noisy_images(colour, 2, 0.2, generator), colour, 0.2, 3)),
        Case("hardly any noise", (far, images, 0.9999, 5)),
        Case("one noisy image, one training image", (x[:1], images[:1], 0.5, 3)),
        Case("images in float32", (x.float(), images.float(), 0.3, 3, "circular")),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return some of the lesson's seeds: 8, with 1000 training images of 14×14 and windows of 7×7."""
    images = smooth_images(1000, generator)
    return Case("1000 training images", (noisy_images(images, 8, 0.5, generator), images, 0.5, 7))


def is_the_posterior_mean_given_the_window(function: Function, generator: torch.Generator) -> str | None:
    """Compare single pixels with the definition, the windows written out."""
    size, patch, alpha_bar = 6, 3, 0.4
    images = random_images(5, size, generator, channels=2)
    x = noisy_images(images, 1, alpha_bar, generator)
    for padding in ("zeros", "circular"):
        found = function(x, images, alpha_bar, patch, padding)[0]
        drawn = torch.randint(size, (3, 2), generator=generator).tolist()
        for row, column in ((0, 0), (0, 3), (5, 4), *drawn):
            query, patches = (window_at(each, row, column, patch, padding) for each in (x, images))
            expected = posterior_mean(query[0], patches, images[:, :, row, column], alpha_bar)
            if not largest_difference(found[:, row, column], expected) < 1e-9:
                return (
                    f"with patch {patch} and {padding} padding, pixel ({row}, {column}) is not the mean of that "
                    "training pixel, weighted by how well the windows around it agree"
                )
    return None


def sees_the_window_alone(function: Function, generator: torch.Generator) -> str | None:
    """Change one pixel, and ask which outputs change: those whose window holds it."""
    size, patch, alpha_bar = 7, 3, 0.4
    images = random_images(4, size, generator)
    x = noisy_images(images, 1, alpha_bar, generator)
    row, column = (int(place) for place in torch.randint(size, (2,), generator=generator))
    touched = x.clone()
    touched[0, 0, row, column] += 1
    for padding in ("zeros", "circular"):
        distances = [(torch.arange(size) - place).abs() for place in (row, column)]
        if padding == "circular":
            distances = [torch.minimum(distance, size - distance) for distance in distances]
        near = torch.maximum(distances[0][:, None], distances[1]) <= patch // 2
        before, after = (function(each, images, alpha_bar, patch, padding)[0, 0] for each in (x, touched))
        if not largest_difference(before[~near], after[~near]) < 1e-10:
            return f"with patch {patch} and {padding} padding, a pixel changes the output outside its window"
        if not (before[near] != after[near]).all():
            return f"with patch {patch} and {padding} padding, not all of its window depends on a pixel"
    return None


def becomes_ideal_when_the_window_is_the_image(function: Function, generator: torch.Generator) -> str | None:
    """Ask for exercise 1 with the window 2H - 1, from which every pixel sees the whole image."""
    images = random_images(5, 4, generator)
    x = noisy_images(images, 3, 0.3, generator)
    same = largest_difference(function(x, images, 0.3, 7), references.ideal_denoiser(x, images, 0.3)) < 1e-9
    return None if same else "with patch 2H - 1 and zero padding it should be the ideal denoiser"


def knows_where_it_is(function: Function, generator: torch.Generator) -> str | None:
    """Roll the training images with x, and ask for the rolled result; roll x alone, and ask for another."""
    images = random_images(5, 5, generator)
    x = noisy_images(images, 2, 0.3, generator)
    plain = function(x, images, 0.3, 3, "circular")
    rolled, moved, both = (each.roll((2, -1), (2, 3)) for each in (plain, x, images))
    if not largest_difference(function(moved, both, 0.3, 3, "circular"), rolled) < 1e-10:
        return "on a torus, rolling all images should roll the result"
    if not largest_difference(function(moved, images, 0.3, 3, "circular"), rolled) > 1e-3:
        return "rolling x alone only rolls the result: a pixel should be compared with training pixels at its place"
    return None


def depends_on_the_set_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same estimate after a shuffle, with every image there twice, and the image for N = 1."""
    images = random_images(7, 5, generator)
    x = noisy_images(images, 3, 0.3, generator)
    plain = function(x, images, 0.3, 3)
    if not largest_difference(function(x, images.flip(0), 0.3, 3), plain) < 1e-10:
        return "the order of the training images should not matter"
    if not largest_difference(function(x, torch.cat([images, images]), 0.3, 3), plain) < 1e-10:
        return "with every training image there twice, the estimate should stay as it is"
    only = largest_difference(function(x, images[:1], 0.3, 3), images[:1]) < 1e-12
    return None if only else "with one training image the estimate should be that image"


def _box(squares: Tensor, patch: int, padding: str) -> Tensor:
    """Add up each k×k window: (B, N, H, W)."""
    mode = "circular" if padding == "circular" else "constant"
    wide = functional.pad(squares, (patch // 2,) * 4, mode=mode)
    return patch**2 * functional.avg_pool2d(wide, patch, stride=1)


def _changed(
    *,
    signal: Callable[[float], float] = lambda alpha_bar: alpha_bar**0.5,
    spread: Callable[[float], float] = lambda alpha_bar: 2 * (1 - alpha_bar),
    square: Callable[[Tensor], Tensor] = lambda differences: differences.square().sum(2),
    box: Callable[[Tensor, int, str], Tensor] = _box,
    weigh: Callable[[Tensor], Tensor] = lambda logits: logits.softmax(1),
    value: Callable[[Tensor, int, str], Tensor] = lambda images, patch, padding: images,
) -> Function:
    """Return the plain method with one thing changed."""

    def local_denoiser(
        x: Tensor, images: Tensor, alpha_bar: float, patch: int, padding: str = "zeros"
    ) -> Tensor:
        squares = square(x[:, None] - signal(alpha_bar) * images)
        weights = weigh(-box(squares, patch, padding) / spread(alpha_bar))
        return torch.einsum("bnhw,nchw->bchw", weights, value(images, patch, padding))

    return local_denoiser


def _off_centre(squares: Tensor, patch: int, padding: str) -> Tensor:
    mode = "circular" if padding == "circular" else "constant"
    wide = functional.pad(squares, (0, patch - 1) * 2, mode=mode)
    return patch**2 * functional.avg_pool2d(wide, patch, stride=1)


def _rescaled_at_the_border(squares: Tensor, patch: int, padding: str) -> Tensor:
    if padding == "circular":
        return _box(squares, patch, padding)
    return patch**2 * functional.avg_pool2d(
        squares, patch, stride=1, padding=patch // 2, count_include_pad=False
    )


def _whole_image(squares: Tensor, patch: int, padding: str) -> Tensor:
    return squares.sum((2, 3), keepdim=True).expand_as(squares)


def _from_everywhere(
    x: Tensor, images: Tensor, alpha_bar: float, patch: int, padding: str = "zeros"
) -> Tensor:
    return machines.denoise(x, images, alpha_bar, machine="equivariant-local", patch=patch, padding=padding)


local_denoiser = Exercise(
    id="diffusion.local_denoiser",
    title="The local denoiser",
    reference=references.local_denoiser,
    cases=cases,
    properties=[
        Property("the posterior mean given the window", is_the_posterior_mean_given_the_window),
        Property("sees its window alone", sees_the_window_alone),
        Property("ideal when the window is the image", becomes_ideal_when_the_window_is_the_image),
        Property("knows where it is", knows_where_it_is),
        Property("a set has no order", depends_on_the_set_alone),
    ],
    wrong_answers=[
        *slips.posterior(_changed),
        WrongAnswer(
            _changed(square=lambda differences: differences.square().mean(2)),
            "Sum the squares over the channels; you take their mean",
        ),
        WrongAnswer(
            _changed(box=lambda squares, patch, padding: _box(squares, patch, padding) / patch**2),
            "Sum the squares over the window; pooling takes their mean, so multiply by k²",
        ),
        WrongAnswer(
            _changed(box=lambda squares, patch, padding: _box(squares, patch, "zeros")),
            "With circular padding the window goes on at the other side of the image",
        ),
        WrongAnswer(
            _changed(box=lambda squares, patch, padding: _box(squares, min(patch, 5), "circular")),
            "With zero padding the window ends at the border: nothing is wrapped",
        ),
        WrongAnswer(
            _changed(box=lambda squares, patch, padding: _box(squares, 2 * patch + 1, "zeros")),
            "The patch size k is the width of the window: it reaches k // 2 pixels to each side, not k",
        ),
        WrongAnswer(
            _changed(box=_off_centre),
            "The pixel stands in the middle of its window: pad by k // 2 on all sides",
        ),
        WrongAnswer(
            _changed(box=_rescaled_at_the_border),
            "Beyond the border there is nothing to compare: add the squares that are there, without rescaling",
        ),
        WrongAnswer(
            _changed(box=_whole_image),
            "This is the ideal denoiser: add the squares of the window, not of the image",
        ),
        WrongAnswer(
            _changed(box=lambda squares, patch, padding: squares),
            "You compare single pixels: add the squares over the window before the softmax",
        ),
        WrongAnswer(
            _changed(weigh=lambda logits: logits.flatten(2).softmax(2).view_as(logits)),
            "The weights sum to 1 over the training images, not over the positions",
        ),
        WrongAnswer(
            _changed(value=lambda images, patch, padding: _box(images, patch, padding) / patch**2),
            "Average the training pixel in the middle of the window, not the mean of the window",
        ),
        WrongAnswer(
            _from_everywhere,
            "A window is compared with training windows at its own place, not from everywhere",
        ),
    ],
    hints=[
        "Exercise 1 has one weight for each pair of a noisy and a training image. Here there is one for each pixel "
        "as well: leave $H$ and $W$ in, and replace the sum over the image by a sum over the window.",
        "A sum over every $k \\times k$ window is $k^2$ times `torch.nn.functional.avg_pool2d(…, k, stride=1)` of the "
        "padded squares. `torch.nn.functional.pad(squares, (k // 2,) * 4)` pads with zeros, with "
        '`mode="circular"` it wraps. Why may the squares be padded, rather than the images?',
        "With `squares = (x[:, None] - a * images).square().sum(2)`, of shape $B \\times N \\times H \\times W$, the "
        'softmax runs over dimension 1, and `torch.einsum("bnhw,nchw->bchw", weights, images)` takes the means.',
    ],
    tolerance=1e-3,
    full_size=full_size,
    # As measured, sums by pooling take 5 to 8 times as long as the reference, windows written out 30 to 50 times.
    slow_factor=20,
    guarded=references.MACHINES,
)
