"""Adam against torch's."""

import torch

from oraledu.scaling.adam import BETAS, EPSILON, Adam


def test_the_steps_are_those_of_torchs_adam(generator):
    shapes, rates = {"a": (3, 4), "b": (5,)}, {"a": 1e-2, "b": 3e-3}
    ours = {
        name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()
    }
    theirs = {name: weight.clone().requires_grad_() for name, weight in ours.items()}
    optimizer = torch.optim.Adam(
        [{"params": [theirs[name]], "lr": rates[name]} for name in shapes], betas=BETAS, eps=EPSILON
    )
    adam = Adam(ours, rates)
    for share in (1.0, 0.7, 0.7, 0.1, 0.0, 1.0):
        gradients = {
            name: torch.randn(shape, generator=generator, dtype=torch.float64)
            for name, shape in shapes.items()
        }
        adam.step(gradients, share)
        for name, group in zip(shapes, optimizer.param_groups, strict=True):
            theirs[name].grad = gradients[name]
            group["lr"] = rates[name] * share
        optimizer.step()
        for name in shapes:
            assert torch.allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-14)


def test_a_first_step_moves_every_number_by_its_rate():
    weights = {"a": torch.zeros(3, dtype=torch.float64)}
    Adam(weights, {"a": 0.1}).step({"a": torch.tensor([5.0, -1e-9, 0.0], dtype=torch.float64)}, 0.5)
    assert torch.allclose(weights["a"], torch.tensor([-0.05, 0.05, 0.0]).double())


def test_the_preconditioner_is_the_peak_rate_over_the_size_of_gradients():
    adam = Adam({"a": torch.zeros(2, dtype=torch.float64)}, {"a": 0.1})
    for _ in range(4):
        adam.step({"a": torch.tensor([-2.0, 0.0], dtype=torch.float64)}, 0.3)
    assert torch.allclose(adam.preconditioner("a"), torch.tensor([0.05, 0.0]).double())


def test_with_decay_the_steps_are_those_of_torchs_adamw(generator):
    ours = {name: torch.randn(4, generator=generator, dtype=torch.float64) for name in ("a", "b", "free")}
    rates, decays = {"a": 1e-2, "b": 3e-3, "free": 1e-2}, {"a": 0.5, "b": 20.0}
    theirs = {name: weight.clone().requires_grad_() for name, weight in ours.items()}
    groups = [
        {"params": [theirs[name]], "lr": rates[name], "weight_decay": decays.get(name, 0.0)} for name in ours
    ]
    optimizer = torch.optim.AdamW(groups, betas=BETAS, eps=EPSILON)
    adam = Adam(ours, rates, decays)
    for share in (1.0, 0.7, 0.1, 0.0, 1.0):
        gradients = {name: torch.randn(4, generator=generator, dtype=torch.float64) for name in ours}
        adam.step(gradients, share)
        for name, group in zip(ours, optimizer.param_groups, strict=True):
            theirs[name].grad = gradients[name]
            group["lr"] = rates[name] * share
        optimizer.step()
        for name in ours:
            assert torch.allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-14), name
