"""A wrong answer is an edit of a right one."""

import pytest

from oraledu.course.sandbox import told
from oraledu.course.slips import slips

SCALE = 3


def right(x, power=2):
    y = x + SCALE
    return y**power


TABLE = r"""
power=2 => power=3
x + SCALE => 2 * x
2 * \
x => x
  :: So, \
and so.
    y = x + SCALE\n => \n    y = x\n\n :: Add it.
"""


def other(x):
    return x


def test_an_edit_makes_the_wrong_function():
    (wrong,) = slips(right, "x + SCALE => x - SCALE :: Add it.")
    assert wrong.function(5) == 4
    assert right(5) == 64
    assert (wrong.mistake, wrong.edits) == ("Add it.", (("x + SCALE", "x - SCALE"),))


def test_several_edits_are_made_in_turn_and_a_default_can_be_edited():
    first, second = slips(right, TABLE)
    assert first.function(5) == 125
    assert first.mistake == "So, and so."
    assert second.function(5) == 25


def test_a_slip_that_is_no_edit_is_a_function():
    (wrong,) = slips(right, "", (other, "Nothing was done."))
    assert (wrong.function, wrong.edits) == (other, ())


@pytest.mark.parametrize(("old", "times"), [("z", 0), ("y", 2)])
def test_an_edit_that_does_not_match_exactly_once_is_refused(old, times):
    with pytest.raises(ValueError, match=f"'{old}' of right matches {times} times"):
        slips(right, f"{old} => w :: Never.")


def test_a_complaint_can_quote_the_edited_line():
    (wrong,) = slips(right, "x + SCALE => x.lost :: Never.")
    with pytest.raises(AttributeError) as caught:
        wrong.function(5)
    assert told(caught.value, wrong.function).endswith("in line 2 of your function: `y = x.lost`")


def test_an_edit_without_a_sentence_is_refused():
    with pytest.raises(ValueError, match=r"the edit 'x \+ SCALE' has no sentence"):
        slips(right, "x + SCALE => x")
