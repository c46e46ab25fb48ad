"""The stacked pass: its noise against the definition, and its state."""

import pytest
import torch

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
