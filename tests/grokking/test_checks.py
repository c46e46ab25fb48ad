"""Each exercise of the lesson on grokking accepts the reference and rejects every listed mistake."""

import pytest

from oraledu.course.proof import rejections
from oraledu.grokking import checks


@pytest.mark.parametrize("exercise", checks.ALL, ids=lambda exercise: exercise.name)
def test_every_listed_mistake_is_rejected_with_a_line_that_names_it(exercise):
    lines = rejections(exercise)
    assert len(lines) >= 4
    for mistake, line in lines.items():
        assert line.startswith(f"{exercise.name}: not yet right."), (mistake, line)


@pytest.mark.parametrize("exercise", checks.ALL, ids=lambda exercise: exercise.name)
def test_every_exercise_has_two_or_three_hints_and_a_full_size(exercise):
    assert 2 <= len(exercise.hints) <= 3
    assert exercise.full_size is not None


def test_each_exercise_stands_under_the_name_of_its_function():
    for exercise in checks.ALL:
        assert getattr(checks, exercise.name) is exercise
        assert exercise.id == f"grokking.{exercise.name}"
        assert exercise.reference.__name__ == exercise.name
