"""The random function: its formula, its tail and its norm."""

import math

import pytest
import torch

from oraledu.scaling.fourier import FourierTask, examples, pool


def test_the_values_are_those_of_the_formula():
    task = FourierTask(2, 30, target=3)
    k, b, w = task.coefficients()
    x = task.inputs(5, torch.Generator().manual_seed(0)).double()
    expected = [
        sum(
            w_i * math.sqrt(2) * math.cos(2 * math.pi * (k_i[0] * x_j[0] + k_i[1] * x_j[1]) + b_i)
            for k_i, b_i, w_i in zip(k.tolist(), b.tolist(), w.tolist(), strict=True)
        )
        for x_j in x.tolist()
    ]
    assert task.evaluate(x).tolist() == pytest.approx(expected, abs=1e-12)


def test_many_points_in_any_shape_are_evaluated_alike():
    task = FourierTask(3, 10)
    x = task.inputs(9000, torch.Generator().manual_seed(0)).double()
    whole = task.evaluate(x)
    assert torch.equal(task.evaluate(x.reshape(3, 3000, 3)), whole.reshape(3, 3000))
    assert torch.allclose(task.evaluate(x[8990:]), whole[8990:])
    assert task.evaluate(x.float()).dtype == torch.float32


def test_frequencies_are_whole_with_a_tail_of_power_two():
    k, b, w = FourierTask(2, 200_000).coefficients()
    assert torch.equal(k, k.round())
    length = k.norm(dim=1)
    for bound in (10, 30, 100):
        assert (length > bound).double().mean().item() == pytest.approx(bound**-2.0, rel=0.2, abs=5e-5)
    assert set(b.tolist()) == {0.0, math.pi / 2}
    assert (b == 0).double().mean().item() == pytest.approx(0.5, abs=0.01)
    assert w.square().sum().item() == pytest.approx(1)


def test_where_no_two_frequencies_meet_the_target_has_unit_variance():
    """In eight dimensions; in two, small frequencies are drawn again and again, and their weights add up."""
    _, y = examples(FourierTask(8, 500), 20_000, "anything")
    assert y.square().mean().item() == pytest.approx(1, abs=0.1)


def test_inputs_fill_the_box():
    x = FourierTask(2, 5).inputs(10_000, torch.Generator().manual_seed(0))
    assert -0.5 <= x.min() < -0.499
    assert 0.499 < x.max() <= 0.5


def test_the_key_decides_the_function_and_the_purpose_the_points():
    a, b = FourierTask(2, 50, target=0), FourierTask(2, 50, target=1)
    assert not torch.equal(a.coefficients()[2], b.coefficients()[2])
    assert torch.equal(examples(a, 10, "test")[0], examples(a, 10, "test")[0])
    assert not torch.equal(examples(a, 10, "test")[0], examples(a, 10, "pool")[0])


def test_the_pool_is_drawn_once():
    task = FourierTask(2, 50)
    assert pool(task, 100)[0] is pool(FourierTask(2, 50), 100)[0]
    x, y = pool(task, 100)
    assert torch.equal(y, task.evaluate(x.double()).float())
