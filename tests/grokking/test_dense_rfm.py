"""The machine on dense inputs against its definition, autograd, the one-hot machine, and what its geometry promises."""

from itertools import islice

import pytest
import torch

from benchmarks import dense_rfm
from oraledu.grokking import arithmetic
from oraledu.grokking.gaussian import gaussian_agop, gaussian_gram
from oraledu.grokking.rfm import psd_power

KERNELS = pytest.mark.parametrize("kernel", dense_rfm.KERNELS)
PROFILES = {
    "gaussian": lambda square, bandwidth: torch.exp(-square / (2 * bandwidth**2)),
    "laplace": lambda square, bandwidth: torch.exp(-square.sqrt() / bandwidth),
}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(n=12, d=5, c=3):
    root = normal(d, d, seed=3)
    return normal(n, d), normal(n, c, seed=2), root @ root.T / d


def after(count, points, targets, **options):
    return list(islice(dense_rfm.machines(points, targets, **options), count))


@KERNELS
def test_the_gram_matrix_is_that_of_a_loop_over_pairs(kernel):
    x, _, metric = problem()
    z = normal(4, 5, seed=9)
    expected = torch.tensor(
        [[PROFILES[kernel]((a - b) @ metric @ (a - b), 0.7) for b in z] for a in x], dtype=torch.float64
    )
    assert (dense_rfm.gram(x, z, metric, kernel=kernel, bandwidth=0.7) - expected).abs().max() <= 1e-13


@KERNELS
@pytest.mark.parametrize("centre", [True, False])
def test_the_agop_is_that_of_autograd(kernel, centre, average_outer_product):
    x, coefficients, metric = problem()
    jacobian = []
    for place, point in enumerate(x):  # a point's own term is flat there, or has a kink that counts as flat
        others = [other for other in range(len(x)) if other != place]

        def output(at, others=others):
            squares = torch.stack([(at - x[j]) @ metric @ (at - x[j]) for j in others])
            return PROFILES[kernel](squares, 0.7) @ coefficients[others]

        jacobian.append(torch.autograd.functional.jacobian(output, point))
    expected = average_outer_product(torch.stack(jacobian), centre=centre)
    found = dense_rfm.agop(x, coefficients, metric, kernel=kernel, bandwidth=0.7, centre=centre)
    assert (found - expected).abs().max() <= 1e-12 * expected.abs().max()


@KERNELS
def test_points_that_coincide_pull_in_no_direction(kernel):
    x, coefficients, metric = problem()
    options = {"kernel": kernel, "bandwidth": 0.7}
    twice = torch.cat([x, x]), torch.cat([coefficients, coefficients]) / 2
    one, two = (dense_rfm.agop(*each, metric, **options) for each in ((x, coefficients), twice))
    assert (one - two).abs().max() <= 1e-7 * one.abs().max()


def test_on_one_hot_pairs_it_is_the_one_hot_machine(random_machine):
    pairs, coefficients, metric = random_machine("*", 7, 4)
    x = arithmetic.one_hot_pairs(pairs, 7)
    options = {"kernel": "gaussian", "bandwidth": 2.5}
    assert torch.allclose(dense_rfm.gram(x, x, metric, **options), gaussian_gram(pairs, pairs, metric))
    for centre in (True, False):
        expected = gaussian_agop(pairs, coefficients, metric, centre=centre)
        found = dense_rfm.agop(x, coefficients, metric, centre=centre, **options)
        assert (found - expected).abs().max() <= 1e-12 * expected.abs().max()


def test_of_a_linear_target_a_wide_machine_learns_its_one_direction():
    points, direction = normal(80, 6), normal(6, seed=5)
    targets, shares = (points @ direction)[:, None], []
    for bandwidth in (1.0, 2.0, 4.0):
        machine = after(1, points, targets, bandwidth=bandwidth, ridge=1e-10)[0]
        found = dense_rfm.agop(
            points,
            machine.coefficients,
            machine.metric,
            kernel="gaussian",
            bandwidth=bandwidth,
            centre=False,
        )
        values, vectors = torch.linalg.eigh(found)
        shares.append(1 - (values[-1] / values.sum()).item())
    assert shares[0] > 10 * shares[1] > 100 * shares[2]
    assert shares[2] < 1e-5
    assert abs(vectors[:, -1] @ direction / direction.norm()) > 1 - 1e-6


