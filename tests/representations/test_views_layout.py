"""What the views share: looks, numbers in words, names that do not overlap."""

import pytest
import torch

from oraledu.course.figures import panels
from oraledu.representations.gram import gram
from oraledu.representations.views import layout
from oraledu.representations.views import words as in_words
from tests.representations.samples import normal


def test_tokens_made_of_a_gram_matrix_have_it():
    k = gram(normal(3, 6, 4))
    torch.testing.assert_close(gram(layout.tokens_of(k)), k)


def test_models_that_cannot_be_told_apart_are_not_drawn():
    for name, curve, look in layout.with_looks({"x": 1, "y": 2}):
        assert (name, curve, look) in [("x", 1, layout.LOOKS[0]), ("y", 2, layout.LOOKS[1])]
    with pytest.raises(ValueError, match="zip"):
        list(layout.with_looks(dict.fromkeys("abcdef", 0)))


def test_names_at_the_ends_of_lines_are_pushed_apart_and_keep_their_order():
    _, axes = panels([["only"]], height=200)
    axes["only"].set(xlim=(0, 1), ylim=(0, 1))
    layout.name_ends(axes["only"], [(0.5, "b", "black"), (0.5001, "c", "black"), (0.1, "a", "black")])
    places = {text.get_text(): text.xy[1] for text in axes["only"].texts}
    assert places["a"] == pytest.approx(0.1)
    assert places["c"] - places["b"] >= 0.0749
    assert places["b"] < 0.5 < places["c"]


@pytest.mark.parametrize(
    ("value", "words"), [(0.00123, "0.0012"), (1.0, "1"), (184.0, "180"), (6.3e8, "6.3e8"), (2349.0, "2,300")]
)
def test_a_number_of_any_size_has_two_digits_that_count(value, words):
    assert in_words.number(value) == words


def test_zero_has_no_sign():
    assert in_words.plain(-0.001) == "0.00"
    assert in_words.plain(torch.tensor(-0.006)) == "-0.01"


def test_a_long_text_is_cut_at_a_word():
    assert in_words.shortened("one two three", 9) == "one two …"
    assert in_words.shortened("one two", 9) == "one two"


def test_the_extremes_of_a_curve_are_told_with_their_layers():
    words = in_words.extremes(torch.tensor([0.5, 0.1, 0.9, 0.3]))
    assert words == "0.50 at layer 0, 0.30 at the last, lowest 0.10 at 1, highest 0.90 at 2"
