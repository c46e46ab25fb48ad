"""Exercise 1: the denoiser that knows the whole image, and remembers."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion import machines
from oraledu.diffusion.checks import references, slips
from oraledu.diffusion.checks.inputs import largest_difference, noisy_images, random_images, smooth_images


def cases(generator: torch.Generator) -> list[Case]:
    """Return noise levels from nearly all to nearly none, several channels, single images, and float32."""
    images = random_images(6, 4, generator)
    colour = random_images(5, 3, generator, channels=3)
    far = torch.randn(2, 1, 4, 4, generator=generator, dtype=torch.float64)
    return [
        Case("a batch of three", (noisy_images(images, 3, 0.3, generator), images, 0.3)),
        Case("one noisy image", (noisy_images(images, 1, 0.5, generator), images, 0.5)),
        Case("images with three channels", (noisy_images(colour, 4, 0.2, generator), colour, 0.2)),
        Case("nearly all noise", (noisy_images(images, 4, 2e-4, generator), images, 2e-4)),
        Case("hardly any noise", (far, images, 0.9999)),
        Case("one training image", (noisy_images(images, 3, 0.4, generator), images[:1], 0.4)),
        Case("images in float32", (noisy_images(images, 4, 0.3, generator).float(), images.float(), 0.3)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return as many images as the lesson samples from: 24 seeds, 1000 training images of 14×14."""
    images = smooth_images(1000, generator)
    # With so much noise hundreds of images have weight, and leaving out the far ones shows.
    return Case("1000 training images", (noisy_images(images, 24, 0.05, generator), images, 0.05))


def gives_the_score(function: Function, generator: torch.Generator) -> str | None:
    """Compare (a x̂₀ - x)/b² with the gradient of the log density, which is known in closed form."""
    images = random_images(5, 4, generator)
    for alpha_bar in (0.1, 0.5, 0.8):
        x = noisy_images(images, 3, alpha_bar, generator).requires_grad_()
        squares = (x[:, None] - alpha_bar**0.5 * images).square().flatten(2).sum(2)
        density = torch.logsumexp(-squares / (2 * (1 - alpha_bar)), 1)
        (score,) = torch.autograd.grad(density.sum(), x)
        found = machines.score(x.detach(), function(x.detach(), images, alpha_bar), alpha_bar)
        if not largest_difference(found, score) < 1e-8 * float(score.abs().max()):
            return f"at ᾱ = {alpha_bar:g} the score (a x̂₀ - x)/b² is not the gradient of the log density of x"
    return None


def is_an_average_with_one_weight_an_image(function: Function, generator: torch.Generator) -> str | None:
    """Ask for weights that are shared by all pixels, not negative, and of sum 1."""
    images = random_images(6, 4, generator)
    estimate = function(noisy_images(images, 4, 0.3, generator), images, 0.3)
    columns, values = images.flatten(1).T, estimate.flatten(1).T
    weights = torch.linalg.lstsq(columns, values).solution
    if not largest_difference(columns @ weights, values) < 1e-9:
        return "an estimate is no weighted sum of the training images: all pixels share one weight an image"
    right = weights.min() > -1e-9 and largest_difference(weights.sum(0), torch.ones(())) < 1e-9
    return None if right else "the weights should not be negative, and sum to 1"


