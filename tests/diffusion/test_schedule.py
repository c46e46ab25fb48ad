"""The noise schedule and the deterministic step."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oraledu.diffusion import schedule

LEVELS = st.floats(1e-4, 0.9999)


def test_all_image_at_the_start_and_a_trace_of_it_at_the_end():
    assert schedule.alpha_bar(0.0) == 1
    assert schedule.alpha_bar(1.0) == pytest.approx(1.55e-4, rel=0.01)
    assert schedule.alpha_bar(0.504) == pytest.approx(0.5)


def test_noise_only_grows():
    levels = [schedule.alpha_bar(t / 100) for t in range(101)]
    assert levels == sorted(levels, reverse=True)
    assert len(set(levels)) == 101


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_a_tensor_of_times_gives_a_tensor_of_levels(times):
    found = schedule.alpha_bar(torch.tensor(times, dtype=torch.float64))
    assert found.tolist() == pytest.approx([schedule.alpha_bar(t) for t in times], abs=1e-15)


@pytest.mark.parametrize("t", [-0.01, 1.01, math.nan, torch.tensor([0.5, 2.0]), torch.tensor(math.nan)])
def test_a_time_outside_is_refused(t):
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        schedule.alpha_bar(t)


@pytest.mark.parametrize("steps", [1, 3, 20, 49])
def test_times_go_from_noise_to_image_in_equal_steps(steps):
    times = schedule.times(steps)
    assert len(times) == steps + 1
    assert (times[0], times[-1]) == (1, 0)
    gaps = [now - following for now, following in pairwise(times)]
    assert gaps == pytest.approx([1 / steps] * steps)


@pytest.mark.parametrize("steps", [0, -1])
def test_at_least_one_step(steps):
    with pytest.raises(ValueError, match="steps must be at least 1"):
        schedule.times(steps)


@given(LEVELS, LEVELS)
def test_a_step_with_the_true_image_keeps_the_noise_and_changes_its_share(now, following):
    image, noise = torch.randn(2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = math.sqrt(now) * image + math.sqrt(1 - now) * noise
    expected = math.sqrt(following) * image + math.sqrt(1 - following) * noise
    found = schedule.ddim_step(x, image, now, following)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


@given(LEVELS)
def test_a_step_to_no_noise_ends_at_the_estimate_and_one_to_the_same_level_stays(now):
    x, denoised = torch.randn(2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(schedule.ddim_step(x, denoised, now, 1.0), denoised)
    torch.testing.assert_close(schedule.ddim_step(x, denoised, now, now), x, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("now", "following", "words"),
    [
        (0.0, 0.5, r"alpha_bar_now must lie in \(0, 1\)"),
        (1.0, 0.5, r"alpha_bar_now must lie in \(0, 1\)"),
        (math.nan, 0.5, r"alpha_bar_now must lie in \(0, 1\)"),
        (0.5, 0.0, r"alpha_bar_next must lie in \(0, 1\]"),
        (0.5, 1.1, r"alpha_bar_next must lie in \(0, 1\]"),
    ],
)
def test_a_level_out_of_range_is_refused(now, following, words):
    with pytest.raises(ValueError, match=words):
        schedule.ddim_step(torch.zeros(2), torch.zeros(2), now, following)


def test_an_estimate_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"denoised must have the shape of x, \(2, 3\), got \(3,\)"):
        schedule.ddim_step(torch.zeros(2, 3), torch.zeros(3), 0.5, 0.6)
