"""Exercise 9: the mosaic, pixel by pixel: where the machine comes to rest."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion import mosaic
from oraledu.diffusion.checks import references, slips
from oraledu.diffusion.checks.inputs import largest_difference, random_images, smooth_images, window_at
from oraledu.diffusion.checks.slips import centres, wrapped


def cases(generator: torch.Generator) -> list[Case]:
    """Return several windows, several channels, one training image, and float32."""
    images = random_images(4, 6, generator)
    colour = random_images(3, 4, generator, channels=3)
    image = random_images(3, 6, generator)
    return [
        Case("patch 3", (image, images, 3)),
        Case("patch 5", (image, images, 5)),
        Case("patch 1", (image, images, 1)),
        Case("three channels", (random_images(2, 4, generator, channels=3), colour, 3)),
        Case("one image, one training image", (image[:1], images[:1], 3)),
        Case("an image brighter than all training images", (image + 2, images, 3)),
        Case("images in float32", (image.float(), images.float(), 3)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return some of the lesson's samples: 4, with 200 training images of 14×14 and the smallest window."""
    images = smooth_images(204, generator).double()
    return Case("200 training images", (images[:4] + 0.1 * random_images(4, 14, generator), images[4:], 3))


def takes_the_centre_of_the_nearest_patch(function: Function, generator: torch.Generator) -> str | None:
    """Compare single pixels with the definition: the wrapped patches of all images at all places."""
    size, patch = 5, 3
    images, image = (random_images(count, size, generator, channels=2) for count in (3, 1))
    found = function(image, images, patch)[0]
    places = torch.cartesian_prod(torch.arange(size), torch.arange(size)).tolist()
    patches = torch.cat([window_at(images, row, column, patch, "circular") for row, column in places])
    values = torch.cat([images[:, :, row, column] for row, column in places])
    for row, column in ((0, 0), *torch.randint(size, (4, 2), generator=generator).tolist()):
        query = window_at(image, row, column, patch, "circular")
        expected = values[(query - patches).square().sum(1).argmin()]
        if not largest_difference(found[:, row, column], expected) < 1e-12:
            return f"pixel ({row}, {column}) is not the centre of the patch that is nearest to its window"
    return None


