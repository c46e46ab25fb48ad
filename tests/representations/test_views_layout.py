"""What the views share: checks of what comes in, numbers in words, names that do not overlap."""

import pytest
import torch

from oraledu.course.figures import panels
from oraledu.representations.gram import gram
from oraledu.representations.views import layout
from tests.representations.pictures import curves
from tests.representations.samples import normal


def test_tokens_made_of_a_gram_matrix_have_it():
    k = gram(normal(3, 6, 4))
    torch.testing.assert_close(gram(layout.tokens_of(k)), k)


def test_names_at_the_ends_of_lines_are_pushed_apart_and_keep_their_order():
    _, axes = panels([["only"]], height=200)
    axes["only"].set(xlim=(0, 1), ylim=(0, 1))
    layout.name_ends(
        axes["only"], [(1, 0.5, "b", "black"), (1, 0.5001, "c", "black"), (1, 0.1, "a", "black")]
    )
    places = {text.get_text(): text.xy[1] for text in axes["only"].texts}
    assert places["a"] == pytest.approx(0.1)
    assert places["c"] - places["b"] >= 0.0749
    assert places["b"] < 0.5 < places["c"]


@pytest.mark.parametrize(
    ("value", "words"), [(0.00123, "0.0012"), (1.0, "1"), (184.0, "180"), (6.3e8, "6.3e8"), (2349.0, "2,300")]
)
def test_a_number_of_any_size_has_two_digits_that_count(value, words):
    assert layout.number(value) == words


def test_zero_has_no_sign():
    assert layout.plain(-0.001) == "0.00"
    assert layout.plain(torch.tensor(-0.006)) == "-0.01"


def test_a_long_text_is_cut_at_a_word():
    assert layout.shortened("one two three", 9) == "one two …"
    assert layout.shortened("one two", 9) == "one two"


def test_the_extremes_of_a_curve_are_told_with_their_layers():
    words = layout.extremes(torch.tensor([0.5, 0.1, 0.9, 0.3]))
    assert words == "0.50 at layer 0, 0.30 at the last, lowest 0.10 at 1, highest 0.90 at 2"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({}, "empty"),
        ({"a": torch.zeros(3), "b": torch.zeros(4)}, r"'b'.*same layers"),
        ({"a": torch.zeros(3, 2)}, r"shape \(3, 2\)"),
        ({"a": torch.zeros(1)}, "2 or more"),
        ({"a": torch.tensor([0.0, torch.nan])}, "'a' that is not finite"),
    ],
)
def test_curves_that_do_not_fit_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        layout.check_curves(bad, "metrics")


def test_models_must_have_the_same_curves_and_not_be_too_many():
    assert layout.check_models({"x": curves("a"), "y": curves("a", layers=3)}, "scores") == {"x": 5, "y": 3}
    with pytest.raises(ValueError, match=r"scores is empty"):
        layout.check_models({}, "scores")
    with pytest.raises(ValueError, match=r"has b for 'y'; expected a"):
        layout.check_models({"x": curves("a"), "y": curves("b")}, "scores")
    with pytest.raises(ValueError, match=r"5 models; 4 can be told apart"):
        layout.check_models({str(place): curves("a") for place in range(5)}, "scores")


@pytest.mark.parametrize(
    ("grams", "prompts", "message"),
    [
        ([], [], "0 and prompts 0"),
        ([torch.zeros(2, 4, 4)], ["a", "b"], "1 and prompts 2"),
        ([torch.zeros(4, 4)], ["a"], r"shape \(4, 4\)"),
        ([torch.zeros(2, 4, 3)], ["a"], r"shape \(2, 4, 3\)"),
        ([torch.zeros(2, 2, 2)], ["a"], "at least 3 tokens"),
        ([torch.zeros(2, 4, 4), torch.zeros(3, 4, 4)], ["a", "b"], "same layers"),
    ],
)
def test_gram_matrices_that_do_not_fit_are_refused(grams, prompts, message):
    with pytest.raises(ValueError, match=message):
        layout.check_grams(grams, prompts)
