"""Figures over layers: metrics, scores, honest choices, correlations; each says in words what its data are."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from oraledu.representations import correlation, probes, views
from oraledu.representations.selection import Choice
from oraledu.representations.views import curves as curves_module
from oraledu.representations.views import scores as scores_module
from tests.representations.pictures import (
    corners_are_drawn,
    curves,
    every_position_is_drawn,
    looks_drawn,
)

METRICS = ("entropy raw", "curvature", "InfoNCE", "LiDAR")
SCORES = ("linear probe", "neighbours", "retrieval")


@pytest.fixture
def decoder():
    return curves(*SCORES, layers=9, seed=1)


@pytest.fixture
def encoder():
    return curves(*SCORES, layers=4, seed=2)


def test_every_metric_has_a_panel_with_its_unit_and_the_curve_of_each_model():
    models = {"one": curves(*METRICS), "two": curves(*METRICS, seed=1)}
    figure = views.metric_curves(models=models, references={"InfoNCE": 0.5})
    alt = looks_drawn(figure)
    axes = {ax.get_title(): ax for ax in figure.axes}
    assert list(axes) == list(METRICS)
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "share of largest",
        "radians",
        "nats",
        "share of largest",
    ]
    for name, ax in axes.items():
        for line, (model, of) in zip(ax.lines, models.items(), strict=False):
            np.testing.assert_allclose(line.get_ydata(), of[name])
            np.testing.assert_allclose(line.get_xdata(), range(5))
            assert f"{model}, {name}: {of[name][0]:.2f} at layer 0" in alt
    assert [len(ax.lines) for ax in figure.axes] == [2, 2, 3, 2]
    assert list(axes["InfoNCE"].lines[2].get_ydata()) == [0.5, 0.5]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "two"]


def test_models_of_different_depth_are_drawn_over_their_depth(decoder, encoder):
    figure = views.metric_curves(models={"deep": decoder, "flat": encoder})
    for ax in figure.axes:
        np.testing.assert_allclose(ax.lines[0].get_xdata(), np.linspace(0, 1, 9))
        np.testing.assert_allclose(ax.lines[1].get_xdata(), np.linspace(0, 1, 4))
    assert "depth" in figure.get_supxlabel()
    assert views.metric_curves(models={"deep": decoder}).get_supxlabel() == "layer"


def test_a_single_model_needs_no_legend(decoder):
    assert not views.metric_curves(models={"deep": decoder}).legends


def test_several_runs_are_a_mean_with_a_band():
    runs = torch.stack([curves("a", seed=seed)["a"] for seed in range(3)])
    figure = views.metric_curves(models={"one": {"a": runs}})
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), runs.mean(0))
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(float(runs.max()))
    assert band[:, 1].min() == pytest.approx(float(runs.min()))
    assert f"{runs.mean(0)[0]:.2f} at layer 0" in figure.alt
    assert "means of 3 runs" in figure.get_supxlabel()


@pytest.mark.parametrize(
    ("name", "unit"),
    [("dataset entropy, centred", "share of largest"), ("curvature", "radians"), ("DiME", "nats")],
)
def test_the_unit_of_a_metric_follows_from_its_name(name, unit):
    assert curves_module.unit_of(name) == unit


def test_the_band_of_a_score_is_the_spread_of_its_resamples_around_the_score(decoder, generator):
    shift = torch.randn(500, 1, generator=generator, dtype=torch.float64) / 50
    spreads = {"deep": {"retrieval": decoder["retrieval"] + 0.3 + shift}}  # biased upwards
    figure = views.score_curves(models={"deep": decoder}, spreads=spreads)
    looks_drawn(figure)
    (band,) = figure.axes[2].collections
    assert not figure.axes[0].collections
    middle = (shift - shift.mean()).quantile(torch.tensor([0.05, 0.95], dtype=torch.float64))
    vertices = band.get_paths()[0].vertices
    for layer, value in enumerate(decoder["retrieval"]):
        edges = vertices[vertices[:, 0] == layer, 1]
        assert edges.min() == pytest.approx(float(value + middle[0]))
        assert edges.max() == pytest.approx(float(value + middle[1]))
    assert f"no band of 90% is wider than {float(middle[1] - middle[0]):.2f}" in figure.alt


def test_vision_curves_draw_metrics_and_probes_of_the_same_networks():
    metrics = {"one": curves(*METRICS), "two": curves(*METRICS, seed=1)}
    scores = {"one": curves(*SCORES), "two": curves(*SCORES, seed=1)}
    figure = views.vision_curves(metrics=metrics, scores=scores)
    alt = looks_drawn(figure)
    assert [ax.get_title() for ax in figure.axes] == [*METRICS, *SCORES]
    assert [ax.get_ylabel() for ax in figure.axes][-3:] == ["score"] * 3
    for model in metrics:
        assert f"{model}, LiDAR: {metrics[model]['LiDAR'][0]:.2f}" in alt
        assert f"{model}, retrieval: {scores[model]['retrieval'][0]:.2f}" in alt


def test_long_names_of_networks_with_several_runs_are_not_cut():
    names = ("autoregressive", "supervised", "supervised, masked")
    runs = {name: {"a": torch.stack([curves("a", seed=seed)["a"] for seed in range(2)])} for name in names}
    png = views.vision_curves(metrics=runs, scores=runs).png()
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    assert min(pixels[:, 0].min(), pixels[:, -1].min()) > 200


def test_metrics_can_be_chosen_and_ordered_and_probes_start_a_new_row():
    models = {"one": curves(*METRICS)}
    scores = {"one": curves(*SCORES)}
    figure = views.vision_curves(metrics=models, scores=scores, names=["LiDAR", "curvature"], columns=2)
    assert [ax.get_title() for ax in figure.axes] == ["LiDAR", "curvature", *SCORES]
    looks_drawn(figure)
    heights = [round(ax.get_position().y0, 2) for ax in figure.axes]
    assert heights[0] == heights[1] > heights[2] == heights[3] > heights[4]


def test_outcomes_are_taken_under_the_names_of_the_figures():
    items = torch.rand(5, 8, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    outcome = probes.Outcome(items, lambda of: of[..., 0].mean(-1))
    scores = {"noun": {"probe": outcome}, "retrieval": {"retrieval": outcome}}
    found = views.by_name(scores, probes.Outcome.score)
    assert list(found) == ["noun, probe", "retrieval"]
    torch.testing.assert_close(found["retrieval"], items.mean((1, 2)))


def test_the_heat_map_shows_standardised_scores_with_a_dot_at_the_best_layer(decoder):
    figure = views.score_heatmap(scores=decoder, model="deep")
    alt = looks_drawn(figure)
    ax = figure.axes[0]
    shown = torch.as_tensor(np.asarray(ax.images[0].get_array()))
    torch.testing.assert_close(shown.mean(1), torch.zeros(4, dtype=torch.float64))
    torch.testing.assert_close(shown.square().mean(1), torch.ones(4, dtype=torch.float64))
    best = [int(row.argmax()) for row in shown]
    assert list(ax.lines[0].get_xdata()) == best
    for (name, values), layer in zip(decoder.items(), best, strict=False):
        assert f"{name} {values[layer]:.2f} at layer {layer}, {values[-1]:.2f} at the last" in alt
    assert ax.get_yticklabels()[-1].get_text() == "mean of all"


def test_a_flat_score_is_standardised_to_zeros():
    assert not scores_module.standardised(torch.full((4,), 0.3)).any()


def test_the_table_of_scores_holds_best_last_and_gain(decoder, encoder):
    table = views.score_table(models={"deep": decoder, "flat": encoder})
    assert len(table.rows) == 8
    for row, values in zip(table.rows, decoder.values(), strict=False):
        best = int(values.argmax())
        gain = round(100 * float(values[best] - values[-1]), 1)
        assert row[2:] == [f"{best} of 8", f"{values[best]:.2f}", f"{values[-1]:.2f}", f"{gain:+.1f}"]
    mean = torch.stack(list(encoder.values())).mean(0)
    assert table.rows[-1][:2] == ["flat", "mean of all"]
    assert table.rows[-1][3] == f"{mean.max():.2f}"


def choice(promised, honest, layer=3):
    return Choice(torch.full((len(honest),), layer), torch.as_tensor(promised), torch.as_tensor(honest))


def test_a_choice_is_drawn_as_what_it_promises_and_what_it_gives():
    clear = choice([0.05, 0.07], [0.02, 0.03])
    vain = choice([0.04, 0.04], [-0.03, 0.01])
    figure = views.honest_selection(models={"deep": {("noun", "probe"): clear, "other": vain}}, level=0.8)
    alt = looks_drawn(figure)
    assert "above zero on 1 of 2 scores, its interval of 80% on 1" in alt
    assert "noun, probe +6.0 and +2.5, other +4.0 and -1.0" in alt
    interval, honest, promised = figure.axes[0].lines[:3]
    np.testing.assert_allclose(interval.get_xdata(), [2.1, 2.9], atol=1e-5)
    np.testing.assert_allclose(honest.get_xdata(), [2.5], atol=1e-5)
    np.testing.assert_allclose(promised.get_xdata(), [6], atol=1e-5)


def test_the_honest_gain_is_that_of_the_function_handed_in_and_the_promise_that_of_half_a(generator):
    on_a, on_b = torch.rand(2, 6, 5, generator=generator)
    found = views.gains(halves={("noun", "probe"): (on_a, on_b)}, honest_gain=lambda a, b: (b - a).mean(1))
    (made,) = found.values()
    torch.testing.assert_close(made.honest, (on_b - on_a).mean(1))
    torch.testing.assert_close(made.promised, on_a.amax(1) - on_a[:, -1])
    assert made.layers.tolist() == on_a.argmax(1).tolist()


def test_every_metric_stands_at_its_correlations_with_the_score(decoder, encoder):
    metrics = {"deep": curves("up", "noise", layers=9), "flat": curves("up", "noise", layers=4)}
    scores = {"deep": decoder["retrieval"], "flat": encoder["retrieval"]}
    metrics["deep"]["up"] = scores["deep"].exp()
    figure = views.metric_against_score(metrics=metrics, scores=scores)
    alt = looks_drawn(figure)
    left, right = figure.axes
    for place, (model, of) in enumerate(metrics.items()):
        rank = [float(correlation.spearman(values, scores[model])) for values in of.values()]
        distance = [float(correlation.distance_correlation(values, scores[model])) for values in of.values()]
        np.testing.assert_allclose(left.lines[place].get_xdata(), rank)
        np.testing.assert_allclose(right.lines[place].get_xdata(), distance)
        assert f"noise {round(rank[1], 2) + 0.0:.2f} and {distance[1]:.2f}" in alt
    assert "deep: up 1.00 and" in alt
    assert [label.get_text() for label in left.get_yticklabels()] == ["up", "noise"]


@pytest.fixture(scope="module")
def regret():
    return views.regret_explorer(metrics=curves(*METRICS, layers=9), scores=curves(*SCORES, layers=9, seed=1))


def test_every_position_of_the_regret_explorer_has_a_picture_and_words(regret):
    every_position_is_drawn(regret)
    corners_are_drawn(regret)


@pytest.mark.parametrize("prefer", ["low", "high"])
@pytest.mark.parametrize("score", ["mean of all", *SCORES])
def test_the_regret_is_what_the_best_layer_has_more(regret, prefer, score, decoder):
    metric = curves(*METRICS, layers=9)["LiDAR"]
    target = torch.stack(list(decoder.values())).mean(0) if score == "mean of all" else decoder[score]
    layer = int(metric.argmin() if prefer == "low" else metric.argmax())
    figure = regret._draw(metric="LiDAR", prefer=prefer, score=score)
    lost = 100 * float(target.max() - target[layer])
    assert f"Regret {lost:.1f} points" in figure.alt
    assert f"{prefer}est at layer {layer}" in figure.alt
    lines = {line.get_label(): line for line in figure.axes[1].lines}
    assert list(lines["picked"].get_data()) == [[layer], [float(target[layer])]]
    assert lines["best"].get_ydata()[0] == target.max()
    assert lines["last"].get_ydata()[0] == target[-1]
