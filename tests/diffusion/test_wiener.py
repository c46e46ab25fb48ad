"""The best affine denoiser, and the local machine whose windows it draws: against loops, and in their limits."""

import pytest
import torch

from oraledu.diffusion.machines import denoise
from oraledu.diffusion.wiener import covariance_denoiser, wiener_denoiser, wiener_matrix
from tests.diffusion.awake import noise, seeded


def images(count=30, side=4, channels=1):
    return torch.rand(count, channels, side, side, generator=seeded(1), dtype=torch.float64) * 2 - 1


def test_no_affine_function_is_better_on_the_training_images():
    clean, a = images(), 0.6**0.5
    rows = clean.flatten(1)
    mean = rows.mean(0)
    covariance = torch.cov(rows.T, correction=0)

    def loss(matrix, offset):  # the mean over images and noise, in closed form
        bias = (a * matrix @ mean + offset - mean).square().sum()
        left = torch.eye(16).double() - a * matrix
        return (left @ covariance @ left.T).trace() + 0.4 * matrix.square().sum() + bias

    matrix = wiener_matrix(clean, 0.6)
    offset = mean - a * matrix @ mean
    least = loss(matrix, offset)
    torch.testing.assert_close(
        wiener_denoiser(torch.zeros(1, 1, 4, 4).double(), clean, 0.6).flatten(), offset
    )
    for seed in range(5):
        assert loss(matrix + 1e-3 * noise(16, 16, seed=seed), offset) > least
        assert loss(matrix, offset + 1e-3 * noise(16, seed=seed)) > least


@pytest.mark.parametrize("channels", [1, 3])
def test_the_filter_is_that_of_a_loop_over_pairs_of_pixels(channels):
    clean, x, level = images(9, 3, channels), noise(2, channels, 3, 3), 0.3
    rows, size = clean.flatten(1), 9 * channels
    mean = [sum(rows[:, i].tolist()) / 9 for i in range(size)]
    covariance = torch.tensor(
        [
            [sum(float((r[i] - mean[i]) * (r[j] - mean[j])) for r in rows) / 9 for j in range(size)]
            for i in range(size)
        ],
        dtype=torch.float64,
    )
    noisy = level * covariance + (1 - level) * torch.eye(size).double()
    expected = level**0.5 * covariance @ torch.linalg.inv(noisy)
    torch.testing.assert_close(wiener_matrix(clean, level), expected)
    mu = torch.tensor(mean, dtype=torch.float64)
    estimate = [mu + expected @ (one.flatten() - level**0.5 * mu) for one in x]
    torch.testing.assert_close(wiener_denoiser(x, clean, level).flatten(1), torch.stack(estimate))


def test_without_noise_it_is_the_projection_on_what_the_images_span_and_with_noise_alone_the_covariance():
    clean = images(5)
    last, first = wiener_matrix(clean, 1 - 1e-10), wiener_matrix(clean, 1e-10)
    torch.testing.assert_close(last @ last, last, atol=1e-4, rtol=0)
    assert last.trace() == pytest.approx(4, abs=1e-4)
    covariance = torch.cov(clean.flatten(1).T, correction=0)
    torch.testing.assert_close(first, 1e-5 * covariance, rtol=1e-6, atol=1e-14)


def test_pictures_in_float32_are_filtered_in_float64():
    clean, x = images(5), noise(3, 1, 4, 4)
    ours = wiener_denoiser(x.float(), clean.float(), 1 - 1e-6)
    assert ours.dtype == torch.float32
    expected = wiener_denoiser(x.float().double(), clean.float().double(), 1 - 1e-6)
    torch.testing.assert_close(ours.double(), expected, atol=1e-6, rtol=0)


def test_its_windows_are_those_pixels_that_reach_a_share_of_the_largest_ratio():
    clean, x, level, threshold = images(40, 3), noise(2, 1, 3, 3), 0.7, 0.15
    matrix = wiener_matrix(clean, level)
    ratios = [[float(abs(matrix[j, i]) / matrix[j, j]) for j in range(9)] for i in range(9)]
    largest, expected, used = max(map(max, ratios)), torch.zeros(2, 9, dtype=torch.float64), []
    for one, noisy in enumerate(x.flatten(1)):
        for i in range(9):
            window = [j for j in range(9) if ratios[i][j] >= threshold * largest]
            squares = (noisy[window] - level**0.5 * clean.flatten(1)[:, window]).square().sum(1)
            weights = torch.softmax(-squares / (2 - 2 * level), 0)
            expected[one, i] = weights @ clean.flatten(1)[:, i]
            used.append(len(window))
    assert 1 < sum(used) / len(used) < 9
    torch.testing.assert_close(covariance_denoiser(x, clean, level, threshold).flatten(1), expected)


def test_windows_of_every_pixel_make_it_the_ideal_machine():
    clean, x = images(), noise(3, 1, 4, 4)
    torch.testing.assert_close(
        covariance_denoiser(x, clean, 0.5, 0.0), denoise(x, clean, 0.5, machine="ideal")
    )


def test_a_pixel_that_never_varies_leaves_the_windows_of_the_others_as_they_are():
    clean = images()
    clean[:, 0, 0, 0] = -1.0
    x = 0.9999**0.5 * clean[[3]]
    torch.testing.assert_close(covariance_denoiser(x, clean, 0.9999), clean[[3]], atol=0.05, rtol=0)


@pytest.mark.parametrize("denoiser", [wiener_denoiser, covariance_denoiser])
def test_neither_knows_the_plane(denoiser):
    clean, x = images(), noise(3, 1, 4, 4)
    order = torch.randperm(16, generator=seeded(3))
    moved = [each.flatten(1)[:, order].view_as(each) for each in (x, clean, denoiser(x, clean, 0.8))]
    torch.testing.assert_close(denoiser(*moved[:2], 0.8), moved[2])


@pytest.mark.parametrize("denoiser", [wiener_denoiser, covariance_denoiser])
def test_one_image_is_its_own_estimate_wherever_no_pixel_varies(denoiser):
    clean = images(1)
    torch.testing.assert_close(denoiser(noise(2, 1, 4, 4), clean, 0.5), clean.expand(2, 1, 4, 4))


@pytest.mark.parametrize("denoiser", [wiener_denoiser, covariance_denoiser])
def test_what_does_not_fit_is_refused(denoiser):
    with pytest.raises(ValueError, match=r"alpha_bar must lie in \(0, 1\)"):
        denoiser(noise(1, 1, 4, 4), images(), 1.0)
    with pytest.raises(ValueError, match="x must be a batch of images like the training images"):
        denoiser(noise(1, 1, 5, 5), images(), 0.5)
    with pytest.raises(ValueError, match="threshold must lie in 0 to 1, got 2"):
        covariance_denoiser(noise(1, 1, 4, 4), images(), 0.5, 2)
