"""Kernels by name: they dispatch to the right formulas and refuse unfit input in words that help."""

import pytest
import torch

from oraledu.grokking import rfm
from oraledu.grokking.kernels import Kernel, agop, gram


def test_a_name_stands_for_its_formulas(random_machine):
    pairs, coefficients, metric = random_machine("-", 7, 0)
    assert torch.equal(
        gram(pairs, pairs[:4], metric, kernel="quadratic"), rfm.quadratic_gram(pairs, pairs[:4], metric)
    )
    assert torch.equal(
        gram(pairs, pairs[:4], metric, kernel="gaussian", bandwidth=1.5),
        rfm.gaussian_gram(pairs, pairs[:4], metric, bandwidth=1.5),
    )
    for centre in (True, False):
        assert torch.allclose(
            agop(pairs, coefficients, metric, kernel="quadratic", centre=centre),
            rfm.quadratic_agop(pairs, coefficients, metric, centre=centre),
        )
        assert torch.allclose(
            agop(pairs, coefficients, metric, kernel="gaussian", bandwidth=1.5, centre=centre),
            rfm.gaussian_agop(pairs, coefficients, metric, bandwidth=1.5, centre=centre),
        )


def test_the_authors_bandwidth_is_the_default(random_machine):
    pairs, _, metric = random_machine("+", 5, 0)
    assert torch.equal(
        gram(pairs, pairs, metric, kernel="gaussian"),
        rfm.gaussian_gram(pairs, pairs, metric, bandwidth=2.5),
    )


def test_a_kernel_of_ones_own_is_called_as_it_is(random_machine):
    pairs, coefficients, metric = random_machine("+", 5, 0)
    mine = Kernel(
        gram=lambda a, b, m: m.new_full((len(a), len(b)), 3.0),
        agop=lambda a, c, m, *, centre=True: m * (2 if centre else 5),
    )
    assert gram(pairs, pairs[:2], metric, kernel=mine).tolist() == [[3.0, 3.0]] * len(pairs)
    assert torch.allclose(agop(pairs, coefficients, metric, kernel=mine), 2 * metric)
    assert torch.allclose(agop(pairs, coefficients, metric, kernel=mine, centre=False), 5 * metric)


@pytest.mark.parametrize("name", ["cubic", "", "Quadratic", None])
def test_an_unknown_kernel_is_named_with_the_known_ones(name, random_machine):
    pairs, coefficients, metric = random_machine("+", 5, 0)
    with pytest.raises(ValueError, match="kernel must be 'quadratic', 'gaussian' or a Kernel"):
        gram(pairs, pairs, metric, kernel=name)
    with pytest.raises(ValueError, match="kernel must be 'quadratic', 'gaussian' or a Kernel"):
        agop(pairs, coefficients, metric, kernel=name)


def entry(row, column, value):
    metric = torch.eye(10, dtype=torch.float64)
    metric[row, column] = value
    return metric


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (entry(0, 1, 0.5), "metric must be symmetric"),
        (entry(3, 3, float("nan")), "metric holds entries that are not finite"),
        (entry(2, 2, float("inf")), "metric holds entries that are not finite"),
        (torch.eye(10)[:, :8], "metric must be a square matrix"),
        (torch.ones(10), "metric must be a square matrix"),
        (torch.eye(9), "metric must have size 2p"),
    ],
)
@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
def test_an_unfit_metric_is_refused(metric, words, kernel):
    pairs = torch.tensor([[0, 1], [2, 3]])
    with pytest.raises(ValueError, match=words):
        gram(pairs, pairs, metric, kernel=kernel)
    with pytest.raises(ValueError, match=words):
        agop(pairs, torch.ones(2, 5, dtype=torch.float64), metric, kernel=kernel)


def test_asymmetry_of_rounding_size_is_let_through(random_machine):
    pairs, _, metric = random_machine("+", 5, 0)
    metric[0, 1] *= 1 + 1e-15
    assert gram(pairs, pairs, metric, kernel="quadratic").isfinite().all()


def test_the_unfit_list_of_pairs_is_named():
    good, metric = torch.tensor([[0, 1]]), torch.eye(10)
    with pytest.raises(ValueError, match="pairs_a must hold digits from 0 to 4, got 0 to 5"):
        gram(torch.tensor([[0, 5]]), good, metric, kernel="quadratic")
    with pytest.raises(ValueError, match="pairs_b must have shape"):
        gram(good, torch.tensor([0, 5]), metric, kernel="quadratic")
    with pytest.raises(TypeError, match="pairs must hold integer digits"):
        agop(good.float(), torch.ones(1, 5), metric, kernel="quadratic")


def test_coefficients_of_another_length_are_refused():
    pairs = torch.tensor([[0, 1], [2, 3]])
    with pytest.raises(ValueError, match="coefficients must have one row for each of the 2 pairs"):
        agop(pairs, torch.ones(3, 5), torch.eye(10), kernel="gaussian")


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("nan")])
def test_a_bandwidth_not_above_zero_is_refused(bandwidth):
    pairs = torch.tensor([[0, 1]])
    with pytest.raises(ValueError, match="bandwidth must be above 0"):
        gram(pairs, pairs, torch.eye(10), kernel="gaussian", bandwidth=bandwidth)
