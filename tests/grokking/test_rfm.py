"""The RFM loop: powers, order of evaluation, invariances, and grokking on small primes."""

import pickle
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.grokking import arithmetic, rfm


@pytest.fixture
def small_task(generator):
    return arithmetic.split(*arithmetic.modular_table("+", 7), 0.7, generator=generator)


@given(
    size=st.integers(1, 12),
    rank=st.integers(1, 12),
    power=st.sampled_from([0.25, 0.5, 0.75, 1.0, 2.0]),
    seed=st.integers(0, 1000),
)
@settings(deadline=None)
def test_a_power_and_its_inverse_power_give_the_matrix_back(size, rank, power, seed):
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(size, min(rank, size), generator=generator, dtype=torch.float64)
    matrix = root @ root.T
    powered = rfm.psd_power(matrix, power)
    assert torch.allclose(powered, powered.T)
    assert torch.allclose(rfm.psd_power(powered, 1 / power), matrix, atol=1e-9 * matrix.abs().max().item())
    commutator = powered @ matrix - matrix @ powered
    assert commutator.abs().max() <= 1e-9 * (powered.abs().max() * matrix.abs().max() * size)


def test_the_root_is_that_of_the_singular_values(generator):
    root = torch.randn(8, 8, generator=generator, dtype=torch.float64)
    matrix = root @ root.T
    left, values, right = torch.linalg.svd(matrix)
    assert torch.allclose(rfm.psd_power(matrix, 0.5), left * values.sqrt() @ right, atol=1e-10)


def test_the_power_of_an_indefinite_matrix_is_that_of_its_positive_part():
    matrix = torch.tensor([[0.0, 4.0], [4.0, 0.0]], dtype=torch.float64)  # eigenvalues 4 and -4
    assert torch.allclose(rfm.psd_power(matrix, 0.5), torch.ones(2, 2, dtype=torch.float64))


@pytest.mark.parametrize("power", [0.0, -0.5, float("nan")])
def test_a_power_not_above_zero_is_refused(power):
    with pytest.raises(ValueError, match="power must be above 0"):
        rfm.psd_power(torch.eye(2), power)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (torch.tensor([[1.0, 2.0], [0.0, 1.0]]), "matrix must be symmetric"),
        (torch.full((2, 2), float("nan")), "matrix holds entries that are not finite"),
        (torch.ones(2, 3), "matrix must be a square matrix"),
    ],
)
def test_an_unfit_matrix_has_no_power(matrix, words):
    with pytest.raises(ValueError, match=words):
        rfm.psd_power(matrix, 0.5)


@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
def test_entry_t_of_the_curves_belongs_to_metric_t(kernel, small_task):
    train_pairs, train_labels, test_pairs, test_labels = small_task
    history = rfm.fit(*small_task, 7, kernel=kernel, iterations=4)
    assert history.metrics.shape == (5, 14, 14)
    assert torch.equal(history.metrics[0], torch.eye(14, dtype=torch.float64))
    for t in range(4):
        metric = history.metrics[t]
        for part, pairs, labels in (
            ("train", train_pairs, train_labels),
            ("test", test_pairs, test_labels),
        ):
            outputs = rfm.regress(train_pairs, train_labels, pairs, metric, kernel=kernel)
            score = rfm.score(outputs, labels)
            assert getattr(history, f"{part}_accuracy")[t].item() == score.accuracy
            assert getattr(history, f"{part}_loss")[t].item() == pytest.approx(score.loss, abs=1e-20)
        assert history.correct_loss[t].item() == pytest.approx(score.correct_loss)


@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
@pytest.mark.parametrize("centre", [True, False])
def test_the_next_metric_is_the_power_of_the_agop(kernel, centre, small_task):
    train_pairs, train_labels, *_ = small_task
    history = rfm.fit(*small_task, 7, kernel=kernel, iterations=3, power=0.75, centre=centre)
    for metric, following in zip(history.metrics, history.metrics[1:], strict=False):
        within = rfm.gram(train_pairs, train_pairs, metric, kernel=kernel)
        coefficients = rfm.solve(within, torch.eye(7, dtype=torch.float64)[train_labels])
        gradients = rfm.agop(train_pairs, coefficients, metric, kernel=kernel, centre=centre)
        assert torch.allclose(rfm.psd_power(gradients, 0.75), following)


