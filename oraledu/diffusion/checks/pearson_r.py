"""Exercise 8: the number by which the paper measures agreement."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion import calibrate
from oraledu.diffusion.checks.inputs import largest_difference


def cases(generator: torch.Generator) -> list[Case]:
    """Return batches with images of unlike brightness, several channels, one image, and opposite images."""
    a, b = _alike(generator, 5, 1, 6, 6)
    colour = _alike(generator, 4, 3, 5, 5)
    return [
        Case("five pairs of images", (a, b)),
        Case("three channels", colour),
        Case("one pair", (a[:1], b[:1])),
        Case("opposite images", (a, -b)),
        Case(
            "images that have nothing in common",
            (_normal(generator, 3, 1, 4, 4), _normal(generator, 3, 1, 4, 4)),
        ),
        Case("bright images", (a + 100, b + 100)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the lesson's seeds: 24 images of 14×14."""
    return Case("24 pairs", _alike(generator, 24, 1, 14, 14))


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _alike(generator: torch.Generator, *shape: int) -> tuple[Tensor, Tensor]:
    """Draw pairs that agree in part, each image with a contrast and a brightness of its own."""
    shared = _normal(generator, *shape)
    contrast, brightness = (_normal(generator, shape[0], 1, 1, 1) for _ in range(2))
    tint = _normal(generator, shape[0], shape[1], 1, 1)
    a = contrast.exp() * (shared + 0.5 * _normal(generator, *shape)) + brightness + tint
    return a, shared + 0.5 * _normal(generator, *shape) - 0.5 * tint - 0.3 * brightness


def agrees_with_the_definition(function: Function, generator: torch.Generator) -> str | None:
    """Compare with torch's own correlation matrix, image by image."""
    a, b = _alike(generator, 4, 2, 5, 5)
    pairs = zip(a, b, strict=True)
    expected = torch.stack(
        [torch.corrcoef(torch.stack([one.flatten(), two.flatten()]))[0, 1] for one, two in pairs]
    )
    same = largest_difference(function(a, b), expected) < 1e-10
    return (
        None if same else "it should be the correlation over all pixels and channels, a number for each image"
    )


def ignores_contrast_and_brightness(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same number after a > 0 and b are put in, and for the opposite sign after a < 0."""
    a, b = _alike(generator, 4, 1, 5, 5)
    plain = function(a, b)
    if not largest_difference(function(3 * a - 0.7, b), plain) < 1e-10:
        return "an image times 3 and minus 0.7 should have the same correlation"
    if not largest_difference(function(a, 0.1 * b + 2), plain) < 1e-10:
        return "the other image times 0.1 and plus 2 should have the same correlation"
    flipped = largest_difference(function(-2 * a, b), -plain) < 1e-10
    return None if flipped else "the negative of an image should have the opposite correlation"


def lies_between_minus_one_and_one(function: Function, generator: torch.Generator) -> str | None:
    """Ask for 1 with itself, -1 with its negative, and no more for other images."""
    a, b = _alike(generator, 30, 1, 3, 3)
    ones = torch.ones(30, dtype=torch.float64)
    if not largest_difference(function(a, a), ones) < 1e-10:
        return "an image should have the correlation 1 with itself"
    if not largest_difference(function(a, 1 - a), -ones) < 1e-10:
        return "an image should have the correlation -1 with its negative"
    return None if function(a, b).abs().max() <= 1 + 1e-10 else "it should lie between -1 and 1"


def measures_every_pair_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same number in a batch and alone, and for a symmetric one."""
    a, b = _alike(generator, 5, 1, 4, 4)
    together = function(a, b)
    alone = torch.cat([function(a[[i]], b[[i]]) for i in range(5)])
    if not largest_difference(together, alone) < 1e-10:
        return "a pair of images should have the same correlation in a batch as alone"
    return (
        None
        if largest_difference(function(b, a), together) < 1e-10
        else "r(a, b) and r(b, a) should be equal"
    )


def _centred(images: Tensor) -> Tensor:
    rows = images.flatten(1)
    return rows - rows.mean(1, keepdim=True)


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))


