"""The Gaussian kernel against its definition, autograd and the identities of its AGOP."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.grokking import arithmetic
from oraledu.grokking.gaussian import gaussian_agop, gaussian_gram

CASES = given(
    op=st.sampled_from("+-*/"),
    p=st.sampled_from([3, 5, 7, 11, 13]),
    seed=st.integers(0, 10_000),
    bandwidth=st.sampled_from([0.7, 1.0, 2.5, 5.0]),
)


def kernel(x, z, metric, bandwidth):
    return torch.exp(-torch.einsum("jd,de,je->j", x - z, metric, x - z) / (2 * bandwidth**2))


@CASES
@settings(deadline=None, max_examples=30)
def test_the_gram_matrix_is_the_exponential_of_the_distance(op, p, seed, bandwidth, random_machine):
    pairs, _, metric = random_machine(op, p, seed)
    x = arithmetic.one_hot_pairs(pairs, p)
    expected = torch.stack([kernel(point, x[: p + 1], metric, bandwidth) for point in x])
    result = gaussian_gram(pairs, pairs[: p + 1], metric, bandwidth=bandwidth)
    assert (result - expected).abs().max() <= 1e-12


@CASES
@pytest.mark.parametrize("centre", [True, False])
@settings(deadline=None, max_examples=30)
def test_the_agop_is_that_of_autograd(
    op, p, seed, bandwidth, centre, random_machine, jacobians, average_outer_product
):
    pairs, coefficients, metric = random_machine(op, p, seed)
    x = arithmetic.one_hot_pairs(pairs, p)
    jacobian = jacobians(lambda point: kernel(point, x, metric, bandwidth) @ coefficients, pairs, p)
    expected = average_outer_product(jacobian, centre=centre)
    error = gaussian_agop(pairs, coefficients, metric, bandwidth=bandwidth, centre=centre) - expected
    assert error.abs().max() <= 1e-9 * expected.abs().max()


@pytest.mark.parametrize("centre", [True, False])
def test_the_agop_is_that_of_autograd_over_several_blocks(
    centre, random_machine, jacobians, average_outer_product
):
    pairs, coefficients, metric = random_machine("+", 29, 5)  # 420 points
    coefficients = coefficients[:, :4]
    x = arithmetic.one_hot_pairs(pairs, 29)
    jacobian = jacobians(lambda point: kernel(point, x, metric, 2.5) @ coefficients, pairs, 29)
    expected = average_outer_product(jacobian, centre=centre)
    error = gaussian_agop(pairs, coefficients, metric, centre=centre) - expected
    assert error.abs().max() <= 1e-9 * expected.abs().max()


@CASES
@settings(deadline=None, max_examples=20)
def test_an_agop_is_symmetric_semi_definite_and_the_sum_of_its_classes(
    op, p, seed, bandwidth, random_machine
):
    pairs, coefficients, metric = random_machine(op, p, seed)
    whole = gaussian_agop(pairs, coefficients, metric, bandwidth=bandwidth)
    assert (whole - whole.T).abs().max() <= 1e-12 * whole.abs().max()
    assert torch.linalg.eigvalsh(whole).min() >= -1e-12 * whole.trace()
    classes = [
        gaussian_agop(pairs, column[:, None], metric, bandwidth=bandwidth) for column in coefficients.T
    ]
    assert torch.allclose(sum(classes), whole, rtol=1e-9, atol=1e-12 * whole.abs().max().item())


def test_the_bandwidth_and_the_metric_trade_off(random_machine):
    pairs, _, metric = random_machine("+", 7, 0)
    wide = gaussian_gram(pairs, pairs, metric, bandwidth=2.5)
    assert torch.allclose(gaussian_gram(pairs, pairs, metric / 2.5**2, bandwidth=1.0), wide)


def test_a_repeated_training_point_counts_twice(random_machine, jacobians, average_outer_product):
    pairs, coefficients, metric = random_machine("+", 5, 2)
    pairs = torch.cat([pairs, pairs[:3]])
    coefficients = torch.cat([coefficients, coefficients[4:7]])
    x = arithmetic.one_hot_pairs(pairs, 5)
    jacobian = jacobians(lambda point: kernel(point, x, metric, 2.5) @ coefficients, pairs, 5)
    expected = average_outer_product(jacobian, centre=True)
    assert torch.allclose(gaussian_agop(pairs, coefficients, metric), expected, rtol=1e-9, atol=1e-9)


def test_a_squared_distance_below_zero_counts_as_zero(generator):
    pairs = arithmetic.modular_table("+", 5)[0]
    indefinite = -torch.eye(10, dtype=torch.float64)
    assert torch.equal(gaussian_gram(pairs, pairs, indefinite), torch.ones(25, 25, dtype=torch.float64))


def test_the_type_follows_the_metric(random_machine):
    pairs, coefficients, metric = random_machine("+", 5, 3)
    assert gaussian_gram(pairs, pairs, metric.float()).dtype == torch.float32
    assert gaussian_agop(pairs, coefficients.float(), metric.float()).dtype == torch.float32


def test_the_gram_matrix_stays_on_the_device_of_the_inputs():
    pairs = torch.zeros(20, 2, dtype=torch.int64, device="meta")
    assert gaussian_gram(pairs, pairs, torch.zeros(10, 10, device="meta")).device.type == "meta"
