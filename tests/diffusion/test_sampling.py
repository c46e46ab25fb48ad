"""The sampler: where it must land, and what it keeps of its way."""

import math

import pytest
import torch

from oraledu.diffusion import machines, sampling, schedule


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("steps", [1, 2, 20])
def test_an_oracle_that_always_names_one_image_lands_on_it(steps):
    image = noise(1, 2, 4, 4, seed=1)
    found = sampling.sample(lambda x, t: image.expand_as(x), noise(3, 2, 4, 4), steps=steps)
    assert torch.equal(found.images, image.expand(3, 2, 4, 4))


def test_the_way_to_an_oracles_image_is_the_forward_process_backwards():
    image, start = noise(1, 1, 4, 4, seed=1), noise(1, 1, 4, 4)
    found = sampling.sample(lambda x, t: image, start)
    level = schedule.alpha_bar(1.0)
    eps = (start - math.sqrt(level) * image) / math.sqrt(1 - level)
    for t, noisy in zip(found.times, found.noisy, strict=True):
        level = schedule.alpha_bar(t)
        expected = math.sqrt(level) * image + math.sqrt(1 - level) * eps
        torch.testing.assert_close(noisy, expected, rtol=0, atol=1e-10)


def test_with_gaussian_data_the_variance_comes_closer_as_steps_grow():
    spread = 0.5

    def gaussian(x, t):
        level = schedule.alpha_bar(t)
        return x * math.sqrt(level) * spread**2 / (level * spread**2 + 1 - level)

    # The denoiser is linear, so each sample is a multiple of its noise, and that multiple is the deviation.
    start = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    errors = [
        abs(sampling.sample(gaussian, start, steps=steps).images.item() ** 2 - spread**2)
        for steps in (10, 20, 40, 80, 160)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 8


@pytest.mark.parametrize("machine", ["ideal", "local"])
def test_a_machine_with_one_training_image_returns_it(machine):
    image = noise(1, 1, 6, 6, seed=1).clamp(-1, 1)
    patches = None if machine == "ideal" else 3
    found = sampling.sample(machines.Machine(image, machine, patches), noise(4, 1, 6, 6))
    torch.testing.assert_close(found.images, image.expand(4, 1, 6, 6), rtol=0, atol=1e-12)


def test_the_ideal_machine_returns_training_images():
    images = noise(5, 1, 6, 6, seed=1).clamp(-1, 1)
    found = sampling.sample(machines.Machine(images, "ideal"), noise(8, 1, 6, 6)).images
    distances = (found[:, None] - images).flatten(2).norm(dim=2)
    assert distances.amin(dim=1).max() < 1e-6
    assert len(distances.argmin(dim=1).unique()) > 1


def test_what_it_keeps_of_the_way():
    asked = []

    def denoiser(x, t):
        asked.append((x, t))
        return x.tanh()

    start = noise(3, 1, 4, 4)
    found = sampling.sample(denoiser, start, steps=5)
    assert found.times == schedule.times(5)
    assert [t for _, t in asked] == found.times[:-1]
    assert found.noisy.shape == (6, 3, 1, 4, 4)
    assert found.denoised.shape == (5, 3, 1, 4, 4)
    assert torch.equal(found.noisy[0], start)
    assert torch.equal(found.images, found.noisy[-1])
    for step, (x, _) in enumerate(asked):
        assert torch.equal(x, found.noisy[step])
        assert torch.equal(x.tanh(), found.denoised[step])
    assert torch.equal(found.images, found.denoised[-1])


def test_twenty_steps_unless_told():
    assert len(sampling.sample(lambda x, t: x, noise(1, 1, 2, 2)).denoised) == 20


def test_the_same_noise_gives_the_same_bits_and_other_noise_another_image():
    machine = machines.Machine(noise(5, 1, 7, 7, seed=1).float(), "equivariant-local", 3)
    start = noise(2, 1, 7, 7).float()
    first, again = (sampling.sample(machine, start) for _ in range(2))
    assert torch.equal(first.noisy, again.noisy)
    other = sampling.sample(machine, noise(2, 1, 7, 7, seed=2).float())
    assert not torch.allclose(first.images, other.images)


def test_a_step_of_one_s_own_is_taken_with_the_levels_now_and_next():
    asked = []

    def step(x, denoised, now, following):
        asked.append((now, following))
        return x + denoised

    found = sampling.sample(lambda x, t: torch.full_like(x, t), torch.zeros(1, 1, 2, 2), steps=2, step=step)
    assert asked == [(schedule.alpha_bar(1.0), schedule.alpha_bar(0.5)), (schedule.alpha_bar(0.5), 1.0)]
    assert torch.equal(found.images, torch.full((1, 1, 2, 2), 1.5))


def test_no_gradients_are_kept():
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    found = sampling.sample(lambda x, t: weight * x, noise(1, 1, 2, 2))
    assert not found.images.requires_grad


def test_noise_that_is_no_batch_of_images_is_refused():
    with pytest.raises(ValueError, match=r"noise must be a batch of images \(B, C, H, W\)"):
        sampling.sample(lambda x, t: x, noise(1, 2, 2))


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        sampling.sample(lambda x, t: x, noise(1, 1, 2, 2), steps=0)


def test_an_estimate_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="denoised must have the shape of x"):
        sampling.sample(lambda x, t: x[:1], noise(2, 1, 2, 2))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_estimate_that_is_not_finite_is_refused_at_once(bad):
    def denoiser(x, t):
        return x * (bad if t < 0.5 else 1)

    with pytest.raises(ValueError, match=r"the denoiser's estimate at t = 0\.450 is not finite"):
        sampling.sample(denoiser, noise(1, 1, 2, 2))