def _changed(
    *,
    prepare: Callable[[Tensor], Tensor] = _centred,
    compare: Callable[[Tensor, Tensor], Tensor] = _cosine,
) -> Function:
    """Return the cosine of centred images with one thing changed."""

    def pearson_r(a: Tensor, b: Tensor) -> Tensor:
        return compare(prepare(a), prepare(b))

    return pearson_r


def _one_centred(a: Tensor, b: Tensor) -> Tensor:
    return _cosine(_centred(a), b.flatten(1))


def _ranks(images: Tensor) -> Tensor:
    return _centred(images.flatten(1).argsort(1).argsort(1).to(images.dtype))


def _by_channel(a: Tensor, b: Tensor) -> Tensor:
    pairs = zip(a.split(1, 1), b.split(1, 1), strict=True)
    return torch.stack([_changed()(one, two) for one, two in pairs]).mean(0)


def _over_the_batch(images: Tensor) -> Tensor:
    return (images - images.mean(0)).flatten(1)


def _brightness_of_the_batch(images: Tensor) -> Tensor:
    return (images - images.mean()).flatten(1)


def _whole_batch(a: Tensor, b: Tensor) -> Tensor:
    return _changed()(a.flatten()[None], b.flatten()[None]).expand(len(a)).clone()


def _explained(a: Tensor, b: Tensor) -> Tensor:
    return 1 - (a - b).flatten(1).square().sum(1) / _centred(b).square().sum(1)


pearson_r = Exercise(
    id="diffusion.pearson_r",
    title="The agreement of two images",
    reference=calibrate.pearson_r,
    cases=cases,
    properties=[
        Property("the correlation of the pixels", agrees_with_the_definition),
        Property("ignores contrast and brightness", ignores_contrast_and_brightness),
        Property("between -1 and 1", lies_between_minus_one_and_one),
        Property("every pair alone", measures_every_pair_alone),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(compare=lambda a, b: _cosine(a, b).square()),
            "This is r²; the exercise asks for r itself",
        ),
        WrongAnswer(
            _changed(compare=lambda a, b: _cosine(a, b).abs()),
            "The sign belongs to r: opposite images have -1",
        ),
        WrongAnswer(
            _changed(prepare=lambda images: images.flatten(1)),
            "Take the mean of each image off first: this is the cosine of the angle between the images",
        ),
        WrongAnswer(_one_centred, "Take the mean off both images, not off one of them"),
        WrongAnswer(
            _changed(compare=lambda a, b: (a * b).mean(1)),
            "This is the covariance: divide by the standard deviations of both images",
        ),
        WrongAnswer(
            _changed(compare=lambda a, b: (a * b).mean(1) / (a.var(1) * b.var(1))),
            "Divide by the standard deviations, not by the variances",
        ),
        WrongAnswer(
            _changed(compare=lambda a, b: (a * b).mean(1) / (a.std(1) * b.std(1))),
            "`std` divides by n - 1 and `mean` by n: use the same for both, so that it cancels",
        ),
        WrongAnswer(
            _changed(compare=lambda a, b: (a * b).sum(1) / a.square().sum(1)),
            "This is the slope of a line fitted to the pixels: divide by both standard deviations",
        ),
        WrongAnswer(_changed(prepare=_over_the_batch), "Take off each image's own mean, not the mean image"),
        WrongAnswer(
            _changed(prepare=_brightness_of_the_batch),
            "Take off each image's own mean, not that of the batch",
        ),
        WrongAnswer(_whole_batch, "Each pair has a number of its own; yours is one for the whole batch"),
        WrongAnswer(
            _by_channel, "Take all channels of an image together; yours is the mean of a number for each"
        ),
        WrongAnswer(_changed(prepare=_ranks), "Correlate the pixels themselves, not their ranks"),
        WrongAnswer(
            _explained,
            "This is the coefficient of determination: it punishes another contrast, and r does not",
        ),
    ],
    hints=[
        "`a.flatten(1)` is a row for each image. Take its own mean off each row (`keepdim=True` helps).",
        "What is left is the cosine of the angle between two rows: their product, summed, over the product of their "
        "norms. The numbers of pixels cancel.",
    ],
    core=False,
    full_size=full_size,
)
