"""A run of the sweep holds the lesson's network against the lesson's machine at one noise level."""

import math

import numpy as np
import pytest

from oraledu.diffusion import checkpoints, experiments, sweep, views
from oraledu.diffusion.calibrate import pearson_r
from oraledu.diffusion.machines import denoise, sample
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.settings import preset


def test_a_run_compares_what_both_take_for_the_clean_image_on_the_networks_way():
    asked = []

    def keep(function):
        def stored(*arguments):
            asked.append((function, *arguments))
            return network, None

        return stored

    network = checkpoints.load("fashion-zeros").network
    chosen = preset("quick").fashion
    found = sweep.run("quick", seed=1, noise=0.3, patch=5, device="cpu", keep=keep)
    sweep.run("quick", seed=1, noise=0.2, patch=3, device="cpu", keep=keep)
    assert asked == [(experiments.trained, chosen, 1, "cpu")]
    images = experiments.training_images(chosen)
    path = sample(network.denoise, experiments.noises(chosen, images, calibration=False))
    assert path.times[14] == pytest.approx(0.3)
    answer = denoise(path.noisy[14], images, alpha_bar(0.3), machine="equivariant-local", patch=5)
    r = pearson_r(path.denoised[14], answer)
    assert found["r_of_each"] == pytest.approx(r.tolist(), abs=1e-6)
    assert found["r"] == pytest.approx(float(r.median()), abs=1e-6)
    assert found["settings"] == repr(chosen)


def test_the_picture_has_noise_from_left_to_right_and_a_dot_at_the_best_patch_size():
    r = {(1.0, 3): (0.5, 0.7), (1.0, 5): (0.8,), (0.2, 3): (0.95,)}
    rows = [
        {"seed": seed, "noise": noise, "patch": patch, "r": value}
        for (noise, patch), values in r.items()
        for seed, value in enumerate(values)
    ]
    figure = views.sweep_figure(rows)
    ax = figure.axes[0]
    np.testing.assert_allclose(ax.images[0].get_array().filled(math.nan), [[0.6, 0.95], [0.8, math.nan]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "0.2"]
    assert ax.lines[0].get_ydata().tolist() == [1, 0]
    assert (
        "mean of 2 networks. The best patch size and its r at t = 1: 5, 0.800; t = 0.2: 3, 0.950."
        in figure.alt
    )
    assert figure.png().startswith(b"\x89PNG")
    assert "one network" in views.sweep_figure(rows[-1:]).alt
