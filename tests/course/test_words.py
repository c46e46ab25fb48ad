"""Numbers in words that say no more than holds everywhere."""

import pytest

from oraledu.course.words import above, bounded


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
    assert above(value) == words


@pytest.mark.parametrize(
    ("share", "told"), [(0.945, "above 0.9"), (1.0, "above 1.0"), (0.049, "below 0.1"), (0.1, "below 0.2")]
)
def test_a_share_is_told_by_the_tenth_that_it_lies_beyond(share, told):
    assert bounded(share) == told
