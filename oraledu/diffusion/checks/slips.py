"""Slips that several exercises invite, as changes to the right method.

Each exercise has a `_changed` that builds its method from exchangeable parts; the functions below fill in the wrong
ones.
"""

from collections.abc import Callable

from torch import Tensor

from oraledu.course.exercise import WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion.windows import windows


def posterior(changed: Callable[..., Function]) -> list[WrongAnswer]:
    """Return the slips in the factor a, in 2b² and in the softmax.

    Args:
        changed: takes `signal` and `spread`, functions of ᾱ that give a and 2b², and `weigh`, which turns exponents
            into weights along dimension 1.
    """
    return [
        WrongAnswer(
            changed(signal=lambda alpha_bar: 1.0),
            "Compare with a times what is in the training set: the noisy image holds it at that strength",
        ),
        WrongAnswer(
            changed(signal=lambda alpha_bar: alpha_bar),
            "The strength of the image is a = √ᾱ, not ᾱ itself",
        ),
        WrongAnswer(
            changed(spread=lambda alpha_bar: 2 * (1 - alpha_bar) ** 0.5),
            "Divide by 2b², the variance twice, not by 2b",
        ),
        WrongAnswer(
            changed(spread=lambda alpha_bar: 1 - alpha_bar),
            "The exponent of a Gaussian is the squared distance over 2b²: you left out the 2",
        ),
        WrongAnswer(
            changed(spread=lambda alpha_bar: 2 * alpha_bar),
            "The variance of the noise is b² = 1 - ᾱ; ᾱ is the share of the image",
        ),
        WrongAnswer(
            changed(weigh=lambda logits: logits.softmax(0)),
            "The softmax runs along the wrong dimension: the weights sum to 1 over the training set",
        ),
        WrongAnswer(
            changed(weigh=lambda logits: logits.exp() / logits.exp().sum(1, keepdim=True)),
            "With little noise every exponential underflows and 0/0 is left: take off the largest exponent first",
        ),
        WrongAnswer(
            changed(weigh=lambda logits: (logits == logits.amax(1, keepdim=True)).to(logits.dtype)),
            "It is an average with weights, not the candidate of the largest weight alone",
        ),
    ]


def dictionary(changed: Callable[..., Function]) -> list[WrongAnswer]:
    """Return the slips in what is compared and in what is taken, where all wrapped patches count.

    Args:
        changed: takes `queries` and `patches`, functions of images and patch size that give the windows (N, H, W, D)
            of the noisy and of the training images, and `values`, one that gives the middle pixels (N, H, W, C).
    """
    return [
        WrongAnswer(
            changed(
                patches=lambda images, patch: _interior(wrapped(images, patch), patch),
                values=lambda images, patch: _interior(centres(images, patch), patch),
            ),
            "Your patches come from the interior alone: on a torus those that wrap around count as well",
        ),
        WrongAnswer(
            changed(patches=_zero_padded), "Wrap the training patches too: yours are padded with zeros"
        ),
        WrongAnswer(
            changed(queries=_zero_padded), "Wrap the windows of the image too: yours are padded with zeros"
        ),
        WrongAnswer(
            changed(queries=_zero_padded, patches=_zero_padded),
            "The padding is circular, for the image and for the training images; yours is with zeros",
        ),
        WrongAnswer(
            changed(queries=_off_centre), "The pixel stands in the middle of its window, not in its corner"
        ),
        WrongAnswer(
            changed(values=_window_corner),
            "Take the pixel in the middle of a patch, not the one in its corner",
        ),
        WrongAnswer(
            changed(values=_window_mean), "Take the pixel in the middle of a patch, not the mean of the patch"
        ),
        WrongAnswer(
            changed(values=_middle_of_the_row),
            "With several channels the middle of the row of numbers is one channel's pixel; all are needed",
        ),
    ]


def wrapped(images: Tensor, patch: int) -> Tensor:
    """Return the windows of images on a torus: (N, H, W, C patch²)."""
    return windows(images, patch, "circular")


def centres(images: Tensor, patch: int) -> Tensor:
    """Return the middle pixels of all windows: (N, H, W, C)."""
    return images.permute(0, 2, 3, 1)


def _interior(places: Tensor, patch: int) -> Tensor:
    inside = slice(patch // 2, places.shape[1] - patch // 2)
    return places[:, inside, inside]


def _zero_padded(images: Tensor, patch: int) -> Tensor:
    return windows(images, patch, "zeros")


def _off_centre(images: Tensor, patch: int) -> Tensor:
    return wrapped(images.roll((-(patch // 2), -(patch // 2)), (2, 3)), patch)


def _window_corner(images: Tensor, patch: int) -> Tensor:
    return centres(images.roll((patch // 2, patch // 2), (2, 3)), patch)


def _window_mean(images: Tensor, patch: int) -> Tensor:
    return wrapped(images, patch).unflatten(3, (images.shape[1], -1)).mean(4)


def _middle_of_the_row(images: Tensor, patch: int) -> Tensor:
    rows = wrapped(images, patch)
    return rows[..., rows.shape[3] // 2, None].expand(-1, -1, -1, images.shape[1])