@KERNELS
def test_turned_inputs_and_another_unit_of_length_change_no_output(kernel):
    points, targets, _ = problem(30)
    turn = torch.linalg.qr(normal(5, 5, seed=8))[0]
    asked = normal(7, 5, seed=6)
    plain, turned = (after(4, each, targets, kernel=kernel) for each in (points, 20 * points @ turn))
    for one, other in zip(plain, turned, strict=True):
        assert torch.allclose(one(asked), other(20 * asked @ turn), atol=1e-9)
    assert torch.allclose(plain[-1].metric, 400 * turn @ turned[-1].metric @ turn.T, atol=1e-9)


@KERNELS
def test_far_from_the_origin_it_is_the_same_machine_in_single_precision_too(kernel):
    points, targets, _ = problem(30)
    asked = normal(7, 5, seed=6)
    here, there = (after(4, each.float(), targets.float(), kernel=kernel) for each in (points, points + 1000))
    for one, other in zip(here, there, strict=True):
        assert torch.allclose(one(asked.float()), other((asked + 1000).float()), atol=1e-3)


@KERNELS
def test_each_metric_is_the_power_of_the_last_agop_at_a_mean_squared_distance_of_one(kernel):
    points, targets, _ = problem(20)
    one, two = after(2, points, targets, kernel=kernel, bandwidth=0.8, power=0.3, ridge=0.1)
    gradients = dense_rfm.agop(points, one.coefficients, one.metric, kernel=kernel, bandwidth=0.8)
    expected = psd_power(gradients, 0.3)
    assert torch.allclose(two.metric * expected.trace(), expected * two.metric.trace())
    for machine in (one, two):
        gaps = (points[:, None] - points).flatten(0, 1)
        assert (gaps @ machine.metric * gaps).sum(dim=1).mean() == pytest.approx(1)
        within = dense_rfm.gram(points, points, machine.metric, kernel=kernel, bandwidth=0.8)
        assert torch.allclose(within @ machine.coefficients + 0.1 * machine.coefficients, targets)


@KERNELS
def test_it_finds_the_two_coordinates_that_matter_and_answers_better(kernel):
    points, asked = normal(250, 8), normal(400, 8, seed=7)
    right = asked[:, 0] * asked[:, 1] > 0
    steps = after(5, points, (points[:, :1] * points[:, 1:2]).sign(), kernel=kernel)
    first, *_, last = [((machine(asked)[:, 0] > 0) == right).double().mean() for machine in steps]
    assert last > first + 0.08
    weights = steps[-1].metric.diagonal()
    assert weights[:2].sum() > 0.6 * weights.sum()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kernel": "cubic"}, "kernel must be one of gaussian, laplace"),
        ({"bandwidth": 0.0}, "bandwidth must be above 0"),
        ({"targets": normal(3, 2)}, "as many rows"),
        ({"points": torch.ones(12, 5).double()}, "do not differ"),
        ({"points": torch.full((12, 5), torch.nan).double()}, "must be finite"),
        ({"points": torch.ones(12, 5).long()}, "one floating-point type"),
        ({"targets": normal(12, 3).float()}, "one floating-point type"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    arguments = {"points": normal(12, 5), "targets": normal(12, 3)} | change
    with pytest.raises((TypeError, ValueError), match=words):
        next(dense_rfm.machines(**arguments))


def test_coefficients_and_metrics_that_do_not_fit_are_refused():
    x, coefficients, metric = problem()
    options = {"kernel": "laplace", "bandwidth": 1.0}
    with pytest.raises(ValueError, match="one row for each of the 12 points"):
        dense_rfm.agop(x, coefficients[:5], metric, **options)
    with pytest.raises(ValueError, match="metric's 4 coordinates"):
        dense_rfm.gram(x, x, metric[:4, :4], **options)
