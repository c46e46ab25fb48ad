"""The machines against their definitions, their identities and their limits."""

from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu import data
from oraledu.diffusion import equivariant_local, machines, posterior, schedule
from tests.diffusion import loops

#: Each machine that sees a window, with each padding.
LOCAL = [
    (machine, padding) for machine in ("local", "equivariant-local") for padding in ("zeros", "circular")
]

#: Every machine: what `denoise` needs to be told, with a window of 3 where there is one.
ALL = [
    {"machine": "ideal", "padding": "zeros"},
    {"machine": "equivariant", "padding": "circular"},
    *({"machine": machine, "patch": 3, "padding": padding} for machine, padding in LOCAL),
]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(count, channels, size, *, batch=2, seed=0, dtype=torch.float64):
    """Training images in [-1, 1], and noisy images of another kind."""
    generator = seeded(seed)
    images = 2 * torch.rand(count, channels, size, size, generator=generator, dtype=dtype) - 1
    return torch.randn(batch, channels, size, size, generator=generator, dtype=dtype), images


def noised(images, alpha_bar, seed=0):
    """Images with noise."""
    noise = torch.randn(images.shape, generator=seeded(seed), dtype=images.dtype)
    return alpha_bar**0.5 * images + (1 - alpha_bar) ** 0.5 * noise


def small_tiles(elements, queries):
    """Inside, all work is cut into tiles so small that none is like the next."""
    tiles = mock.patch.object(posterior, "CPU_TILE", elements)
    groups = mock.patch.object(equivariant_local, "QUERIES", queries)
    return tiles, groups


