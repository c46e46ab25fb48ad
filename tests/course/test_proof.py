"""The proof of a check fails where the check is too strict or too lenient."""

import pytest

from oraledu.course.exercise import WrongAnswer
from tests.course.synthetic import COLUMNS, UNSTABLE, columns_softmax, good_softmax, softmax, softmax_exercise
from tests.proof import rejections


def test_every_wrong_answer_is_rejected_with_its_own_mistake():
    lines = rejections(softmax_exercise())
    assert list(lines) == [COLUMNS, UNSTABLE]
    assert all(mistake in line for mistake, line in lines.items())


def test_a_wrong_answer_may_be_built_on_the_reference():
    exercise = softmax_exercise(wrong_answers=[WrongAnswer(lambda x: 2 * softmax(x), "You doubled it.")])
    assert "You doubled it." in rejections(exercise)["You doubled it."]


def test_a_wrong_answer_that_is_right_fails_the_proof():
    exercise = softmax_exercise(wrong_answers=[WrongAnswer(good_softmax, "Nothing.")])
    with pytest.raises(AssertionError, match=r"this wrong answer is not rejected: Nothing\."):
        rejections(exercise)


def test_a_wrong_answer_that_is_rejected_only_on_some_inputs_fails_the_proof():
    def sometimes(scores):
        return columns_softmax(scores) if scores[0, 0] > 0 else good_softmax(scores)

    exercise = softmax_exercise(
        wrong_answers=[WrongAnswer(sometimes, "Luck.")],
        cases=lambda generator: softmax_exercise().cases(generator)[:1],
        properties=[],
    )
    with pytest.raises(AssertionError, match="this wrong answer is not rejected"):
        rejections(exercise, attempts=20)


def test_a_reference_that_breaks_its_own_rules_fails_the_proof():
    with pytest.raises(
        AssertionError, match=r"the reference does not pass its own check: .*changes its inputs"
    ):
        rejections(softmax_exercise(reference=in_place, wrong_answers=[]))


def in_place(scores):
    scores.zero_()
    return good_softmax(scores)
