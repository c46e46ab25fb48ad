"""The table of lesson 3 that stands beside the paper's, and the words that the views share."""

import pytest
import torch

from oraledu.scaling import views
from oraledu.scaling.views import layout


def table(**changes):
    options = {
        "widths": (8, 12, 24),
        "seeds": 6,
        "steepness": (-0.274, -0.247),
        "ratio": {
            "solvable": {"constant": 1.42, "linear": 0.41},
            "MLP": {"constant": 1.8, "linear": 0.23},
            "text": {"constant": 1.07, "linear": 0.36},
        },
        "rest": {"solvable": 0.72, "MLP": 0.46, "text": 0.21},
        "since": {"solvable": 0.52, "MLP": 0.77, "text": 0.38},
        "quiet": {"one order": 0.69, "own orders": 0.59},
        "alpha": {"constant run's": (0.36, 0.31, 0.42), "own": (0.3, 0.24, 0.35)},
        "slopes": {"linear": 1.46, "cosine": 2.46},
        "wrong_exponent": 24.3,
        "differ": {"muP": 1, "one rate": 4},
    }
    return views.paper_and_here(**options | changes)


def test_the_table_beside_the_paper_holds_the_numbers_of_the_run():
    assert [row[2] for row in table().rows] == [
        "8 to 24 wide, 6 seeds",
        "MLP: curves end with slope -0.27, the frontier has -0.25",
        "solvable from x = 0.5; MLP from x = 0.8; text from x = 0.4",
        "solvable 0.4; MLP 0.2; text 0.4",
        "solvable 0.7; MLP 0.5; text 0.2",
        "solvable 1.4; MLP 1.8; text 1.1",
        "MLP 0.7; with orders of their own 0.6",
        "MLP, constant run's 0.36 (0.31 to 0.42); own 0.30 (0.24 to 0.35)",
        "solvable: linear 1.5, cosine 2.5",
        "solvable, off by 0.2: Δ between sizes 24 times as large",
        "F says at 4 of 4 points that sizes differ; with muP at 1",
    ]
    assert all(all(cell for cell in row) for row in table().rows)


def test_a_ladder_that_never_supercollapses_is_said_to_do_so_nowhere():
    assert "MLP nowhere" in str(table(since={"MLP": None}))


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (0.0187, 1, "0.02"), (0.0187, 2, "0.019"), (1.42, 1, "1"), (23.7, 1, "20"), (-0.052, 1, "-0.05"),
        (0.0, 2, "0"), (0.096, 1, "0.1"), (1234.0, 2, "1200"),
    ],
)  # fmt: skip
def test_few_digits_are_told_without_an_exponent(value, digits, words):
    assert layout.about(value, digits) == words


@pytest.mark.parametrize(("value", "words"), [(-0.04, "0.0"), (0.26, "0.3"), (-0.26, "-0.3")])
def test_a_zero_never_has_a_minus(value, words):
    assert layout.plain(value) == words


def test_sizes_have_short_names():
    assert layout.sizes_in_words([48, 9360, 1_478_016]) == ["48", "9,360", "1.48M"]


def test_schedules_look_the_same_everywhere_and_others_take_other_looks():
    assert layout.look(["cosine"], "cosine") == layout.look(["linear", "cosine"], "cosine")
    names = ["linear", "wsd", "quadratic", "constant"]
    assert len({layout.look(names, name) for name in names}) == 4


def test_sizes_have_colours_that_differ_in_brightness_in_one_order():
    weights = torch.tensor([0.2126, 0.7152, 0.0722])
    brightness = torch.tensor([list(map(float, colour[:3])) for colour in layout.shades(8)]) @ weights
    assert (brightness.diff() > 0.03).all()
