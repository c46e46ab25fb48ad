"""Rank correlation and distance correlation: scipy, loops, and constant curves."""

import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.representations.correlation import distance_correlation, share_of_shifts, spearman
from tests.representations.samples import normal

CURVES = given(size=st.integers(3, 12), ties=st.booleans(), seed=st.integers(0, 1000))
BOTH = pytest.mark.parametrize("measure", [spearman, distance_correlation])


def curves(size, ties, seed):
    x, y = normal(2, size, seed=seed)
    return (x.round(), y.round()) if ties else (x, y)


def naive_distance_correlation(x, y):
    def centred(values):
        count = len(values)
        d = [[abs(a - b) for b in values] for a in values]
        rows = [sum(row) / count for row in d]
        grand = sum(rows) / count
        return [[d[i][j] - rows[i] - rows[j] + grand for j in range(count)] for i in range(count)]

    def product(a, b):
        return sum(
            p * q for row_a, row_b in zip(a, b, strict=True) for p, q in zip(row_a, row_b, strict=True)
        )

    a, b = centred(x.tolist()), centred(y.tolist())
    return (product(a, b) / (product(a, a) * product(b, b)) ** 0.5) ** 0.5


@settings(max_examples=30)
@CURVES
def test_spearman_is_that_of_scipy(size, ties, seed):
    x, y = curves(size, ties, seed)
    if min(len(x.unique()), len(y.unique())) > 1:
        assert spearman(x, y).item() == pytest.approx(scipy.stats.spearmanr(x, y).statistic)


@settings(max_examples=30)
@CURVES
def test_distance_correlation_is_its_definition(size, ties, seed):
    x, y = curves(size, ties, seed)
    if min(len(x.unique()), len(y.unique())) > 1:
        expected = naive_distance_correlation(x, y)
        assert distance_correlation(x, y).item() == pytest.approx(expected, abs=1e-6)
        assert 0 <= expected <= 1 + 1e-12


def test_a_share_of_shifts_is_that_of_the_naive_loop():
    x, y = normal(2, 12)
    size = abs(spearman(x, y))
    moved = [torch.cat([x[-places:], x[:-places]]) for places in range(1, 12)]
    expected = sum(abs(spearman(each, y)) >= size for each in moved) / 11
    assert share_of_shifts(x, y) == pytest.approx(float(expected))
    assert 0 < expected < 1


def test_smooth_curves_are_often_matched_by_their_shifts_and_a_rough_one_seldom():
    place = torch.arange(32.0)
    wave = torch.sin(2 * torch.pi * place / 32)
    assert share_of_shifts(wave, torch.sin(2 * torch.pi * (place + 7) / 32)) > 0.5
    rough = normal(32)
    assert share_of_shifts(rough, rough.exp()) == 0
    assert share_of_shifts(torch.ones(5), torch.arange(5.0)) == 1, "a flat curve is matched by every shift"
    with pytest.raises(ValueError, match="x and y must have as many values"):
        share_of_shifts(torch.ones(3), torch.ones(4))


@BOTH
def test_a_batch_is_its_curves_one_by_one(measure):
    x, y = normal(2, 3, 8), normal(2, 3, 8, seed=1)
    alone = [measure(a, b) for a, b in zip(x.flatten(0, 1), y.flatten(0, 1), strict=True)]
    assert torch.allclose(measure(x, y), torch.stack(alone).reshape(2, 3))
    one_for_all = torch.stack([measure(a, y[0, 0]) for a in x.flatten(0, 1)]).reshape(2, 3)
    assert torch.allclose(measure(x, y[0, 0]), one_for_all)


@BOTH
def test_a_line_agrees_with_itself_up_to_scale_and_shift(measure):
    x = normal(20)
    assert measure(x, 3 * x - 7).item() == pytest.approx(1)
    assert measure(x, -x).item() == pytest.approx(-1 if measure is spearman else 1)
    assert measure(x.float(), x.float()).item() == pytest.approx(1)


def test_ranks_see_order_alone_and_distances_see_what_has_no_direction():
    x = torch.linspace(-1, 1, 41).double()
    assert spearman(x, x.exp()).item() == pytest.approx(1)
    assert spearman(x, x.square()).item() == pytest.approx(0, abs=1e-12)
    assert distance_correlation(x, x.square()) > 0.4


@BOTH
def test_a_constant_curve_goes_together_with_nothing(measure):
    x = torch.stack([torch.full((9,), 0.1).double(), normal(9)])
    assert measure(x, normal(9, seed=1))[0] == 0
    assert measure(x, normal(9, seed=1))[1] != 0
    assert measure(normal(9), x)[0] == 0


@BOTH
@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (torch.ones(3), torch.ones(4), "x and y must have as many values, got 3 and 4"),
        (torch.ones(1), torch.ones(1), "x must have at least 2 values"),
        (torch.tensor(1.0), torch.ones(2), "x must have at least 2 values"),
        (torch.ones(2), torch.tensor([1.0, float("nan")]), "y must be finite"),
    ],
)
def test_unfit_curves_are_refused(measure, x, y, words):
    with pytest.raises(ValueError, match=words):
        measure(x, y)
