"""The vision transformers: their shapes and masks, their weights, their training, and the views of images."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, gelu, layer_norm

from oraledu.representations import vision
from oraledu.representations.vision import distort, training
from tests.representations.samples import normal
from tests.representations.tiny import TINY

BOTH = pytest.mark.parametrize("objective", ["autoregressive", "supervised", "supervised-masked"])
MASKED = pytest.mark.parametrize("objective", ["autoregressive", "supervised-masked"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def small(objective="autoregressive", seed=0, **sizes):
    sizes = {"side": 6, "patch": 2, "width": 8, "depth": 3, "heads": 2, "classes": 4, **sizes}
    return vision.VisionTransformer(objective, generator=seeded(seed), **sizes)


def pictures(count=5, side=6, seed=1):
    return normal(count, 1, side, side, seed=seed).float().clamp(-1, 1)


def learn(network, images, labels, seed=0, **options):
    options = {"steps": 5, "batch_size": 8, "learning_rate": 3e-3, **options}
    return vision.train(network, images, labels, generator=seeded(seed), **options)


@pytest.fixture
def stripes():
    """Twelve pictures of two classes: dark above and bright below, or the reverse."""
    images = -torch.ones(12, 1, 6, 6)
    images[::2, :, 3:], images[1::2, :, :3] = 1, 1
    return images, torch.arange(12) % 2


@BOTH
def test_every_layer_has_states_of_the_start_token_and_every_patch(objective):
    network = small(objective)
    states = network.hidden_states(pictures())
    assert states.shape == (5, network.layers, 1 + 9, 8)
    assert network.layers == 3 + 2
    assert network(pictures()).shape == ((5, 9, 4) if objective == "autoregressive" else (5, 4))


def test_patches_come_in_reading_order_and_lose_nothing():
    images = torch.arange(36.0).reshape(1, 1, 6, 6)
    patches = small().patches(images)
    assert patches.shape == (1, 9, 4)
    assert patches[0, 0].tolist() == [0, 1, 6, 7]
    assert patches[0, 1].tolist() == [2, 3, 8, 9]
    assert patches[0, 3].tolist() == [12, 13, 18, 19]
    assert sorted(patches.flatten().tolist()) == list(range(36))


@MASKED
@pytest.mark.parametrize("place", [0, 3, 8])
def test_behind_the_mask_no_state_sees_a_later_patch(place, objective):
    images = pictures()
    network, other = small(objective), images.clone()
    row, column = divmod(place, 3)
    other[:, :, 2 * row, 2 * column] += 1
    before, after = network.hidden_states(images), network.hidden_states(other)
    token = 1 + place  # after the start token
    assert torch.equal(before[:, :, :token], after[:, :, :token])
    assert (before[:, 1:-1, token:] != after[:, 1:-1, token:]).any(dim=-1).all()
    if objective == "autoregressive":  # So no patch has a part in its own prediction.
        assert torch.equal(network(images)[:, :token], network(other)[:, :token])


def test_every_supervised_state_sees_every_patch():
    images = pictures()
    other = images.clone()
    other[:, :, -1, -1] += 1
    network = small("supervised")
    before, after = network.hidden_states(images), network.hidden_states(other)
    assert torch.equal(before[:, 0, :-1], after[:, 0, :-1]), "the embedding is that of a patch alone"
    assert (before[:, 1:] != after[:, 1:]).any(dim=-1).all()


@BOTH
def test_the_layers_are_those_of_a_naive_transformer(objective):
    network, images = small(objective).double(), pictures().double()
    states = network.hidden_states(images)
    h = torch.cat([network.start, network.embed(network.patches(images[:1]))[0] + network.place])
    assert torch.allclose(states[0, 0], h)
    for layer, block in enumerate(network.blocks):
        weights = dict(block.named_parameters())

        def norm(h, place, weights=weights):
            return layer_norm(h, (8,), weights[f"norms.{place}.weight"], weights[f"norms.{place}.bias"])

        def linear(h, name, weights=weights):
            return h @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

        q, k, v = linear(norm(h, 0), "qkv").split(8, dim=1)
        heard = torch.zeros_like(h)
        for first in (0, 4):
            part = slice(first, first + 4)
            for token in range(len(h)):
                seen = slice(None) if objective == "supervised" else slice(token + 1)
                scores = k[seen, part] @ q[token, part] / math.sqrt(4)
                heard[token, part] = scores.softmax(0) @ v[seen, part]
        h = h + linear(heard, "heard")
        h = h + linear(gelu(linear(norm(h, 1), "up")), "down")
        assert torch.allclose(states[0, layer + 1], h)
    assert torch.allclose(states[0, -1], network.norm(h))


@BOTH
def test_every_weight_has_a_gradient_but_those_of_a_token_that_says_nothing(objective):
    network, images = small(objective), pictures()
    training.batch_loss(network, images, torch.tensor([0, 1, 2, 3, 0])).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.any(), name
    if objective == "autoregressive":
        assert not network.place.grad[-1].any(), "what comes after the last patch is not asked"


@BOTH
def test_the_gradient_is_that_of_finite_differences(objective):
    network, images = small(objective).double(), pictures().double()
    labels = torch.tensor([0, 1, 2, 3, 0])
    training.batch_loss(network, images, labels).backward()
    for name in ("start", "embed.weight", "blocks.1.qkv.weight", "blocks.2.down.bias", "readout.weight"):
        weight = network.get_parameter(name)
        step, expected = 1e-6, weight.grad.flatten()[0].item()
        with torch.no_grad():
            found = []
            for sign in (1, -2):  # up, and from there down to the other side
                weight.view(-1)[0] += sign * step
                found.append(training.batch_loss(network, images, labels).item())
        assert (found[0] - found[1]) / (2 * step) == pytest.approx(expected, rel=1e-4, abs=1e-8)
        with torch.no_grad():
            weight.view(-1)[0] += step


def test_the_losses_are_the_squared_error_of_the_next_patch_and_the_cross_entropy_of_the_class():
    images, labels = pictures(), torch.tensor([0, 1, 2, 3, 0])
    network = small()
    states = network.hidden_states(images)[:, -1]
    error = network.readout(states)[:, :-1] - network.patches(images)  # token t speaks of patch t
    found = training.batch_loss(network, images, labels)
    assert found.item() == pytest.approx(error.square().mean().item())
    for objective in ("supervised", "supervised-masked"):
        network = small(objective)
        mean = network.hidden_states(images)[:, -1, 1:].mean(dim=1)
        expected = cross_entropy(network.readout(mean), labels)
        assert training.batch_loss(network, images, labels).item() == pytest.approx(expected.item())


def test_the_control_differs_from_the_supervised_network_in_its_mask_alone():
    networks = [small(objective) for objective in ("supervised", "supervised-masked")]
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(one, other)
    assert [network.causal for network in networks] == [False, True]


@BOTH
def test_training_reduces_the_loss(objective, stripes):
    losses = learn(small(objective), *stripes, steps=150)
    assert losses.shape == (150,)
    assert losses[-20:].mean() < 0.5 * losses[:10].mean()


@BOTH
def test_the_generators_decide_the_result(objective, stripes):
    networks = [small(objective, seed) for seed in (0, 0, 1, 0)]
    losses = [learn(net, *stripes, seed=order) for net, order in zip(networks, (0, 0, 0, 1), strict=True)]
    assert torch.equal(losses[0], losses[1])
    for first, second in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(first, second)
    for other in (2, 3):
        assert not torch.equal(losses[0], losses[other])


def test_the_global_randomness_is_left_alone(stripes):
    before = torch.get_rng_state()
    learn(small(), *stripes)
    vision.views(stripes[0], 2, generator=seeded())
    assert torch.equal(torch.get_rng_state(), before)


def test_only_the_supervised_objectives_look_at_labels(stripes):
    images, labels = stripes
    for objective, alike in (("autoregressive", True), ("supervised", False), ("supervised-masked", False)):
        losses = [learn(small(objective), images, each) for each in (labels, 1 - labels)]
        assert torch.equal(*losses) == alike


def test_the_learning_rate_rises_and_falls_to_nearly_nothing():
    rates = [training.rate(step, 1000) for step in range(1000)]
    assert rates[:50] == pytest.approx([(step + 1) / 50 for step in range(50)], abs=0.01)
    assert rates[49:] == sorted(rates[49:], reverse=True)
    assert rates[500] == pytest.approx(0.5)
    assert 0 < rates[-1] < 1e-5


def test_an_interruption_keeps_what_is_done(stripes, monkeypatch):
    original, calls = training.batch_loss, []

    def interrupted(*args):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(args)
        return original(*args)

    monkeypatch.setattr(training, "batch_loss", interrupted)
    network = small()
    with pytest.warns(UserWarning, match="training was interrupted after 3 of 9 steps"):
        assert learn(network, *stripes, steps=9).shape == (3,)
    assert not torch.equal(network.place, small().place)
    with pytest.raises(KeyboardInterrupt):
        learn(small(), *stripes)


@BOTH
def test_states_of_many_images_are_those_of_each(objective, monkeypatch):
    network, images = small(objective), pictures(7)
    whole = network.hidden_states(images)
    monkeypatch.setattr(training, "BLOCK", 3)
    tokens = vision.token_states(network, images)
    assert torch.allclose(tokens, whole, atol=1e-6)
    assert not tokens.requires_grad
    pooled = vision.pooled_states(network, images)
    assert pooled.shape == (network.layers, 7, 8)
    assert torch.allclose(pooled, whole[:, :, 1:].mean(dim=2).transpose(0, 1), atol=1e-6)


def test_a_shift_moves_all_of_an_image_and_fills_with_black():
    images = torch.rand(200, 1, 6, 6, generator=seeded())
    moved = distort.shift(images, 2, generator=seeded(1))
    found = set()
    for before, after in zip(images[:, 0], moved[:, 0], strict=True):
        padded = torch.nn.functional.pad(before, [2] * 4, value=-1.0)
        fits = [
            (row, column)
            for row in range(5)
            for column in range(5)
            if torch.equal(after, padded[row : row + 6, column : column + 6])
        ]
        assert len(fits) == 1
        found.update(fits)
    assert len(found) == 25, "every move occurs"
    assert torch.equal(distort.shift(images, 0, generator=seeded()), images)


def test_views_differ_from_one_another_and_stay_near_their_image():
    images = vision.images(TINY)["test"].pixels
    views = vision.views(images, 3, generator=seeded())
    assert views.shape == (3, *images.shape)
    assert views.abs().max() <= 1
    assert not torch.equal(views[0], views[1])
    flat = (views[0] - views[0].mean(dim=0)).flatten(1), (views[1] - views[1].mean(dim=0)).flatten(1)
    cosines = torch.cosine_similarity(flat[0][:, None], flat[1][None], dim=-1)
    assert cosines.diagonal().mean() > cosines.mean() + 0.4
    assert torch.equal(views, vision.views(images, 3, generator=seeded()))


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"patch": 4}, "patch must divide side, and heads width, got 4 and 6, 2 and 8"),
        ({"heads": 3}, "patch must divide side, and heads width, got 2 and 6, 3 and 8"),
        ({"depth": 0}, "depth must be at least 1, got 0"),
        ({"width": 0}, "width must be at least 1, got 0"),
        ({"objective": "masked"}, "objective must be one of .* got 'masked'"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, words):
    with pytest.raises(ValueError, match=words):
        small(**sizes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": math.nan}, "learning_rate must be above 0"),
        ({"learning_rate": 1e30}, "the loss is no longer finite: learning_rate 1e\\+30 is too large"),
    ],
)
def test_unfit_settings_are_refused(options, words, stripes):
    with pytest.raises(ValueError, match=words):
        learn(small(), *stripes, **options)


def test_unfit_images_labels_and_counts_are_refused(stripes):
    images, labels = stripes
    for bad, words in (
        (images[:0], "images must be at least 1"),
        (images * 1.01, r"images must have values in \[-1, 1\]"),
        (images * math.nan, r"images must have values in \[-1, 1\], and no NaN"),
        (images[..., :5, :5], r"images must have shape \(B, 1, 6, 6\), got \(8, 1, 5, 5\)"),
    ):
        with pytest.raises(ValueError, match=words):
            learn(small(), bad, labels[: len(bad)])
    with pytest.raises(ValueError, match=r"labels must have shape \(12,\), one an image, got \(3,\)"):
        learn(small(), images, labels[:3])
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        vision.views(images, 0, generator=seeded())
    with pytest.raises(ValueError, match="most must be at least 0, got -1"):
        distort.shift(images, -1, generator=seeded())
