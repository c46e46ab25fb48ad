"""What every check of the course keeps: nothing right is refused, nothing wrong passes, mistakes have their names."""

import dataclasses

import pytest

from oraledu.app import catalogue
from oraledu.course.examine import examine
from oraledu.course.quiz import Quiz
from tests.proof import rejections
from tests.published import EXERCISES, STYLES, published, right_answers, without_gradients

every_exercise = pytest.mark.parametrize(
    ("lesson", "exercise"), EXERCISES, ids=[exercise.name for _, exercise in EXERCISES]
)


def listed(kind):
    """Yield (exercise, function) for every entry of RIGHT or ROADS, with names for the tests."""
    for lesson, exercise in EXERCISES:
        entries = getattr(right_answers(lesson), kind)[exercise.name]
        named = entries.items() if isinstance(entries, dict) else ((each.__name__, each) for each in entries)
        for name, function in named:
            yield pytest.param(exercise, function, id=f"{exercise.name}-{name}".replace(" ", "-"))


def accepted(exercise, function, *, attempts=3):
    for attempt in range(1, attempts + 1):
        outcome = examine(exercise, function, attempt=attempt)
        # How fast a function is depends on the machine that runs this test.
        assert outcome.status in ("correct", "slow"), outcome.line


@every_exercise
def test_every_listed_mistake_is_rejected_and_most_are_told_by_name(lesson, exercise):
    lines = rejections(exercise, attempts=2)
    assert len(lines) >= 6
    for mistake, line in lines.items():
        assert line.startswith(f"{exercise.name}: not yet right."), (mistake, line)
    unnamed = [mistake for mistake, line in lines.items() if mistake not in line]
    # What raises quotes its exception instead, and a matrix that does not refute is told why.
    share = {"refute": 1, "discrete_log_order": 1 / 3}.get(exercise.name, 1 / 4)
    assert len(unnamed) <= len(lines) * share, unnamed


@pytest.mark.parametrize(
    ("exercise", "promise"),
    [
        pytest.param(exercise, promise, id=f"{exercise.name}-{promise.__name__}")
        for _, exercise in EXERCISES
        for promise in exercise.properties
    ],
)
def test_every_property_rejects_a_listed_mistake_by_itself(exercise, promise):
    alone = dataclasses.replace(exercise, cases=lambda generator: (), properties=[promise], full_size=None)
    statuses = (
        examine(alone, wrong.function, attempt=1, guard=False).status for wrong in alone.wrong_answers
    )
    assert "wrong" in statuses


@every_exercise
def test_an_exercise_has_hints_a_full_size_and_the_name_of_its_function(lesson, exercise):
    assert 2 <= len(exercise.hints) <= 3
    # Any matrix that refutes will do: there is nothing to compare it with, at whatever size.
    assert (exercise.full_size is None) == (exercise.name == "refute")
    assert exercise.id == f"{lesson.topic}.{exercise.name}"
    assert exercise.reference.__name__ == exercise.name


@every_exercise
def test_a_published_solution_is_right_while_all_others_are_unsolved(lesson, exercise):
    accepted(exercise, published(lesson, exercise.name))


@every_exercise
def test_a_right_function_is_right_however_it_is_handed_over(lesson, exercise):
    solution = published(lesson, exercise.name)
    # The properties and the full size ask for numbers, which a style does not change.
    forms = dataclasses.replace(exercise, properties=(), full_size=None)
    for style in STYLES:
        # Part 6 of lesson 1 differentiates what this function returns.
        if (style, exercise.name) != (without_gradients, "log_marginal"):
            accepted(forms, style(solution), attempts=1)


@pytest.mark.parametrize(("exercise", "function"), list(listed("RIGHT")))
def test_a_right_function_that_is_written_in_another_way_is_accepted(exercise, function):
    accepted(exercise, function)


@every_exercise
def test_there_are_four_other_ways_to_write_each(lesson, exercise):
    assert len(right_answers(lesson).RIGHT[exercise.name]) >= 4


@every_exercise
def test_handing_over_the_reference_is_borrowed(lesson, exercise):
    assert examine(exercise, exercise.reference, attempt=1).status == "borrowed"


@pytest.mark.parametrize(("exercise", "function"), list(listed("ROADS")))
def test_a_road_through_the_library_is_borrowed(exercise, function):
    assert examine(exercise, function, attempt=1).status == "borrowed"


@pytest.mark.parametrize("lesson", catalogue.LESSONS, ids=lambda lesson: lesson.topic)
def test_each_question_has_one_right_answer(lesson):
    questions = right_answers(lesson).checks.questions
    quizzes = [value for value in vars(questions).values() if isinstance(value, Quiz)]
    assert len(quizzes) >= 4
    for each in quizzes:
        assert [option.right for option in each.options].count(True) == 1, each.question