@st.composite
def questions(draw_from):
    """A machine with all it needs, small enough for a loop."""
    machine = draw_from(st.sampled_from(["ideal", "equivariant", "local", "equivariant-local"]))
    size = draw_from(st.integers(1, 6))
    padding = "circular" if machine == "equivariant" else draw_from(st.sampled_from(["zeros", "circular"]))
    settings_ = {"machine": machine, "padding": padding}
    if "local" in machine:
        largest = size if padding == "circular" else 2 * size - 1
        settings_["patch"] = 1 + 2 * draw_from(st.integers(0, (largest - 1) // 2))
    batch = draw_from(st.sampled_from([1, 3]))
    x, images = draw(
        draw_from(st.integers(1, 5)),
        draw_from(st.integers(1, 3)),
        size,
        batch=batch,
        seed=draw_from(st.integers(0, 1000)),
    )
    levels = st.floats(1e-4, 0.994)
    alone, together = levels, st.lists(levels, min_size=batch, max_size=batch).map(torch.tensor)
    return x, images, draw_from(st.one_of(alone, together)), settings_


@given(questions(), st.integers(1, 200), st.integers(1, 20))
@settings(deadline=None, max_examples=120)
def test_every_machine_is_the_mean_that_it_is_said_to_be(question, elements, queries):
    x, images, alpha_bar, how = question
    tiles, groups = small_tiles(elements, queries)
    with tiles, groups:
        found = machines.denoise(x, images, alpha_bar, **how)
    torch.testing.assert_close(found, loops.denoise(x, images, alpha_bar, **how), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("machine", "padding"), LOCAL)
@pytest.mark.parametrize("patch", [3, 7, 11])
def test_float32_is_close_to_the_loop_on_real_images(machine, padding, patch):
    images = data.fashion_mnist(10, pool=2).pixels
    for t, tolerance in ((0.05, 5e-4), (0.3, 1e-4), (0.7, 1e-4), (1.0, 1e-4)):
        alpha_bar = schedule.alpha_bar(t)
        x = noised(images[:1].roll((1, 2), dims=(2, 3)), alpha_bar)
        how = {"machine": machine, "patch": patch, "padding": padding}
        expected = loops.denoise(x, images, alpha_bar, **how)
        found = machines.denoise(x, images, alpha_bar, **how)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    "how", [*ALL, {"machine": "local", "patch": 17}, {"machine": "equivariant-local", "patch": 17}]
)
@pytest.mark.parametrize("t", [0.05, 0.1, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("kind", ["image", "noise"])
def test_float32_is_close_to_float64_at_full_size(how, t, kind):
    images = data.mnist(60).pixels
    alpha_bar = schedule.alpha_bar(t)
    x = noised(images[:1].roll((1, 2), dims=(2, 3)), alpha_bar)
    if kind == "noise":  # near no image at all: the log-weights are large
        x = torch.randn(x.shape, generator=seeded())
    found = machines.denoise(x, images, alpha_bar, **how)
    expected = machines.denoise(x.double(), images.double(), alpha_bar, **how)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-4 if t > 0.3 else 5e-4)


@pytest.mark.parametrize("how", ALL)
def test_a_batch_is_its_images_one_by_one_each_at_its_own_noise_level(how):
    x, images = draw(7, 2, 8, batch=3)
    levels = torch.tensor([0.1, 0.5, 0.9])
    together = machines.denoise(x, images, levels, **how)
    for one, level, answer in zip(x, levels, together, strict=True):
        alone = machines.denoise(one[None], images, level.item(), **how)
        torch.testing.assert_close(answer[None], alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [3, 7])
def test_circular_windows_as_wide_as_an_odd_image_compare_whole_translates(size):
    x, images = draw(4, 2, size)
    found = machines.denoise(x, images, 0.4, machine="equivariant-local", patch=size, padding="circular")
    ideal = machines.denoise(x, loops.orbit(images), 0.4, machine="ideal")
    equivariant = machines.denoise(x, images, 0.4, machine="equivariant", padding="circular")
    torch.testing.assert_close(found, ideal, rtol=0, atol=1e-10)
    torch.testing.assert_close(found, equivariant, rtol=0, atol=1e-10)


@pytest.mark.parametrize("machine", ["local", "equivariant-local"])
def test_zero_padded_windows_that_reach_every_pixel_make_the_ideal_machine(machine):
    x, images = draw(4, 2, 6)
    found = machines.denoise(x, images, 0.4, machine=machine, patch=11)
    torch.testing.assert_close(found, machines.denoise(x, images, 0.4, machine="ideal"), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("size", "patch", "equal"), [(7, 5, False), (7, 7, True), (8, 7, False), (8, 9, True)]
)
def test_the_boundary_broken_machine_is_local_from_windows_that_see_two_borders_on(size, patch, equal):
    x, images = draw(4, 1, size)
    found = machines.denoise(x, images, 0.4, machine="equivariant-local", patch=patch)
    local = machines.denoise(x, images, 0.4, machine="local", patch=patch)
    assert equal == (2 * (patch // 2) >= size - 1) == torch.allclose(found, local, rtol=0, atol=1e-12)


def test_the_boundary_broken_machine_is_local_in_the_corners_and_free_in_the_interior():
    x, images = draw(6, 1, 9)
    broken = machines.denoise(x, images, 0.4, machine="equivariant-local", patch=5)
    local = machines.denoise(x, images, 0.4, machine="local", patch=5)
    corners = torch.tensor([0, 1, 7, 8])
    torch.testing.assert_close(
        broken[..., corners[:, None], corners], local[..., corners[:, None], corners], rtol=0, atol=1e-12
    )
    crops = images.unfold(2, 5, 1).unfold(3, 5, 1).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
    inner = machines.denoise(x[..., 2:7, 2:7], crops, 0.4, machine="ideal")[..., 2, 2]
    torch.testing.assert_close(broken[..., 4, 4], inner, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equivariant_machines_commute_with_translations_and_the_local_one_does_not(dtype):
    x, images = draw(6, 1, 9, dtype=dtype)

    def moved(tensor):
        return tensor.roll((3, -4), dims=(2, 3))

    def error(**how):
        answer = machines.denoise(x, images, 0.4, padding="circular", **how)
        return (
            (machines.denoise(moved(x), images, 0.4, padding="circular", **how) - moved(answer)).abs().max()
        )

    assert error(machine="equivariant") < 1e-6
    assert error(machine="equivariant-local", patch=5) < 1e-6
    assert error(machine="local", patch=5) > 0.1


@pytest.mark.parametrize(("machine", "padding"), LOCAL)
@pytest.mark.parametrize("t", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("pixel", [(6, 5), (0, 13)])
def test_a_pixel_is_felt_inside_its_window_alone_and_outside_not_in_a_single_bit(machine, padding, t, pixel):
    _, images = draw(30, 1, 14, dtype=torch.float32)
    x = noised(images[:2].flip(3), schedule.alpha_bar(t))
    touched = x.clone()
    touched[0, 0, pixel[0], pixel[1]] += 0.3
    how = {"machine": machine, "patch": 5, "padding": padding}
    before, after = (machines.denoise(noisy, images, schedule.alpha_bar(t), **how) for noisy in (x, touched))
    rows, columns = ((torch.arange(14) - place).abs() for place in pixel)
    if padding == "circular":
        rows, columns = rows.minimum(14 - rows), columns.minimum(14 - columns)
    near = (rows <= 2)[:, None] & (columns <= 2)
    assert torch.equal(before[1], after[1])
    assert torch.equal(before[0, 0][~near], after[0, 0][~near])
    if t == 0.9:  # at lower noise a posterior may have settled on one patch already
        assert (before[0, 0] != after[0, 0])[near].all()


@pytest.mark.parametrize("how", ALL)
def test_from_the_same_noise_each_machine_gives_the_same_bits_again(how):
    x, images = draw(20, 1, 9, dtype=torch.float32)
    first = machines.denoise(x, images, 0.4, **how)
    assert torch.equal(first, machines.denoise(x, images, 0.4, **how))  # the second uses what the first kept


@pytest.mark.parametrize("how", [{"machine": "ideal"}, {"machine": "local", "patch": 3}])
@pytest.mark.parametrize("t", [0.05, 0.5, 1.0])
def test_machines_that_do_not_move_have_but_one_answer_to_one_image(how, t):
    x, images = draw(1, 2, 6)
    found = machines.denoise(x, images, schedule.alpha_bar(t), **how)
    torch.testing.assert_close(found, images.expand_as(found), rtol=0, atol=1e-12)


@pytest.mark.parametrize("how", ALL)
def test_training_images_that_come_twice_change_nothing(how):
    x, images = draw(5, 1, 7)
    once = machines.denoise(x, images, 0.4, **how)
    twice = machines.denoise(x, torch.cat([images, images]), 0.4, **how)
    torch.testing.assert_close(once, twice, rtol=0, atol=1e-12)


@pytest.mark.parametrize("how", ALL)
def test_an_answer_never_leaves_the_range_of_the_training_pixels(how):
    images = data.mnist(20, pool=2).pixels
    for t in (0.05, 0.5, 1.0):
        x = 3 * torch.randn(2, 1, 14, 14, generator=seeded())
        found = machines.denoise(x, images, schedule.alpha_bar(t), **how)
        assert found.min() >= images.min() - 1e-5
        assert found.max() <= images.max() + 1e-5


@pytest.mark.parametrize("how", ALL)
def test_under_noise_alone_an_answer_is_the_mean_of_all_candidates(how):
    x, images = draw(5, 2, 7)
    found = machines.denoise(x, images, 1e-14, **how)
    mean = images.mean(dim=0)
    moves, padding = "equivariant" in how["machine"], how["padding"]
    if moves and padding == "circular":
        mean = mean.mean(dim=(1, 2), keepdim=True)
    elif moves:
        mean[:, 1:-1, 1:-1] = mean[:, 1:-1, 1:-1].mean(dim=(1, 2), keepdim=True)
        for edge in (mean[:, 0, 1:-1], mean[:, -1, 1:-1], mean[:, 1:-1, 0], mean[:, 1:-1, -1]):
            edge[:] = edge.mean(dim=1, keepdim=True)
    torch.testing.assert_close(found, mean.expand_as(found), rtol=0, atol=1e-5)


def test_without_noise_the_ideal_answer_is_the_nearest_image():
    _, images = draw(5, 1, 7)
    found = machines.denoise(0.9 * images + 0.01, images, 1 - 1e-6, machine="ideal")
    torch.testing.assert_close(found, images)


@pytest.mark.parametrize("how", ALL)
def test_a_class_is_the_machine_of_its_images(how):
    x, images = draw(9, 1, 7)
    labels = torch.tensor([0, 1, 2, 0, 1, 1, 2, 0, 0])
    for label in (0, 1, 2):  # one after the other: nothing of one may be left for the next
        found = machines.denoise(x, images, 0.4, labels=labels, label=label, **how)
        assert torch.equal(found, machines.denoise(x, images[labels == label], 0.4, **how))
    assert not torch.allclose(found, machines.denoise(x, images, 0.4, **how))


def log_density(x, images, alpha_bar):
    """The log of the noisy images' density, up to a constant: log Σ exp(-|x - a y|² / 2b²)."""
    errors = (x - alpha_bar**0.5 * images.flatten(1)).square().sum(dim=1)
    return torch.logsumexp(-errors / (2 * (1 - alpha_bar)), dim=0)


@pytest.mark.parametrize("t", [0.3, 0.7, 1.0])
def test_the_ideal_score_is_the_gradient_of_the_log_density(t):
    x, images = draw(5, 2, 5, batch=1)
    alpha_bar = schedule.alpha_bar(t)
    point = x.flatten().requires_grad_()
    (gradient,) = torch.autograd.grad(log_density(point, images, alpha_bar), point)
    denoised = machines.denoise(x, images, alpha_bar, machine="ideal")
    score = machines.score(x, denoised, alpha_bar)
    torch.testing.assert_close(score.flatten(), gradient, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("machine", "padding"), LOCAL)
def test_a_local_score_is_the_gradient_of_the_patch_density_at_the_centre(machine, padding):
    x, images = draw(4, 2, 7, batch=1)
    alpha_bar, patch = 0.3, 5
    how = {"machine": machine, "patch": patch, "padding": padding}
    score = machines.score(x, machines.denoise(x, images, alpha_bar, **how), alpha_bar)
    for pixel in ((3, 3), (0, 3), (6, 6), (5, 0)):
        places = loops.places_to_look(7, *pixel, **how)
        patches = torch.stack([loops.window(y, *place, patch, padding) for y in images for place in places])
        query = loops.window(x[0], *pixel, patch, padding).requires_grad_()
        (gradient,) = torch.autograd.grad(log_density(query, patches, alpha_bar), query)
        centre = gradient.view(2, -1)[:, patch**2 // 2]
        torch.testing.assert_close(score[0, :, pixel[0], pixel[1]], centre, rtol=0, atol=1e-10)


def test_a_score_may_have_a_noise_level_for_each_image():
    x, images = draw(2, 1, 4)
    levels = torch.tensor([0.2, 0.8])
    together = machines.score(x, images, levels)
    for one in range(2):
        alone = machines.score(x[[one]], images[[one]], levels[one].item())
        torch.testing.assert_close(together[[one]], alone)


def test_a_score_of_another_shape_or_level_is_refused():
    x, _ = draw(2, 1, 4)
    with pytest.raises(ValueError, match=r"denoised must have the shape of x, \(2, 1, 4, 4\)"):
        machines.score(x, x[:1], 0.5)
    with pytest.raises(ValueError, match=r"alpha_bar must lie in \(0, 1\)"):
        machines.score(x, x, 1.0)


def test_machines_need_no_gradient_and_leave_their_arguments_alone():
    x, images = draw(4, 1, 7)
    x.requires_grad_()
    before = x.detach().clone(), images.clone()
    for how in ALL:
        assert not machines.denoise(x, images, 0.4, **how).requires_grad
        machines.provenance(x, images, 0.4, **how)
    assert torch.equal(x, before[0])
    assert torch.equal(images, before[1])


@pytest.mark.parametrize("how", ALL)
def test_images_need_not_lie_in_one_block_of_memory(how):
    x, images = draw(6, 2, 7)
    scattered = images.transpose(0, 3).contiguous().transpose(0, 3)
    assert not scattered.is_contiguous()
    found = machines.denoise(x.mT.contiguous().mT, scattered, 0.4, **how)
    torch.testing.assert_close(found, machines.denoise(x, images, 0.4, **how), rtol=0, atol=1e-12)


def test_a_machine_takes_the_patch_of_its_time():
    x, images = draw(4, 1, 7)
    machine = machines.Machine(images, "equivariant-local", [7, 5, 3, 3], padding="circular")
    for t, patch in zip(schedule.times(4), [7, 5, 3, 3], strict=False):
        expected = machines.denoise(
            x, images, schedule.alpha_bar(t), machine="equivariant-local", patch=patch, padding="circular"
        )
        assert torch.equal(machine(x, t), expected)


def test_a_machine_with_one_patch_has_it_at_all_times():
    x, images = draw(6, 1, 7)
    labels = torch.arange(6) % 2
    machine = machines.Machine(images, "local", 3, labels=labels, label=1)
    expected = machines.denoise(x, images[1::2], schedule.alpha_bar(0.33), machine="local", patch=3)
    assert torch.equal(machine(x, 0.33), expected)


def test_a_machine_has_patches_at_the_times_of_its_sampler_alone():
    x, images = draw(2, 1, 5)
    machine = machines.Machine(images, "local", [5, 3, 3])
    for t in (0.5, 0.34, 0.0):
        with pytest.raises(ValueError, match="t must be the time of one of the 3 patches"):
            machine(x, t)
    sampled = machines.sample(machine, x, steps=3)
    assert sampled.images.shape == x.shape
    with pytest.raises(ValueError, match="t must be the time of one of the 3 patches"):
        machines.sample(machine, x, steps=4)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"machine": "other"}, "machine must be one of 'ideal', 'equivariant', 'local', 'equivariant-local'"),
        ({"machine": "local"}, "patch must be given"),
        ({"machine": "local", "patches": []}, "patches must hold one patch size for each step"),
        ({"machine": "local", "patches": [3, 4]}, "patch must be an odd number from 1 to 9"),
        (
            {"machine": "local", "patches": [3, 7], "padding": "circular"},
            "patch must be an odd number from 1 to 5",
        ),
        ({"machine": "ideal", "patches": [3]}, "patch must be None"),
        ({"machine": "equivariant"}, 'padding must be "circular"'),
        ({"machine": "ideal", "label": 1}, "labels and label belong together"),
        (
            {"machine": "ideal", "label": 9, "labels": torch.arange(2)},
            r"label must be one of \[0, 1\], got 9",
        ),
    ],
)
def test_a_machine_that_could_not_run_is_refused_at_once(how, words):
    _, images = draw(2, 1, 5)
    with pytest.raises(ValueError, match=words):
        machines.Machine(images, **how)


def test_the_sampler_of_machines_is_that_of_networks():
    from oraledu.diffusion import sampling

    assert machines.sample is sampling.sample
    assert machines.Trajectory is sampling.Trajectory
