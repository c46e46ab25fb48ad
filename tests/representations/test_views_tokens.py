"""Figures and explorers of a prompt's tokens: Gram matrices, layers under every convention, the sink, the path."""

import math
import re

import numpy as np
import pytest
import torch

from oraledu.representations import entropy, geometry, sink, views
from oraledu.representations import gram as grams_module
from oraledu.representations.views import paths, sinks
from tests.representations.pictures import (
    LAYERS,
    MASSIVE,
    corners_are_drawn,
    curves,
    every_position_is_drawn,
    grams_of,
    looks_drawn,
)

PROMPTS = ["a first prompt of some words", "another one"]


@pytest.fixture(scope="module")
def grams():
    return grams_of(7, 9)


@pytest.fixture(scope="module")
def layer_explorer(grams):
    return views.layer_explorer(grams=grams, prompts=PROMPTS)


@pytest.fixture(scope="module")
def sink_explorer(grams):
    return views.sink_explorer(grams=grams)


@pytest.fixture(scope="module")
def path_explorer():
    return views.path_explorer()


def test_the_pictures_are_the_gram_matrices_of_the_layers_asked_for(grams):
    figure = views.gram_images(gram=grams[0], layers=[0, 3], convention="raw")
    looks_drawn(figure)
    for ax, layer in zip(figure.axes, (0, 3), strict=True):
        assert ax.get_title() == f"layer {layer}"
        shown = torch.as_tensor(ax.images[0].get_array().filled())
        torch.testing.assert_close(shown, grams[0][layer].double())


def test_a_gram_matrix_is_told_by_how_alike_its_tokens_are():
    k = torch.full((2, 4, 4), 0.25)
    k[0].fill_diagonal_(1)
    k[1] = torch.eye(4)
    alt = looks_drawn(views.gram_images(gram=k, layers=[1, 0], first_token=False))
    assert "3 by 3" in alt
    assert "layer 1 0.00, layer 0 0.25" in alt


def test_every_position_of_the_layer_explorer_has_a_picture_and_words(layer_explorer):
    every_position_is_drawn(layer_explorer)
    corners_are_drawn(layer_explorer)


@pytest.mark.parametrize("first_token", [True, False])
@pytest.mark.parametrize("convention", grams_module.CONVENTIONS)
def test_the_layer_explorer_shows_the_entropy_of_what_is_chosen(
    grams, layer_explorer, convention, first_token
):
    chosen = {"layer": 1, "first_token": first_token, "convention": convention, "prompt": PROMPTS[1]}
    figure = layer_explorer._draw(**chosen)
    k = grams_module.under(grams[1], convention, first_token=first_token)
    k = k.double()
    expected = entropy.from_gram((k + k.mT) / 2) / math.log(k.shape[-1])
    drawn = torch.as_tensor(np.asarray(figure.axes[2].lines[1].get_ydata())).double()
    torch.testing.assert_close(drawn, expected, atol=1e-3, rtol=0)
    assert f"{expected[1]:.2f} here" in figure.alt
    shown = torch.as_tensor(figure.axes[0].images[0].get_array().filled())
    torch.testing.assert_close(shown.double(), k[1])


def test_the_valley_vanishes_without_the_first_token(layer_explorer):
    def lowest(first_token):
        figure = layer_explorer._draw(first_token=first_token)
        return min(figure.axes[2].lines[1].get_ydata())

    assert lowest(True) < 0.01
    assert lowest(False) > 0.7


def test_the_layer_explorer_draws_the_entropy_that_it_is_given(grams):
    explorer = views.layer_explorer(
        grams=grams, prompts=PROMPTS, matrix_entropy=lambda z: entropy.matrix_entropy(z, 2.0)
    )
    expected = entropy.from_gram(grams[0][0], 2.0) / math.log(7)
    assert f"{expected:.2f} at layer 0" in explorer.alt


def test_a_sentence_of_a_reader_that_is_too_short_is_named():
    with pytest.raises(ValueError, match="a prompt of 2 tokens; each needs 3 or more"):
        views.layer_explorer(grams=grams_of(7, 2), prompts=PROMPTS)


def test_conventions_are_drawn_over_each_other_and_told_by_their_extremes():
    given = curves("raw", "raw, no first", "unit")
    figure = views.entropy_conventions(curves=given)
    alt = looks_drawn(figure)
    for line, (name, values) in zip(figure.axes[0].lines, given.items(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), values)
        assert f"{name}: {values[0]:.2f} at layer 0" in alt
    assert {text.get_text() for text in figure.axes[0].texts} == set(given)


