"""The network ladder: the batched pass is sequential training, seed by seed."""

import math
from dataclasses import replace

import pytest
import torch

from oraledu.scaling import network
from oraledu.scaling.fourier import examples
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.ladder import MLPLadder, train, train_steps
from oraledu.scaling.schedules import step_rates
from tests.scaling.sequential import ResidualMLP, stepper

WIDE = MLPLadder(
    (16, 24), Horizon.through(1072, 50 * 32, 1.0), batch=32, pool=2**13, tests=256, dtype=torch.float64
)


@pytest.mark.parametrize("width", [16, 24])
def test_fifty_batched_steps_are_fifty_sequential_ones(width):
    seeds, rates = (0, 1, 2), step_rates("cosine", 50)
    stack = WIDE.begin(width, seeds, 50)
    models = [ResidualMLP(WIDE, width, stack.weights, place) for place in range(3)]
    steppers = [stepper(model, WIDE.layer_rates(width)) for model in models]
    for number, share in enumerate(rates.tolist()):
        x, y = stack.batch(number)
        for place, step in enumerate(steppers):
            step(x[place], y[place], share)
        stack.step(share)
    for place, model in enumerate(models):
        for name, layer in model.layers():
            found, expected = stack.weights[name][place].detach(), layer.weight.detach().T
            assert (found - expected).norm() <= 1e-5 * expected.norm(), name
            assert expected.norm() > 0


def test_the_loss_is_half_the_mean_squared_error_on_the_test_set():
    stack = WIDE.begin(16, (0, 4), 5)
    for _ in range(5):
        stack.step(1.0)
    x, y = examples(WIDE.task, 256, "test")
    model = ResidualMLP(WIDE, 16, stack.weights, 1)
    with torch.no_grad():
        expected = (model(x.double()) - y.double()).square().mean() / 2
    assert stack.loss()[1].item() == pytest.approx(expected.item(), rel=1e-6)


def test_a_test_set_in_parts_gives_the_loss_of_the_whole():
    ladder = replace(WIDE, tests=2048)
    stack = ladder.begin(16, (0,), 5)
    for _ in range(5):
        stack.step(1.0)
    x, y = (part.double()[None] for part in examples(WIDE.task, 2048, "test"))
    assert stack.loss().item() == pytest.approx(network.losses(stack.weights, (x, y)).item())


def test_a_seed_does_not_depend_on_the_seeds_beside_it(mlp):
    together = train(mlp, "linear", seeds=(0, 1, 2), records=5)
    alone = train(mlp, "linear", seeds=(1,), records=5)
    assert torch.allclose(together.loss[:, 1:2], alone.loss, rtol=1e-12)
    assert (together.loss[:, 0, 1:] != together.loss[:, 1, 1:]).all()


def test_parameters_are_counted_as_in_the_paper():
    paper = MLPLadder((384,), Horizon(1.0, 1.0), dimension=8, blocks=5)
    assert paper.parameters(384) == 1_478_016
    for width in (16, 24):
        weights = WIDE.begin(width, (0,), 1).weights
        assert WIDE.parameters(width) == sum(weight.numel() for weight in weights.values())


def test_every_network_starts_at_zero_output_and_unit_features():
    stack = MLPLadder((256,), Horizon(1.0, 1.0), blocks=2).begin(256, (0, 1), 1)
    assert all((stack.weights[name] == 0).all() for name in ("down.0", "down.1", "readout"))
    for name, spread in (("embed", 2**-0.5), ("up.0", 256**-0.5), ("up.1", 256**-0.5)):
        assert stack.weights[name].std().item() == pytest.approx(spread, rel=0.1)
        assert not torch.equal(stack.weights[name][0], stack.weights[name][1])
    x, y = stack.batch(0)
    assert torch.equal(network.outputs(stack.weights, x), torch.zeros_like(y))


def test_rates_fall_with_width_but_for_the_embedding():
    for width in (32, 64, 128):
        rates = WIDE.layer_rates(width)
        assert rates.pop("embed") == 3e-3
        assert set(rates) == {"up.0", "down.0", "up.1", "down.1", "readout"}
        assert set(rates.values()) == {3e-3 * 64 / width}


def test_without_mup_every_width_has_the_rates_of_one():
    plain = replace(WIDE, rates_of=16)
    assert plain.layer_rates(128) == plain.layer_rates(16) == WIDE.layer_rates(16)