def returns_the_only_image(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the training image itself if there is only one, whatever the noise."""
    image = random_images(1, 5, generator)
    x = torch.randn(3, 1, 5, 5, generator=generator, dtype=torch.float64)
    for alpha_bar in (0.01, 0.5, 0.99):
        if not largest_difference(function(x, image, alpha_bar), image) < 1e-12:
            return "with one training image the estimate should be that image, whatever x is"
    return None


def depends_on_the_set_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same estimate after a shuffle, and with every image there twice."""
    images = random_images(7, 4, generator)
    x = noisy_images(images, 3, 0.3, generator)
    plain = function(x, images, 0.3)
    shuffled = images[torch.randperm(7, generator=generator)]
    if not largest_difference(function(x, shuffled, 0.3), plain) < 1e-10:
        return "the order of the training images should not matter"
    if not largest_difference(function(x, torch.cat([images, images]), 0.3), plain) < 1e-10:
        return "with every training image there twice, the estimate should stay as it is"
    return None


def treats_every_noisy_image_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same estimate in a batch and alone."""
    images = random_images(5, 4, generator)
    x = noisy_images(images, 3, 0.4, generator)
    together = function(x, images, 0.4)
    alone = torch.cat([function(each[None], images, 0.4) for each in x])
    same = largest_difference(together, alone) < 1e-10
    return None if same else "an image should have the same estimate in a batch as alone"


def _whole(differences: Tensor) -> Tensor:
    return differences.square().flatten(2).sum(2)


def _changed(
    *,
    signal: Callable[[float], float] = lambda alpha_bar: alpha_bar**0.5,
    spread: Callable[[float], float] = lambda alpha_bar: 2 * (1 - alpha_bar),
    distance: Callable[[Tensor], Tensor] = _whole,
    weigh: Callable[[Tensor], Tensor] = lambda logits: logits.softmax(1),
) -> Function:
    """Return the plain method with one thing changed."""

    def ideal_denoiser(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
        differences = x[:, None] - signal(alpha_bar) * images[None]
        weights = weigh(-distance(differences) / spread(alpha_bar))
        return torch.einsum("bn,nchw->bchw", weights, images)

    return ideal_denoiser


def _pixel_by_pixel(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    squares = (x[:, None] - alpha_bar**0.5 * images).square()
    return ((-squares / (2 * (1 - alpha_bar))).softmax(1) * images).sum(1)


def _rescaled(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    return alpha_bar**0.5 * _changed()(x, images, alpha_bar)


def _divided_first(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    squares = _whole(x[:, None] / alpha_bar**0.5 - images)
    return torch.einsum("bn,nchw->bchw", (-squares / (2 * (1 - alpha_bar))).softmax(1), images)


def _means_of_means(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    halves = images.split((len(images) + 1) // 2)
    return torch.stack([_changed()(x, half, alpha_bar) for half in halves]).mean(0)


def _in_place(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    logits = -_whole(x[:, None] - images.mul_(alpha_bar**0.5)) / (2 * (1 - alpha_bar))
    return torch.einsum("bn,nchw->bchw", logits.softmax(1), images) / alpha_bar**0.5


def _nearest_twenty(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    logits = -_whole(x[:, None] - alpha_bar**0.5 * images) / (2 * (1 - alpha_bar))
    best, places = logits.topk(min(20, len(images)), dim=1)
    return torch.einsum("bn,bnchw->bchw", best.softmax(1), images[places])


def _one_belief_for_the_batch(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    logits = -_whole(x[:, None] - alpha_bar**0.5 * images).sum(0, keepdim=True) / (2 * (1 - alpha_bar))
    return torch.einsum("bn,nchw->bchw", logits.softmax(1).expand(len(x), -1), images)


ideal_denoiser = Exercise(
    id="diffusion.ideal_denoiser",
    title="The ideal denoiser",
    reference=references.ideal_denoiser,
    cases=cases,
    properties=[
        Property("the score is a gradient", gives_the_score),
        Property("an average of training images", is_an_average_with_one_weight_an_image),
        Property("one training image is returned", returns_the_only_image),
        Property("a set has no order", depends_on_the_set_alone),
        Property("every noisy image alone", treats_every_noisy_image_alone),
    ],
    wrong_answers=[
        *slips.posterior(_changed),
        WrongAnswer(
            _changed(distance=lambda differences: differences.square().flatten(2).mean(2)),
            "The squared distance is a sum over the pixels, not their mean",
        ),
        WrongAnswer(
            _changed(distance=lambda differences: differences.square().flatten(2).sum(2).sqrt()),
            "The distance stands squared in the exponent",
        ),
        WrongAnswer(
            _changed(distance=lambda differences: differences.square().mean(2).flatten(2).sum(2)),
            "Sum over the channels too, without dividing by their number",
        ),
        WrongAnswer(
            _changed(distance=lambda differences: -_whole(differences)),
            "The sign is turned round: the nearest images get the largest weights",
        ),
        WrongAnswer(
            _changed(weigh=torch.exp), "Divide by the sum of the weights: the estimate is an average"
        ),
        WrongAnswer(_pixel_by_pixel, "A weight belongs to a whole image: add the squares of all its pixels"),
        WrongAnswer(_rescaled, "The average is taken of the training images themselves, not of a times them"),
        WrongAnswer(_divided_first, "The noise in x/a has the size b/a: compare x with a times the image"),
        WrongAnswer(
            _means_of_means,
            "An average of the averages of two halves is not the average: the halves weigh alike",
        ),
        WrongAnswer(
            _one_belief_for_the_batch, "Each noisy image has weights of its own: do not sum over the batch"
        ),
        WrongAnswer(
            _nearest_twenty,
            "All training images count, not the nearest ones alone: with much noise hundreds have weight",
        ),
        WrongAnswer(_in_place, "`mul_` changes the training images for everybody after you"),
    ],
    hints=[
        "The noisy image is $x = a\\varphi + b\\,\\varepsilon$ for some training image $\\varphi$. How likely is $x$ "
        "for each of them? Bayes' rule turns these $N$ numbers into weights.",
        "`x[:, None] - a * images` has shape $B \\times N \\times C \\times H \\times W$. Square it, and add up the "
        "last three dimensions.",
        "`torch.softmax(-squares / (2 * b**2), dim=1)` is safe at every noise level, because it takes off the "
        "largest exponent first. The average of the images is a matrix product, or "
        '`torch.einsum("bn,nchw->bchw", weights, images)`.',
    ],
    tolerance=1e-3,
    full_size=full_size,
    guarded=references.MACHINES,
)
