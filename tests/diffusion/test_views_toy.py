"""The two-image toy: which pixels are in the minority, and the explorer that follows them from noise."""

import pytest
import torch

from oraledu.course.controls import positions
from oraledu.diffusion import views
from oraledu.diffusion.views import toy


def denoiser(x, alpha_bar, patch):
    return torch.tanh(alpha_bar**0.5 * toy.box_sum(x, patch) / (1 - alpha_bar))


@pytest.fixture(scope="module")
def explorer():
    return views.toy_explorer(denoiser, seeds=3)


def test_the_box_sum_is_that_of_a_window_that_wraps_around():
    x = torch.randn(2, 1, 7, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2), mode="circular")
    expected = torch.nn.functional.avg_pool2d(padded, 5, stride=1) * 25
    torch.testing.assert_close(toy.box_sum(x, 5), expected)


def test_a_lone_pixel_is_in_the_minority_and_a_half_plane_is_not():
    plain = torch.ones(1, 1, 8, 8)
    assert not toy.in_minority(plain, 3).any()
    plain[..., :4] = -1
    assert not toy.in_minority(plain, 3).any()
    plain[0, 0, 5, 6] = -0.9
    assert toy.in_minority(plain, 3).nonzero().tolist() == [[0, 0, 5, 6]]


def test_the_share_is_that_of_all_images_and_the_one_with_most_red_is_drawn():
    lone = torch.ones(1, 1, 5, 5)
    lone[0, 0, 2, 2] = -1
    figure = views.majority(
        {"before": torch.cat([torch.ones(1, 1, 5, 5), lone]), "after": -torch.ones(2, 1, 5, 5)}
    )
    first, second = figure.axes
    assert first.get_xlabel() == "2.0% in the minority"
    assert second.get_xlabel() == "0.0% in the minority"
    shown = first.images[0].get_array()
    red, green, blue = shown[2, 2]
    assert red > 2 * green > blue
    assert (shown[0, 0] == 1).all()
    assert (second.images[0].get_array() == 0).all()
    assert "before: 2.0%, after: 0.0%" in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_every_position_of_every_control_has_a_picture_and_words(explorer):
    start = explorer.values
    for name, control in explorer.controls.items():
        assert control.description.strip()
        shown = set()
        for value in positions(name, control):
            control.value = value
            assert explorer.error is None
            shown.add((explorer._repr_mimebundle_()[0]["image/png"], explorer.alt))
        assert (
            len({png for png, _ in shown}) == len({alt for _, alt in shown}) == len(positions(name, control))
        )
        control.value = start[name]


def test_the_pixels_of_the_right_denoiser_lie_on_the_tanh(explorer):
    law = explorer._draw(t=0.6, patch=5, seed=1).axes[3]
    curve, dots = law.lines
    sums, estimates = map(torch.as_tensor, dots.get_data())
    slope = torch.atanh(torch.as_tensor(curve.get_ydata()[210])) / curve.get_xdata()[210]
    torch.testing.assert_close(estimates, torch.tanh(slope * sums))
    assert len(sums) == toy.SIZE**2


def test_the_pixels_of_a_wrong_denoiser_do_not(explorer):
    wrong = views.toy_explorer(lambda x, alpha_bar, patch: -denoiser(x, alpha_bar, patch), seeds=1)
    curve, dots = wrong._draw(t=0.6, patch=3, seed=0).axes[3].lines
    assert dots.get_xdata() @ dots.get_ydata() < 0 < curve.get_xdata() @ curve.get_ydata()


def test_the_coupling_grows_as_the_noise_falls(explorer):
    couplings = [float(explorer._draw(t=t).axes[3].get_title().split()[-1]) for t in (1.0, 0.5, 0.05)]
    assert couplings == sorted(couplings)
    assert couplings[0] < 0.02
    assert couplings[-1] > 100