def test_a_gain_of_what_writes_into_the_stream_is_a_multiplier_of_the_branches():
    """The authors' branches carry a factor; Adam, from weights of zero, makes it a rate of those weights."""
    gain, rates, width = 1.5, step_rates("cosine", 10), 16
    stack = replace(WIDE, down_gain=gain).begin(width, (0,), 10)
    model = ResidualMLP(WIDE, width, stack.weights, 0, branch=gain)
    step = stepper(model, WIDE.layer_rates(width))
    for number, share in enumerate(rates.tolist()):
        x, y = stack.batch(number)
        step(x[0], y[0], share)
        stack.step(share)
    found = network.outputs(stack.weights, x)[0]
    assert torch.allclose(found, model(x[0]), rtol=1e-6, atol=1e-8)
    assert found.std() > 0.01


def test_a_run_sees_no_example_twice_and_every_seed_its_own_order(mlp):
    stack = mlp.begin(6, (0, 1), 47)
    seen = torch.cat([stack.batch(step)[0] for step in range(47)], dim=1)
    for points in seen:
        assert len(points.unique(dim=0)) == 47 * 8
    assert not torch.equal(seen[0], seen[1])
    other = mlp.begin(4, (0,), 20)
    assert not torch.equal(other.batch(0)[0][0], seen[0, :8])


def test_the_targets_are_those_of_the_task(mlp):
    for ladder in (mlp, replace(mlp, pool=None)):
        x, y = ladder.begin(4, (0, 1), 20).batch(3)
        assert (y - ladder.task.evaluate(x)).abs().max() <= 1e-5


@pytest.mark.parametrize("pool", [512, None])
def test_shared_data_are_the_same_for_all_seeds_and_widths(pool, mlp):
    shared = replace(mlp, shared_data=True, pool=pool)
    first, second = (shared.begin(width, (0, 1), 20) for width in (4, 6))
    for step in (0, 7):
        x = first.batch(step)[0]
        assert torch.equal(x[0], x[1])
        assert torch.equal(x, second.batch(step)[0])
    assert not torch.equal(first.weights["embed"][0], first.weights["embed"][1])


def test_fresh_examples_differ_from_step_to_step_and_come_again(mlp):
    fresh = replace(mlp, pool=None)
    run, again = fresh.begin(4, (0, 1), 20), fresh.begin(4, (1,), 20)
    assert not torch.equal(run.batch(0)[0], run.batch(1)[0])
    assert torch.equal(run.batch(5)[0][1], again.batch(5)[0][0])


def test_a_pool_that_is_too_small_is_refused(mlp):
    with pytest.raises(
        ValueError, match="pool must hold 400 examples for width 6 to see none twice, got 200"
    ):
        train(replace(mlp, pool=200), seeds=(0,), records=5)


def test_an_uneven_test_set_is_refused(mlp):
    with pytest.raises(ValueError, match="tests must be at most 1024, or a multiple of it; got 1500"):
        replace(mlp, tests=1500)


def test_training_lowers_the_loss():
    runs = train(replace(WIDE, dtype=torch.float32, base_rate=1e-2), seeds=(0, 1), records=5)
    assert (runs.end < 0.9 * runs.loss[..., 0]).all()
    assert runs.steps[:, -1].tolist() == [train_steps(WIDE, 16), train_steps(WIDE, 24)]


def test_at_one_timescale_every_layer_of_every_width_forgets_alike():
    ladder = replace(WIDE, timescale=0.5)
    for width in (16, 24):
        steps = train_steps(ladder, width)
        for name, decay in ladder.layer_decays(width).items():
            forgotten = (1 - ladder.layer_rates(width)[name] * decay) ** steps
            assert forgotten == pytest.approx(math.exp(-2), rel=0.05), name


def test_a_width_that_hands_on_its_decays_is_the_only_one_that_keeps_the_timescale():
    own, handed = replace(WIDE, timescale=0.5), replace(WIDE, timescale=0.5, decays_of=16)
    assert handed.layer_decays(24) == handed.layer_decays(16) == own.layer_decays(16) != own.layer_decays(24)
    assert WIDE.layer_decays(16) == {}


def test_a_network_that_decays_ends_smaller(mlp):
    def size(ladder):
        stack = ladder.begin(6, (0, 1), 50)
        for _ in range(50):
            stack.step(1.0)
        return stack.weights["up.0"].square().sum().item()

    assert size(replace(mlp, timescale=0.3)) < 0.8 * size(mlp)
