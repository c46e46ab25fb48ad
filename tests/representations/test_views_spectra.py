"""The explorer of power-law spectra, the entropy of every order, and effective rank against exp of the entropy."""

import math

import numpy as np
import pytest
import torch

from oraledu.representations import entropy, views
from oraledu.representations.views import spectra
from tests.representations.pictures import corners_are_drawn, every_position_is_drawn, looks_drawn
from tests.representations.samples import normal

N = 12


@pytest.fixture(scope="module")
def explorer():
    return views.spectrum_explorer(directions=N)


def test_every_position_of_every_control_has_a_picture_and_words(explorer):
    every_position_is_drawn(explorer)
    corners_are_drawn(explorer)


@pytest.mark.parametrize("alpha", spectra.ORDERS)
@pytest.mark.parametrize("beta", [0.0, 0.5, 3.0])
def test_the_box_is_as_wide_as_exp_of_the_entropy_and_holds_as_much_as_the_bars(explorer, beta, alpha):
    figure = explorer._draw(beta=beta, alpha=alpha)
    left, right = figure.axes
    weights = np.arange(1, N + 1) ** -beta
    heights = [bar.get_height() for bar in left.patches]
    np.testing.assert_allclose(heights, weights / weights.sum())
    expected = float(entropy.renyi(torch.from_numpy(weights), alpha))
    box = left.lines[0]
    assert np.ptp(box.get_xdata()) == pytest.approx(math.exp(expected))
    assert np.ptp(box.get_xdata()) * max(box.get_ydata()) == pytest.approx(1)
    curve, dot = right.lines[0], right.lines[1]
    assert dot.get_xdata()[0] == alpha
    assert dot.get_ydata()[0] == pytest.approx(expected)
    assert (np.diff(curve.get_ydata()) <= 1e-9).all()


def test_an_even_spectrum_counts_all_directions_at_every_order(explorer):
    for alpha in spectra.ORDERS:
        assert f"{N:.1f} equal shares" in explorer._draw(beta=0.0, alpha=alpha).alt


def test_the_orders_of_the_curve_hold_one_exactly():
    assert spectra.FINE_ORDERS[len(spectra.FINE_ORDERS) // 2] == 1.0


def test_the_entropy_drawn_is_that_of_the_function_handed_in():
    explorer = views.spectrum_explorer(
        directions=N, matrix_entropy=lambda z, alpha: torch.tensor(0.5 + 0.1 * alpha)
    )
    assert f"as wide as {math.exp(0.6):.1f} equal shares" in explorer.alt
    assert "at order 1 it is 0.60" in explorer.alt


def test_spectra_are_drawn_as_the_entropies_of_every_order():
    given = {"even": torch.ones(5), "one": torch.eye(5)[0], "steep": spectra.power_law(5, 2.0)}
    figure = views.entropy_orders(spectra=given)
    alt = looks_drawn(figure)
    assert f"even: from {math.log(5):.2f} over {math.log(5):.2f} at order 1 to {math.log(5):.2f}." in alt
    assert "one: from 0.00 over 0.00 at order 1 to 0.00." in alt
    for line, values in zip(figure.axes[0].lines, given.values(), strict=False):
        expected = [float(entropy.renyi(values.double(), order)) for order in line.get_xdata()]
        np.testing.assert_allclose(line.get_ydata(), expected, atol=1e-6)
    assert [text.get_text() for text in figure.axes[0].texts] == ["one", "steep", "even"]


def test_effective_ranks_lie_above_exp_of_the_entropy_and_a_printed_refutation_is_counted():
    matrices = normal(50, 6, 8)
    entropies, ranks = entropy.matrix_entropy(matrices), entropy.effective_rank(matrices)
    figure = views.rank_against_entropy(entropies=entropies, ranks=ranks)
    assert "50 lie above the diagonal, 0 below" in looks_drawn(figure)
    dots = figure.axes[0].lines[1]
    np.testing.assert_allclose(dots.get_xdata(), entropies.exp())
    np.testing.assert_allclose(dots.get_ydata(), ranks)
    assert (
        "0 lie above the diagonal, 50 below"
        in views.rank_against_entropy(entropies=entropies, ranks=ranks / 9).alt
    )
