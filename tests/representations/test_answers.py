"""What the lesson answers below its explorers, and says in passing, is so."""

import math

import pytest
import torch

from oraledu.representations import entropy, geometry
from oraledu.representations.views.spectra import power_law
from tests.representations.samples import normal


@pytest.mark.parametrize(("order", "below", "above"), [(1.0, 1.0, 1.25), (2.0, 0.75, 1.0)])
def test_half_of_24_directions_count_near_a_steepness_of_one(order, below, above):
    counts = [entropy.renyi(power_law(24, beta), order).exp() for beta in (below, above)]
    assert counts[0] > 12 > counts[1]


@pytest.mark.parametrize("dimensions", [1, 2, 16])
def test_normal_tokens_turn_by_two_thirds_of_pi_in_every_dimension(dimensions):
    turns = geometry.curvature(normal(20_000, 3, dimensions))
    assert turns.mean().item() == pytest.approx(2 * math.pi / 3, abs=0.03)


def test_their_single_turns_gather_there_as_dimensions_grow():
    spreads = [geometry.curvature(normal(2000, 3, dimensions)).std() for dimensions in (2, 16, 512)]
    assert spreads[0] > 2 * spreads[1] > 4 * spreads[2]


def test_a_rounded_zero_counts_a_ten_thousandth_at_order_a_quarter():
    share = torch.tensor([1.0, 1e-16], dtype=torch.float64)
    assert share.pow(0.25)[1].item() == pytest.approx(1e-4)
