"""The quadratic kernel against its definition, autograd and the identities of its AGOP."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.grokking import arithmetic
from oraledu.grokking.quadratic import quadratic_agop, quadratic_gram

CASES = given(op=st.sampled_from("+-*/"), p=st.sampled_from([3, 5, 7, 11, 13]), seed=st.integers(0, 10_000))


def kernel(x, z, metric):
    return (x @ metric @ z.T) ** 2


@CASES
@settings(deadline=None, max_examples=30)
def test_the_gram_matrix_is_the_squared_form_for_any_metric(op, p, seed):
    generator = torch.Generator().manual_seed(seed)
    pairs_a, _, pairs_b, _ = arithmetic.split(*arithmetic.modular_table(op, p), 0.4, generator=generator)
    metric = torch.randn(2 * p, 2 * p, generator=generator, dtype=torch.float64)  # not symmetric
    x, z = arithmetic.one_hot_pairs(pairs_a, p), arithmetic.one_hot_pairs(pairs_b, p)
    expected = kernel(x, z, metric)
    assert (quadratic_gram(pairs_a, pairs_b, metric) - expected).abs().max() <= 1e-12 * expected.max()


@CASES
@pytest.mark.parametrize("centre", [True, False])
@settings(deadline=None, max_examples=30)
def test_the_agop_is_that_of_autograd(op, p, seed, centre, random_machine, jacobians, average_outer_product):
    pairs, coefficients, metric = random_machine(op, p, seed)
    x = arithmetic.one_hot_pairs(pairs, p)
    jacobian = jacobians(lambda point: kernel(point, x, metric) @ coefficients, pairs, p)
    expected = average_outer_product(jacobian, centre=centre)
    error = quadratic_agop(pairs, coefficients, metric, centre=centre) - expected
    assert error.abs().max() <= 1e-9 * expected.abs().max()


@CASES
@settings(deadline=None, max_examples=20)
def test_an_agop_is_symmetric_semi_definite_and_the_sum_of_its_classes(op, p, seed, random_machine):
    pairs, coefficients, metric = random_machine(op, p, seed)
    whole = quadratic_agop(pairs, coefficients, metric)
    assert (whole - whole.T).abs().max() <= 1e-12 * whole.abs().max()
    assert torch.linalg.eigvalsh(whole).min() >= -1e-12 * whole.trace()
    classes = [quadratic_agop(pairs, column[:, None], metric) for column in coefficients.T]
    assert torch.allclose(sum(classes), whole, rtol=1e-9, atol=1e-12 * whole.abs().max().item())


def test_centring_takes_off_the_mean_gradient(random_machine, jacobians):
    pairs, coefficients, metric = random_machine("+", 7, 0)
    x = arithmetic.one_hot_pairs(pairs, 7)
    mean = jacobians(lambda point: kernel(point, x, metric) @ coefficients, pairs, 7).mean(dim=0)  # (c, 2p)
    difference = quadratic_agop(pairs, coefficients, metric, centre=False) - quadratic_agop(
        pairs, coefficients, metric
    )
    assert torch.allclose(difference, mean.T @ mean, rtol=1e-9, atol=1e-9 * difference.abs().max().item())


def test_the_trace_is_the_mean_squared_gradient(random_machine, jacobians):
    pairs, coefficients, metric = random_machine("*", 11, 1)
    x = arithmetic.one_hot_pairs(pairs, 11)
    jacobian = jacobians(lambda point: kernel(point, x, metric) @ coefficients, pairs, 11)
    trace = quadratic_agop(pairs, coefficients, metric, centre=False).trace()
    assert torch.isclose(trace, jacobian.square().sum(dim=(1, 2)).mean(), rtol=1e-9)


def test_a_repeated_training_point_counts_twice(random_machine, jacobians, average_outer_product):
    pairs, coefficients, metric = random_machine("+", 5, 2)
    pairs = torch.cat([pairs, pairs[:3]])
    coefficients = torch.cat([coefficients, coefficients[4:7]])
    x = arithmetic.one_hot_pairs(pairs, 5)
    jacobian = jacobians(lambda point: kernel(point, x, metric) @ coefficients, pairs, 5)
    expected = average_outer_product(jacobian, centre=True)
    assert torch.allclose(quadratic_agop(pairs, coefficients, metric), expected, rtol=1e-9, atol=1e-9)


def test_the_type_follows_the_metric(random_machine):
    pairs, coefficients, metric = random_machine("+", 5, 3)
    assert quadratic_gram(pairs, pairs, metric.float()).dtype == torch.float32
    assert quadratic_agop(pairs, coefficients.float(), metric.float()).dtype == torch.float32


def test_digits_of_any_integer_type_are_taken(random_machine):
    pairs, coefficients, metric = random_machine("+", 5, 3)
    narrow = pairs.to(torch.uint8)
    assert torch.equal(quadratic_gram(narrow, narrow, metric), quadratic_gram(pairs, pairs, metric))
    assert torch.equal(
        quadratic_agop(narrow, coefficients, metric), quadratic_agop(pairs, coefficients, metric)
    )


def test_the_results_stay_on_the_device_of_the_inputs():
    pairs = torch.zeros(20, 2, dtype=torch.int64, device="meta")
    metric = torch.zeros(10, 10, device="meta")
    assert quadratic_gram(pairs, pairs, metric).device.type == "meta"
    coefficients = torch.zeros(20, 5, device="meta")
    assert quadratic_agop(pairs, coefficients, metric).device.type == "meta"
