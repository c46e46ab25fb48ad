"""The explorer of classes in two dimensions: a plane chosen on half of the texts, and the score beside it."""

import numpy as np
import pytest
import torch

from oraledu.representations import views
from oraledu.representations.views import projections
from tests.representations.pictures import corners_are_drawn, curves, every_position_is_drawn
from tests.representations.samples import normal

CLASSES = ("animal", "plant", "food", "place")


def task(layers, seed, *, apart=3.0, items=40):
    labels = [CLASSES[place % 4] for place in range(items)]
    means = apart * normal(4, 12, seed=seed + 1)
    states = normal(layers, items, 12, seed=seed) + means[[CLASSES.index(label) for label in labels]]
    return views.Task(states, labels, curves("s", layers=layers, seed=seed)["s"], "accuracy")


@pytest.fixture(scope="module")
def models():
    return {
        "deep": {"nouns": task(7, 0), "verbs": task(7, 1)},
        "flat": {"nouns": task(3, 2), "verbs": task(3, 3)},
    }


@pytest.fixture(scope="module")
def explorer(models):
    return views.task_explorer(models=models)


def test_every_position_of_every_control_has_a_picture_and_words(explorer):
    every_position_is_drawn(explorer)
    corners_are_drawn(explorer)


def test_the_layer_is_the_one_at_that_depth_and_told_with_its_score(explorer, models):
    for model, last in (("deep", 6), ("flat", 2)):
        for share in (0.0, 0.5, 1.0):
            figure = explorer._draw(depth_share=share, task="verbs", model=model)
            shown = models[model]["verbs"]
            layer = round(share * last)
            assert f"{model} at layer {layer} of {last}" in figure.alt
            assert f"{shown.score[layer]:.2f} here, {shown.score[-1]:.2f} at the last layer" in figure.alt
            assert f"at best {shown.score.max():.2f} at layer {int(shown.score.argmax())}" in figure.alt
            assert figure.axes[1].lines[-1].get_ydata()[0] == shown.score[layer]


def test_the_names_stand_at_their_classes(explorer):
    figure = explorer._draw(depth_share=0.0)
    shown = {text.get_text(): text.get_visible() for text in figure.axes[0].texts if text.get_text()}
    assert shown == dict.fromkeys(sorted(CLASSES), True)
    offsets = figure.axes[0].collections[0].get_offsets()
    assert len(offsets) == 20  # the other half chose the plane
    assert np.abs(offsets).max() == pytest.approx(1)


def test_classes_that_differ_fill_the_plane_and_classes_that_do_not_are_told_as_noise():
    def between(apart):
        models = {"m": {"t": task(2, 5, apart=apart, items=200)}}
        alt = views.task_explorer(models=models).alt
        return float(alt.split("means hold ")[1].split()[0])

    assert between(3.0) > 0.8
    # The plane was chosen on other texts, so chance finds no classes in it.
    assert between(0.0) < 0.15


def test_the_plane_holds_the_means_of_classes_that_differ_in_two_directions():
    numbers = torch.arange(30) % 3
    corners = torch.zeros(3, 8, dtype=torch.float64)
    corners[0, 5], corners[1, 2] = 4.0, 4.0
    plane = projections.discriminant_plane(corners[numbers][None], numbers)[0]
    torch.testing.assert_close(plane.T @ plane, torch.eye(2, dtype=torch.float64))
    centred = corners - corners.mean(0)
    torch.testing.assert_close(centred @ plane @ plane.T, centred)


def test_turning_a_layer_does_not_turn_its_picture():
    points = torch.stack([normal(9, 2)] * 3)
    turn = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    points[1] = points[1] @ turn
    torch.testing.assert_close(projections._steadied(points), torch.stack([points[0]] * 3))


def test_names_that_would_overlap_are_pushed_apart_and_others_stay():
    middles = np.array([[0.0, 0.0], [0.01, 0.02], [0.0, 0.9]])
    places = projections._apart(middles, ["one", "two", "three"])
    assert abs(places[0, 1] - places[1, 1]) >= projections.LINE - 1e-3
    np.testing.assert_array_equal(places[2], middles[2])
    np.testing.assert_array_equal(places[:, 0], middles[:, 0])
