"""Part 1's pictures: noise, estimates, copies, and the explorer of the ideal denoiser."""

import re

import pytest
import torch

from oraledu.diffusion import machines, views
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views import memory
from tests.diffusion.pictures import (
    assert_every_control_moves_picture_and_words,
    grey,
    random_images,
    random_noise,
    shown,
)


def ideal(x, images, share):
    return machines.denoise(x, images, share, machine="ideal")


@pytest.fixture
def images():
    return random_images(12)


def test_the_noisy_image_is_the_sum_of_the_two_above_it(images):
    noise, moments = random_noise(1)[0], [0.0, 0.4, 1.0]
    figure = views.noising(images[0], noise, moments)
    for place, moment in enumerate(moments):
        a, b = alpha_bar(moment) ** 0.5, (1 - alpha_bar(moment)) ** 0.5
        for row, part in enumerate((a * images[0], b * noise, a * images[0] + b * noise)):
            torch.testing.assert_close(shown(figure.axes[3 * row + place]), grey(part), rtol=0, atol=1e-6)
        assert figure.axes[place].get_title() == f"t = {moment:g}"
        assert figure.axes[6 + place].get_xlabel() == f"ᾱ = {alpha_bar(moment):.2f}"
    assert "t = 0 to t = 1" in figure.alt


def test_estimates_stand_below_the_noisy_images(images):
    noisy = images[:2] + 1
    figure = views.denoised(noisy, images[:2], ["left", "right"])
    torch.testing.assert_close(shown(figure.axes[1]), grey(noisy[1]))
    torch.testing.assert_close(shown(figure.axes[3]), grey(images[1]))
    assert "left, right" in figure.alt


def test_copies_are_told_by_their_distance(images):
    figure = views.copies(images[:3], images[:3] + torch.tensor([0, 0.25, 0.5]).view(-1, 1, 1, 1))
    assert [ax.get_xlabel() for ax in figure.axes[3:]] == ["0.00", "0.25", "0.50"]
    assert "at most 0.50" in figure.alt


def test_posterior_weights_are_those_of_the_gaussians(images):
    x, shares = random_noise(3), torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64)
    found = memory.posterior(x, images, shares)
    for one in range(3):
        a, variance = shares[one].sqrt(), 1 - shares[one]
        density = [
            torch.exp(-(x[one].double() - a * image.double()).square().sum() / (2 * variance))
            for image in images
        ]
        torch.testing.assert_close(found[one], torch.stack(density) / sum(density))


def test_every_control_of_the_ideal_explorer_moves_picture_and_words(images):
    noise = random_noise(3)
    before = images.clone(), noise.clone()
    assert_every_control_moves_picture_and_words(views.ideal_explorer(images, ideal, noise, choices=5))
    assert torch.equal(images, before[0])
    assert torch.equal(noise, before[1])


def test_the_estimate_shown_is_that_of_the_function_that_is_handed_in(images):
    asked = []

    def constant(x, known, share):
        asked.append((x.clone(), share))
        return torch.full_like(x, 0.5)

    noise = random_noise(2)
    explorer = views.ideal_explorer(images, constant, noise)
    figure = explorer._draw(t=0.3, image=4, seed=1)
    clean, noisy, guess = figure.axes[:3]
    x, share = asked[-1]
    assert share == alpha_bar(0.3)
    torch.testing.assert_close(x[0], share**0.5 * images[4] + (1 - share) ** 0.5 * noise[1])
    torch.testing.assert_close(shown(clean), grey(images[4]))
    torch.testing.assert_close(shown(noisy), grey(x[0]))
    assert (shown(guess) == 0.75).all()


def test_a_denoiser_that_writes_into_its_input_does_not_spoil_the_picture(images):
    def rude(x, known, share):
        return x.zero_()

    noise = random_noise(1)
    figure = views.ideal_explorer(images, rude, noise)._draw(t=0.5, image=0, seed=0)
    share = alpha_bar(0.5)
    torch.testing.assert_close(
        shown(figure.axes[1]), grey(share**0.5 * images[0] + (1 - share) ** 0.5 * noise[0])
    )


def test_little_noise_leaves_one_candidate_and_much_noise_leaves_all(images):
    explorer = views.ideal_explorer(images, ideal, random_noise(1))
    figure = explorer._draw(t=0.05, image=3, seed=0)
    assert "puts 1.00 on that image" in figure.alt
    assert "entropy 0.0 of at most 2.5 nats" in figure.alt
    assert "image 3" in {text.get_text() for text in figure.axes[4].texts}
    figure = explorer._draw(t=1.0, image=3, seed=0)
    assert float(re.search(r"entropy ([\d.]+) of", figure.alt)[1]) > 2.3


def test_fewer_images_than_places_are_no_trouble():
    explorer = views.ideal_explorer(random_images(2), ideal, random_noise(1))
    assert explorer.error is None
    assert explorer.controls["image"].max == 1
