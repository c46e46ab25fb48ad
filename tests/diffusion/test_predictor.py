"""What all networks promise: the noise levels they know, v and the clean image, labels, and refused input."""

import pytest
import torch

from oraledu.diffusion import networks, sampling, schedule
from oraledu.diffusion.predictor import signal_and_noise
from tests.diffusion.awake import awake, noise, seeded

NETWORKS = {
    "resnet": lambda **keywords: networks.ResNet(width=5, depth=2, generator=seeded(), **keywords),
    "unet": lambda **keywords: networks.UNet(widths=(4, 8), generator=seeded(), **keywords),
    "attention": lambda **keywords: networks.AttentionUNet(
        widths=(4, 8), heads=2, generator=seeded(), **keywords
    ),
}
EACH = pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)


@EACH
@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize("channels", [1, 3])
def test_v_has_the_shape_of_the_images(make, padding, channels):
    network = awake(make(padding=padding, channels=channels))
    x = noise(2, channels, 6, 8)
    assert network(x, 0.5).shape == x.shape
    assert network(x, 0.5).abs().max() > 0


@EACH
def test_a_network_starts_at_v_equals_zero(make):
    x = noise(2, 1, 6, 6).float()
    assert torch.equal(make()(x, 0.5), torch.zeros_like(x))


@EACH
def test_the_clean_image_is_a_x_minus_b_v(make):
    network, x = awake(make()), noise(3, 1, 6, 6)
    for t in (0.05, 0.5, 1.0):
        kept = schedule.alpha_bar(t)
        expected = kept**0.5 * x - (1 - kept) ** 0.5 * network(x, t)
        assert torch.allclose(network.denoise(x, t), expected, atol=1e-14)


@pytest.mark.parametrize("t", [0.05, 0.5, 1.0])
def test_the_true_v_gives_back_the_clean_image(t):
    clean, eps = noise(2, 1, 4, 4, seed=1), noise(2, 1, 4, 4, seed=2)
    a, b = signal_and_noise(t, clean)
    x, v = a * clean + b * eps, a * eps - b * clean
    assert torch.allclose(a * x - b * v, clean)


@EACH
def test_the_levels_of_the_sampler_differ(make):
    network, x = awake(make(steps=4)), noise(1, 1, 6, 6)
    answers = [network(x, t) for t in schedule.times(4)[:-1]]
    for i, j in ((0, 1), (1, 2), (2, 3), (0, 3)):
        assert (answers[i] - answers[j]).abs().max() > 1e-3


@EACH
def test_one_time_for_each_image_is_each_image_at_its_time(make):
    network, x = awake(make()), noise(3, 1, 6, 6)
    several = network(x, torch.tensor([0.05, 1.0, 0.35]))
    for image, t in enumerate((0.05, 1.0, 0.35)):
        assert torch.allclose(several[image : image + 1], network(x[image : image + 1], t))


def test_a_network_knows_every_time_of_its_sampler():
    for steps in (1, 7, 20, 150):
        network = networks.ResNet(width=1, depth=1, steps=steps, generator=seeded())
        for level, t in enumerate(reversed(schedule.times(steps)[:-1])):
            for form in (t, torch.tensor(t), torch.tensor([t], dtype=torch.float64)):
                assert network._level(form, 1).tolist() == [level]


@pytest.mark.parametrize("t", [0.0, 0.52, 1.05, -0.05, float("nan")])
def test_a_time_between_the_levels_is_refused(t):
    with pytest.raises(
        ValueError, match="t must be one of the sampler's noise levels, i/20 for i from 1 to 20"
    ):
        NETWORKS["resnet"]()(noise(1, 1, 4, 4).float(), t)


def test_too_many_times_are_refused():
    with pytest.raises(ValueError, match="t must be one time, or one for each of 3 images, got 2"):
        NETWORKS["resnet"]()(noise(3, 1, 4, 4).float(), torch.tensor([0.5, 0.5]))


@EACH
def test_a_network_follows_the_sampler(make):
    trajectory = sampling.sample(make(steps=5).denoise, noise(2, 1, 6, 6).float(), steps=5)
    assert trajectory.images.shape == (2, 1, 6, 6)
    assert trajectory.images.isfinite().all()


@EACH
def test_the_clean_image_can_be_differentiated(make):
    network, x = awake(make()), noise(1, 1, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: network.denoise(x, 0.5), x)


@EACH
def test_labels_select_what_was_learned_for_their_class(make):
    network, x = awake(make(classes=3)), noise(2, 1, 6, 6)
    mixed = network.denoise(x, 0.5, torch.tensor([0, 2]))
    for image, label in ((0, 0), (1, 2)):
        alone = network.denoise(x[image : image + 1], 0.5, torch.tensor([label]))
        assert torch.allclose(mixed[image : image + 1], alone)
    other = network.denoise(x, 0.5, torch.tensor([1, 1]))
    assert ((mixed - other).abs().amax(dim=(1, 2, 3)) > 1e-3).all()


@pytest.mark.parametrize(
    ("classes", "labels", "error", "words"),
    [
        (0, torch.tensor([0, 0]), ValueError, "labels must be None: the network has no classes"),
        (3, None, ValueError, "labels must be given, integers below 3"),
        (3, torch.tensor([0]), ValueError, r"labels must have shape \(2,\)"),
        (3, torch.tensor([0, 3]), ValueError, "labels must lie in 0 to 2"),
        (3, torch.tensor([0, -1]), ValueError, "labels must lie in 0 to 2"),
        (3, torch.tensor([0.0, 1.0]), TypeError, "labels must be integers"),
        (3, torch.tensor([False, True]), TypeError, "labels must be integers"),
    ],
)
def test_unfit_labels_are_refused(classes, labels, error, words):
    with pytest.raises(error, match=words):
        NETWORKS["resnet"](classes=classes)(noise(2, 1, 4, 4).float(), 0.5, labels)


@pytest.mark.parametrize("shape", [(1, 4, 4), (2, 3, 4, 4), (4, 4)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"x must have shape \(B, 1, H, W\)"):
        NETWORKS["resnet"]()(noise(*shape).float(), 0.5)


@EACH
@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"channels": 0}, "channels must be at least 1"),
        ({"classes": -1}, "classes must be at least 0"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"padding": "reflect"}, "padding must be one of 'zeros', 'circular', got 'reflect'"),
    ],
)
def test_unfit_sizes_are_refused(make, keywords, words):
    with pytest.raises(ValueError, match=words):
        make(**keywords)
