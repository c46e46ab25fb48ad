"""A run of the sweep is one number of the lesson's table of scores, and the picture is the lesson's own."""

import pytest
import torch

from oraledu.data.embedded_states import layer_states
from oraledu.data.texts import wordnet
from oraledu.representations import protocols, sweep, views
from oraledu.representations.evaluate import SCORES
from oraledu.representations.settings import FULL, LAYERS


def keep_nothing(function):
    return function


def asked(task, layer, keep=keep_nothing, scale="quick"):
    return sweep.run(scale, model="minilm-l6", layer=layer, task=task, device="cpu", keep=keep)["score"]


def test_a_run_is_one_layer_of_the_lessons_table():
    states = layer_states("minilm-l6")
    whole = SCORES["pairs", "similarity"](states.pooled, wordnet()).score()
    assert asked("pairs similarity", 4) == float(whole[4])
    assert asked("verb clustering", 6) != asked("verb clustering", 5)


def test_the_embedded_models_have_so_many_layers():
    assert {name: layer_states(name).layers for name in sweep.axes("quick")["model"]} == {
        name: LAYERS[name] for name in ("smollm2-135m", "minilm-l6")
    }
    assert sweep.exists(model="minilm-l6", layer=6, task="")
    assert not sweep.exists(model="minilm-l6", layer=7, task="")


def test_a_task_of_mteb_is_one_pass_for_all_layers(monkeypatch):
    def score(task, embed, *, generator, rows):
        assert (task, rows) == ("STS12", None)
        return embed(["a text"]).mean(dim=(1, 2))

    def pooled_states(name, texts, *, device):
        assert (name, texts, device) == ("minilm-l6", ["a text"], "cpu")
        return torch.arange(7.0).reshape(7, 1, 1), None

    monkeypatch.setattr(protocols, "score", score)
    monkeypatch.setattr(sweep, "pooled_states", pooled_states)
    kept = []

    def keep(function):
        kept.append(function)
        return function

    assert [asked("STS12", layer, keep, "full") for layer in (0, 6)] == [0.0, 6.0]
    assert kept == [sweep.mteb_scores] * 2


def table(models, tasks):
    return [
        {"model": model, "layer": layer, "task": task, "score": layer / 100 + place}
        for model in models
        for layer in range(LAYERS[model])
        for place, task in enumerate(tasks)
    ]


def test_the_picture_has_a_panel_for_each_task_that_is_whole():
    rows = [row for row in table(["minilm-l6"], ["a", "b"]) if (row["task"], row["layer"]) != ("b", 3)]
    figure = views.sweep_figure(rows)
    (ax,) = figure.axes
    assert ax.get_title() == "a"
    assert figure.get_suptitle() == "minilm-l6"
    assert all(tick == round(tick) for tick in ax.get_xticks())
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([layer / 100 for layer in range(7)])
    with pytest.raises(ValueError, match="scored at every layer of every model"):
        views.sweep_figure(rows[:-2])


def test_of_many_models_the_picture_has_the_mean_over_tasks():
    figure = views.sweep_figure(table(FULL.models, ["a", "b"]))
    assert [ax.get_title().replace("\n", "") for ax in figure.axes] == list(FULL.models)
    assert figure.get_suptitle() == "mean of 2 tasks"
    assert figure.axes[1].lines[0].get_ydata()[0] == pytest.approx(0.5)
    assert figure.png().startswith(b"\x89PNG")