def test_every_curve_has_one_entry_an_iteration(small_task):
    history = rfm.fit(*small_task, 7, iterations=3)
    for name in ("train_accuracy", "test_accuracy", "train_loss", "test_loss", "correct_loss"):
        assert getattr(history, name).shape == (3,)


def test_collected_steps_are_what_fit_returns(small_task):
    whole = rfm.fit(*small_task, 7, iterations=5)
    part = rfm.collect(islice(rfm.iterate(*small_task, 7), 3))
    assert torch.equal(part.metrics, whole.metrics[:4])
    assert torch.equal(part.test_loss, whole.test_loss[:3])


def test_functions_of_ones_own_drive_the_fit(small_task):
    calls = []

    def gram(pairs_a, pairs_b, metric):
        calls.append("gram")
        return rfm.quadratic_gram(pairs_a, pairs_b, metric)

    def agop(pairs, coefficients, metric, *, centre=True):
        calls.append(f"agop {centre}")
        return rfm.quadratic_agop(pairs, coefficients, metric, centre=centre)

    def power(matrix, exponent):
        calls.append(f"power {exponent}")
        return rfm.psd_power(matrix, exponent)

    mine = rfm.fit(*small_task, 7, kernel=rfm.Kernel(gram, agop), iterations=2, centre=False, psd_power=power)
    assert calls == ["gram", "gram", "agop False", "power 0.5"] * 2
    assert torch.equal(mine.metrics, rfm.fit(*small_task, 7, iterations=2, centre=False).metrics)


def test_a_power_of_ones_own_that_is_not_finite_is_named(small_task):
    with pytest.raises(ValueError, match="the power of the AGOP holds entries that are not finite"):
        rfm.fit(*small_task, 7, psd_power=lambda matrix, power: matrix.log())


def test_a_factor_on_the_quadratic_kernel_changes_nothing_without_ridge(small_task):
    tripled = rfm.Kernel(
        gram=lambda a, b, m: 3 * rfm.quadratic_gram(a, b, m),
        agop=lambda a, c, m, *, centre=True: 9 * rfm.quadratic_agop(a, c, m, centre=centre),
    )
    plain, scaled = (rfm.fit(*small_task, 7, iterations=4, kernel=k) for k in ("quadratic", tripled))
    # the root of rounding noise in the AGOP's null directions: compare squares
    assert torch.allclose(
        plain.metrics @ plain.metrics, scaled.metrics @ scaled.metrics, rtol=1e-9, atol=1e-9
    )
    assert torch.allclose(plain.test_loss, scaled.test_loss)


def test_the_quadratic_machine_does_not_see_the_scale_of_its_metric(small_task, random_machine):
    train_pairs, train_labels, test_pairs, _ = small_task
    metric = random_machine("+", 7, 0)[2]
    assert torch.allclose(
        rfm.regress(train_pairs, train_labels, test_pairs, 10 * metric),
        rfm.regress(train_pairs, train_labels, test_pairs, metric),
    )


def test_float32_goes_the_same_way(generator):
    task = arithmetic.split(*arithmetic.modular_table("+", 13), 0.7, generator=generator)
    for kernel in ("quadratic", "gaussian"):
        double = rfm.fit(*task, 13, kernel=kernel, iterations=6)
        single = rfm.fit(*task, 13, kernel=kernel, iterations=6, dtype=torch.float32)
        assert single.metrics.dtype == torch.float32
        # squares again: the null directions hold the root of each type's rounding
        squares = [history.metrics.double() @ history.metrics.double() for history in (double, single)]
        assert torch.allclose(squares[0], squares[1], atol=1e-3 * squares[0].abs().max().item())


def test_a_fit_leaves_its_inputs_alone(small_task):
    before = [tensor.clone() for tensor in small_task]
    rfm.fit(*small_task, 7, iterations=2)
    assert all(torch.equal(a, b) for a, b in zip(before, small_task, strict=True))


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"kernel": "cubic"}, ValueError, "kernel must be"),
        ({"iterations": 0}, ValueError, "iterations must be at least 1"),
        ({"ridge": -1.0}, ValueError, "ridge must be at least 0"),
        ({"bandwidth": 0.0, "kernel": "gaussian"}, ValueError, "bandwidth must be above 0"),
        ({"power": 0.0}, ValueError, "power must be above 0"),
    ],
)
def test_unfit_settings_are_refused(keywords, error, words, small_task):
    with pytest.raises(error, match=words):
        rfm.fit(*small_task, 7, **keywords)


