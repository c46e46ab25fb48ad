"""From one training image to many: the ideal machine copies, the equivariant-local one mixes."""

import pytest
import torch

from oraledu.diffusion import machines, views
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views import sources
from tests.diffusion.pictures import (
    assert_every_control_moves_picture_and_words,
    grey,
    random_images,
    random_noise,
    shown,
)

COUNTS = (1, 4, 12)


@pytest.fixture(scope="module")
def explorer():
    return views.count_explorer(random_images(12), 3, random_noise(2), counts=COUNTS)


def test_every_control_moves_picture_and_words(explorer):
    assert_every_control_moves_picture_and_words(explorer)


def test_arguments_are_left_as_they_are():
    images, noise, patches = random_images(3), random_noise(1), [5] * 10 + [3] * 10
    views.count_explorer(images, patches, noise, counts=(1, 3))
    assert torch.equal(images, random_images(3))
    assert torch.equal(noise, random_noise(1))
    assert patches == [5] * 10 + [3] * 10


def test_samples_and_sources_are_those_of_the_first_images_alone(explorer):
    few, noise = random_images(12)[:4], random_noise(2)
    figure = explorer._draw(count=4, seed=1)
    ideal, ideal_sources, _, mixed, mixed_sources = figure.axes
    for sample_ax, map_ax, name, patch in (
        (ideal, ideal_sources, "ideal", None),
        (mixed, mixed_sources, "equivariant-local", 3),
    ):
        path = machines.sample(machines.Machine(few, name, patch), noise)
        torch.testing.assert_close(shown(sample_ax), grey(path.images[1]), rtol=0, atol=1e-5)
        origin = machines.provenance(
            path.noisy[-2], few, alpha_bar(path.times[-2]), machine=name, patch=patch
        )
        expected = torch.as_tensor(sources.colours(sources.claimed(origin)[1]))
        torch.testing.assert_close(shown(map_ax), expected)


def test_one_image_is_one_source_and_the_ideal_machine_never_has_more(explorer):
    assert "out of 1 images: ideal 1, equivariant-local 1" in explorer._draw(count=1, seed=0).alt
    figure = explorer._draw(count=12, seed=0)
    ideal, mixed = figure.axes[2].lines[:2]
    assert list(ideal.get_ydata()) == [1, 1, 1]
    assert mixed.get_ydata()[0] == 1
    assert mixed.get_ydata()[2] > mixed.get_ydata()[1] > 1
    assert figure.axes[4].get_title() == f"{mixed.get_ydata()[2]} sources"
