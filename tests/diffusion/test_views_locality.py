"""Part 2's pictures: what windows of different sizes make of the same noise."""

import pytest
import torch

from oraledu.diffusion import machines, views
from oraledu.diffusion.mosaic import nearest_distance
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views import sources
from tests.diffusion.pictures import (
    SIZE,
    assert_every_control_moves_picture_and_words,
    grey,
    random_images,
    random_noise,
    shown,
)

PATCHES = (1, 3, 2 * SIZE - 1)


def local(x, images, share, patch, padding):
    return machines.denoise(x, images, share, machine="local", patch=patch, padding=padding)


@pytest.fixture(scope="module")
def images():
    return random_images(10)


@pytest.fixture(scope="module")
def noise():
    return random_noise(2)


@pytest.fixture(scope="module")
def explorer(images, noise):
    return views.locality_explorer(images, local, noise, patches=PATCHES)


def test_a_column_is_a_window_and_a_row_a_noise(images):
    samples = {3: images[:2], 7: images[2:4], 11: images[4:6]}
    figure = views.local_samples(samples)
    assert [ax.get_title() for ax in figure.axes[:3]] == ["k = 3", "k = 7", "k = 11"]
    torch.testing.assert_close(shown(figure.axes[4]), grey(samples[7][1]))
    assert "2 rows of 3 images" in figure.alt
    assert figure.alt.endswith("k from 3 to 11.")


def test_every_control_moves_picture_and_words(explorer, images, noise):
    assert_every_control_moves_picture_and_words(explorer)
    assert torch.equal(images, random_images(10))
    assert torch.equal(noise, random_noise(2))


def test_sample_sources_and_nearest_image_belong_together(explorer, images, noise):
    figure = explorer._draw(patch=3, seed=1)
    sample, origin, nearest, curve = figure.axes
    (frame,) = sample.patches
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (1.5, 1.5, 3)
    path = machines.sample(machines.Machine(images, "local", 3), noise)
    torch.testing.assert_close(shown(sample), grey(path.images[1]), rtol=0, atol=1e-5)
    found = machines.provenance(path.noisy[-2], images, alpha_bar(path.times[-2]), machine="local", patch=3)
    expected = sources.claimed(found)[1]
    torch.testing.assert_close(shown(origin), torch.as_tensor(sources.colours(expected)))
    assert origin.get_title() == sources.plural(sources.distinct(expected))
    distance, index = nearest_distance(path.images, images)
    torch.testing.assert_close(shown(nearest), grey(images[index[1]]))
    assert f"distance of {distance[1]:.1f}" in figure.alt
    assert curve.lines[0].get_ydata()[1] == pytest.approx(float(distance[1]), abs=1e-5)


def test_a_window_that_sees_all_makes_a_copy_from_one_source(explorer):
    alt = explorer._draw(patch=2 * SIZE - 1, seed=0).alt
    assert "come from (1)" in alt
    assert "distance of 0.0" in alt


def test_the_function_that_is_handed_in_makes_the_samples(images, noise):
    asked = set()

    def constant(x, known, share, patch, padding):
        asked.add((patch, padding))
        return torch.full_like(x, 0.5)

    explorer = views.locality_explorer(images, constant, noise, patches=(1, 5), padding="circular")
    assert asked == {(1, "circular"), (5, "circular")}
    torch.testing.assert_close(
        shown(explorer._draw(patch=5, seed=0).axes[0]), torch.full((6, 6), 0.75).double()
    )
