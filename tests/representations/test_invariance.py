"""InfoNCE, LiDAR and DiME: naive loops, closed forms, what they do not see, and what they refuse."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.representations import entropy, invariance
from tests.representations import naive
from tests.representations.samples import normal, rotation

VIEWS = given(prompts=st.integers(2, 7), width=st.integers(1, 7), seed=st.integers(0, 1000))
FEW = settings(max_examples=30)
TWO_VIEWS = (
    pytest.param(invariance.info_nce, id="info_nce"),
    pytest.param(lambda a, b: invariance.dime(a, b, generator=torch.Generator().manual_seed(0)), id="dime"),
    pytest.param(lambda a, b: invariance.dime(a, b, alpha=2), id="dime-2"),
)


def unit(z):
    return z / z.norm(dim=-1, keepdim=True)


def pair(prompts, width, seed=0, noise=0.5):
    a = normal(prompts, width, seed=seed)
    return a, a + noise * normal(prompts, width, seed=seed + 1)


def naive_info_nce(a, b, temperature):
    z, count, losses = unit(torch.cat([a, b])), len(a), []
    for i in range(2 * count):
        partner = (i + count) % (2 * count)
        others = [math.exp(float(z[i] @ z[j]) / temperature) for j in range(2 * count) if j != i]
        losses.append(-math.log(math.exp(float(z[i] @ z[partner]) / temperature) / sum(others)))
    return sum(losses) / len(losses)


def hadamard_entropy(a, b, order, alpha):
    k = unit(a) @ unit(a).T
    other = (unit(b) @ unit(b).T)[order][:, order]
    return entropy.from_gram(k * other, alpha)


@FEW
@VIEWS
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_info_nce_is_the_mean_surprise_at_the_other_view(temperature, prompts, width, seed):
    a, b = pair(prompts, width, seed)
    expected = naive_info_nce(a, b, temperature)
    assert invariance.info_nce(a, b, temperature).item() == pytest.approx(expected, abs=1e-9)


def test_a_tenth_is_the_default_temperature():
    a, b = pair(6, 8)
    assert torch.equal(invariance.info_nce(a, b), invariance.info_nce(a, b, temperature=0.1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("prompts", [2, 5, 200])
def test_info_nce_is_at_chance_where_nothing_tells_the_vectors_apart(prompts, dtype):
    alike = torch.ones(prompts, 3, dtype=dtype)
    for views in (alike, 0 * alike):
        found = invariance.info_nce(views, views).item()
        assert found == pytest.approx(math.log(2 * prompts - 1), abs=1e-5)
    a, b = pair(prompts, 8)
    assert invariance.info_nce(a, b, temperature=1e9).item() == pytest.approx(math.log(2 * prompts - 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [0.02, 0.05, 0.1, 1.0])
def test_info_nce_of_equal_views_of_orthogonal_rows_has_a_closed_form_that_goes_to_zero(temperature, dtype):
    rows = 3 * rotation(12)[:8].to(dtype)
    expected = math.log1p(14 * math.exp(-1 / temperature))
    assert invariance.info_nce(rows, rows, temperature).item() == pytest.approx(expected, rel=1e-4)


@FEW
@VIEWS
@pytest.mark.parametrize("measure", TWO_VIEWS)
def test_rotation_and_the_length_of_rows_change_nothing(measure, prompts, width, seed):
    a, b = pair(prompts, width, seed)
    turned, lengths = rotation(width, seed), 0.1 + normal(prompts, 1, seed=seed).square()
    before = measure(a, b)
    assert torch.allclose(measure(a @ turned, b @ turned), before, atol=1e-9)
    assert torch.allclose(measure(a * lengths, 1e3 * b), before, atol=1e-9)
    assert torch.allclose(measure(-a, -b), before, atol=1e-9)


@pytest.mark.parametrize("measure", TWO_VIEWS)
def test_two_views_are_alike_to_the_measure(measure):
    a, b = pair(200, 30)
    assert measure(a, b).item() == pytest.approx(measure(b, a).item(), rel=0.02)


@pytest.mark.parametrize("measure", TWO_VIEWS)
def test_a_batch_of_views_is_its_layers_one_by_one(measure):
    a, b = normal(2, 3, 6, 5), normal(2, 3, 6, 5, seed=1)
    layers = zip(a.flatten(0, 1), b.flatten(0, 1), strict=True)
    alone = torch.stack([measure(*each) for each in layers]).reshape(2, 3)
    assert torch.allclose(measure(a, b), alone, atol=1e-12)
    single = measure(a.float(), b.float())
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), alone, atol=1e-5)


def test_info_nce_takes_no_view_for_the_other_prompts_view():
    a, b = pair(20, 30, noise=0.1)
    assert invariance.info_nce(a, b) < invariance.info_nce(a, b.roll(1, dims=0)) - 1


@FEW
@given(
    prompts=st.integers(2, 6), count=st.integers(2, 5), width=st.integers(1, 30), seed=st.integers(0, 1000)
)
def test_lidar_by_the_small_matrix_is_lidar_by_its_definition(prompts, count, width, seed):
    views = normal(prompts, 1, width, seed=seed) + 0.7 * normal(prompts, count, width, seed=seed + 1)
    found = invariance.lidar(views, delta=1e-2).item()
    assert found == pytest.approx(naive.lidar(views, 1e-2).item(), abs=1e-9)
    assert 0 <= found <= math.log(max(1, min(prompts - 1, width))) + 1e-9


@pytest.mark.parametrize("width", [20, 100, 800])
def test_lidar_agrees_with_its_definition_at_the_size_of_a_model(width):
    views = normal(30, 1, width) + normal(30, 8, width, seed=1)
    assert invariance.lidar(views).item() == pytest.approx(naive.lidar(views, 1e-4).item(), rel=1e-9)


def test_lidar_never_factors_more_than_the_views_span(monkeypatch):
    seen, factor = [], torch.linalg.cholesky
    monkeypatch.setattr(torch.linalg, "cholesky", lambda k: seen.append(len(k)) or factor(k))
    invariance.lidar(normal(3, 4, 5000))
    invariance.lidar(normal(300, 4, 5))
    assert seen == [12, 5]


def test_lidar_of_equal_views_is_the_entropy_of_the_centred_prompts():
    prompts = normal(9, 14)
    views = prompts[:, None].expand(-1, 4, -1)
    expected = entropy.matrix_entropy(prompts - prompts.mean(dim=0))
    for delta in (1e-4, 1.0):
        assert torch.isclose(invariance.lidar(views, delta), expected)


def test_lidar_of_prompts_as_far_apart_as_can_be_is_log_of_one_less():
    corners = torch.eye(9, dtype=torch.float64)[:, None].expand(-1, 3, -1)
    assert invariance.lidar(corners).item() == pytest.approx(math.log(8))


def test_lidar_sees_neither_rotation_nor_a_move_nor_the_order_of_views():
    views = normal(6, 1, 10) + normal(6, 4, 10, seed=1)
    before = invariance.lidar(views)
    for same in (views @ rotation(10), views + 5, views.flip(0), views.flip(1)):
        assert torch.allclose(invariance.lidar(same), before)
    assert torch.allclose(invariance.lidar(1e3 * views, delta=1e2), before)


def test_lidar_discounts_the_directions_in_which_views_differ():
    spread = torch.tensor([1.0] * 5 + [30.0] * 5, dtype=torch.float64)
    views = normal(200, 1, 10) + 0.3 * spread * normal(200, 8, 10, seed=1)
    assert invariance.lidar(views).exp().item() == pytest.approx(5, abs=1.5)
    assert entropy.matrix_entropy(views.mean(dim=1) - views.mean(dim=(0, 1))).exp() > 6


def test_lidar_of_noise_alone_is_nearly_the_largest_and_says_nothing_about_invariance():
    noise, prompts = normal(200, 5, 8), 3 * normal(200, 1, 8, seed=1) * torch.linspace(0.1, 1, 8).double()
    one, both = (float(invariance.lidar(views)) / math.log(8) for views in (noise, prompts + noise))
    assert one > 0.98
    assert both < 0.9, "views that have something in common have less"


def test_lidar_in_more_coordinates_than_noise_spans_is_that_of_the_means_alone():
    views = normal(10, 1, 300) + normal(10, 3, 300, seed=1) * torch.linspace(0.1, 3, 300).double()
    means = views.mean(1)
    assert abs(invariance.lidar(views) - math.log(9)) < 0.1
    few = invariance.lidar(views[..., -4:])
    assert abs(few - invariance.lidar(views[..., -4:], delta=1e-8)) < 1e-3, "delta does not matter there"
    assert abs(invariance.lidar(1e-3 * views) - entropy.matrix_entropy(means - means.mean(0))) < 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lidar_of_prompts_that_are_all_alike_is_zero(dtype):
    assert invariance.lidar(torch.zeros(5, 4, 3, dtype=dtype)) == 0
    assert invariance.lidar(torch.ones(2, 5, 4, 300, dtype=dtype)).tolist() == [0, 0]


@pytest.mark.parametrize("width", [5, 40, 300])
def test_lidar_is_zero_where_only_rounding_tells_the_prompt_means_apart(width):
    views = normal(4, width)
    assert invariance.lidar(views.expand(5, 4, width)) == 0
    assert invariance.lidar(torch.stack([views.roll(shift, dims=0) for shift in range(4)])) == 0


def test_lidar_in_single_precision_is_computed_in_double():
    views = 1e3 * (normal(3, 20, 1, 64) + normal(3, 20, 8, 64, seed=1))
    found = invariance.lidar(views.float())
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), invariance.lidar(views), atol=1e-5)


@FEW
@VIEWS
@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_dime_is_the_mean_entropy_of_broken_pairs_less_that_of_true_ones(alpha, prompts, width, seed):
    a, b = pair(prompts, width, seed)
    draws = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(prompts, generator=draws) for _ in range(4)]
    broken = sum(hadamard_entropy(a, b, order, alpha).item() for order in orders) / 4
    expected = broken - hadamard_entropy(a, b, torch.arange(prompts), alpha).item()
    found = invariance.dime(a, b, alpha, 4, torch.Generator().manual_seed(seed))
    assert found.item() == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("prompts", [2, 3, 5])
def test_dime_at_order_two_averages_the_purity_over_all_permutations(prompts):
    a, b = pair(prompts, 4)
    orders = [torch.tensor(order) for order in itertools.permutations(range(prompts))]
    entropies = torch.stack([hadamard_entropy(a, b, order, 2) for order in orders])
    paired = hadamard_entropy(a, b, orders[0], 2)
    found = invariance.dime(a, b, alpha=2)
    assert torch.isclose(found, -(-entropies).exp().mean().log() - paired, atol=1e-12)
    assert found <= entropies.mean() - paired + 1e-12, "Jensen"


def test_drawn_permutations_come_near_the_exact_mean(generator):
    a, b = pair(40, 12)
    exact = invariance.dime(a, b, alpha=2)
    drawn = invariance.dime(a, b, alpha=2 + 1e-9, permutations=300, generator=generator)
    assert drawn.item() == pytest.approx(exact.item(), abs=2e-3)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_dime_is_zero_for_rows_all_alike_and_for_equal_views_of_orthogonal_rows(alpha, generator):
    for views in (torch.ones(7, 9).double(), torch.zeros(7, 9).double(), rotation(9)[:7]):
        assert invariance.dime(views, views, alpha, generator=generator).item() == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_dime_is_high_where_views_tell_of_each_other_and_near_zero_where_not(alpha, generator):
    a, b = pair(100, 5, noise=0.2)
    assert invariance.dime(a, b, alpha, generator=generator) > 0.3
    unrelated = normal(100, 5, seed=9)
    assert abs(invariance.dime(a, unrelated, alpha, generator=generator)) < 0.02


def test_dime_keeps_to_the_matrix_over_prompts_where_there_are_more_of_them_than_coordinates(generator):
    a, b = pair(50, 3)
    assert invariance.dime(a, b, generator=generator).item() > 0.1
    k = unit(a) @ unit(a).T * (unit(b) @ unit(b).T)
    assert torch.linalg.matrix_rank(k) == 9, "entry by entry, products have a rank above D"


def test_the_generator_decides_dime():
    a, b = pair(30, 10)
    found = [invariance.dime(a, b, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_all_layers_share_the_permutations(generator):
    a, b = pair(30, 10)
    found = invariance.dime(a.expand(3, -1, -1), b.expand(3, -1, -1), generator=generator)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("measure", TWO_VIEWS)
@pytest.mark.parametrize(
    ("a", "b", "error", "words"),
    [
        (torch.ones(4, 3), torch.ones(5, 3), ValueError, "a and b must be two views of the same prompts"),
        (torch.ones(4, 3), torch.ones(4, 3).double(), ValueError, "in one shape and type"),
        (torch.ones(1, 3), torch.ones(1, 3), ValueError, "a must have at least 2 prompts"),
        (torch.ones(4, 3), torch.full((4, 3), float("nan")), ValueError, "b must be finite"),
        (torch.ones(4, 3), torch.full((4, 3), float("inf")), ValueError, "b must be finite"),
        (torch.ones(4, 3).half(), torch.ones(4, 3).half(), TypeError, "a must be float32 or float64"),
    ],
)
def test_unfit_views_are_refused(measure, a, b, error, words):
    with pytest.raises(error, match=words):
        measure(a, b)


@pytest.mark.parametrize("temperature", [0, -0.1, float("nan")])
def test_a_temperature_not_above_zero_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature must be above 0"):
        invariance.info_nce(torch.eye(3), torch.eye(3), temperature)


@pytest.mark.parametrize(
    ("views", "error", "words"),
    [
        ([torch.ones(3, 4), torch.ones(2, 4)], TypeError, "views must be one tensor, got list"),
        (torch.ones(3, 4), ValueError, r"views must have shape \(\.\.\., n >= 2, q >= 2, D\)"),
        (torch.ones(1, 3, 4), ValueError, r"views must have shape \(\.\.\., n >= 2, q >= 2, D\)"),
        (torch.ones(3, 1, 4), ValueError, "views must have at least 2 views"),
        (torch.full((3, 3, 4), float("nan")), ValueError, "views must be finite"),
    ],
)
def test_views_that_lidar_cannot_take_are_refused(views, error, words):
    with pytest.raises(error, match=words):
        invariance.lidar(views)


@pytest.mark.parametrize("delta", [0, -1e-4, float("nan")])
def test_a_delta_not_above_zero_is_refused(delta):
    with pytest.raises(ValueError, match="delta must be above 0"):
        invariance.lidar(torch.ones(3, 3, 4), delta)


@pytest.mark.parametrize("scale", [1e9, 1e3, 1.0])
def test_a_delta_that_rounding_swallows_is_refused(scale):
    views = torch.eye(3, 4).double()[:, None] + torch.tensor([1.0, -1.0]).double()[None, :, None]
    rounding = 16 * torch.finfo(torch.float64).eps * scale**2  # D times the trace, 4 · (1 + 1 + 1 + 1)
    with pytest.raises(ValueError, match="take a larger one"):
        invariance.lidar(scale * views, 0.99 * rounding)
    assert invariance.lidar(scale * views, 1.01 * rounding).isfinite()


def test_dime_says_what_it_lacks():
    a, b = pair(5, 4)
    with pytest.raises(ValueError, match="generator must be given"):
        invariance.dime(a, b)
    with pytest.raises(ValueError, match="permutations must be at least 1"):
        invariance.dime(a, b, permutations=0, generator=torch.Generator())
    for alpha in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="alpha must be above 0"):
            invariance.dime(a, b, alpha, generator=torch.Generator())
