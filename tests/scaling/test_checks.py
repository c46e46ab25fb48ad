"""Each exercise of the lesson on scaling collapse accepts what is right and rejects every listed mistake."""

import bisect
import dataclasses

import numpy as np
import pytest
import torch

from oraledu.course.examine import examine
from oraledu.course.proof import rejections
from oraledu.course.quiz import Quiz
from oraledu.scaling import checks, curves, laws, noise
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.mlp import MLPLadder


def exercises(*values):
    return pytest.mark.parametrize("exercise", values or checks.ALL, ids=lambda exercise: exercise.name)


@exercises()
def test_every_listed_mistake_is_rejected_and_most_are_told_by_name(exercise):
    lines = rejections(exercise, attempts=2)
    assert len(lines) >= 6
    for mistake, line in lines.items():
        assert line.startswith(f"{exercise.name}: not yet right."), (mistake, line)
    unnamed = [mistake for mistake, line in lines.items() if mistake not in line]
    assert len(unnamed) <= len(lines) / 4, unnamed


@pytest.mark.parametrize(
    ("exercise", "promise"),
    [(exercise, promise) for exercise in checks.ALL for promise in exercise.properties],
    ids=lambda value: value.name.replace(" ", "-"),
)
def test_every_property_rejects_a_listed_mistake_by_itself(exercise, promise):
    alone = dataclasses.replace(exercise, cases=lambda generator: (), properties=[promise], full_size=None)
    statuses = [
        examine(alone, wrong.function, attempt=1, guard=False).status for wrong in alone.wrong_answers
    ]
    assert "wrong" in statuses


@exercises()
def test_every_exercise_has_two_or_three_hints_and_a_full_size(exercise):
    assert 2 <= len(exercise.hints) <= 3
    assert exercise.full_size is not None


def test_each_exercise_stands_under_the_name_of_its_function():
    for exercise in checks.ALL:
        assert getattr(checks, exercise.name) is exercise
        assert exercise.id == f"scaling.{exercise.name}"
        assert exercise.reference.__name__ == exercise.name


def test_five_exercises_are_core():
    assert [exercise.name for exercise in checks.ALL if exercise.core] == [
        "fit_line",
        "optimal_tokens",
        "normalize",
        "collapse_deviation",
        "mean_step",
    ]


def test_each_of_five_questions_has_one_right_answer():
    quizzes = [value for value in vars(checks.questions).values() if isinstance(value, Quiz)]
    assert len(quizzes) == 5
    for each in quizzes:
        assert [option.right for option in each.options].count(True) == 1, each.question


def fit_line(compute, loss, offset):
    table = np.stack([np.ones(len(compute)), np.log10(compute.numpy())], axis=1)
    level, slope = np.linalg.lstsq(table, np.log10(loss.numpy() - offset), rcond=None)[0]
    return 10**level, -slope


def find_offset(compute, loss):
    """Scan 400 offsets, and judge each by the errors in the loss itself."""
    x, losses, best = np.log(compute.numpy()), loss.numpy(), (np.inf, 0.0)
    for offset in np.linspace(0, losses.min(), 400, endpoint=False):
        line = np.polyfit(x, np.log(losses - offset), 1)
        error = np.square(losses - offset - np.exp(np.polyval(line, x))).sum()
        best = min(best, (error, offset))
    return best[1]


def optimal_tokens(parameters, mu, nu, a, b):
    return ((mu * a) / (nu * b) * parameters**nu) ** (1 / mu)


def universal_curve(x, mu, nu):
    return mu / (mu + nu) + nu / (mu + nu) / x**mu


def normalize(progress, loss, offset, grid):
    """Interpolate point by point."""
    rows, found = progress.expand(loss.shape).tolist(), []
    for size, records in enumerate(loss.tolist()):
        found.append([])
        for seed, run in enumerate(records):
            at, values = rows[size][seed], []
            for x in grid.tolist():
                right = min(max(bisect.bisect_left(at, x), 1), len(at) - 1)
                share = (x - at[right - 1]) / (at[right] - at[right - 1])
                values.append((1 - share) * run[right - 1] + share * run[right])
            found[-1].append([(value - offset) / (run[-1] - offset) for value in values])
    return torch.tensor(found, dtype=torch.float64)


def collapse_deviation(normalized):
    runs = normalized.numpy().reshape(-1, normalized.shape[2])
    mean = sum(runs) / len(runs)
    return torch.from_numpy(np.sqrt(sum((run - mean) ** 2 for run in runs) / len(runs)) / mean)


def variance_parts(normalized):
    sizes, seeds, points = normalized.shape
    size, seed = torch.zeros(points).double(), torch.zeros(points).double()
    whole = normalized.mean((0, 1))
    for rows in normalized:
        middle = rows.sum(0) / seeds
        size += (middle - whole) ** 2 / sizes
        for run in rows:
            seed += (run - middle) ** 2 / (sizes * seeds)
    return size, seed


