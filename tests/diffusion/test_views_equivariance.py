"""Part 3's pictures: the test by translation, and the machines on their way from the same noise."""

import pytest
import torch

from oraledu.diffusion import machines, views
from tests.diffusion.pictures import (
    SIZE,
    assert_every_control_moves_picture_and_words,
    grey,
    random_images,
    random_noise,
    shown,
)


def test_a_machine_that_knows_no_place_passes_and_one_that_does_fails():
    x, ramp = random_noise(1), torch.linspace(0, 1, SIZE)
    figure = views.translation_test(x, {"blind": lambda x: x**2, "sighted": lambda x: x * ramp}, (1, 2))
    assert "blind: 0.0" in figure.alt
    gap = (x.roll((1, 2), (2, 3)) * ramp - (x * ramp).roll((1, 2), (2, 3))).abs().max()
    assert gap > 0.1
    assert f"sighted: {gap:.1f}" in figure.alt
    assert "1 rows and 2 columns" in figure.alt
    noisy, answer, after, before, difference = figure.axes[5:]
    torch.testing.assert_close(shown(noisy), grey(x[0]))
    torch.testing.assert_close(shown(answer), grey((x * ramp)[0]))
    torch.testing.assert_close(shown(after), grey((x * ramp).roll((1, 2), (2, 3))[0]))
    torch.testing.assert_close(shown(before), grey((x.roll((1, 2), (2, 3)) * ramp)[0]))
    assert difference.get_xlabel() == f"at most {gap:.1f}"
    assert figure.png().startswith(b"\x89PNG")


def test_a_name_on_two_lines_is_one_word_when_spoken():
    figure = views.translation_test(random_noise(1), {"equivariant-\nlocal": lambda x: x})
    assert "equivariant-local: 0.0" in figure.alt


@pytest.fixture(scope="module")
def denoisers():
    images = random_images(6)
    return {"ideal": machines.Machine(images, "ideal"), "local": machines.Machine(images, "local", 3)}


def test_every_control_moves_picture_and_words(denoisers):
    noise = random_noise(2)
    assert_every_control_moves_picture_and_words(views.machines_explorer(denoisers, noise))
    assert torch.equal(noise, random_noise(2))


def test_the_pictures_are_those_of_the_trajectory(denoisers):
    noise = random_noise(2)
    explorer = views.machines_explorer(denoisers, noise)
    path = machines.sample(denoisers["local"], noise)
    figure = explorer._draw(machine="local", seed=1, t=0.85)
    noisy, guess, final, film = figure.axes
    torch.testing.assert_close(shown(noisy), grey(path.noisy[3, 1]))
    torch.testing.assert_close(shown(guess), grey(path.denoised[3, 1]))
    torch.testing.assert_close(shown(final), grey(path.images[1]))
    torch.testing.assert_close(shown(film)[:, SIZE + 1 : 2 * SIZE + 1], grey(path.denoised[2, 1]))
    assert "t = 0.85" in figure.alt


def test_the_mark_under_the_film_stands_at_the_time_shown(denoisers):
    explorer = views.machines_explorer(denoisers, random_noise(1))
    places = [
        float(explorer._draw(machine="ideal", seed=0, t=t).axes[3].lines[0].get_xdata()[0])
        for t in (1.0, 0.95, 0.9)
    ]
    assert places == [(SIZE - 1) / 2, (SIZE - 1) / 2 + (SIZE + 1) / 2, (SIZE - 1) / 2 + SIZE + 1]
    film = explorer._draw(machine="ideal", seed=0, t=0.05).axes[3]
    edges = film.transData.inverted().transform([[0, 0], [film.lines[0].get_markersize(), 0]])
    assert film.lines[0].get_xdata()[0] + abs(edges[1, 0] - edges[0, 0]) / 2 < film.get_xlim()[1]
