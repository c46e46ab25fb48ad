"""The patch mosaic against explicit loops, the toy of two images, and the measures of creativity."""

import math
from itertools import product

import pytest
import torch
from torch import Tensor

from oraledu.diffusion import machines, mosaic
from oraledu.diffusion.mosaic import (
    consistency,
    log10_mosaics,
    nearest_centres,
    nearest_distance,
    sources,
    two_image_denoiser,
)
from oraledu.diffusion.provenance import Provenance
from oraledu.diffusion.sampling import sample
from oraledu.diffusion.windows import same_border

BLACK_AND_WHITE = torch.stack([-torch.ones(1, 16, 16), torch.ones(1, 16, 16)])


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(shape, generator=generator, dtype=dtype) - 1


def window(image: Tensor, row: int, column: int, patch: int, padding: str) -> dict[tuple[int, int], Tensor]:
    """Return what a pixel sees of an image (C, H, H): the values at each offset that is visible."""
    size, reach = image.shape[-1], patch // 2
    offsets = product(range(-reach, reach + 1), repeat=2)
    if padding == "circular":
        return {(y, x): image[:, (row + y) % size, (column + x) % size] for y, x in offsets}
    return {
        (y, x): image[:, row + y, column + x]
        for y, x in offsets
        if 0 <= row + y < size and 0 <= column + x < size
    }


def nearest_by_loops(image: Tensor, images: Tensor, patch: int, padding: str) -> Tensor:
    """Return the centre of the nearest patch for every pixel, by looking at each patch that sees the same offsets."""
    result = torch.empty_like(image)
    places = list(product(range(image.shape[-1]), repeat=2))
    for number, (row, column) in product(range(len(image)), places):
        own = window(image[number], row, column, patch, padding)
        least = math.inf
        for other, (r, c) in product(images, places):
            seen = window(other, r, c, patch, padding)
            if seen.keys() != own.keys():
                continue
            distance = float(sum((own[offset] - seen[offset]).square().sum() for offset in own))
            if distance < least:
                least = distance
                result[number, :, row, column] = other[:, r, c]
    return result


@pytest.mark.parametrize(
    ("patch", "padding", "channels", "size"),
    [
        *[(patch, "zeros", 1, 5) for patch in (1, 3, 5, 7, 9)],
        *[(patch, "circular", 1, 5) for patch in (1, 3, 5)],
        (3, "zeros", 2, 4),
        (3, "circular", 2, 4),
    ],
)
def test_every_pixel_becomes_the_centre_of_its_nearest_patch(
    patch: int, padding: str, channels: int, size: int
):
    images = random(3, channels, size, size)
    image = random(2, channels, size, size, seed=1)
    found = nearest_centres(image, images, patch, padding)
    assert torch.equal(found, nearest_by_loops(image, images, patch, padding))


@pytest.mark.parametrize(("patch", "padding"), [(1, "zeros"), (3, "zeros"), (11, "zeros"), (5, "circular")])
def test_a_training_image_is_its_own_mosaic(patch: int, padding: str):
    images = random(4, 2, 6, 6, dtype=torch.float32)
    assert torch.equal(nearest_centres(images, images, patch, padding), images)
    assert consistency(images, images, patch, padding, tolerance=0).tolist() == [1] * 4


def test_only_wrapped_around_is_a_rolled_training_image_its_own_mosaic():
    images = random(3, 1, 6, 6)
    rolled = images.roll((2, 1), dims=(2, 3))
    assert torch.equal(nearest_centres(rolled, images, 3, "circular"), rolled)
    assert not torch.equal(nearest_centres(rolled, images, 3, "zeros"), rolled)


def test_patches_that_differ_in_the_last_digits_are_told_apart():
    steps = torch.arange(20, dtype=torch.float32) / 64
    images = 1000 + steps[:, None, None, None].expand(20, 1, 5, 5)
    image = torch.full((1, 1, 5, 5), 1000 + 7.4 / 64)
    for padding in ("zeros", "circular"):
        assert torch.equal(nearest_centres(image, images, 3, padding), images[7:8])


