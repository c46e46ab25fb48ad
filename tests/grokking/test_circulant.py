"""Measures of circulant structure, and random circulant metrics that solve the task in one go."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oraledu.grokking import arithmetic, circulant, rfm
from tests.grokking.conftest import feature_block

ORIENTATIONS = ("toeplitz", "hankel")
SIZES = given(size=st.integers(2, 15), seed=st.integers(0, 1000))


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive_deviation(block, orientation):
    size, spread = len(block), 0.0
    for k in range(size):
        columns = [(k + i if orientation == "toeplitz" else k - i) % size for i in range(size)]
        diagonal = torch.stack([block[i, j] for i, j in enumerate(columns)])
        spread += (diagonal - diagonal.mean()).square().sum().item()
    return spread / block.square().sum().item()


@SIZES
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_deviation_is_the_spread_along_wrapped_diagonals(orientation, size, seed):
    block = normal(size, size, seed=seed)
    expected = naive_deviation(block, orientation)
    assert circulant.deviation(block, orientation).item() == pytest.approx(expected)
    assert 0 <= expected <= 1


@SIZES
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_deviation_of_a_circulant_block_is_zero_in_its_orientation(orientation, size, seed):
    block = circulant.circulant_matrix(normal(size, seed=seed), orientation)
    assert circulant.deviation(block, orientation) < 1e-25


@SIZES
def test_a_deviation_of_zero_means_that_a_roll_changes_nothing(size, seed):
    values = normal(size, seed=seed)
    toeplitz = circulant.circulant_matrix(values, "toeplitz")
    hankel = circulant.circulant_matrix(values, "hankel")
    assert torch.equal(toeplitz.roll((1, 1), dims=(0, 1)), toeplitz)
    assert torch.equal(hankel.roll((1, -1), dims=(0, 1)), hankel)
    assert torch.equal(toeplitz[0], values)
    assert torch.equal(hankel[0], values)
    spoilt = toeplitz.clone()
    spoilt[0, 0] += 1
    assert circulant.deviation(spoilt, "toeplitz") > 0


@SIZES
def test_flipping_the_columns_swaps_the_orientations(size, seed):
    block = normal(size, size, seed=seed)
    assert circulant.deviation(block.flip(1), "hankel").item() == pytest.approx(
        circulant.deviation(block, "toeplitz").item()
    )


@SIZES
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_deviation_sees_neither_scale_nor_roll(orientation, size, seed):
    block = normal(size, size, seed=seed)
    before = circulant.deviation(block, orientation).item()
    assert circulant.deviation(-7 * block, orientation).item() == pytest.approx(before)
    assert circulant.deviation(block.roll((1, 3), dims=(0, 1)), orientation).item() == pytest.approx(before)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_random_block_deviates_by_one_minus_one_over_p(orientation):
    for p in (31, 61):
        values = [circulant.deviation(normal(p, p, seed=seed), orientation).item() for seed in range(20)]
        assert sum(values) / 20 == pytest.approx(1 - 1 / p, abs=3 / p / 20**0.5)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_zero_and_constant_blocks_count_as_circulant(orientation):
    assert circulant.deviation(torch.zeros(5, 5), orientation) == 0
    assert circulant.deviation(torch.full((5, 5), 3.0), orientation) == 0


def test_the_papers_shift_of_rows_cannot_see_toeplitz():
    def shifted_rows(block):  # "shift row l right by l, variance of the columns"
        rows = torch.stack([row.roll(index) for index, row in enumerate(block)])
        return ((rows - rows.mean(0)).square().sum() / block.square().sum()).item()

    values = normal(31) - normal(31).mean()
    assert shifted_rows(circulant.circulant_matrix(values, "hankel")) < 1e-20
    assert shifted_rows(circulant.circulant_matrix(values, "toeplitz")) > 0.9


@pytest.mark.parametrize("orientation", ["Toeplitz", "", None])
def test_an_unknown_orientation_is_refused(orientation):
    for call in (
        lambda: circulant.deviation(torch.ones(3, 3), orientation),
        lambda: circulant.circulant_matrix(torch.ones(3), orientation),
    ):
        with pytest.raises(ValueError, match="orientation must be 'toeplitz' or 'hankel'"):
            call()


def test_a_block_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match="block must be a square matrix"):
        circulant.deviation(torch.ones(3, 4), "hankel")
    with pytest.raises(ValueError, match="block must be a square matrix"):
        circulant.block_metric(torch.ones(3, 4))


@SIZES
def test_alignment_is_a_cosine(size, seed):
    a, b = normal(2, size, size, seed=seed)
    expected = torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0)
    assert torch.isclose(circulant.alignment(a, b), expected)
    assert circulant.alignment(a, -3 * a).item() == pytest.approx(-1)


def test_alignment_without_the_diagonal_ignores_it():
    a, b = normal(2, 6, 6)
    changed = a + torch.diag(normal(6, seed=3))
    bare = circulant.alignment(a, b, off_diagonal=True)
    assert torch.isclose(circulant.alignment(changed, b, off_diagonal=True), bare)
    assert torch.isclose(circulant.alignment(b, changed, off_diagonal=True), bare)
    assert not torch.isclose(circulant.alignment(changed, b), circulant.alignment(a, b))


def test_alignment_with_zero_is_zero():
    assert circulant.alignment(torch.zeros(3, 3), torch.ones(3, 3)) == 0
    assert circulant.alignment(torch.eye(3), torch.ones(3, 3), off_diagonal=True) == 0


@pytest.mark.parametrize("shapes", [((3, 3), (4, 4)), ((3, 4), (3, 4)), ((3,), (3,))])
def test_matrices_that_cannot_be_aligned_are_refused(shapes):
    with pytest.raises(ValueError, match="a and b must be square matrices of one shape"):
        circulant.alignment(torch.ones(shapes[0]), torch.ones(shapes[1]))


def test_reordering_moves_rows_and_columns_alike():
    block = normal(7, 7)
    order = arithmetic.discrete_log_order(7)
    reordered = circulant.reorder(block, order)
    assert reordered.shape == (6, 6)
    for i in range(6):
        for j in range(6):
            assert reordered[i, j] == block[order[i], order[j]]


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_a_random_block_is_circulant_in_its_operations_orientation(op, generator):
    p = 31
    block = circulant.random_block(p, op, generator=generator)
    assert block.sum(dim=1).abs().max() < 1e-12
    for g in [None, *arithmetic.primitive_roots(p)]:
        own = feature_block(torch.kron(torch.ones(2, 2), block), op, g)
        other = "hankel" if circulant.ORIENTATION[op] == "toeplitz" else "toeplitz"
        assert circulant.deviation(own, circulant.ORIENTATION[op]) < 1e-25
        assert circulant.deviation(own, other) > 0.5


def test_a_block_metric_squares_to_the_positive_part(generator):
    block = circulant.random_block(13, "+", generator=generator)
    metric = circulant.block_metric(block)
    centring = torch.eye(13, dtype=torch.float64) - 1 / 13
    target = torch.cat([torch.cat([centring, block.T], 1), torch.cat([block, centring], 1)])
    values, vectors = torch.linalg.eigh(target)
    assert values.min() < -0.1
    positive = vectors * values.clamp(min=0) @ vectors.T
    assert torch.allclose(metric @ metric, positive, atol=1e-12)
    assert torch.linalg.eigvalsh(metric).min() > -1e-7


def test_the_generator_decides_the_random_metric():
    draws = [
        circulant.random_metric(11, "*", generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.allclose(draws[0], draws[2])


def test_the_orthogonal_control_is_as_large_and_not_circulant(generator):
    block = circulant.orthogonal_block(61, generator=generator)
    assert torch.allclose(block @ block.T, 61 / 12 * torch.eye(61, dtype=torch.float64))
    sizes = [circulant.random_block(61, "+", generator=generator).norm() for _ in range(50)]
    assert block.norm().item() == pytest.approx(torch.stack(sizes).mean().item(), rel=0.05)
    assert min(circulant.deviation(block, orientation) for orientation in ORIENTATIONS) > 0.9


@pytest.mark.parametrize(
    ("p", "op", "words"),
    [(31, "^", "op must be one of"), (9, "*", "p must be an odd prime"), (10, "/", "p must be an odd prime")],
)
def test_unfit_random_metrics_are_refused(p, op, words, generator):
    with pytest.raises(ValueError, match=words):
        circulant.random_metric(p, op, generator=generator)


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
def test_random_circulant_features_solve_the_task_and_their_controls_do_not(op, kernel, generator):
    p = 37
    train_pairs, train_labels, test_pairs, test_labels = arithmetic.split(
        *arithmetic.modular_table(op, p), 0.5, generator=generator
    )

    def accuracy(metric):
        outputs = rfm.regress(train_pairs, train_labels, test_pairs, metric, kernel=kernel)
        return rfm.score(outputs, test_labels).accuracy

    turned = {"+": "-", "-": "+", "*": "/", "/": "*"}[op]
    assert accuracy(circulant.random_metric(p, op, generator=generator)) > 0.7
    assert accuracy(circulant.random_metric(p, turned, generator=generator)) < 0.15
    assert accuracy(circulant.block_metric(circulant.orthogonal_block(p, generator=generator))) < 0.15
