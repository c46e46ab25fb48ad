"""The stacked pass: its noise against the definition, and its state."""

from dataclasses import replace

import pytest
import torch

from oraledu.scaling import settings
from oraledu.scaling.adam import BETAS, EPSILON
from oraledu.scaling.fourier import examples
from oraledu.scaling.ladder import MLPLadder
from oraledu.scaling.network import losses
from oraledu.scaling.stacked import rms_norm


def test_the_noise_is_the_preconditioned_variance_of_mini_batch_gradients(mlp):
    """By a loop over seeds, weights and probes, with Adam's moment kept by hand."""
    run = mlp.begin(4, (0, 1), 20)
    moments = {name: torch.zeros_like(weight) for name, weight in run.weights.items()}
    for step in range(6):
        gradients = torch.autograd.grad(
            losses(run.weights, run.batch(step)).sum(), list(run.weights.values())
        )
        for name, gradient in zip(run.weights, gradients, strict=True):
            moments[name] = BETAS[1] * moments[name] + (1 - BETAS[1]) * gradient**2
        run.step(1.0)
    x, y = (part.double() for part in examples(mlp.task, mlp.probes * mlp.batch, "probes"))
    expected = torch.zeros(2, dtype=torch.float64)
    for name, weight in run.weights.items():
        inverse = mlp.layer_rates(4)[name] / ((moments[name] / (1 - BETAS[1] ** 6)).sqrt() + EPSILON)
        found = []
        for a, b in zip(x.split(mlp.batch), y.split(mlp.batch), strict=True):
            batch = a.expand(2, -1, -1), b.expand(2, -1)
            found.append(torch.autograd.grad(losses(run.weights, batch).sum(), weight)[0])
        mean = sum(found) / len(found)
        variance = sum((gradient - mean) ** 2 for gradient in found) / (len(found) - 1)
        expected += (variance * inverse).flatten(1).sum(dim=1)
    assert run.trace().tolist() == pytest.approx(expected.tolist(), rel=1e-8)


def test_before_the_first_step_there_is_no_preconditioner(mlp):
    run = mlp.begin(4, (0, 1), 20)
    assert run.trace().isnan().all()
    run.step(1.0)
    first = run.trace()
    assert first.isfinite().all()
    assert (first < 1e3).all()  # weights without a gradient so far would count by 1 / ε


def test_a_rate_of_zero_moves_nothing(mlp):
    run = mlp.begin(4, (0,), 20)
    before = {name: weight.detach().clone() for name, weight in run.weights.items()}
    run.step(0.0)
    assert all(torch.equal(weight, before[name]) for name, weight in run.weights.items())
    assert run.done == 1


def test_a_state_brings_a_pass_back(mlp):
    run, other = mlp.begin(4, (0, 1), 20), mlp.begin(4, (0, 1), 20)
    for _ in range(4):
        run.step(1.0)
    state = run.state()
    run.step(0.5)
    other.load(state)
    other.step(0.5)
    assert other.done == 5
    assert all(torch.equal(run.weights[name], other.weights[name]) for name in run.weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_losses_come_in_double_precision_on_the_cpu(dtype, mlp):
    run = MLPLadder(mlp.widths, mlp.horizon, modes=20, batch=8, pool=512, tests=32, dtype=dtype).begin(
        4, (0, 1), 20
    )
    run.step(1.0)
    for values in (run.loss(), run.trace()):
        assert values.dtype == torch.float64
        assert values.shape == (2,)
    assert run.weights["embed"].dtype == dtype


def test_a_normalised_vector_has_a_root_mean_square_of_one(generator):
    h = torch.randn(2, 3, 50, generator=generator, dtype=torch.float64)
    assert rms_norm(h).square().mean(dim=-1).sqrt().sub(1).abs().max() <= 1e-5
    assert torch.equal(rms_norm(torch.zeros(2, 4)), torch.zeros(2, 4))


#: What two processors may round differently in a gradient.
LAST_BITS = 1e-15


def wavering(ladder, grid, seed):
    """Train a network with gradients that are off in their last bits; return its loss."""
    generator = torch.Generator().manual_seed(seed)
    run = replace(ladder, grid=grid).begin(16, (0,), 1500)
    exact = run._gradients

    def off(weights, batch):
        found = exact(weights, batch)
        return {
            name: each * (1 + LAST_BITS * torch.randn(each.shape, generator=generator, dtype=torch.float64))
            for name, each in found.items()
        }

    run._gradients = off
    for _ in range(1500):
        run.step(1.0)
    return float(run.loss())


def test_on_a_grid_the_last_bits_of_a_step_do_not_matter_and_without_one_they_decide_the_loss():
    ladder = replace(settings.NETWORKS, base_rate=1e-2)
    on, off = ([wavering(ladder, grid, seed) for seed in (0, 1)] for grid in (settings.GRID, None))
    assert on[0] == on[1]
    assert abs(off[0] / off[1] - 1) > 1e-6


def test_a_grid_moves_no_weight_by_more_than_half_its_spacing(mlp):
    plain, rounded = mlp.begin(4, (0,), 20), replace(mlp, grid=2.0**-10).begin(4, (0,), 20)
    for name, weight in rounded.weights.items():
        assert torch.equal(weight * 2**10, (weight * 2**10).round())
        assert (weight - plain.weights[name]).abs().max() <= 2.0**-11


def test_a_grid_that_is_no_power_of_two_is_refused(mlp):
    with pytest.raises(ValueError, match="grid must be a power of two"):
        replace(mlp, grid=1e-7).begin(4, (0,), 20)
