"""Training: what the loss is, that it falls, that a generator decides all, and what an interruption keeps."""

import math

import pytest
import torch

from oraledu.diffusion import networks, training
from oraledu.diffusion.schedule import alpha_bar
from tests.diffusion.awake import awake, noise, seeded


@pytest.fixture
def images():
    """Eight pictures of a bright square on black."""
    pictures = -torch.ones(8, 1, 8, 8)
    for index in range(8):
        pictures[index, :, index % 4 : index % 4 + 4, 2:6] = 1
    return pictures


def small(seed=0, **keywords):
    return networks.ResNet(width=8, depth=2, generator=seeded(seed), **keywords)


def learn(network, images, seed=0, **keywords):
    options = {"steps": 5, "batch_size": 8, "learning_rate": 3e-3, **keywords}
    return networks.train(network, images, generator=seeded(seed), **options)


def test_training_reduces_the_loss(images):
    losses = learn(small(), images, steps=150)
    assert losses.shape == (150,)
    assert losses[-30:].mean() < 0.75 * losses[:10].mean()


def test_the_first_loss_is_that_of_a_network_that_answers_zero(images):
    loss = training.batch_loss(small(), images, None, 4000, seeded())
    # E|a ε - b x₀|² = a² + b² for pictures of ±1.
    assert loss.item() == pytest.approx(1, rel=0.03)


def test_the_loss_is_the_mean_squared_error_of_v_at_the_samplers_levels(images):
    asked = []

    class Watched(networks.ResNet):
        def forward(self, x, t, labels=None):
            asked.append((x, t))
            return super().forward(x, t, labels)

    network = awake(Watched(width=3, depth=1, steps=7, generator=seeded()))
    loss = training.batch_loss(network, images[:1].double(), None, 500, seeded())
    ((x, t),) = asked
    assert sorted(set((t * 7).tolist())) == pytest.approx(range(1, 8))
    kept = alpha_bar(t).reshape(-1, 1, 1, 1)
    clean = images[:1].double()
    eps = (x - kept.sqrt() * clean) / (1 - kept).sqrt()
    v = kept.sqrt() * eps - (1 - kept).sqrt() * clean
    assert loss.item() == pytest.approx((network(x, t) - v).square().mean().item())
    assert eps.mean().item() == pytest.approx(0, abs=0.03)
    assert eps.std().item() == pytest.approx(1, rel=0.03)


def test_every_image_is_drawn_with_its_own_label():
    pictures = torch.linspace(-1, 1, 5).reshape(5, 1, 1, 1).expand(5, 1, 4, 4)
    seen = []

    class Watched(networks.ResNet):
        def forward(self, x, t, labels=None):
            seen.append((x, t, labels))
            return super().forward(x, t, labels)

    network = Watched(width=1, depth=0, steps=20, classes=5, generator=seeded())
    training.batch_loss(network, pictures, torch.arange(5), 400, seeded())
    ((x, t, labels),) = seen
    assert set(labels.tolist()) == set(range(5))
    clear = t < 0.06
    assert torch.allclose(x[clear].mean(dim=(1, 2, 3)), labels[clear] / 2 - 1, atol=0.1)


def test_the_generators_decide_the_result(images):
    trained = [small(seed) for seed in (0, 0, 1, 0)]
    losses = [learn(net, images, order) for net, order in zip(trained, (0, 0, 0, 1), strict=True)]
    assert torch.equal(losses[0], losses[1])
    for first, second in zip(trained[0].parameters(), trained[1].parameters(), strict=True):
        assert torch.equal(first, second)
    for other in (2, 3):
        assert not torch.equal(losses[0], losses[other])


def test_training_leaves_the_global_randomness_alone(images):
    before = torch.get_rng_state()
    learn(small(), images)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", ["UNet", "AttentionUNet"])
def test_unets_learn_too(kind, images):
    network = getattr(networks, kind)(widths=(8, 8), generator=seeded())
    losses = learn(network, images, steps=150)
    assert losses[-30:].mean() < 0.75 * losses[:10].mean()


