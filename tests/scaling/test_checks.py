"""What is special to the exercises of the lesson on scaling collapse."""

import importlib

import pytest
import torch

from oraledu.course.examine import examine
from oraledu.course.exercise import Reference, Todo
from oraledu.scaling import checks, laws, settings
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import frontier_points


def test_five_exercises_are_core():
    assert [exercise.name for exercise in checks.ALL if exercise.core] == [
        "fit_line",
        "optimal_tokens",
        "normalize",
        "collapse_deviation",
        "mean_step",
    ]


@pytest.mark.parametrize(
    "exercise", [each for each in checks.ALL if each.name != "mean_step"], ids=lambda each: each.name
)
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_what_the_wrong_answers_are_edits_of_is_right(exercise, attempt):
    plain = importlib.import_module(f"oraledu.scaling.checks.{exercise.name}").plain
    assert examine(exercise, plain, attempt=attempt, guard=False).status == "correct"


def test_the_line_of_exercise_1_is_that_of_the_frontier(generator):
    for offset in (0.0, 0.4):
        compute, loss = frontier_points(5, generator, offset=offset, noise=0.1)
        law = laws.fit_frontier(compute, loss, offset)
        assert references.fit_line(compute, loss, offset) == pytest.approx((law.coefficient, law.exponent))


def test_the_line_of_exercise_1_may_rise():
    compute = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    assert references.fit_line(compute, compute**0.5, 0.0) == pytest.approx((1.0, -0.5))


def test_exercise_11_may_be_solved_by_the_line_of_exercise_1_before_that_is_solved():
    def unsolved(compute, loss, offset):
        raise Todo

    fit_line = Reference(checks.fit_line.reference, "fit_line", unsolved)

    def end_slope(grid, deviation):
        near = (grid >= 0.975) & (grid <= 0.995)
        return -fit_line(1 - grid[near], deviation[near], 0.0)[1]

    for attempt in range(1, 11):
        assert examine(checks.end_slope, end_slope, attempt=attempt).status == "correct"


def test_the_step_of_exercise_9_walks_down_the_solvable_ladder():
    ladder = settings.QUICK.linear.ladder
    for schedule in ("constant", "linear"):
        one, other = ladder.expected(schedule), ladder.expected(schedule, step=references.mean_step)
        assert torch.allclose(one.loss, other.loss, rtol=1e-9)


def test_an_offset_that_needs_fine_steps_is_found_to_a_thousandth_of_what_is_above(generator):
    compute, loss = frontier_points(6, generator)
    assert references.find_offset(compute, loss + 300) == pytest.approx(300, abs=1e-3)


def test_the_lesson_hands_over_float64_alone():
    runs = settings.QUICK.linear.ladder.expected("linear", records=4)
    for values in (runs.progress, runs.compute, runs.loss, runs.trace, runs.tau, runs.parameters):
        assert values.dtype == torch.float64
