"""Part 4's pictures: how many places a pixel may look at, and what the padding does to its estimate."""

import numpy as np
import pytest
import torch

from oraledu.diffusion import machines, views
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.windows import same_border, windows
from tests.diffusion.pictures import (
    SIZE,
    assert_every_control_moves_picture_and_words,
    grey,
    random_images,
    random_noise,
    shown,
)


def test_the_map_holds_the_number_of_places_of_every_pixel():
    figure = views.dictionary_sizes(same_border, SIZE, [3, 5])
    for ax, patch in zip(figure.axes, (3, 5), strict=True):
        counts = shown(ax).int()
        inner = SIZE - 2 * (patch // 2)
        assert counts[0, 0] == 1
        assert counts[0, SIZE // 2] == inner
        assert counts[SIZE // 2, SIZE // 2] == inner**2
        written = [int(text.get_text()) for text in ax.texts]
        assert written == counts.flatten().tolist()
    assert "k = 3: 16 in the middle, 4 at the middle of an edge, 1 in a corner; k = 5: 4 in" in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_the_map_is_drawn_by_the_function_that_is_handed_in():
    everywhere = torch.ones(4, 4, dtype=torch.bool)
    figure = views.dictionary_sizes(lambda size, patch, row, column: everywhere, 4, [3])
    assert (shown(figure.axes[0]) == 16).all()


@pytest.fixture(scope="module")
def explorer():
    return views.padding_explorer(
        random_images(8),
        random_images(1, seed=5)[0],
        random_noise(1)[0],
        same_border,
        t=0.4,
        patches=(3, 5),
    )


def test_every_control_moves_picture_and_words(explorer):
    assert_every_control_moves_picture_and_words(explorer)


def test_arguments_are_left_as_they_are():
    images, image, noise = random_images(8), random_images(1, seed=5)[0], random_noise(1)[0]
    views.padding_explorer(images, image, noise, same_border, patches=(3,))
    assert torch.equal(images, random_images(8))
    assert torch.equal(image, random_images(1, seed=5)[0])
    assert torch.equal(noise, random_noise(1)[0])


def noisy():
    share = alpha_bar(0.4)
    return share**0.5 * random_images(1, seed=5) + (1 - share) ** 0.5 * random_noise(1)


@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize("pixel", [(0, 0), (0, 3), (2, 3), (5, 1)])
def test_the_window_and_its_places_are_those_of_the_pixel(explorer, padding, pixel):
    figure = explorer._draw(padding=padding, patch=3, row=pixel[0], column=pixel[1])
    around, query, allowed = figure.axes[:3]
    seen = windows(noisy(), 3, padding)[0, *pixel].view(1, 3, 3)
    torch.testing.assert_close(shown(query), grey(seen))
    # The surroundings are as wide as the largest window needs: two pixels.
    assert shown(around).shape == (SIZE + 4, SIZE + 4)
    torch.testing.assert_close(
        shown(around)[pixel[0] + 1 : pixel[0] + 4, pixel[1] + 1 : pixel[1] + 4], grey(seen)
    )
    places = same_border(SIZE, 3, *pixel) if padding == "zeros" else torch.ones(SIZE, SIZE, dtype=torch.bool)
    assert torch.equal(shown(allowed).bool(), places)
    assert f"compared with {int(places.sum())} of 36 places" in figure.alt


def test_the_frame_lies_where_the_window_is(explorer):
    figure = explorer._draw(padding="zeros", patch=5, row=0, column=3)
    image, frame = figure.axes[0].patches
    assert (image.get_x(), image.get_y(), image.get_width()) == (-0.5, -0.5, SIZE)
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (0.5, -2.5, 5, 5)
    edges = [-2.5, SIZE + 1.5, SIZE + 1.5, -2.5]
    assert figure.axes[0].images[0].get_extent() == edges
    assert [*figure.axes[0].get_xlim(), *figure.axes[0].get_ylim()] == edges


def test_both_estimates_are_shown_whatever_the_padding_and_so_is_their_difference(explorer):
    figure = explorer._draw(padding="circular", patch=5, row=1, column=1)
    estimates = [
        machines.denoise(
            noisy(), random_images(8), alpha_bar(0.4), machine="equivariant-local", patch=5, padding=padding
        )[0]
        for padding in ("zeros", "circular")
    ]
    for ax, estimate in zip(figure.axes[3:5], estimates, strict=True):
        torch.testing.assert_close(shown(ax), grey(estimate), rtol=0, atol=1e-5)
    difference = (estimates[0] - estimates[1])[0]
    np.testing.assert_allclose(shown(figure.axes[5]), difference, atol=1e-5)
    assert f"at most {difference.abs().max():.1f}" in figure.alt