def test_every_position_of_the_sink_explorer_has_a_picture_and_words(sink_explorer):
    # Beside a token a thousand times as long as the others the bound is zero to two digits.
    every_position_is_drawn(sink_explorer, alike=("likeness", "tokens"))
    corners_are_drawn(sink_explorer)


def test_a_toy_of_orthogonal_tokens_meets_the_bound_and_alike_ones_lie_below(sink_explorer):
    def gap(likeness):
        curve, dot = sink_explorer._draw(strength=10.0, tokens=24, likeness=likeness).axes[0].lines
        (place,) = np.flatnonzero(np.isclose(curve.get_xdata(), 10))
        return curve.get_ydata()[place] - dot.get_ydata()[0]

    assert abs(gap(0.0)) < 1e-6
    assert 0.01 < gap(0.5) < gap(1.0)


def test_the_toy_is_told_with_the_closed_form_of_the_bound(sink_explorer):
    figure = sink_explorer._draw(strength=10.0, tokens=24, likeness=0.0)
    f = 100 / 123
    expected = (-f * math.log(f) - (1 - f) * math.log((1 - f) / 23)) / math.log(24)
    assert expected == pytest.approx(0.3361, abs=1e-4)
    assert f"It is {expected:.2f} at 10 times" in figure.alt
    assert f"entropy {expected:.2f}, bound {expected:.2f}" in figure.axes[0].get_title()


def test_the_prompts_lie_under_the_bound_and_at_zero_where_the_first_token_is_massive(grams, sink_explorer):
    for layer in range(LAYERS):
        figure = sink_explorer._draw(layer=layer)
        bound, real = figure.axes[1].lines[-1].get_data()
        assert (real <= bound + 1e-6).all()
        assert (max(real) < 0.01) == (layer in MASSIVE)
        expected = [entropy.from_gram(k[layer]) / math.log(len(k[layer])) for k in grams]
        np.testing.assert_allclose(real, expected, atol=1e-4)
        assert "excess over the bound none" in figure.alt


def test_a_wrong_bound_is_exceeded_and_told_so(grams):
    explorer = views.sink_explorer(
        grams=grams, entropy_bound=lambda share, tokens: sink.entropy_bound(share, tokens) / 2
    )
    assert re.search(r"excess over the bound 0\.\d+", explorer.alt)


def test_the_tokens_of_the_toy_have_the_lengths_and_cosines_asked_for():
    z = sinks.toy(3.0, 5, 0.5)
    k = z @ z.T
    expected = torch.full((5, 5), 0.5, dtype=torch.float64).fill_diagonal_(1)
    expected[0], expected[:, 0] = 0, 0
    expected[0, 0] = 9
    torch.testing.assert_close(k, expected)


def test_every_position_of_the_path_explorer_has_a_picture_and_words(path_explorer):
    every_position_is_drawn(path_explorer)
    corners_are_drawn(path_explorer)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("line", 0.0), ("zigzag", math.pi), ("polygon", 2 * math.pi / 10)],
)
def test_the_paths_of_a_plane_have_the_curvature_of_theory(kind, expected):
    assert paths.theory(kind, 10) == pytest.approx(expected)
    for dimensions in paths.DIMENSIONS:
        found = geometry.curvature(paths.path(kind, 10, dimensions))
        torch.testing.assert_close(found.item(), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("kind", "expected"), [("walk", math.pi / 2), ("independent", 2 * math.pi / 3)])
def test_random_paths_come_near_theory_in_many_dimensions(kind, expected):
    assert paths.theory(kind, 24) == pytest.approx(expected)
    assert abs(geometry.curvature(paths.path(kind, 24, 512)) - expected) < 0.04


def test_the_middle_token_alone_is_moved():
    moved = paths.path("walk", 9, 4, aside=1.5) - paths.path("walk", 9, 4)
    assert moved.nonzero().tolist() == [[4, 1]]
    assert moved[4, 1] == pytest.approx(1.5)


def test_the_path_explorer_draws_the_curvature_that_it_is_given():
    explorer = views.path_explorer(curvature=lambda z: torch.tensor(1.23) + 0 * z.sum())
    assert "the curvature, is 1.23" in explorer.alt
