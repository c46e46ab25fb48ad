"""The still figures of lesson 4 from part 3 on: each says in words what its data are."""

from dataclasses import replace

import pytest
import torch

from oraledu.course.words import bounded
from oraledu.grokking import arithmetic, circulant, networks, rfm, views

P = 13


def drawn(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def history():
    pairs, labels = arithmetic.modular_table("+", P)
    return rfm.fit(*arithmetic.split(pairs, labels, 0.8, generator=drawn(0)), P, iterations=15)


def looks_drawn(figure):
    assert figure.png().startswith(b"\x89PNG")
    assert "not drawn" not in figure.alt
    return figure.alt


def test_the_progress_curves_are_told_with_their_numbers(history):
    toeplitz, hankel, weight = torch.rand(3, 15, generator=drawn(1))
    alt = looks_drawn(views.progress_curves(history, toeplitz, hankel, weight))
    moved = int((history.test_accuracy > 0.02).nonzero()[0])
    assert (
        f"leaves zero at iteration {moved} and is {views.at_least(history.test_accuracy[-1])} at the end"
        in alt
    )
    assert f"from {toeplitz[2]:.2f} to {toeplitz[moved - 1]:.2f}" in alt
    assert f"Hankel deviation ends at {hankel[-1]:.2f}" in alt
    assert f"ends at {weight[-1]:.1g}" in alt


def test_the_first_run_is_told_with_its_numbers(history):
    alt = looks_drawn(views.accuracy_curves(history))
    half = int((history.test_accuracy > 0.5).nonzero()[0])
    assert f"passes one half at iteration {half}" in alt
    assert f"from {history.test_loss[0]:.3f} to {history.test_loss[-1]:.3f}" in alt
    assert "always below 1e-20" in alt
    assert (
        "not always below 1e-20" in views.accuracy_curves(replace(history, train_loss=history.test_loss)).alt
    )


def test_the_scores_are_told_with_their_medians():
    scores, right = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.5, 3.0]]), torch.tensor([1.0, -4.0])
    alt = looks_drawn(views.scores_by_occurrence(scores, torch.tensor([[0, 1, 2], [0, 1, 2]]), right))
    assert "seen in neither 1.00, seen in one 2.25, seen in both 3.00, the right class -1.50" in alt


def test_the_progress_curves_leave_out_the_deviation_of_the_first_block_which_is_zero(history):
    toeplitz, hankel, weight = torch.rand(3, 15, generator=drawn(1))
    figure = views.progress_curves(history, toeplitz, hankel, weight)
    deviations = figure.axes[3].lines
    assert [next(iter(line.get_xdata())) for line in deviations[:2]] == [1, 1]
    torch.testing.assert_close(torch.as_tensor(deviations[1].get_ydata()), toeplitz[1:])


def test_the_blocks_are_shown_as_they_are_and_in_the_order_of_powers():
    metrics = {}
    for op in "+-*/":
        metrics[op] = torch.zeros(2 * P, 2 * P, dtype=torch.float64)
        metrics[op][P:, :P] = circulant.random_block(P, op, generator=drawn(2))
    order = arithmetic.discrete_log_order(P)
    figure = views.blocks(metrics, order)
    alt = looks_drawn(figure)
    assert alt.count("digits as powers") == 2
    for title in ("a + b", "a × b, digits as powers"):
        assert f"{title}: Toeplitz deviation 0.00" in alt
    for title in ("a - b", "a ÷ b, digits as powers"):
        assert f"{title}: Hankel deviation 0.00" in alt
    assert "a × b, as it is: Toeplitz deviation 0.00" not in alt
    shown = torch.as_tensor(figure.axes[2].images[0].get_array().filled())
    torch.testing.assert_close(shown, circulant.reorder(metrics["*"][P:, :P], order))


def test_random_and_learned_features_are_told_with_their_numbers():
    accuracy = torch.tensor([[0.0, 0.5], [0.2, 0.9]])
    alt = looks_drawn(views.random_and_learned([0.2, 0.5], accuracy, [0.5, 0.7], torch.tensor([0.3, 1.0])))
    assert "mean of 2 draws: 0.2: 0.10, 0.5: 0.70" in alt
    assert "Learned features: 0.5: 0.30, 0.7: 1.00" in alt


def test_the_networks_on_circulant_inputs_are_told_by_their_last_accuracies():
    pairs, labels = arithmetic.modular_table("+", P)
    data = arithmetic.split(pairs, labels, 0.5, generator=drawn(0))
    runs = {}
    for name, seed in (("circulant inputs", 0), ("plain inputs", 1)):
        net = networks.QuadraticNet(P, 8, generator=drawn(seed))
        runs[name] = networks.train(net, *data, epochs=3, generator=drawn(0))
    alt = looks_drawn(views.circulant_inputs(runs))
    for name, trained in runs.items():
        assert f"{name} {bounded(float(trained.test_accuracy[-1]))}" in alt


def test_the_blocks_of_symmetric_machines_are_told_with_their_numbers():
    pairs, labels = arithmetic.modular_table("+", P)
    parts = arithmetic.split(pairs, labels, 0.8, generator=drawn(0))
    first, second = (rfm.fit(*parts, P, iterations=count) for count in (3, 12))
    alt = looks_drawn(views.symmetric_blocks({"the first": first, "the second": second}))
    for name, each in (("the first", first), ("the second", second)):
        block = each.metrics[-1][P:, :P]
        diagonal = sum(float(block[i, i]) ** 2 for i in range(P)) / float((block**2).sum())
        apart = float((block - block.T).norm() / block.norm())
        expected = f"{diagonal:.0%} of the squared norm on the main diagonal, Toeplitz deviation "
        expected += (
            f"{circulant.deviation(block, 'toeplitz'):.2f}, distance to its transpose {apart:.2f} of its norm"
        )
        assert f"held out {name}: {expected}, accuracy {each.test_accuracy[-1]:.2f}" in alt


def test_the_breaking_curve_is_told_with_its_means_and_what_is_nearly_zero_in_words():
    curves = {
        "one": torch.tensor([[0.2, 0.04], [0.4, 0.08]]),
        "both": torch.tensor([[0.0, 1.0], [0.19, 1.0]]),
    }
    alt = looks_drawn(views.breaking_curve((1, 8), curves))
    assert (
        "one, mean of 2 splits: 1: 0.30, 8: below 0.1; both, mean of 2 splits: 1: below 0.1, 8: 1.00." in alt
    )