@pytest.mark.parametrize("size", [1, 100, 1 << 30])
def test_the_tiles_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch, size: int):
    images, image = random(7, 1, 5, 5), random(2, 1, 5, 5, seed=1)
    mosaics = [nearest_centres(image, images, 3, padding) for padding in ("zeros", "circular")]
    distances = nearest_distance(image, images)
    monkeypatch.setattr(mosaic, "tile_size", lambda device: size)
    for padding, expected in zip(("zeros", "circular"), mosaics, strict=True):
        assert torch.equal(nearest_centres(image, images, 3, padding), expected)
    for found, expected in zip(nearest_distance(image, images), distances, strict=True):
        assert torch.equal(found, expected)


def test_consistency_is_the_share_of_pixels_within_the_tolerance():
    image = BLACK_AND_WHITE[:1].repeat(2, 1, 1, 1)
    image[1, 0, 3, 3] = -0.5
    image[1, 0, 9, 9] = -0.9
    assert consistency(image, BLACK_AND_WHITE, 3, tolerance=0.05).tolist() == [1, 1 - 2 / 256]
    assert consistency(image, BLACK_AND_WHITE, 3, tolerance=0.2).tolist() == [1, 1 - 1 / 256]


def test_a_pixel_is_consistent_if_all_its_channels_are():
    images = BLACK_AND_WHITE.repeat(1, 3, 1, 1)
    image = images[:1].clone()
    image[0, 1, 5, 5] = -0.5
    assert consistency(image, images, 3, "circular", 0.1).item() == 1 - 1 / 256


def test_with_a_black_and_a_white_image_the_majority_of_the_window_wins():
    image = random(5, 1, 16, 16, dtype=torch.float32).sign()
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="circular")
    majority = torch.nn.functional.conv2d(padded, torch.ones(1, 1, 3, 3)).sign()
    assert torch.equal(nearest_centres(image, BLACK_AND_WHITE, 3, "circular"), majority)


