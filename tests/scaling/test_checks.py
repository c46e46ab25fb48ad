"""What is special to the exercises of the lesson on scaling collapse."""

import importlib
from dataclasses import replace

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
    "name",
    [
        "fit_line",
        "find_offset",
        "normalize",
        "collapse_deviation",
        "variance_parts",
        "noise_floor",
        "predict_loss",
    ],
)
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_what_the_wrong_answers_are_edits_of_is_right(name, attempt):
    plain = importlib.import_module(f"oraledu.scaling.checks.{name}").plain
    assert examine(getattr(checks, name), plain, attempt=attempt, guard=False).status == "correct"


def test_a_reference_that_is_written_out_is_what_the_library_has():
    sizes = torch.logspace(1, 6, 9, dtype=torch.float64)
    x = torch.linspace(0.01, 2, 50, dtype=torch.float64)
    for mu, nu, a, b in ((0.4, 0.62, 3.0, 0.5), (0.7, 0.5, 0.2, 4.0)):
        model = laws.TwoTerm(mu, nu, time_coefficient=a, size_coefficient=b)
        tokens = references.optimal_tokens(sizes, mu, nu, a, b)
        assert torch.allclose(tokens, model.horizon().tokens(sizes), rtol=1e-12)
        assert torch.allclose(references.universal_curve(x, mu, nu), model.universal_curve(x), rtol=1e-12)
    networks = replace(settings.QUICK.mlp.ladder, base_rate=0.02, base_width=64)
    for width in (16, 48, 97, 256):
        theirs, mine = networks.layer_rates(width), references.layer_rates(width, 0.02, 64)
        assert theirs == pytest.approx({name: mine.get(name, mine["inner"]) for name in theirs})


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
