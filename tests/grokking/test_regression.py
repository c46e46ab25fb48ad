"""Kernel regression: it solves what it is given, says when it cannot, and scores what it predicts."""

import pytest
import torch

from oraledu.grokking import arithmetic
from oraledu.grokking.kernels import gram
from oraledu.grokking.regression import regress, score, solve


def random_symmetric(eigenvalues, generator):
    size = len(eigenvalues)
    basis = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))[0]
    return basis * torch.tensor(eigenvalues, dtype=torch.float64) @ basis.T


@pytest.mark.parametrize("eigenvalues", [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, -4.0]])
def test_a_definite_and_an_indefinite_system_are_both_solved(eigenvalues, generator):
    system = random_symmetric(eigenvalues, generator)
    targets = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    assert torch.allclose(system @ solve(system, targets), targets, atol=1e-12)


def test_the_ridge_is_added_to_the_diagonal_and_the_matrix_left_alone(generator):
    system = random_symmetric([1.0, 2.0, 3.0, 4.0], generator)
    before = system.clone()
    targets = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    shifted = system + 0.5 * torch.eye(4, dtype=torch.float64)
    assert torch.allclose(shifted @ solve(system, targets, ridge=0.5), targets, atol=1e-12)
    assert torch.equal(system, before)


@pytest.mark.parametrize(
    "eigenvalues", [[1.0, 2.0, 3.0, 0.0], [1.0, -2.0, 3.0, 0.0], [0.0] * 4, [1.0, 1.0, 1.0, 1e-18]]
)
def test_a_singular_system_names_the_ridge_as_the_cure(eigenvalues, generator):
    system = random_symmetric(eigenvalues, generator)
    targets = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"singular with ridge=0\.0.*pass a larger ridge"):
        solve(system, targets)
    assert solve(system, targets, ridge=1e-3).isfinite().all()


@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
@pytest.mark.parametrize("seed", range(8))
def test_a_pair_with_two_answers_is_singular_however_rounding_falls(seed, kernel, random_machine):
    pairs, _, metric = random_machine("+", 7, seed)
    pairs = torch.cat([pairs, pairs[:1]])
    labels = pairs.sum(dim=1) % 7
    labels[-1] = (labels[-1] + 3) % 7
    with pytest.raises(ValueError, match="pass a larger ridge"):
        regress(pairs, labels, pairs, metric, kernel=kernel)


def test_a_gram_matrix_that_is_not_finite_is_called_singular():
    with pytest.raises(ValueError, match="singular"):
        solve(torch.full((2, 2), float("nan")), torch.eye(2))


@pytest.mark.parametrize("ridge", [-1e-3, float("nan")])
def test_a_negative_ridge_is_refused(ridge):
    with pytest.raises(ValueError, match="ridge must be at least 0"):
        solve(torch.eye(2), torch.eye(2), ridge=ridge)


@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
def test_regression_without_ridge_passes_through_its_training_points(kernel, generator, random_machine):
    train_pairs, train_labels, *_ = arithmetic.split(
        *arithmetic.modular_table("*", 11), 0.5, generator=generator
    )
    metric = random_machine("*", 11, 0)[2]
    outputs = regress(train_pairs, train_labels, train_pairs, metric, kernel=kernel)
    assert torch.allclose(outputs, torch.eye(11, dtype=torch.float64)[train_labels], atol=1e-6)


def test_regression_is_the_formula_of_the_textbook(generator, random_machine):
    train_pairs, train_labels, test_pairs, _ = arithmetic.split(
        *arithmetic.modular_table("+", 7), 0.5, generator=generator
    )
    metric = random_machine("+", 7, 1)[2]
    outputs = regress(
        train_pairs, train_labels, test_pairs, metric, kernel="gaussian", bandwidth=1.2, ridge=0.3
    )
    across = gram(test_pairs, train_pairs, metric, kernel="gaussian", bandwidth=1.2)
    within = gram(train_pairs, train_pairs, metric, kernel="gaussian", bandwidth=1.2)
    inverse = torch.linalg.inv(within + 0.3 * torch.eye(len(train_pairs), dtype=torch.float64))
    expected = across @ inverse @ torch.eye(7, dtype=torch.float64)[train_labels]
    assert torch.allclose(outputs, expected, atol=1e-10)


def test_kernels_with_the_identity_metric_do_worse_than_chance(generator):
    train_pairs, train_labels, test_pairs, test_labels = arithmetic.split(
        *arithmetic.modular_table("+", 31), 0.5, generator=generator
    )
    for kernel in ("quadratic", "gaussian"):
        outputs = regress(
            train_pairs, train_labels, test_pairs, torch.eye(62, dtype=torch.float64), kernel=kernel
        )
        assert score(outputs, test_labels).accuracy < 0.5 / 31


def test_a_score_counts_right_answers_and_squared_errors():
    outputs = torch.tensor([[0.5, 0.25, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    result = score(outputs, torch.tensor([0, 1, 2, 2]))
    assert result.accuracy == 0.75
    assert result.loss == pytest.approx((0.25 + 0.0625 + 2 + 1) / 12)
    assert result.correct_loss == pytest.approx((0.25 + 0 + 1 + 1) / 4)


@pytest.mark.parametrize(
    ("pairs", "labels", "error", "words"),
    [
        ([[0, 1], [2, 3]], [1, 5], ValueError, "train_labels must lie from 0 to 4"),
        ([[0, 1], [2, 3]], [-1, 0], ValueError, "train_labels must lie from 0 to 4"),
        ([[0, 1], [2, 3]], [1], ValueError, r"train_labels must have shape \(2,\)"),
        ([[0, 1], [2, 3]], [1.0, 0.0], TypeError, "train_labels must hold integers"),
        ([[0, 1], [2, 5]], [1, 0], ValueError, "train_pairs must hold digits from 0 to 4"),
        ([[0.0, 1.0], [2.0, 3.0]], [1, 0], TypeError, "train_pairs must hold integer digits"),
    ],
)
def test_unfit_training_data_are_refused(pairs, labels, error, words):
    with pytest.raises(error, match=words):
        regress(torch.tensor(pairs), torch.tensor(labels), torch.tensor([[0, 0]]), torch.eye(10))


def test_no_training_data_are_refused():
    empty = torch.zeros(0, 2, dtype=torch.int64)
    with pytest.raises(ValueError, match="train_pairs must hold at least one pair"):
        regress(empty, empty[:, 0], torch.tensor([[0, 0]]), torch.eye(10))