@pytest.mark.parametrize("machine", ["local", "equivariant-local"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("patch", [1, 3, 5])
def test_the_toy_is_what_the_machines_answer(machine: str, channels: int, patch: int):
    x = 3 * random(4, channels, 16, 16)
    images = BLACK_AND_WHITE.double().repeat(1, channels, 1, 1)
    for alpha_bar in (0.01, 0.3, 0.9, torch.tensor([0.02, 0.2, 0.5, 0.99])):
        expected = machines.denoise(x, images, alpha_bar, machine=machine, patch=patch, padding="circular")
        torch.testing.assert_close(two_image_denoiser(x, alpha_bar, patch), expected, rtol=0, atol=1e-10)


def test_without_noise_the_toy_takes_the_majority():
    x = random(5, 1, 16, 16).sign()
    answer = two_image_denoiser(x, 1 - 1e-6)
    torch.testing.assert_close(
        answer, nearest_centres(x, BLACK_AND_WHITE.double(), 3, "circular"), rtol=0, atol=1e-9
    )


def test_the_theorem_shows_as_a_trend():
    """Finer steps end at less noise, and more pixels follow the majority of their window; never all."""
    noise = torch.randn(16, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    shares = []
    for steps in (10, 60, 360):
        images = sample(
            lambda x, t: two_image_denoiser(x, machines.schedule.alpha_bar(t)), noise, steps=steps
        ).images
        shares.append(consistency(images, BLACK_AND_WHITE, 3, "circular", 0.05).mean().item())
    assert shares[0] + 0.003 < shares[1]
    assert shares[1] + 0.003 < shares[2] < 1
    assert shares[0] > 0.9


def test_the_distance_to_the_nearest_image_is_a_root_mean_square():
    samples, images = random(3, 2, 5, 5), random(6, 2, 5, 5, seed=1)
    distance, index = nearest_distance(samples, images)
    for number, one in enumerate(samples):
        errors = torch.stack([(one - image).square().mean().sqrt() for image in images])
        torch.testing.assert_close(distance[number], errors.min())
        assert index[number] == errors.argmin()


def test_a_copy_has_distance_0_and_black_is_2_from_white():
    assert nearest_distance(BLACK_AND_WHITE, BLACK_AND_WHITE)[0].tolist() == [0, 0]
    assert nearest_distance(BLACK_AND_WHITE, BLACK_AND_WHITE)[1].tolist() == [0, 1]
    distance, index = nearest_distance(BLACK_AND_WHITE[:1], BLACK_AND_WHITE[1:])
    assert (distance.item(), index.item(), distance.dtype) == (2, 0, torch.float32)


@pytest.mark.parametrize(("offset", "dtype"), [(2.0**-16, torch.float32), (2.0**-30, torch.float64)])
def test_a_near_copy_has_a_small_distance(offset: float, dtype: torch.dtype):
    images = random(4, 1, 28, 28, dtype=dtype)
    distance, index = nearest_distance(images[2:3] + offset, images)
    assert (index.item(), distance.dtype) == (2, dtype)
    assert distance.item() == pytest.approx(offset, rel=1e-2)


def test_the_sources_of_a_mosaic_are_counted():
    image = torch.tensor([[[4, 4], [4, 4]], [[0, 7], [7, 2]]])
    assert sources(Provenance(image, image, image, image / 8)).tolist() == [1, 3]


@pytest.mark.parametrize(("patch", "padding"), [(1, "zeros"), (3, "zeros"), (9, "zeros"), (3, "circular")])
def test_the_choices_of_all_pixels_multiply(patch: int, padding: str):
    choices = [
        7 * (36 if padding == "circular" else int(same_border(6, patch, row, column).sum()))
        for row, column in product(range(6), repeat=2)
    ]
    assert log10_mosaics(7, 6, patch, padding) == pytest.approx(math.log10(math.prod(choices)))
    assert log10_mosaics(7, 6, patch, padding, "local") == pytest.approx(36 * math.log10(7))


def test_a_single_training_image_allows_one_local_mosaic():
    assert log10_mosaics(1, 6, 3, machine="local") == 0
    assert log10_mosaics(1, 6, 3) > 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"image": torch.zeros(1, 1, 5, 5)}, r"^image must be like the training images, \(B, 1, 6, 6\)"),
        ({"image": torch.zeros(1, 6, 6)}, r"^image must be like the training images"),
        ({"image": torch.full((1, 1, 6, 6), math.nan)}, "^image must be finite"),
        ({"images": torch.zeros(0, 1, 6, 6)}, "^images must hold at least one image"),
        ({"images": torch.full((1, 1, 6, 6), math.inf)}, "^images must be finite"),
        ({"patch": 4}, "^patch must be an odd number"),
        ({"patch": 13}, "^patch must be an odd number from 1 to 11"),
        ({"patch": 7, "padding": "circular"}, "^patch must be an odd number from 1 to 6 "),
        ({"padding": "reflect"}, "^padding must be"),
    ],
    ids=str,
)
def test_bad_arguments_of_a_mosaic_are_named(wrong: dict, message: str):
    good = {"image": torch.zeros(1, 1, 6, 6), "images": torch.zeros(2, 1, 6, 6), "patch": 3}
    for function in (nearest_centres, consistency):
        with pytest.raises(ValueError, match=message):
            function(**(good | wrong))


@pytest.mark.parametrize("tolerance", [-1, math.nan])
def test_a_tolerance_below_0_is_named(tolerance: float):
    with pytest.raises(ValueError, match="tolerance must be at least 0"):
        consistency(torch.zeros(1, 1, 6, 6), torch.zeros(2, 1, 6, 6), 3, tolerance=tolerance)


def test_bad_arguments_of_the_toy_are_named():
    with pytest.raises(ValueError, match="alpha_bar must lie in"):
        two_image_denoiser(torch.zeros(1, 1, 6, 6), 1.0)
    with pytest.raises(ValueError, match="patch must be an odd number from 1 to 6 "):
        two_image_denoiser(torch.zeros(1, 1, 6, 6), 0.5, 7)


def test_bad_arguments_of_the_measures_are_named():
    with pytest.raises(ValueError, match=r"^samples must be like the training images"):
        nearest_distance(torch.zeros(1, 2, 6, 6), torch.zeros(2, 1, 6, 6))
    with pytest.raises(ValueError, match="count must be at least 1"):
        log10_mosaics(0, 6, 3)
    with pytest.raises(ValueError, match="machine must be one of 'local', 'equivariant-local'"):
        log10_mosaics(5, 6, 3, machine="ideal")
    with pytest.raises(ValueError, match="patch must be"):
        log10_mosaics(5, 6, 12, machine="local")
