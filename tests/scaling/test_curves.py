"""Normalised curves: invariance, brute force, and the law of total variance."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from oraledu.scaling import curves

GRID = torch.linspace(0.1, 1, 19, dtype=torch.float64)
CASES = given(
    sizes=st.integers(1, 5), seeds=st.integers(1, 6), points=st.integers(2, 12), seed=st.integers(0, 10_000)
)


def draw(sizes, seeds, points, seed):
    """Ragged progress up to 1 and falling losses above 0.3, one row a run."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.rand(sizes, seeds, points, generator=generator, dtype=torch.float64) + 0.05
    progress = steps.cumsum(-1)
    progress = 0.1 + 0.9 * (progress - progress[..., :1]) / (progress[..., -1:] - progress[..., :1])
    progress[..., -1] = 1
    progress[..., 0] = 0.1
    loss = 0.3 + torch.rand(sizes, seeds, points, generator=generator, dtype=torch.float64).cumsum(-1).flip(
        -1
    )
    return progress, loss


@CASES
@settings(deadline=None, max_examples=40)
def test_each_run_is_interpolated_and_divided_by_its_own_end(sizes, seeds, points, seed):
    progress, loss = draw(sizes, seeds, points, seed)
    found = curves.normalize(progress, loss, 0.2, GRID)
    assert found.shape == (sizes, seeds, len(GRID))
    for x, y, row in zip(progress.flatten(0, 1), loss.flatten(0, 1), found.flatten(0, 1), strict=True):
        expected = (np.interp(GRID, x, y) - 0.2) / (y[-1].item() - 0.2)
        assert row.numpy() == pytest.approx(expected, rel=1e-12)
    assert (found[..., -1] == 1).all()


@CASES
@settings(deadline=None, max_examples=30)
def test_shifting_and_scaling_losses_with_their_offset_changes_nothing(sizes, seeds, points, seed):
    progress, loss = draw(sizes, seeds, points, seed)
    plain = curves.normalize(progress, loss, 0.2, GRID)
    moved = curves.normalize(progress, 3 * loss + 0.7, 3 * 0.2 + 0.7, GRID)
    assert torch.allclose(plain, moved, rtol=1e-10)


def test_progress_may_be_shared_by_all_runs():
    progress, loss = draw(3, 2, 6, 0)
    shared = progress[0, 0]
    expected = curves.normalize(shared.expand_as(loss), loss, 0.0, GRID)
    assert torch.equal(curves.normalize(shared, loss, 0.0, GRID), expected)
    rows = progress[:, :1]
    expected = curves.normalize(rows.expand_as(loss), loss, 0.0, GRID)
    assert torch.equal(curves.normalize(rows, loss, 0.0, GRID), expected)


def test_a_record_on_the_grid_is_returned_to_the_last_bit():
    _, loss = draw(2, 3, 7, 1)
    progress = torch.linspace(0, 1, 7, dtype=torch.float64)
    assert torch.equal(curves.on_grid(progress, loss, progress), loss)
    assert torch.equal(curves.on_grid(progress, loss.float(), progress), loss.float())


@CASES
@settings(deadline=None, max_examples=30)
def test_the_deviation_is_the_spread_of_all_runs_over_their_mean(sizes, seeds, points, seed):
    normalized = curves.normalize(*draw(sizes, seeds + 1, points, seed), 0.2, GRID)
    runs = normalized.flatten(0, 1).numpy()
    found = curves.collapse_deviation(normalized)
    assert found.numpy() == pytest.approx(runs.std(axis=0, ddof=0) / runs.mean(axis=0), rel=1e-10, abs=1e-14)
    assert found[-1] == 0


@CASES
@settings(deadline=None, max_examples=30)
def test_the_floor_is_the_spread_of_raw_losses_over_seeds(sizes, seeds, points, seed):
    _, loss = draw(sizes, seeds + 1, points, seed)
    reducible = loss.numpy() - 0.2
    expected = reducible.std(axis=1, ddof=0) / reducible.mean(axis=1)
    found = curves.noise_floor(loss, 0.2)
    assert found.shape == (sizes, points)
    assert found.numpy() == pytest.approx(expected, rel=1e-10, abs=1e-14)