def test_a_wrong_modulus_is_refused_before_the_first_step(small_task):
    with pytest.raises(ValueError, match="train_pairs must hold digits from 0 to 4"):
        rfm.iterate(*small_task, 5)


def test_test_data_are_checked_too(small_task):
    train_pairs, train_labels, test_pairs, test_labels = small_task
    with pytest.raises(ValueError, match="test_labels must have shape"):
        rfm.fit(train_pairs, train_labels, test_pairs, test_labels[1:], 7)
    with pytest.raises(ValueError, match="test_pairs must hold at least one pair"):
        rfm.fit(train_pairs, train_labels, test_pairs[:0], test_labels[:0], 7)


def test_repeated_training_pairs_with_different_answers_are_singular(small_task):
    train_pairs, train_labels, test_pairs, test_labels = small_task
    pairs = torch.cat([train_pairs, train_pairs[:1]])
    labels = torch.cat([train_labels, (train_labels[:1] + 1) % 7])
    with pytest.raises(ValueError, match="pass a larger ridge"):
        rfm.fit(pairs, labels, test_pairs, test_labels, 7)
    assert len(rfm.fit(pairs, labels, test_pairs, test_labels, 7, ridge=1e-3).metrics) == 31


def squares_and(seed, p=31):
    """The table of a² + b, in which a and -a are twins: the Gram matrix comes close to singular."""
    pairs, _ = arithmetic.modular_table("+", p)
    labels = (pairs[:, 0] ** 2 + pairs[:, 1]) % p
    return arithmetic.split(pairs, labels, 0.9, generator=torch.Generator().manual_seed(seed))


def all_but_the_diagonal(p=13):
    pairs, labels = arithmetic.modular_table("+", p)
    shown = pairs[:, 0] != pairs[:, 1]
    return pairs[shown], labels[shown], pairs[~shown], labels[~shown]


def test_a_run_whose_gram_matrix_is_nearly_singular_goes_on():
    history = rfm.fit(*squares_and(0), 31)
    assert len(history.test_accuracy) == 30
    assert history.test_accuracy[-1] > 0.95


def test_rounding_in_an_agop_of_ones_own_does_not_stop_a_run(small_task):
    def agop(pairs, coefficients, metric, *, centre=True):
        exact = rfm.quadratic_agop(pairs, coefficients, metric, centre=centre)
        return exact + 1e-6 * exact.max() * torch.ones_like(exact).triu(1)

    mine = rfm.fit(*small_task, 7, kernel=rfm.Kernel(rfm.quadratic_gram, agop), iterations=4)
    assert torch.allclose(mine.metrics, mine.metrics.mT, atol=1e-12)


def test_the_public_agop_is_symmetric_to_the_last_bit(random_machine):
    pairs, coefficients, metric = random_machine("+", 7, 0)
    for kernel in ("quadratic", "gaussian"):
        found = rfm.agop(pairs, 1e6 * coefficients, metric, kernel=kernel)
        assert torch.equal(found, found.T)


def test_an_agop_that_is_not_symmetric_at_all_is_named(small_task):
    kernel = rfm.Kernel(rfm.quadratic_gram, lambda *machine, centre: torch.ones(14, 14).double().triu())
    with pytest.raises(ValueError, match=r"the AGOP is not symmetric and finite.*own agop is wrong"):
        rfm.fit(*small_task, 7, kernel=kernel)


def test_a_run_that_becomes_singular_says_so_and_keeps_what_was_done():
    data = all_but_the_diagonal()
    with pytest.raises(rfm.Stopped, match=r"iteration \d+: the .* is singular .*\.history") as caught:
        rfm.fit(*data, 13, iterations=60)
    kept = pickle.loads(pickle.dumps(caught.value)).history  # as it comes back from another process
    count = len(kept.test_accuracy)
    assert 4 < count < 60
    assert f"iteration {count}:" in str(caught.value)
    assert torch.equal(kept.metrics, rfm.fit(*data, 13, iterations=count).metrics)


def test_a_ridge_carries_a_run_past_the_singular_point():
    assert len(rfm.fit(*all_but_the_diagonal(), 13, iterations=60, ridge=1e-6).test_accuracy) == 60


def test_no_step_makes_no_history():
    with pytest.raises(ValueError, match="steps must hold at least one iteration"):
        rfm.collect([])
