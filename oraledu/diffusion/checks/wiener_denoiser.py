"""Exercise 11: the best affine denoiser."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import machines, wiener
from oraledu.diffusion.checks.inputs import (
    differ,
    first_broken,
    noisy_images,
    normal,
    order_or_number,
    random_images,
    smooth_images,
)

#: What a `torch.eye` in float32 may cost.
ROUNDING = 1e-6


def cases(generator: torch.Generator) -> list[Case]:
    """Return noise levels from nearly all to nearly none, more and fewer images than pixels, channels, other scales."""
    many, few = random_images(40, 4, generator), random_images(5, 4, generator)
    colour = random_images(9, 3, generator, channels=3)
    far, last = normal(generator, 3, 1, 4, 4), 1 - 1e-8
    return [
        Case("more images than pixels", (noisy_images(many, 3, 0.3, generator), many, 0.3)),
        Case("fewer images than pixels", (noisy_images(few, 3, 0.3, generator), few, 0.3)),
        Case("images with three channels", (noisy_images(colour, 4, 0.2, generator), colour, 0.2)),
        Case("one noisy image, nearly all noise", (noisy_images(many, 1, 2e-4, generator), many, 2e-4)),
        Case("hardly any noise", (far, many, last)),
        Case("fewer images than pixels, hardly any noise", (far, few, last)),
        Case("faint images, hardly any noise", (0.01 * far, 0.01 * few, last)),
        Case("images times 100", (100 * far, 100 * few, 0.3)),
        Case("one training image", (far, few[:1], 0.3)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return as many images as the lesson has, of its kind; a prime number."""
    images = smooth_images(1009, generator)
    return Case("1009 training images", (noisy_images(images, 12, 0.5, generator), images, 0.5))


def what_is_left_is_uncorrelated(function: Function, generator: torch.Generator) -> str | None:
    """Ask for an affine function, with what it leaves of the image uncorrelated with the noisy one."""
    images = random_images(12, 3, generator)
    rows = images.flatten(1)
    mean = rows.mean(0)
    covariance = (rows - mean).T @ (rows - mean) / len(rows)
    for alpha_bar in (0.1, 0.5, 0.9):
        a = alpha_bar**0.5
        middle = (a * mean).view(1, 1, 3, 3)
        if differ(function(middle, images, alpha_bar), mean.view(1, 1, 3, 3), ROUNDING):
            return f"at ᾱ = {alpha_bar:g} the estimate for x = a μ should be the mean image μ"
        steps = torch.eye(9, dtype=torch.float64).view(9, 1, 3, 3)
        moved = [(function(middle + size * steps, images, alpha_bar).flatten(1) - mean) for size in (1, -2)]
        if differ(-2 * moved[0], moved[1], ROUNDING):
            return "an affine estimate moves twice as far, and back, where x does"
        noisy = alpha_bar * covariance + (1 - alpha_bar) * torch.eye(9, dtype=torch.float64)
        if differ(noisy @ moved[0], a * covariance, ROUNDING):
            return f"at ᾱ = {alpha_bar:g} what it leaves of the image is still correlated with the noisy one"
    return None


