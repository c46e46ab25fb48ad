"""What one pixel believes: the window it sees, the training patches that fit, and how sure it is."""

import math

import pytest
import torch

from oraledu.diffusion import machines, views
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.windows import windows
from tests.diffusion.pictures import (
    SIZE,
    assert_every_control_moves_picture_and_words,
    grey,
    random_images,
    random_noise,
    shown,
)


@pytest.fixture(scope="module", params=["zeros", "circular"])
def padding(request):
    return request.param


@pytest.fixture(scope="module")
def explorer(padding):
    return views.belief_explorer(
        random_images(8), random_images(1, seed=5)[0], random_noise(1)[0], padding=padding, patches=(1, 3, 5)
    )


def test_every_control_moves_picture_and_words(explorer):
    assert_every_control_moves_picture_and_words(explorer)


def test_arguments_are_left_as_they_are():
    images, image, noise = random_images(8), random_images(1, seed=5)[0], random_noise(1)[0]
    views.belief_explorer(images, image, noise, patches=(3,))
    assert torch.equal(images, random_images(8))
    assert torch.equal(image, random_images(1, seed=5)[0])
    assert torch.equal(noise, random_noise(1)[0])


@pytest.mark.parametrize("pixel", [(3, 2), (0, 5)])
def test_pictures_and_words_are_those_of_the_belief(explorer, padding, pixel):
    images, share = random_images(8), alpha_bar(0.6)
    x = share**0.5 * random_images(1, seed=5) + (1 - share) ** 0.5 * random_noise(1)
    figure = explorer._draw(t=0.6, patch=3, row=pixel[0], column=pixel[1])
    noisy, guess, query, entropy, heaviest = figure.axes
    options = {"patch": 3, "padding": padding}
    expected = machines.belief(x, images, share, pixel=pixel, **options)
    estimate = machines.denoise(x, images, share, machine="equivariant-local", **options)
    torch.testing.assert_close(shown(noisy), grey(x[0]))
    torch.testing.assert_close(shown(guess), grey(estimate[0]))
    torch.testing.assert_close(shown(query), grey(windows(x, 3, padding)[0, *pixel].view(1, 3, 3)))
    for drawn, patch in zip(heaviest.images, expected.patches, strict=True):
        torch.testing.assert_close(torch.as_tensor(drawn.get_array().filled()), grey(patch))
    first = f"image {expected.image[0]} ({expected.row[0]}, {expected.column[0]})"
    assert first in {text.get_text() for text in heaviest.texts}
    assert f"heaviest of {expected.size} has weight {expected.weight[0]:.1f}" in figure.alt
    assert f"entropy is {expected.entropy:.1f} of at most {math.log(expected.size):.1f}" in figure.alt
    assert entropy.containers[0][0].get_height() == pytest.approx(expected.entropy)


def test_a_corner_has_only_its_own_place_with_zeros_and_all_places_otherwise(explorer, padding):
    places = 1 if padding == "zeros" else SIZE**2
    assert f"heaviest of {8 * places} has" in explorer._draw(t=0.5, patch=3, row=0, column=0).alt


def test_the_frame_lies_around_the_pixel(explorer):
    noisy = explorer._draw(t=0.5, patch=3, row=2, column=3).axes[0]
    (frame,) = noisy.patches
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (1.5, 0.5, 3)
