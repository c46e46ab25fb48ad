"""Schedules against their formulas; training time against integrals."""

import math

import pytest
import torch

from oraledu.scaling import schedules

X = torch.linspace(0, 1, 101, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("constant", lambda x: 1.0),
        ("linear", lambda x: 1 - x),
        ("cosine", lambda x: (1 + math.cos(math.pi * x)) / 2),
        ("multi-cosine", lambda x: (1 + math.cos(3 * math.pi * x)) / 2),
        ("quadratic", lambda x: 1 - x * x),
        ("wsd", lambda x: min(x / 0.02, 1) if x <= 0.8 else 5 * (1 - x)),
    ],
)
def test_a_named_schedule_is_its_formula(name, formula):
    expected = torch.tensor([formula(x) for x in X.tolist()], dtype=torch.float64)
    assert (schedules.resolve(name)(X) - expected).abs().max() <= 1e-14


def test_a_decay_leaves_the_rate_alone_before_it_begins():
    shape = schedules.Shape("cosine", decay=0.4)
    assert (shape(X[:61]) == 1).all()
    assert torch.allclose(shape(X[60:]), schedules.resolve("cosine")((X[60:] - 0.6) / 0.4))


def test_a_warm_up_rises_to_what_the_decay_leaves():
    shape, bare = schedules.Shape("linear", warmup=0.1), schedules.Shape("linear")
    assert torch.allclose(shape(X[:10]), bare(X[:10]) * X[:10] / 0.1)
    assert torch.equal(shape(X[10:]), bare(X[10:]))


@pytest.mark.parametrize("name", schedules.NAMED)
@pytest.mark.parametrize("steps", [1, 7, 1000])
def test_every_schedule_gives_each_step_a_share_of_the_full_rate(name, steps):
    rates = schedules.step_rates(name, steps)
    assert rates.shape == (steps,)
    assert rates.dtype == torch.float64
    assert ((rates >= 0) & (rates <= 1)).all()


@pytest.mark.parametrize(
    ("name", "integral"),
    [
        ("constant", 1),
        ("linear", 1 / 2),
        ("cosine", 1 / 2),
        ("multi-cosine", 1 / 2),
        ("quadratic", 2 / 3),
        ("wsd", 0.89),
    ],
)
def test_the_training_time_of_a_run_is_the_integral_of_its_schedule(name, integral):
    tau = schedules.training_time(schedules.step_rates(name, 1000))
    assert tau.shape == (1001,)
    assert tau[0] == 0
    assert tau[-1].item() == pytest.approx(1000 * integral, rel=1e-5)


def test_the_first_step_takes_the_rate_at_its_middle():
    assert schedules.step_rates("linear", 4).tolist() == [0.875, 0.625, 0.375, 0.125]


def test_any_function_of_progress_is_a_schedule():
    assert torch.equal(schedules.step_rates(lambda x: x.square(), 2), torch.tensor([0.0625, 0.5625]).double())


@pytest.mark.parametrize("name", ["", "Linear", "warmup", "inverse"])
def test_an_unknown_schedule_is_refused(name):
    with pytest.raises(
        ValueError, match="schedule must be one of constant, linear, cosine, multi-cosine, quadratic, wsd"
    ):
        schedules.resolve(name)


def test_what_is_neither_a_name_nor_a_function_is_refused():
    with pytest.raises(TypeError, match="schedule must be a name or a function of progress, got float"):
        schedules.resolve(0.5)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: 2 * x, "schedule must stay in"),
        (lambda x: x - 0.5, "schedule must stay in"),
        (lambda x: x * torch.nan, "schedule must stay in"),
        (lambda x: x[:1], r"schedule must return shape \(4,\)"),
    ],
)
def test_a_function_that_is_no_schedule_is_refused(function, words):
    with pytest.raises(ValueError, match=words):
        schedules.step_rates(function, 4)


def test_a_run_without_steps_is_refused():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        schedules.step_rates("linear", 0)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"shape": "line"}, "shape must be one of"),
        ({"decay": 0.0}, "decay must lie in"),
        ({"decay": 1.5}, "decay must lie in"),
        ({"warmup": 1.0}, "warmup must lie in"),
        ({"warmup": -0.1}, "warmup must lie in"),
    ],
)
def test_an_unfit_shape_is_refused(keywords, words):
    with pytest.raises(ValueError, match=words):
        schedules.Shape(**keywords)
