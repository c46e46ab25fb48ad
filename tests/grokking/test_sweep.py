"""A run of the sweep is the lesson's own, and its picture says what the table says."""

import numpy as np
import torch

from oraledu.grokking import arithmetic, rfm, sweep, views


def test_a_run_is_a_machine_on_one_split_of_one_table():
    found = sweep.run("quick", operation="-", kernel="gaussian", fraction=0.8, seed=2, device="cpu")
    table = arithmetic.modular_table("-", 31)
    parts = arithmetic.split(*table, 0.8, generator=torch.Generator().manual_seed(2))
    history = rfm.fit(*parts, 31, kernel="gaussian", iterations=25)
    assert found["accuracies"] == history.test_accuracy.tolist()
    assert found["accuracy"] == found["accuracies"][-1]
    assert "p=31, fractions=(0.8,), iterations=25" in found["settings"]


def row(operation, kernel, fraction, seed, accuracy):
    return {
        "operation": operation,
        "kernel": kernel,
        "fraction": fraction,
        "seed": seed,
        "accuracy": accuracy,
    }


def test_the_picture_has_the_mean_and_the_range_of_the_splits_whichever_are_there():
    rows = [
        row("+", "quadratic", 0.5, 0, 0.2),
        row("+", "quadratic", 0.5, 1, 0.6),
        row("+", "quadratic", 0.5, 2, 0.7),
        row("+", "quadratic", 0.7, 0, 0.96),
        row("+", "gaussian", 0.7, 0, 0.9),
        row("/", "gaussian", 0.6, 1, 1.0),
    ]
    figure = views.sweep_figure(rows)
    plus, divided = figure.axes
    assert [ax.get_title() for ax in figure.axes] == ["a + b", "a / b"]
    quadratic, gaussian = plus.lines
    np.testing.assert_allclose(quadratic.get_xydata(), [[0.5, 0.5], [0.7, 0.96]])
    assert gaussian.get_xydata().tolist() == [[0.7, 0.9]]
    assert divided.lines[0].get_xydata().tolist() == [[0.6, 1.0]]
    band = plus.collections[0].get_paths()[0].vertices
    assert {y for x, y in band if x == 0.5} == {0.2, 0.7}
    assert "a + b, quadratic: 0.7; a + b, gaussian: none; a / b, gaussian: 0.6." in figure.alt
    assert figure.png().startswith(b"\x89PNG")
