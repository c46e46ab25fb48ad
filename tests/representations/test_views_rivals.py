"""The figure of the rival: every rule stands at its gain, the best first, and the words say it in numbers."""

import numpy as np
import torch

from oraledu.representations import views
from oraledu.representations.rules import Trial
from tests.representations.pictures import looks_drawn


def trial(gains, layer):
    gain = torch.tensor(gains).double()
    return Trial(torch.full((4,), layer), gain, gain, gain, gain)


def drawn():
    models = {
        "deep": {"low A": trial([-0.04, -0.02], 3), "high A": trial([0.02, 0.04], 29)},
        "flat": {"low A": trial([0.0, 0.0], 6), "high A": trial([-0.02, 0.01], 5)},
    }
    return views.rule_gains(
        models=models, rival="high A", paper=["low A"], any_layer={"deep": -0.03, "flat": -0.08}, level=0.8
    )


def test_the_words_name_the_gain_and_the_layer_of_each_rule_the_best_first():
    alt = looks_drawn(drawn())
    assert "of 2 rules" in alt
    assert "intervals of 80%" in alt
    assert "deep: interval above zero for 1 of 2 rules, a layer at random -3.0" in alt
    assert "high A +3.0 (layer 29), low A -3.0 (layer 3)" in alt
    assert "flat: interval above zero for 0 of 2 rules, a layer at random -8.0" in alt
    assert "high A -0.5 (layer 5), low A +0.0 (layer 6)" in alt


def test_each_rule_stands_at_its_gain_with_its_interval_and_the_two_papers_look_unlike():
    axes = drawn().axes[0]
    rival, dot, paper, square = axes.lines[:4]
    np.testing.assert_allclose(rival.get_xdata(), [2.2, 3.8])
    np.testing.assert_allclose(dot.get_xdata(), [3])
    np.testing.assert_allclose(paper.get_xdata(), [-3.8, -2.2])
    assert (dot.get_marker(), square.get_marker()) == ("D", "s")
    assert dot.get_color() != square.get_color()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["high A", "low A"]