def its_limits(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the mean with all noise, and for x with none, as far as the training images span it."""
    images = random_images(5, 4, generator)
    x, mean = normal(generator, 3, 1, 4, 4), images.mean(0, keepdim=True)
    spanned = (images - mean)[:4].flatten(1)
    inside = torch.linalg.lstsq(spanned.T, (x - mean).flatten(1).T).solution.T @ spanned
    alone = function(x, images[:1], 0.7)
    return first_broken(
        (function(x, images, 1e-10), mean.expand_as(x), "with nothing but noise it should be the mean image"),
        (alone, images[:1].expand_as(x), "with one training image it should be that image, whatever x is"),
        (
            function(x, images, 1 - 1e-10),
            mean + inside.view_as(x),
            "with no noise it should be x, as far as mean and differences of the training images reach",
        ),
        allowed=1e-4,
    )


def no_order_of_images_or_pixels(function: Function, generator: torch.Generator) -> str | None:
    """Shuffle and double the training images, and move the pixels of all images about alike."""
    images = random_images(7, 4, generator)
    x = noisy_images(images, 3, 0.6, generator)
    order = torch.randperm(16, generator=generator)
    here, there = (
        function(x, images, 0.6).flatten(1)[:, order],
        function(*(each.flatten(1)[:, order].view_as(each) for each in (x, images)), 0.6).flatten(1),
    )
    if differ(here, there, ROUNDING):
        return "the pixels of all images in another order: the estimate should be the same, in that order"
    alone = torch.cat([function(each[None], images, 0.6) for each in x])
    if differ(function(x, images, 0.6), alone, ROUNDING):
        return "an image should have the same estimate in a batch as alone"
    return order_or_number(lambda images: function(x, images, 0.6), images, ROUNDING)


def plain(x: Tensor, images: Tensor, alpha_bar: float) -> Tensor:
    """Solve the normal equations in float64."""
    signal, spread = alpha_bar**0.5, 1 - alpha_bar
    noisy, clean = x.flatten(1).double(), images.flatten(1).double()
    mean = clean.mean(0)
    centred = clean - mean
    covariance = centred.T @ centred / len(clean)
    eye = torch.eye(len(mean)).double()
    matrix = torch.linalg.solve(alpha_bar * covariance + spread * eye, signal * covariance)
    return (mean + (noisy - signal * mean) @ matrix).to(x).view_as(x)


WRONG = r"""
/ len(clean) => / max(len(clean) - 1, 1)
  :: Each training image has the probability 1/N: divide the covariance by N, not by N - 1
/ len(clean) => :: A covariance is a mean over the images: divide the sum by N
clean - mean => clean :: Take the mean image off before you multiply: this is the second moment, not the covariance
clean.mean(0)\n    centred = clean - mean => clean.mean(0) * 0\n    centred = clean - clean.mean(0)
  :: The mean image is missing: the estimate is μ + M (x - aμ)
clean.mean(0)\n => clean.mean()\n
torch.eye(len(mean)) => torch.eye(clean.shape[1]) :: μ is the mean image, a number for each pixel, not one for all
clean.mean(0)\n => noisy.mean(0)\n :: μ is the mean of the training images, not of the noisy ones
return (mean + => return (signal * mean + :: What is added is μ itself, not a μ
- signal * mean => - mean :: The noisy image varies around a μ, not around μ
signal * covariance => covariance :: x holds the image at the strength a: the covariance of image and x is a Σ
signal * covariance => alpha_bar * covariance :: The covariance of the image with x is a Σ, with a = √ᾱ
solve(alpha_bar * => solve(signal * :: The covariance of x is a²Σ + b²: mind the square of a
solve(alpha_bar * => solve( :: The covariance of x is a²Σ + b²: a² is missing
, 1 - alpha_bar => , (1 - alpha_bar) ** 0.5 :: The variance of the noise is b², not b
, 1 - alpha_bar => , max(1 - alpha_bar, 1e-3)
  :: Take b² as it is: with a floor under it the lowest noise levels look alike
 + spread * eye => + 1e-9 * eye :: The noise is missing in the covariance of x: add b² on the diagonal
    eye = =>     covariance = torch.diag(covariance.diagonal())\n    eye =
  :: Pixels vary together: take the whole covariance, not its diagonal
centred.T @ centred / len(clean) => noisy.T @ noisy / len(noisy) :: Σ is the covariance of the training images
x.flatten(1).double(), images.flatten(1).double() => x.flatten(1).float(), images.flatten(1).float()
torch.eye(len(mean)).double() => torch.eye(len(mean))
  :: Compute in float64: in float32 the last noise is lost beside the covariance
solve(alpha_bar * covariance + spread * eye, signal * covariance) \
=> pinv(signal * covariance) @ covariance
  :: Without noise on the diagonal nothing is taken off: add b² before you solve
"""

wiener_denoiser = Exercise(
    id="diffusion.wiener_denoiser",
    title="The Wiener filter",
    reference=wiener.wiener_denoiser,
    cases=cases,
    properties=[what_is_left_is_uncorrelated, its_limits, no_order_of_images_or_pixels],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "Let `rows = images.flatten(1).double()`. Its mean over the images is $\\mu$; without it, "
        "`rows.T @ rows / len(rows)` is $\\Sigma$.",
        "`torch.linalg.solve(A, B)` is $A^{-1} B$, and $a^2 \\Sigma + b^2$ has an inverse at every noise level. $M$ is "
        "symmetric, so each row of `x.flatten(1)` may be multiplied from the right.",
    ],
    core=False,
    full_size=full_size,
    guarded=(machines.denoise,),
    tolerance=1e-5,
)
