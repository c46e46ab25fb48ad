"""The tables of lesson 2: noisy texts, and the results beside the paper's."""

import pytest
import torch

from oraledu.representations import correlation, views
from oraledu.representations.selection import Choice
from oraledu.representations.views import published
from tests.representations.pictures import curves, looks_drawn

SCORES = ("probe", "neighbours")
METRICS = ("entropy raw", "entropy raw, no first", "DiME")


@pytest.fixture
def parts():
    decoder = curves(*SCORES, layers=10, seed=1)
    encoder = {name: torch.linspace(0.2, 0.9, 4).double() for name in SCORES}
    encoder["probe"][1] = 0.95
    good = Choice(torch.tensor([4, 4]), torch.tensor([0.2, 0.2]), torch.tensor([0.1, 0.1]))
    bad = Choice(torch.tensor([4, 4]), torch.tensor([0.2, 0.2]), torch.tensor([-0.1, -0.1]))
    return {
        "scores": {"deep": decoder, "flat": encoder},
        "choices": {("noun", "probe"): good, ("noun", "neighbours"): bad},
        "metrics": curves(*METRICS, layers=10),
        "valley": METRICS[:2],
        "picks": ("DiME", "entropy raw"),
        "vision_entropy": torch.tensor([[0.1, 0.3, 0.2], [0.1, 0.5, 0.2]]),
        "vision": {
            "one": {"probe": torch.tensor([[0.1, 0.3, 0.2], [0.1, 0.5, 0.2]])},
            "two": curves("probe"),
        },
    }


def here(parts):
    table = views.paper_and_here(**parts)
    assert all(all(cell for cell in row) for row in table.rows)
    return {row[0]: row[2] for row in table.rows}


def test_the_table_beside_the_paper_holds_the_numbers_of_the_run(parts):
    cells = here(parts)
    decoder, metrics = parts["scores"]["deep"], parts["metrics"]
    mean = torch.stack(list(decoder.values())).mean(0)
    best = int(mean.argmax())
    assert (
        cells["mean score: last layer, best layer"]
        == f"deep {100 * mean[-1]:.1f} %, {100 * mean[best]:.1f} %"
    )
    assert cells["where the best layer lies"] == f"layer {best} of 9, at {best / 9:.0%} of the depth"
    beaten = sum(int(values.argmax()) < 9 for values in decoder.values())
    assert cells["an earlier layer beats the last"] == (
        f"on {beaten} of 2 scores; chosen honestly on 1, with the interval above zero on 1"
    )
    assert "on 1 of 2 scores" in cells["a model trained to compare texts at its last layer"]
    means = [metrics[name][3:7].mean() for name in METRICS[:2]]
    assert cells["entropy in the middle third of a decoder"] == (
        f"mean {means[0]:.2f} of the largest with the first token, {means[1]:.2f} without"
    )
    rank = correlation.spearman(metrics["DiME"], mean)
    assert f"DiME {rank:.2f}" in cells["rank correlation of metric and score"]
    layer = int(metrics["DiME"].argmin())
    expected = f"lowest DiME {100 * mean[layer]:.1f} % (layer {layer}); lowest entropy raw"
    assert expected in cells["layer picked without labels"]
    two = int(parts["vision"]["two"]["probe"].argmax())
    assert cells["vision: best layer, of all"] == f"one layer 1 of 2; two layer {two} of 4"
    assert "highest 0.40 at 1" in cells["vision: entropy of the autoregressive model"]


def test_noisy_texts_stand_beside_the_plain_ones():
    table = views.augmentation_table(
        texts=["a cat", "a dog"], views=[["a cxt", "a c at"], ["a dgo", "s dog"]]
    )
    assert table.header == ["text", "view 1", "view 2"]
    assert table.rows[1] == ["a dog", "a dgo", "s dog"]


def test_the_gains_of_the_published_models_are_best_less_last():
    for _, layers, best_layer, best, last, lead, gain, (low, high), inside in published.MODELS:
        assert lead == pytest.approx(best - last, abs=0.011)  # each is rounded by itself
        assert low < gain < lead < high, "an honest choice keeps less than the promise"
        complete, there = map(int, layers.split(" of "))
        assert int(best_layer) < there - 1
        assert 2 * complete > there
        assert inside <= 32
    rows = views.published_models().rows
    assert [row[5] for row in rows] == ["+6.3", "+4.1", "+3.5", "+5.1", "+15.3", "+1.7"]
    assert rows[3][6:] == ["+4.9 (3.9 to 6.0)", "32 of 32"]


def test_the_published_training_shows_the_last_layer_fall_while_the_best_one_rises():
    figure = views.published_training()
    assert "step 32000: layer 19 51.7, last 48.2, step 64000: layer 19 52.3, last 47.8" in looks_drawn(figure)
    best, last = (list(line.get_ydata()) for line in figure.axes[0].lines)
    assert max(last) == last[5] == last[6] > last[-1]
    assert best[-1] > best[5]
