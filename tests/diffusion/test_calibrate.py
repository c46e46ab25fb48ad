"""Calibration finds the schedule of a machine in disguise; agreement is Pearson's correlation, and its square."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.diffusion import calibrate
from oraledu.diffusion.machines import Machine
from tests.diffusion.awake import noise, seeded

SIZE, STEPS = 7, 6


@pytest.fixture(scope="module")
def images():
    """Twelve smooth random pictures in [-1, 1]."""
    draws = torch.rand(12, 1, SIZE + 2, SIZE + 2, generator=seeded(5), dtype=torch.float64)
    return 3 * torch.nn.functional.avg_pool2d(draws, 3, stride=1) - 1.5


def calibrated(network, images, candidates=(3, 5, 7), **keywords):
    options = {"noise": noise(5, 1, SIZE, SIZE), "steps": STEPS, **keywords}
    return calibrate.patch_schedule(network, images, candidates, **options)


@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize("kind", ["equivariant-local", "local"])
@pytest.mark.parametrize("hidden", [[7, 7, 5, 5, 3, 3], [3, 5, 7, 3, 5, 7], [5] * 6])
def test_a_machine_in_disguise_is_found_out(padding, kind, hidden, images):
    network = Machine(images, kind, hidden, padding)
    found = calibrated(network, images, padding=padding, machine=kind)
    assert found == hidden


def test_almost_equal_angles_at_the_start_are_told_apart_in_float32(images):
    # At t = 1 a score is nearly -x whatever the patch: cosines in float32 would be ties, and the larger patch wins.
    dim = (0.1 * images).float()
    network = Machine(dim, "equivariant-local", [3, 5, 3, 5, 3, 5])
    assert calibrated(network, dim, noise=noise(5, 1, SIZE, SIZE).float()) == [3, 5, 3, 5, 3, 5]


def test_of_equally_good_patches_the_larger_one_counts(images):
    # With one image every patch that sees two opposite borders recognises its place, and answers that image.
    single = images[:1]
    assert calibrated(Machine(single, "ideal"), single, (7, 13, 9)) == [13] * STEPS


def test_each_noise_has_one_vote_and_the_lower_median_counts(images):
    small, large = (Machine(images, "equivariant-local", patch) for patch in (3, 7))

    def divided(threes):
        """Answer like the small machine for some images of the batch, and like the large one for the others."""
        return lambda x, t: torch.cat([small(x[:threes], t), large(x[threes:], t)])

    start = noise(4, 1, SIZE, SIZE)
    assert calibrated(divided(3), images, noise=start) == [3] * STEPS
    assert calibrated(divided(2), images, noise=start) == [3] * STEPS
    assert calibrated(divided(1), images, noise=start) == [7] * STEPS


def test_the_order_of_the_candidates_does_not_matter(images):
    network = Machine(images, "local", [7, 7, 5, 5, 3, 3])
    orders = [(3, 5, 7), (7, 5, 3), (5, 7, 3)]
    assert len({tuple(calibrated(network, images, order)) for order in orders}) == 1


def test_a_class_is_calibrated_with_its_own_images(images):
    labels = torch.arange(12) % 2
    network = Machine(images, "equivariant-local", [7, 7, 5, 5, 3, 3], labels=labels, label=1)
    assert calibrated(network, images, labels=labels, label=1) == [7, 7, 5, 5, 3, 3]


def test_no_candidate_or_an_even_one_is_refused(images):
    network = Machine(images, "local", 3)
    with pytest.raises(ValueError, match="candidates must hold at least one odd patch size"):
        calibrated(network, images, ())
    with pytest.raises(ValueError, match="patch must be an odd number"):
        calibrated(network, images, (3, 4))


@given(seed=st.integers(0, 1000), batch=st.integers(1, 4), channels=st.sampled_from([1, 3]))
@settings(deadline=None, max_examples=25)
def test_the_correlation_is_that_of_numpy(seed, batch, channels):
    a, b = (noise(batch, channels, 4, 5, seed=seed + k) for k in (0, 1))
    expected = [np.corrcoef(x.flatten(), y.flatten())[0, 1] for x, y in zip(a, b, strict=True)]
    assert calibrate.pearson_r(a, b).tolist() == pytest.approx(expected, abs=1e-12)
    assert calibrate.r_squared(a, b).tolist() == pytest.approx([r**2 for r in expected], abs=1e-12)


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
@settings(deadline=None, max_examples=25)
def test_the_correlation_ignores_scale_and_shift(seed, scale, shift):
    a, b = noise(2, 1, 4, 4, seed=seed), noise(2, 1, 4, 4, seed=seed + 1)
    r = calibrate.pearson_r(a, b)
    assert torch.allclose(calibrate.pearson_r(scale * a + shift, b), r)
    assert torch.allclose(calibrate.pearson_r(b, a), r)
    assert torch.allclose(calibrate.pearson_r(-a, b), -r)
    assert torch.allclose(calibrate.pearson_r(a, scale * a + shift), torch.ones(2, dtype=torch.float64))


def test_the_squared_correlation_is_at_most_the_correlation():
    a, b = noise(50, 1, 3, 3), noise(50, 1, 3, 3, seed=1)
    r, squared = calibrate.pearson_r(a, b), calibrate.r_squared(a, b)
    assert ((squared >= 0) & (squared <= r.abs())).all()


def test_an_offset_does_not_cost_precision():
    a, b = noise(3, 1, 8, 8), noise(3, 1, 8, 8, seed=1)
    assert torch.allclose(calibrate.pearson_r(a + 1e6, b - 1e6), calibrate.pearson_r(a, b), atol=1e-8)


def test_float32_images_are_compared_in_float64():
    a, b = noise(2, 1, 8, 8).float(), noise(2, 1, 8, 8, seed=1).float()
    assert torch.equal(calibrate.pearson_r(a, b), calibrate.pearson_r(a.double(), b.double()))


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (noise(2, 1, 4, 4), noise(3, 1, 4, 4), "a and b must have one shape"),
        (noise(2, 4, 4), noise(2, 4, 4), r"a and b must have one shape \(B, C, H, W\)"),
        (noise(2, 1, 4, 4), torch.full((2, 1, 4, 4), torch.nan), "b must be finite"),
        (torch.zeros(2, 1, 4, 4), noise(2, 1, 4, 4), r"a must not hold constant images.*\[0, 1\]"),
    ],
)
def test_images_that_cannot_be_compared_are_refused(a, b, words):
    with pytest.raises(ValueError, match=words):
        calibrate.pearson_r(a, b)