def test_a_network_in_float64_learns_in_float64(images):
    assert learn(small().double(), images).dtype == torch.float64


def test_the_learning_rate_rises_stays_and_falls():
    rates = [training.rate(step, 1000) for step in range(1000)]
    assert rates[:50] == pytest.approx([(step + 1) / 50 for step in range(50)])
    assert set(rates[50:501]) == {1.0}
    assert rates[500:] == pytest.approx([(1000 - step) / 500 for step in range(500, 1000)])


def test_a_step_is_one_of_adam_at_its_rate(images):
    network, reference = awake(small()), awake(small())
    learn(network, images.double(), steps=2, learning_rate=0.1)
    optimizer = torch.optim.Adam(reference.parameters(), betas=(0.9, 0.99))
    draws = seeded()
    for step in range(2):
        optimizer.param_groups[0]["lr"] = 0.1 * (step + 1) / 50
        optimizer.zero_grad()
        training.batch_loss(reference, images.double(), None, 8, draws).backward()
        optimizer.step()
    for mine, expected in zip(network.parameters(), reference.parameters(), strict=True):
        assert torch.equal(mine, expected)


def test_an_interruption_keeps_what_is_done(images, monkeypatch):
    whole = learn(reference := small(), images, steps=3)
    monkeypatch.setattr(training, "batch_loss", interrupted(after=3))
    with pytest.warns(UserWarning, match="training was interrupted after 3 of 9 steps"):
        losses = learn(network := small(), images, steps=9)
    assert losses.shape == (3,)
    assert torch.equal(losses[0], whole[0])
    assert not torch.equal(network.last.weight, small().last.weight)
    assert network.last.weight.shape == reference.last.weight.shape


def test_an_interruption_before_the_first_step_is_passed_on(images, monkeypatch):
    monkeypatch.setattr(training, "batch_loss", interrupted(after=0))
    with pytest.raises(KeyboardInterrupt):
        learn(small(), images)


def interrupted(after):
    """A `batch_loss` that is interrupted at one of its calls."""
    original, calls = training.batch_loss, []

    def loss(*args):
        if len(calls) == after:
            raise KeyboardInterrupt
        calls.append(args)
        return original(*args)

    return loss


def test_a_loss_that_runs_away_is_told(images):
    with pytest.raises(ValueError, match="the loss is no longer finite: learning_rate 1e\\+30 is too large"):
        learn(small(), images, learning_rate=1e30)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": math.inf}, "learning_rate must be above 0 and finite"),
        ({"learning_rate": math.nan}, "learning_rate must be above 0"),
        ({"labels": torch.zeros(8, dtype=torch.int64)}, "labels must be None"),
    ],
)
def test_unfit_settings_are_refused(keywords, words, images):
    with pytest.raises(ValueError, match=words):
        learn(small(), images, **keywords)


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (torch.zeros(0, 1, 8, 8), ValueError, r"images must have shape \(N, 1, H, W\), none of them 0"),
        (torch.zeros(2, 3, 8, 8), ValueError, r"images must have shape \(N, 1, H, W\)"),
        (torch.zeros(2, 8, 8), ValueError, r"images must have shape \(N, 1, H, W\)"),
        (
            torch.full((2, 1, 8, 8), torch.nan),
            ValueError,
            r"images must have values in \[-1, 1\], and no NaN",
        ),
        (torch.full((2, 1, 8, 8), 1.01), ValueError, r"images must have values in \[-1, 1\]"),
        (
            torch.zeros(2, 1, 8, 8, dtype=torch.uint8),
            TypeError,
            "images must be floating point, got torch.uint8",
        ),
    ],
)
def test_unfit_images_are_refused(bad, error, words):
    with pytest.raises(error, match=words):
        learn(small(), bad)


def test_missing_or_foreign_labels_are_refused(images):
    with pytest.raises(ValueError, match="labels must be given, integers below 3"):
        learn(small(classes=3), images)
    with pytest.raises(ValueError, match=r"labels must have shape \(8,\)"):
        learn(small(classes=3), images, labels=noise(3).long())
