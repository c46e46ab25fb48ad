"""Exercise 9: the mosaic, pixel by pixel: where the machine comes to rest."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import machines
from oraledu.diffusion.checks import references
from oraledu.diffusion.checks.inputs import all_windows, differ, random_images, smooth_images
from oraledu.diffusion.checks.slips import DICTIONARY
from oraledu.diffusion.windows import windows

FLOATS = (torch.float64, torch.float32)


def cases(generator: torch.Generator) -> list[Case]:
    """Return several windows, several channels, one training image, and other scales."""
    images, image = random_images(4, 6, generator), random_images(3, 6, generator)
    colour = random_images(5, 4, generator, channels=3)
    return [
        Case("patch 3", (image, images, 3)),
        Case("patch 5", (image, images, 5)),
        Case("patch 1", (image, images, 1)),
        Case("three channels", (colour[:2], colour[2:], 3)),
        Case("one image, one training image", (image[:1], images[:1], 3)),
        Case("an image brighter than all training images", (image + 2, images, 3)),
        Case("images times 10000", (1e4 * image, 1e4 * images, 3)),
        Case("images times 0.0001", (1e-4 * image, 1e-4 * images, 3)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return some of the lesson's samples: 4, with 211 training images of 14×14 and the smallest window."""
    images = smooth_images(211, generator).double()
    return Case("211 training images", (images[-4:] + 0.1 * random_images(4, 14, generator), images, 3))


def the_centre_of_the_nearest_patch(function: Function, generator: torch.Generator) -> str | None:
    """Compare all pixels with the definition: the wrapped patches of all images at all places."""
    images, image = (random_images(count, 5, generator, channels=2) for count in (3, 1))
    queries, (patches, values) = all_windows(image, 3)[0], all_windows(images, 3)
    expected = values[(queries[:, None] - patches).square().sum(2).argmin(1)]
    right = (function(image, images, 3)[0].flatten(1).T - expected).abs().amax(1) < 1e-9
    if right.all():
        return None
    row, column = divmod(int(right.int().argmin()), 5)
    return f"pixel ({row}, {column}) is not the centre of the patch that is nearest to its window"


def training_values_wherever_they_stand(function: Function, generator: torch.Generator) -> str | None:
    """Ask that training images stay, that others get their pixels alone, and that rolls and order do not matter."""
    images, image = random_images(4, 6, generator, channels=2), random_images(2, 6, generator, channels=2)
    known = torch.cat([images[[2]], images[[1]].roll((2, -1), (2, 3))])
    if any(differ(function(known.to(kind), images.to(kind), 3), known, 1e-6) for kind in FLOATS):
        return "a training image, rolled or not, should stay as it is: its own patches are the nearest"
    found, values = function(image, images, 3), all_windows(images, 1)[1]
    nearest = (found.permute(0, 2, 3, 1).flatten(0, 2)[:, None] - values).abs().amax(2).amin(1)
    if not nearest.max() < 1e-9:
        return "every pixel should be the pixel of some training image"
    if differ(function(image.roll((3, -2), (2, 3)), images, 3), found.roll((3, -2), (2, 3))):
        return "rolling the image should roll the result with it"
    same = not differ(function(image, images.flip(0).roll((1, 2), (2, 3)), 3), found)
    return None if same else "neither the order of the training images nor rolling them should matter"


def plain(x: Tensor, images: Tensor, patch: int) -> Tensor:
    """Compare every window with the patches of all places, and take the middle pixel of the nearest."""
    asked = windows(x, patch, "circular")
    bank = windows(images, patch, "circular").flatten(0, 2)
    values = images.permute(0, 2, 3, 1).flatten(0, 2)
    queries = asked.flatten(0, 2)
    distances = (queries[:, None] - bank).square().sum(2)
    found = values[distances.argmin(1)]
    return found.view(*asked.shape[:3], -1).permute(0, 3, 1, 2)


def _same_place(x: Tensor, images: Tensor, patch: int) -> Tensor:
    asked, bank = windows(x, patch, "circular"), windows(images, patch, "circular")
    nearest = (asked[:, None] - bank).square().sum(4).argmin(1)
    rows, columns = torch.meshgrid(torch.arange(x.shape[2]), torch.arange(x.shape[3]), indexing="ij")
    return images[nearest, :, rows, columns].permute(0, 3, 1, 2)


def _channel_by_channel(x: Tensor, images: Tensor, patch: int) -> Tensor:
    pairs = zip(x.split(1, 1), images.split(1, 1), strict=True)
    return torch.cat([plain(one, other, patch) for one, other in pairs], 1)


WRONG = r"""
argmin => argmax :: Take the nearest patch; yours is the farthest
(queries[:, None] - bank).square().sum(2) => -(queries @ bank.T)
  :: The largest product is not the smallest distance: bright patches win unless |p|² is taken into account
.square() => .abs() :: The distance is Euclidean: sum the squares, not the absolute values
queries[:, None] - bank \
=> (queries - queries.mean(1, keepdim=True))[:, None] - bank + bank.mean(1, keepdim=True)
  :: Compare the patches themselves, with their brightness
(queries[:, None] - bank) => (x.permute(0, 2, 3, 1).flatten(0, 2)[:, None] - values)
  :: Compare the whole windows, not only the pixels in their middle
values[distances.argmin(1)] => values[distances.topk(2, largest=False).indices].mean(1)
  :: Take the nearest patch alone, without averaging
"""

nearest_centres = Exercise(
    id="diffusion.nearest_centres",
    title="The centre of the nearest patch",
    reference=references.nearest_centres,
    cases=cases,
    properties=[the_centre_of_the_nearest_patch, training_values_wherever_they_stand],
    wrong_answers=slips(
        plain,
        DICTIONARY + WRONG,
        (_same_place, "Look for the nearest patch at all places, not only at the pixel's own"),
        (
            lambda x, images, patch: images[(x[:, None] - images).square().flatten(2).sum(2).argmin(1)],
            "Each pixel looks for its own patch; yours finds one image for all",
        ),
        (lambda x, images, patch: x.clone(), "This is the image's own pixel; take the training pixel"),
        (_channel_by_channel, "A patch has all channels: find one patch for them together"),
    ),
    hints=[
        "This is exercise 4 in the limit $t \\to 0$: $a \\to 1$, $b \\to 0$, and the softmax becomes an argmin.",
        "$\\lvert q - p\\rvert^2 = \\lvert q\\rvert^2 - 2\\, q \\cdot p + \\lvert p\\rvert^2$: the smallest distance "
        "has the largest $q \\cdot p - \\lvert p\\rvert^2 / 2$. Take one image at a time.",
    ],
    core=False,
    full_size=full_size,
    slow_factor=50,
    # In float32 rounding decides between patches that are nearly as near; the second property asks where it cannot.
    float32=False,
    guarded=(machines.denoise,),
)