@CASES
@settings(deadline=None, max_examples=30)
def test_the_parts_of_the_variance_sum_to_the_whole(sizes, seeds, points, seed):
    normalized = curves.normalize(*draw(sizes, seeds + 1, points, seed), 0.2, GRID)
    parts = curves.variance_parts(normalized)
    whole = normalized.flatten(0, 1).numpy().var(axis=0, ddof=0)
    assert parts.whole.numpy() == pytest.approx(whole, rel=1e-12, abs=1e-12)
    mean = normalized.mean(dim=(0, 1))
    assert torch.allclose(parts.whole.sqrt() / mean, curves.collapse_deviation(normalized), atol=1e-10)
    runs = normalized.numpy()
    assert parts.size.numpy() == pytest.approx(runs.mean(axis=1).var(axis=0, ddof=0), rel=1e-9, abs=1e-12)
    assert parts.seed.numpy() == pytest.approx(runs.var(axis=1, ddof=0).mean(axis=0), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_sizes_that_do_not_differ_pass_the_limit_of_f_once_in_twenty_and_others_oftener(generator, seeds):
    noise = torch.randn(3, seeds, 20_000, generator=generator, dtype=torch.float64)
    for sizes, low, high in (([5.0, 5.0, 5.0], 0.04, 0.06), ([3.0, 5.0, 7.0], 0.25, 1)):
        parts = curves.variance_parts(torch.tensor(sizes)[:, None, None] + noise)
        ratio, limit = curves.f_test(parts.size, parts.seed, (3, seeds))
        assert low < (ratio > limit).double().mean().item() <= high


def test_f_is_that_of_a_one_way_analysis_of_variance(generator):
    runs = draw(4, 5, 3, 2)[1]
    parts = curves.variance_parts(runs)
    found = curves.f_test(parts.size, parts.seed, (4, 5))[0]
    assert found.numpy() == pytest.approx(stats.f_oneway(*runs.numpy()).statistic, rel=1e-9)


def test_divided_by_the_mean_end_the_deviation_of_a_size_is_its_floor():
    _, loss = draw(1, 8, 12, 3)
    reducible = loss - 0.2
    by_mean = reducible / reducible[..., -1:].mean()
    assert torch.allclose(curves.collapse_deviation(by_mean), curves.noise_floor(loss, 0.2)[0])


def test_independent_fluctuations_make_the_deviation_root_two_floors(generator):
    """Own-end normalisation adds the end's noise to that of every point if the two have nothing in common."""
    loss = 1 + 0.01 * torch.randn(4, 4000, 2, generator=generator, dtype=torch.float64)
    x = torch.tensor([0.5, 1.0], dtype=torch.float64)
    ratio = curves.collapse_deviation(curves.normalize(x, loss, 0.0, x)) / curves.noise_floor(loss, 0.0).mean(
        0
    )
    assert ratio[0].item() == pytest.approx(2**0.5, rel=0.03)


def test_common_fluctuations_cancel():
    loss = (
        torch.tensor([0.9, 1.0, 1.1], dtype=torch.float64)[None, :, None]
        * torch.tensor([3.0, 2.0, 1.0]).double()
    )
    x = torch.tensor([0.2, 0.6, 1.0], dtype=torch.float64)
    assert curves.collapse_deviation(curves.normalize(x, loss, 0.0, x)).max() <= 1e-15
    assert curves.noise_floor(loss, 0.0).min() > 0.05


@pytest.mark.parametrize(
    ("deviation", "expected"),
    [
        ([0.1, 0.1, 0.1, 0.1, 0.0], 0.2),
        ([0.3, 0.1, 0.3, 0.1, 0.0], 0.8),
        ([0.3, 0.2, 0.1, 0.1, 0.0], 0.6),
        ([0.1, 0.1, 0.1, 0.2, 0.0], None),
    ],
)
def test_supercollapse_begins_where_the_deviation_stays_below_the_floor(deviation, expected):
    grid = torch.tensor([0.2, 0.4, 0.6, 0.8, 1.0], dtype=torch.float64)
    floor = torch.full((5,), 0.2, dtype=torch.float64)
    assert curves.supercollapse_from(torch.tensor(deviation).double(), floor, grid) == expected


def test_the_floors_of_several_sizes_count_by_their_mean():
    grid = torch.tensor([0.5, 1.0])
    deviation, floors = torch.tensor([0.25, 0.0]), torch.tensor([[0.2, 0.2], [0.4, 0.2]])
    assert curves.supercollapse_from(deviation, floors, grid) == 0.5
    assert curves.supercollapse_from(deviation, floors[:1], grid) is None


PROGRESS = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
LOSS = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64).expand(2, 3, 3)
END = torch.tensor([0.5, 1.0], dtype=torch.float64)


