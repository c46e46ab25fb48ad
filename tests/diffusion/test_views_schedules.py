"""The patch sizes over the noise levels, and the explorer that tries others."""

import pytest
import torch

from oraledu.diffusion import views
from oraledu.diffusion.calibrate import pearson_r
from oraledu.diffusion.views import schedules

SIZES = [7, 5, 5, 3]


@pytest.fixture
def network():
    return torch.randn(3, 1, 6, 6, generator=torch.Generator().manual_seed(0)) / 2


@pytest.fixture
def choices():
    return {"calibrated": SIZES, "reversed": SIZES[::-1], "5 throughout": [5] * 4}


@pytest.fixture
def samples(network, choices):
    generator = torch.Generator().manual_seed(1)
    return {
        name: network + size * torch.randn(network.shape, generator=generator)
        for size, name in zip((0.2, 0.6, 1.2), choices, strict=True)
    }


def picture_of(explorer):
    return explorer._repr_mimebundle_()[0]["image/png"]


def test_the_staircase_has_a_step_for_each_noise_level():
    spot = torch.zeros(9, 9)
    spot[4, 4], spot[3, 4] = 1.0, 0.1
    figure = schedules.staircase(SIZES, {1.0: spot, 0.3: spot})
    steps = figure.axes[0].lines[0]
    assert list(steps.get_xdata()) == [1.0, 0.75, 0.5, 0.25]
    assert list(steps.get_ydata()) == SIZES
    left, right = figure.axes[0].get_xlim()
    assert left > right, "noise comes first"
    assert "7 at t = 1 and 3 at t = 0.25" in figure.alt
    assert "in windows of at most 1 pixels a side, the last time of 1." in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_a_jacobian_is_shown_on_a_logarithmic_scale_in_the_frame_of_its_time():
    spot = torch.full((9, 9), 1e-9)
    spot[4, 4], spot[3, 4] = 2.0, 0.2
    figure = schedules.staircase(SIZES, {1.0: spot, 0.3: spot})
    shown = figure.axes[1].images[0].get_array()
    assert shown[4, 4] == 0
    assert shown[3, 4] == pytest.approx(-1)
    assert shown[0, 0] == pytest.approx(-2)
    for ax, patch in zip(figure.axes[1:], (7, 3), strict=True):
        frame = ax.patches[0]
        assert (frame.get_width(), frame.get_height()) == (patch, patch)
        assert frame.get_x() + patch / 2 == frame.get_y() + patch / 2 == 4
        assert ax.get_xlabel() == f"frame {patch} × {patch}\n90 % in 1 × 1"


def test_what_the_network_uses_is_said_beside_the_frame_and_is_not_it():
    wide, narrow = torch.ones(9, 9), torch.eye(9)[4][:, None] * torch.eye(9)[4]
    figure = schedules.staircase(SIZES, {1.0: wide, 0.25: narrow})
    assert [ax.get_xlabel().split("\n")[1] for ax in figure.axes[1:]] == ["90 % in 9 × 9", "90 % in 1 × 1"]
    assert "at most 9 pixels a side, the last time of 1." in figure.alt


def test_every_choice_and_every_noise_has_a_picture_and_words_of_its_own(network, samples, choices):
    explorer = schedules.schedule_explorer(network, samples, choices)
    seen = set()
    for name in choices:
        explorer.controls["schedule"].value = name
        for seed in range(3):
            explorer.controls["seed"].value = seed
            assert explorer.error is None
            seen.add((picture_of(explorer), explorer.alt))
    assert len({png for png, _ in seen}) == len({alt for _, alt in seen}) == 9
    assert all(control.description.strip() for control in explorer.controls.values())


def test_the_r_of_the_choice_is_that_of_the_images_shown(network, samples, choices):
    kept = network.clone(), {name: images.clone() for name, images in samples.items()}
    explorer = schedules.schedule_explorer(network, samples, choices)
    figure = explorer._draw(schedule="reversed", seed=2)
    r = float(pearson_r(network, samples["reversed"])[2])
    theirs, ours, steps, bars = figure.axes
    assert ours.get_xlabel() == f"r = {r:.2f},  r² = {r * r:.2f}"
    torch.testing.assert_close(
        torch.as_tensor(ours.images[0].get_array().filled()),
        ((samples["reversed"][2, 0].double() + 1) / 2).clamp(0, 1),
    )
    torch.testing.assert_close(
        torch.as_tensor(theirs.images[0].get_array().filled()), ((network[2, 0].double() + 1) / 2).clamp(0, 1)
    )
    assert list(steps.lines[-1].get_ydata()) == SIZES[::-1]
    widths = [bar.get_width() for bar in bars.patches]
    assert widths == pytest.approx([float(pearson_r(network, samples[name])[2]) for name in choices])
    assert torch.equal(network, kept[0])
    assert all(torch.equal(samples[name], kept[1][name]) for name in samples)


def test_the_words_name_the_patch_sizes(network, samples, choices):
    explorer = schedules.schedule_explorer(network, samples, choices)
    assert "calibrated (7 at t = 1, 3 at the end)" in explorer.alt
    explorer.controls["schedule"].value = "5 throughout"
    assert "5 throughout" in explorer.alt


def test_both_are_names_of_the_lesson_s_views():
    assert views.staircase is schedules.staircase
    assert views.schedule_explorer is schedules.schedule_explorer
