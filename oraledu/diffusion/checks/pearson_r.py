"""Exercise 8: the number by which the paper measures agreement."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import calibrate
from oraledu.diffusion.checks.inputs import differ, first_broken, normal


def cases(generator: torch.Generator) -> list[Case]:
    """Return images of unlike brightness, several channels, one image, opposite images, and other scales."""
    a, b = _alike(generator, 5, 1, 6, 6)
    return [
        Case("five pairs of images", (a, b)),
        Case("three channels", _alike(generator, 4, 3, 5, 5)),
        Case("one pair", (a[:1], b[:1])),
        Case("opposite images", (a, -b)),
        Case("images that have nothing in common", tuple(normal(generator, 2, 3, 1, 4, 4))),
        Case("bright images", (a + 100, b + 100)),
        Case("images times 0.0001", (1e-4 * a, 1e-4 * b)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the lesson's seeds: 24 images of 14×14."""
    return Case("24 pairs", _alike(generator, 24, 1, 14, 14))


def _alike(generator: torch.Generator, *shape: int) -> tuple[Tensor, Tensor]:
    """Draw pairs that agree in part, each image with a contrast and a brightness of its own."""
    shared = normal(generator, *shape)
    contrast, brightness = (normal(generator, shape[0], 1, 1, 1) for _ in range(2))
    tint = normal(generator, shape[0], shape[1], 1, 1)
    a = contrast.exp() * (shared + 0.5 * normal(generator, *shape)) + brightness + tint
    return a, shared + 0.5 * normal(generator, *shape) - 0.5 * tint - 0.3 * brightness


def the_correlation_of_the_pixels(function: Function, generator: torch.Generator) -> str | None:
    """Compare with torch's own correlation matrix, image by image, in both types of numbers."""
    a, b = _alike(generator, 4, 2, 5, 5)
    bright = (a + 1000).float(), (b + 1000).float()
    for (one, two), allowed in (((a, b), 1e-9), (bright, 1e-3)):
        pairs = zip(one.double(), two.double(), strict=True)
        expected = [torch.corrcoef(torch.stack([y.flatten(), z.flatten()]))[0, 1] for y, z in pairs]
        if differ(function(one, two), torch.stack(expected), allowed):
            so = "" if one.dtype == torch.float64 else ", even if bright and in float32"
            return "it should be the correlation over all pixels and channels, a number for each image" + so
    return None


def ignores_contrast_and_brightness(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same number after a > 0 and b are put in, the opposite after a < 0, and 1 for an image itself."""
    a, b = _alike(generator, 8, 1, 4, 4)
    once, dull, ones = function(a, b), function(a, 0.1 * b + 2), torch.ones(8)
    alone = torch.cat([function(a[[i]], b[[i]]) for i in range(8)])
    return first_broken(
        (function(3 * a - 0.7, b), once, "an image times 3 and minus 0.7 should have the same correlation"),
        (dull, once, "the other image times 0.1 and plus 2 should have the same correlation"),
        (function(-2 * a, b), -once, "the negative of an image should have the opposite correlation"),
        (alone, once, "a pair of images should have the same correlation in a batch as alone"),
        (function(b, a), once, "r(a, b) and r(b, a) should be equal"),
        (function(a, a), ones, "an image should have the correlation 1 with itself"),
        (function(a, 1 - a), -ones, "an image should have the correlation -1 with its negative"),
        (once.clamp(-1, 1), once, "it should lie between -1 and 1"),
    )


def plain(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine of the angle between the images without their means."""
    y, z = a.flatten(1), b.flatten(1)
    y, z = (each - each.mean(1, keepdim=True) for each in (y, z))
    product, norms = (y * z).sum(1), y.norm(dim=1) * z.norm(dim=1)
    return product / norms


def _by_channel(a: Tensor, b: Tensor) -> Tensor:
    pairs = zip(a.split(1, 1), b.split(1, 1), strict=True)
    return torch.stack([plain(one, two) for one, two in pairs]).mean(0)


WRONG = r"""
product / norms => (product / norms).square() :: This is r²; the exercise asks for r itself
product / norms => (product / norms).abs() :: The sign belongs to r: opposite images have -1
 - each.mean(1, keepdim=True) =>
  :: Take the mean of each image off first: this is the cosine of the angle between the images
    pr =>     z = b.flatten(1)\n    pr :: Take the mean off both images, not off one of them
norms\n => len(y[0])\n :: This is the covariance: divide by the standard deviations of both images
/ norms => / len(y[0]) / (y.var(1) * z.var(1)) :: Divide by the standard deviations, not by the variances
/ norms => / len(y[0]) / (y.std(1) * z.std(1))
  :: `std` divides by n - 1 and `mean` by n: use the same for both, so that it cancels
/ norms => / y.square().sum(1)
  :: This is the slope of a line fitted to the pixels: divide by both standard deviations
each.mean(1, keepdim=True) => each.mean(0) :: Take off each image's own mean, not the mean image
.mean(1, keepdim=True) => .mean() :: Take off each image's own mean, not that of the batch
a.flatten(1), b.flatten(1) => (each.flatten(1).argsort(1).argsort(1).double() for each in (a, b))
  :: Correlate the pixels themselves, not their ranks
product / norms => 1 - (a - b).flatten(1).square().sum(1) / z.square().sum(1)
  :: This is the coefficient of determination: it punishes another contrast, and r does not
 - each.mean(1, keepdim=True) =>
(y * z).sum(1), y.norm(dim=1) * z.norm(dim=1) \
=> (y * z).mean(1) - y.mean(1) * z.mean(1), (y.var(1, correction=0) * z.var(1, correction=0)).sqrt()
  :: The mean of the products less the product of the means loses its digits where images are bright
/ norms => / (norms + 1e-6) :: Add nothing to the norms: with faint images it would count
"""

pearson_r = Exercise(
    id="diffusion.pearson_r",
    title="The agreement of two images",
    reference=calibrate.pearson_r,
    cases=cases,
    properties=[the_correlation_of_the_pixels, ignores_contrast_and_brightness],
    wrong_answers=slips(
        plain,
        WRONG,
        (
            lambda a, b: plain(a.flatten()[None], b.flatten()[None]).expand(len(a)).clone(),
            "Each pair has a number of its own; yours is one for the whole batch",
        ),
        (_by_channel, "Take all channels of an image together; yours is the mean of a number for each"),
    ),
    hints=[
        "`a.flatten(1)` is a row for each image. Take its own mean off each row (`keepdim=True` helps).",
        "What is left is the cosine of the angle between two rows: their product, summed, over the product of their "
        "norms. The numbers of pixels cancel.",
    ],
    core=False,
    full_size=full_size,
    float32=False,
)
