"""Exercise 1: the denoiser that knows the whole image, and remembers."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import machines, schedule
from oraledu.diffusion.checks import references
from oraledu.diffusion.checks.inputs import (
    differ,
    noisy_images,
    order_or_number,
    random_images,
    smooth_images,
)
from oraledu.diffusion.checks.slips import POSTERIOR


def cases(generator: torch.Generator) -> list[Case]:
    """Return noise levels from nearly all to nearly none, several channels, few and many images, other scales."""
    images, many = random_images(6, 4, generator), random_images(131, 3, generator)
    colour = random_images(5, 3, generator, channels=3)
    far, faint = torch.randn(2, 1, 4, 4, generator=generator).double(), 0.01 * images
    return [
        Case("a batch of three", (noisy_images(images, 3, 0.3, generator), images, 0.3)),
        Case("images with three channels", (noisy_images(colour, 4, 0.2, generator), colour, 0.2)),
        Case("one noisy image, nearly all noise", (noisy_images(images, 1, 2e-4, generator), images, 2e-4)),
        Case("hardly any noise", (far, images, 0.9999)),
        Case("faint images, hardly any noise", (noisy_images(faint, 3, 0.9999, generator), faint, 0.9999)),
        Case("images times 10000", (1e4 * far, 1e4 * images, 0.3)),
        Case("131 training images", (noisy_images(many[-9:], 3, 0.05, generator), many, 0.05)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a prime number of images, which no mini-batch divides, at the first noise level, where all have weight."""
    images, first = smooth_images(1031, generator), schedule.alpha_bar(1.0)
    return Case("1031 training images", (noisy_images(images[-5:], 24, first, generator), images, first))


def the_score_is_a_gradient(function: Function, generator: torch.Generator) -> str | None:
    """Compare (a x̂₀ - x)/b² with the gradient of the log density, which is known in closed form."""
    images = random_images(5, 4, generator)
    for alpha_bar in (0.1, 0.5, 0.8):
        x = noisy_images(images, 3, alpha_bar, generator).requires_grad_()
        logits = -(x[:, None] - alpha_bar**0.5 * images).square().sum((2, 3, 4)) / (2 * (1 - alpha_bar))
        (score,) = torch.autograd.grad(logits.logsumexp(1).sum(), x)
        found = machines.score(x.detach(), function(x.detach(), images, alpha_bar), alpha_bar)
        if differ(found, score, 1e-5 * float(score.abs().max())):
            return f"at ᾱ = {alpha_bar:g} the score (a x̂₀ - x)/b² is not the gradient of the log density of x"
    return None


def an_average_of_training_images(function: Function, generator: torch.Generator) -> str | None:
    """Ask for weights that all pixels share, not negative, of sum 1; and for the image itself if there is one."""
    images = random_images(6, 4, generator)
    x = noisy_images(images, 4, 0.3, generator)
    columns, values = images.flatten(1).T, function(x, images, 0.3).flatten(1).T
    weights = torch.linalg.lstsq(columns, values).solution
    if differ(columns @ weights, values, 1e-5):
        return "an estimate is no weighted sum of the training images: all pixels share one weight an image"
    if weights.min() < -1e-5 or differ(weights.sum(0), torch.ones(4), 1e-5):
        return "the weights should not be negative, and sum to 1"
    if any(differ(function(x, images[:1], alpha_bar), images[:1], 1e-5) for alpha_bar in (0.01, 0.5, 0.99)):
        return "with one training image the estimate should be that image, whatever x is"
    return None


def a_set_has_no_order(function: Function, generator: torch.Generator) -> str | None:
    """Shuffle and double the training images, and ask for every noisy image alone."""
    images = random_images(7, 4, generator)
    x = noisy_images(images, 3, 0.3, generator)
    alone = torch.cat([function(each[None], images, 0.3) for each in x])
    if differ(function(x, images, 0.3), alone, 1e-5):
        return "an image should have the same estimate in a batch as alone"
    return order_or_number(lambda images: function(x, images, 0.3), images, 1e-5)


def plain(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    """Compare every noisy image with every training image, and average under a softmax."""
    signal, spread = alpha_bar**0.5, 2 * (1 - alpha_bar)
    squares = (x[:, None] - signal * images).square().flatten(2).sum(2)
    logits = -squares / spread
    weights = logits.softmax(1)
    return torch.einsum("bn,nchw->bchw", weights, images)


WRONG = r"""
.sum(2) => .mean(2) :: The squared distance is a sum over the pixels, not their mean
.sum(2) => .sum(2).sqrt() :: The distance stands squared in the exponent
.flatten( => .mean(2).flatten( :: Sum over the channels too, without dividing by their number
-squares => squares :: The sign is turned round: the nearest images get the largest weights
softmax(1) => exp() :: Divide by the sum of the weights: the estimate is an average
.flatten(2).sum(2) =>
torch.einsum("bn,nchw->bchw", weights, images) => (weights * images).sum(1)
  :: A weight belongs to a whole image: add the squares of all its pixels
weights, images) => weights, signal * images)
  :: The average is taken of the training images themselves, not of a times them
- signal * => / signal - :: The noise in x/a has the size b/a: compare x with a times the image
logits.softmax(1) => torch.cat([half.softmax(1) / 2 for half in logits.split((len(images) + 1) // 2, 1)], 1)
  :: An average of the averages of two halves is not the average: the halves weigh alike
logits.softmax(1) => logits.sum(0, keepdim=True).softmax(1).expand(len(x), -1)
  :: Each noisy image has weights of its own: do not sum over the batch
logits.softmax => logits.where(logits >= logits.topk(min(20, len(images))).values[:, -1:], -torch.inf).softmax
  :: All training images count, not the nearest ones alone: with much noise hundreds have weight
logits.softmax \
=> logits.where(logits >= logits.topk(min(900, len(images))).values[:, -1:], -torch.inf).softmax
  :: Leave out no image, however far: at the first noise level all weigh nearly the same
signal * images => images.mul_(signal)
weights, images) => weights, images) / signal :: `mul_` changes the training images for everybody after you
"""

ideal_denoiser = Exercise(
    id="diffusion.ideal_denoiser",
    title="The ideal denoiser",
    reference=references.ideal_denoiser,
    cases=cases,
    properties=[the_score_is_a_gradient, an_average_of_training_images, a_set_has_no_order],
    wrong_answers=slips(plain, POSTERIOR + WRONG),
    hints=[
        "The noisy image is $x = a\\varphi + b\\,\\varepsilon$ for some training image $\\varphi$. How likely is $x$ "
        "for each of them? Bayes' rule turns these $N$ numbers into weights.",
        "`x[:, None] - a * images` has shape $B \\times N \\times C \\times H \\times H$. Square it, and add up the "
        "last three dimensions.",
        "`torch.softmax(-squares / (2 * b**2), dim=1)` is safe at every noise level, because it takes off the "
        "largest exponent first. The average of the images is a matrix product, or "
        '`torch.einsum("bn,nchw->bchw", weights, images)`.',
    ],
    tolerance=1e-3,
    full_size=full_size,
    guarded=(machines.denoise,),  # open in exercise 7, and the answer here
)
