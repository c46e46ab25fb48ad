"""What the answers that unfold below the explorers' questions say, with the data and noises of the lesson."""

import pytest
import torch

from oraledu import data
from oraledu.diffusion import machines, mosaic
from oraledu.diffusion.sampling import sample
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views.memory import posterior
from oraledu.diffusion.views.sources import distinct, traced


@pytest.fixture(scope="module")
def images():
    return data.fashion_mnist(300, pool=2).pixels


@pytest.fixture(scope="module")
def noise():
    return torch.randn(8, 1, 14, 14, generator=torch.Generator().manual_seed(0))


def doubts(images, noise, t):
    """Return how many images are in doubt, for ten training images and eight noises: (80,)."""
    level = alpha_bar(t)
    x = (level**0.5 * images[:10, None] + (1 - level) ** 0.5 * noise).flatten(0, 1)
    weights = posterior(x, images, torch.full((80,), level, dtype=torch.float64))
    return torch.special.entr(weights).sum(1).exp()


def test_the_ideal_denoisers_doubt_falls_between_nine_tenths_and_a_half(images, noise):
    early, later, late = (doubts(images, noise, t) for t in (0.9, 0.8, 0.5))
    assert early.median() > 100
    assert late.median() < 1.5
    assert 3 < later.min() < 5
    assert 90 < later.max() < 110
    assert 35 < later.median() < 45


@pytest.mark.parametrize(("patch", "fewest", "most"), [(27, 1, 1), (13, 1, 16), (5, 34, 57), (3, 72, 92)])
def test_the_smaller_the_window_the_more_images_a_local_sample_comes_from(images, noise, patch, fewest, most):
    path = sample(machines.Machine(images, "local", patch), noise)
    sources = traced(path, images, machine="local", patch=patch, padding="zeros")
    counts = [distinct(each) for each in sources]
    assert (min(counts), max(counts)) == (pytest.approx(fewest, abs=2), pytest.approx(most, abs=2))


def test_the_equivariant_machine_moves_nearly_all_of_its_copies(images, noise):
    made = sample(machines.Machine(images[:100], "equivariant", padding="circular"), noise).images
    translates = torch.cat([made.roll((r, c), (2, 3)) for r in range(14) for c in range(14)])
    distance = mosaic.nearest_distance(translates, images[:100])[0].view(196, len(noise))
    assert distance.amin(0).max() < 0.01, "copies"
    assert (distance[0] > 0.05).sum() >= 7, "not in their places"
