"""Curvature: the mean turning angle, its closed forms, what it does not see, and its way through the Gram matrix."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.representations.geometry import curvature, curvature_from_gram
from oraledu.representations.gram import gram
from tests.representations.samples import normal, rotation

PATHS = given(tokens=st.integers(3, 9), width=st.integers(1, 9), seed=st.integers(0, 1000))
BOTH = pytest.mark.parametrize(
    "measure", [curvature, lambda z: curvature_from_gram(gram(z))], ids=["states", "gram"]
)


def naive_curvature(z):
    angles = []
    for first, second in zip(z[1:] - z[:-1], z[2:] - z[1:-1], strict=False):
        cosine = float(first @ second / (first.norm() * second.norm()))
        angles.append(math.acos(max(-1, min(1, cosine))))
    return sum(angles) / len(angles)


@settings(max_examples=30)
@PATHS
@BOTH
def test_the_curvature_is_the_mean_angle_between_steps(measure, tokens, width, seed):
    z = normal(tokens, width, seed=seed)
    assert measure(z).item() == pytest.approx(naive_curvature(z), abs=1e-6)


@BOTH
def test_a_batch_is_its_paths_one_by_one(measure):
    z = normal(2, 3, 6, 5)
    alone = torch.stack([measure(path) for path in z.flatten(0, 1)]).reshape(2, 3)
    assert torch.allclose(measure(z), alone)
    assert measure(z.float()).dtype == torch.float32
    assert torch.allclose(measure(z.float()).double(), alone, atol=1e-5)


@settings(max_examples=30)
@PATHS
@BOTH
def test_moving_turning_scaling_and_walking_back_change_nothing(measure, tokens, width, seed):
    z = normal(tokens, width, seed=seed)
    before = measure(z)
    for same in (z + 3, z @ rotation(width, seed), 100 * z, -z, z.flip(0)):
        assert torch.allclose(measure(same), before, atol=1e-6)


@BOTH
def test_a_straight_line_does_not_turn(measure):
    line = torch.outer(torch.tensor([0.0, 1.0, 1.5, 4.0, 9.0]).double(), normal(7)) + normal(7, seed=1)
    assert measure(line).item() == pytest.approx(0, abs=1e-6)


@BOTH
def test_a_zigzag_turns_by_pi(measure):
    zigzag = torch.outer(torch.tensor([0.0, 1.0, -2.0, 2.0, 0.5]).double(), normal(7))
    assert measure(zigzag).item() == pytest.approx(math.pi, abs=1e-6)


@BOTH
@pytest.mark.parametrize("corners", [3, 4, 7, 100])
def test_a_regular_polygon_turns_by_its_outer_angle(measure, corners):
    angles = torch.arange(corners + 2, dtype=torch.float64) * (2 * torch.pi / corners)
    polygon = torch.stack([angles.cos(), angles.sin()], dim=1) @ normal(2, 2).new_tensor([[3, 0], [0, 3]])
    assert measure(polygon).item() == pytest.approx(2 * math.pi / corners)


@BOTH
def test_independent_tokens_turn_by_two_thirds_of_pi_and_a_random_walk_by_half(measure):
    z = normal(100, 2000)
    assert measure(z).item() == pytest.approx(2 * math.pi / 3, abs=0.02)
    assert measure(z.cumsum(dim=0)).item() == pytest.approx(math.pi / 2, abs=0.02)


@settings(max_examples=30)
@PATHS
def test_the_gram_matrix_is_all_that_curvature_needs(tokens, width, seed):
    z = normal(tokens, width + 1, seed=seed)
    assert torch.allclose(curvature_from_gram(gram(z)), curvature(z), atol=1e-7)


def test_the_gram_matrix_gives_curvature_to_rounding_where_paths_are_not_straight():
    z = normal(31, 24, 576)
    assert (curvature_from_gram(gram(z)) - curvature(z)).abs().max() < 1e-14


@BOTH
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tokens_that_are_all_alike_have_no_turn(measure, dtype):
    assert measure(normal(1, 300, dtype=dtype).expand(24, -1)) == 0
    assert measure(torch.zeros(2, 5, 4, dtype=dtype)).tolist() == [0, 0]


def test_steps_that_the_rounding_of_a_gram_matrix_hides_count_as_none():
    still = normal(1, 300) + 1e-10 * normal(24, 300, seed=1)
    assert curvature(still).item() == pytest.approx(2 * math.pi / 3, abs=0.1)
    assert curvature_from_gram(gram(still)) == 0


@BOTH
def test_a_token_that_equals_the_next_takes_its_turns_out_of_the_mean(measure):
    right_angle = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).double()
    assert measure(right_angle).item() == pytest.approx(math.pi / 2)
    waiting = torch.cat([right_angle, right_angle[-1:]])
    assert measure(waiting).item() == pytest.approx(math.pi / 2)
    batch = torch.stack([waiting, torch.zeros(4, 2).double()])
    assert measure(batch).tolist() == pytest.approx([math.pi / 2, 0])


@BOTH
def test_rounding_that_puts_a_cosine_past_one_gives_no_nan(measure):
    lines = torch.arange(5.0)[:, None] * normal(2000, 1, 33, dtype=torch.float32)
    assert measure(lines).isfinite().all()
    assert measure(lines).max() < 5e-3


@BOTH
def test_fewer_than_three_tokens_are_refused(measure):
    with pytest.raises(ValueError, match="must have at least 3 tokens"):
        measure(torch.ones(2, 4))


def test_states_that_are_not_finite_are_refused():
    z = normal(5, 4)
    z[2, 1] = float("nan")
    with pytest.raises(ValueError, match="z must be finite"):
        curvature(z)
    with pytest.raises(ValueError, match="k must be finite"):
        curvature_from_gram(z @ z.T)
