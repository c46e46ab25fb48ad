"""Numbers in words that say no more than holds everywhere."""

import pytest

from oraledu.course import words_a


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.97, "above 0.9"),
        (0.899, "above 0.8"),
        (1.0, "above 0.9"),
        (0.04, "above 0.0"),
        (-0.04, "above -0.1"),
    ],
)
def test_a_number_in_words_is_never_more_than_the_number(value, words):
    assert words_a.above(value) == words