@pytest.mark.parametrize(
    ("progress", "loss", "grid", "words"),
    [
        (PROGRESS.flip(0), LOSS, END, "progress must increase"),
        (PROGRESS[[0, 0, 2]], LOSS, END, "progress must increase"),
        (PROGRESS * 0.9, LOSS, END, "progress must end at 1"),
        (PROGRESS[1:], LOSS, END, r"progress must have shape \(3,\)"),
        (PROGRESS.expand(2, 3), LOSS, END, r"progress must have shape \(3,\)"),
        (PROGRESS.expand(3, 3, 3), LOSS, END, "does not fit losses of shape"),
        (PROGRESS, LOSS[0], END, r"loss must have shape \(sizes, seeds, points\)"),
        (PROGRESS, LOSS, END[:1], "grid must be increasing and end at x = 1"),
        (PROGRESS, LOSS, END.flip(0), "grid must be increasing and end at x = 1"),
        (PROGRESS, LOSS, torch.tensor([0.5, 1.5]), "grid must be increasing and end at x = 1"),
        (0.4 + 0.6 * PROGRESS, LOSS, torch.tensor([0.1, 1.0]), "grid must start at 0.4 or later"),
        (
            PROGRESS,
            LOSS.clone().index_fill_(1, torch.tensor(2), torch.nan),
            END,
            "size 0, seed 2 is not at point 0",
        ),
    ],
)
def test_unfit_curves_are_refused(progress, loss, grid, words):
    with pytest.raises(ValueError, match=words):
        curves.normalize(progress, loss, 0.0, grid)


@pytest.mark.parametrize("offset", [1.0, 2.5])
def test_an_offset_above_some_loss_is_refused(offset):
    for function in (
        lambda: curves.normalize(PROGRESS, LOSS, offset, END),
        lambda: curves.noise_floor(LOSS, offset),
    ):
        with pytest.raises(ValueError, match="offset must lie below every loss"):
            function()


def test_an_offset_above_a_loss_that_the_grid_skips_is_refused():
    loss = torch.tensor([3.0, 0.5, 1.0], dtype=torch.float64).expand(1, 2, 3)
    with pytest.raises(ValueError, match="offset must lie below every loss"):
        curves.normalize(PROGRESS, loss, 0.7, PROGRESS[[0, 2]])


def test_one_seed_has_no_floor():
    with pytest.raises(ValueError, match="loss must hold at least two seeds"):
        curves.noise_floor(LOSS[:, :1], 0.0)
    parts = curves.variance_parts(LOSS)
    for counts in ((3, 1), (1, 3)):
        with pytest.raises(ValueError, match="counts must be at least 2 sizes and 2 seeds"):
            curves.f_test(parts.size, parts.seed, counts)


def test_one_run_has_no_deviation():
    with pytest.raises(ValueError, match="normalized must hold at least two runs"):
        curves.collapse_deviation(LOSS[:1, :1])


@pytest.mark.parametrize("function", [curves.collapse_deviation, curves.variance_parts])
def test_a_diverged_run_is_refused(function):
    broken = LOSS.clone()
    broken[1, 0, 2] = torch.inf
    with pytest.raises(ValueError, match="normalized must be finite; size 1, seed 0 is not at point 2"):
        function(broken)


def test_mismatched_floors_are_refused():
    with pytest.raises(ValueError, match="deviation, floor and grid must have the same points"):
        curves.supercollapse_from(torch.ones(3), torch.ones(2), torch.ones(3))