def leaves_training_images_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a training image itself, also after a roll: all its windows are in the dictionary."""
    images = random_images(4, 6, generator)
    for image in (images[[2]], images[[1]].roll((2, -1), (2, 3))):
        if not largest_difference(function(image, images, 3), image) < 1e-12:
            return "a training image, rolled or not, should stay as it is: its own patches are the nearest"
    return None


def gives_training_values_alone(function: Function, generator: torch.Generator) -> str | None:
    """Ask that every pixel occurs in a training image, with all its channels."""
    images, image = (random_images(count, 5, generator, channels=2) for count in (3, 2))
    found = function(image, images, 3).permute(0, 2, 3, 1).flatten(0, 2)
    values = images.permute(0, 2, 3, 1).flatten(0, 2)
    nearest = (found[:, None] - values).abs().amax(2).amin(1)
    return None if nearest.max() < 1e-12 else "every pixel should be the pixel of some training image"


def moves_with_the_image(function: Function, generator: torch.Generator) -> str | None:
    """Roll the image, and ask for the rolled result; shuffle and roll the training images, and ask for the same."""
    images, image = random_images(4, 6, generator), random_images(2, 6, generator)
    plain = function(image, images, 3)
    moved = function(image.roll((3, -2), (2, 3)), images, 3)
    if not largest_difference(moved, plain.roll((3, -2), (2, 3))) < 1e-12:
        return "rolling the image should roll the result with it"
    same = largest_difference(function(image, images.flip(0).roll((1, 2), (2, 3)), 3), plain) < 1e-12
    return None if same else "neither the order of the training images nor rolling them should matter"


def _squares(queries: Tensor, bank: Tensor) -> Tensor:
    return (queries[:, None] - bank).square().sum(2)


def _changed(
    *,
    queries: Callable[[Tensor, int], Tensor] = wrapped,
    patches: Callable[[Tensor, int], Tensor] = wrapped,
    values: Callable[[Tensor, int], Tensor] = centres,
    distance: Callable[[Tensor, Tensor], Tensor] = _squares,
    pick: Callable[[Tensor, Tensor], Tensor] = lambda distances, values: values[distances.argmin(1)],
) -> Function:
    """Return the plain method with one thing changed."""

    def nearest_centres(image: Tensor, images: Tensor, patch: int) -> Tensor:
        asked = queries(image, patch)
        distances = distance(asked.flatten(0, 2), patches(images, patch).flatten(0, 2))
        found = pick(distances, values(images, patch).flatten(0, 2))
        return found.view(*asked.shape[:3], -1).permute(0, 3, 1, 2)

    return nearest_centres


def _mean_of_two(distances: Tensor, values: Tensor) -> Tensor:
    return values[distances.topk(min(2, len(values)), largest=False).indices].mean(1)


def _same_place(image: Tensor, images: Tensor, patch: int) -> Tensor:
    asked, bank = wrapped(image, patch), wrapped(images, patch)
    nearest = (
        (asked[:, None] - bank)
        .square()
        .sum(4)
        .argmin(1)[:, None, None]
        .expand(-1, -1, images.shape[1], -1, -1)
    )
    return images.expand(len(image), *images.shape).gather(1, nearest)[:, 0]


def _whole_image(image: Tensor, images: Tensor, patch: int) -> Tensor:
    return images[(image[:, None] - images).square().flatten(2).sum(2).argmin(1)]


def _own_pixel(image: Tensor, images: Tensor, patch: int) -> Tensor:
    return image.clone()


def _channel_by_channel(image: Tensor, images: Tensor, patch: int) -> Tensor:
    pairs = zip(image.split(1, 1), images.split(1, 1), strict=True)
    return torch.cat([_changed()(one, other, patch) for one, other in pairs], 1)


nearest_centres = Exercise(
    id="diffusion.nearest_centres",
    title="The centre of the nearest patch",
    reference=references.nearest_centres,
    cases=cases,
    properties=[
        Property("the centre of the nearest patch", takes_the_centre_of_the_nearest_patch),
        Property("training images stay as they are", leaves_training_images_alone),
        Property("training values alone", gives_training_values_alone),
        Property("moves with the image", moves_with_the_image),
    ],
    wrong_answers=[
        *slips.dictionary(_changed),
        WrongAnswer(
            _changed(pick=lambda distances, values: values[distances.argmax(1)]),
            "Take the nearest patch; yours is the farthest",
        ),
        WrongAnswer(
            _changed(distance=lambda queries, bank: -(queries @ bank.T)),
            "The largest product is not the smallest distance: bright patches win unless |p|² is taken into account",
        ),
        WrongAnswer(
            _changed(distance=lambda queries, bank: (queries[:, None] - bank).abs().sum(2)),
            "The distance is Euclidean: sum the squares, not the absolute values",
        ),
        WrongAnswer(
            _changed(
                distance=lambda queries, bank: _squares(
                    queries - queries.mean(1, keepdim=True), bank - bank.mean(1, keepdim=True)
                )
            ),
            "Compare the patches themselves, with their brightness",
        ),
        WrongAnswer(
            _changed(queries=centres, patches=centres),
            "Compare the whole windows, not only the pixels in their middle",
        ),
        WrongAnswer(_changed(pick=_mean_of_two), "Take the nearest patch alone, without averaging"),
        WrongAnswer(_same_place, "Look for the nearest patch at all places, not only at the pixel's own"),
        WrongAnswer(_whole_image, "Each pixel looks for its own patch; yours finds one image for all"),
        WrongAnswer(_own_pixel, "This is the image's own pixel; take the training pixel"),
        WrongAnswer(_channel_by_channel, "A patch has all channels: find one patch for them together"),
    ],
    hints=[
        "This is exercise 4 in the limit $t \\to 0$: $a \\to 1$, $b \\to 0$, and the softmax becomes an argmin.",
        "$\\lvert q - p\\rvert^2 = \\lvert q\\rvert^2 - 2\\, q \\cdot p + \\lvert p\\rvert^2$: the smallest distance "
        "has the largest $q \\cdot p - \\lvert p\\rvert^2 / 2$. Take one image at a time.",
    ],
    core=False,
    full_size=full_size,
    slow_factor=50,
    guarded=(mosaic.nearest_centres,),
)
