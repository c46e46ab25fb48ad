"""The coordinate check: with muP the first steps move every width alike, without it the wide ones run away."""

from dataclasses import replace

import pytest
import torch

from oraledu.scaling import ladder
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.mup import CoordinateCheck

WIDTHS = (16, 32, 64, 128, 256)


@pytest.fixture(params=["mlp", "transformer"])
def networks(request):
    """A ladder of each kind, and the widths to look at."""
    if request.param == "mlp":
        return ladder.MLPLadder((16,), Horizon(1.0, 1.0), pool=2**13, tests=256), WIDTHS
    return ladder.TransformerLadder((16,), Horizon(1.0, 1.0), context=8, tests=16), WIDTHS[:4]


def test_with_mup_the_features_move_alike(networks):
    kind, widths = networks
    assert abs(ladder.coordinate_check(kind, widths).slope) < 0.1


def test_at_one_rate_the_features_of_wide_networks_move_more(networks):
    kind, widths = networks
    assert ladder.coordinate_check(replace(kind, rates_of=16), widths).slope > 0.3


def test_the_change_is_the_root_mean_square_over_everything(mlp):
    found = ladder.coordinate_check(mlp, (4, 6), seeds=(0, 1), steps=3)
    run = mlp.begin(6, (0, 1), 3)
    before = mlp.features(run).detach()
    for _ in range(3):
        run.step(1.0)
    change = (mlp.features(run).detach() - before).square().mean().sqrt()
    assert found.change[1].item() == pytest.approx(change.item())
    assert found.widths.tolist() == [4, 6]


def test_the_slope_is_that_of_a_power_law():
    widths = torch.tensor(WIDTHS)
    assert CoordinateCheck(widths, 3 * widths.double() ** 0.7).slope == pytest.approx(0.7)


@pytest.mark.parametrize(("widths", "steps"), [((16,), 2), ((16, 16), 2), ((16, 32), 0)])
def test_too_little_to_compare_is_refused(widths, steps, mlp):
    with pytest.raises(ValueError, match="widths must hold two or more and steps be at least 1"):
        ladder.coordinate_check(mlp, widths, steps=steps)