def noise_floor(loss, offset):
    """Use E L² - (E L)², and the deviation of the losses over the mean above the offset."""
    losses = loss.numpy()
    mean = losses.mean(axis=1)
    return torch.from_numpy(np.sqrt((losses**2).mean(axis=1) - mean**2) / (mean - offset))


def mean_step(moments, eigenvalues, rate, batch, noise):
    """Gradient descent on the mean, plus the covariance of one example's gradient over the batch."""
    risk = sum(float(value * moment) for value, moment in zip(eigenvalues, moments, strict=True)) + noise
    covariance = eigenvalues * risk + eigenvalues**2 * moments
    return (1 - rate * eigenvalues) ** 2 * moments + rate * rate * covariance / batch


def predict_loss(tau, constant_loss, schedule, trace, alpha):
    """Walk through the steps one by one."""
    times, levels, noises = tau.tolist(), constant_loss.tolist(), trace.tolist()
    found, now, share = [], 0.0, float(schedule[0])
    for rate in [0.0, *schedule.tolist()]:
        if found:
            now, share = now + rate, rate
        right = min(max(bisect.bisect_left(times, now), 1), len(times) - 1)
        part = (now - times[right - 1]) / (times[right] - times[right - 1])
        level, noise = (
            values[right - 1] + part * (values[right] - values[right - 1]) for values in (levels, noises)
        )
        found.append(level - alpha * (1 - share) * noise)
    return torch.tensor(found, dtype=torch.float64)


def end_slope(grid, deviation):
    inside = [(x, d) for x, d in zip(grid.tolist(), deviation.tolist(), strict=True) if 0.975 < x < 0.995]
    left, height = np.log([[1 - x for x, _ in inside], [d for _, d in inside]])
    return np.polyfit(left, height, 1)[0]


def layer_rates(width, base_rate, base_width):
    falling = base_rate / (width / base_width)
    return {"readout": falling, "inner": falling, "embed": base_rate}


OTHERWISE = [
    fit_line,
    find_offset,
    optimal_tokens,
    universal_curve,
    normalize,
    collapse_deviation,
    variance_parts,
    noise_floor,
    mean_step,
    predict_loss,
    end_slope,
    layer_rates,
]


@pytest.mark.parametrize("function", OTHERWISE, ids=lambda function: function.__name__)
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_a_right_function_that_is_written_in_another_way_is_accepted(function, attempt):
    exercise = getattr(checks, function.__name__)
    outcome = examine(exercise, function, attempt=attempt)
    # How fast it is depends on the machine that runs this test.
    assert outcome.status == "correct" or "times slower than the reference" in outcome.line, outcome.line


def test_every_exercise_is_solved_in_another_way():
    assert [function.__name__ for function in OTHERWISE] == [exercise.name for exercise in checks.ALL]


@exercises()
def test_handing_over_the_reference_is_borrowed(exercise):
    assert examine(exercise, exercise.reference, attempt=1).status == "borrowed"


def by_fit(compute, loss, offset):
    law = laws.fit_frontier(compute, loss, offset)
    return law.coefficient, law.exponent


def by_parts(normalized):
    parts = curves.variance_parts(normalized)
    return parts.size, parts.seed


def by_ladder(width, base_rate, base_width):
    ladder = MLPLadder((width,), Horizon(1.0, 1.0), base_rate=base_rate, base_width=base_width)
    rates = ladder.layer_rates(width)
    return {"embed": rates["embed"], "inner": rates["up.0"], "readout": rates["readout"]}


BORROWED = {
    "fit_line": {"fit_frontier": by_fit},
    "find_offset": {"fit_frontier": lambda compute, loss: laws.fit_frontier(compute, loss).offset},
    "optimal_tokens": {
        "two_term": lambda parameters, mu, nu, a, b: (
            laws.two_term(mu, nu, time_coefficient=a, size_coefficient=b).horizon().tokens(parameters)
        )
    },
    "universal_curve": {"two_term": lambda x, mu, nu: laws.two_term(mu, nu).universal_curve(x)},
    "normalize": {"alias": lambda *arguments: curves.normalize(*arguments)},
    "collapse_deviation": {
        "alias": lambda normalized: curves.collapse_deviation(normalized),
        "variance_parts": lambda normalized: (
            curves.variance_parts(normalized).whole.sqrt() / normalized.mean((0, 1))
        ),
    },
    "variance_parts": {"alias": by_parts},
    "noise_floor": {"alias": lambda loss, offset: curves.noise_floor(loss, offset)},
    "predict_loss": {
        "predict": lambda *arguments: noise.predict(*arguments),
        "equal_tau": lambda tau, loss, schedule, trace, alpha: noise.equal_tau(tau, loss, schedule),
    },
    "layer_rates": {"MLPLadder": by_ladder},
}


@pytest.mark.parametrize(
    ("name", "road"),
    [(name, road) for name, roads in BORROWED.items() for road in roads],
    ids=lambda value: value,
)
def test_calling_the_library_is_borrowed(name, road):
    assert examine(getattr(checks, name), BORROWED[name][road], attempt=1).status == "borrowed"
