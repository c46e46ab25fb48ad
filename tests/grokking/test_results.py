"""What the lesson shows, measured: the course's own sizes, a few seeds each."""

import subprocess
import sys

import pytest
import torch

from oraledu.grokking import arithmetic, circulant, networks, rfm
from oraledu.grokking.circulant import ORIENTATION, alignment, deviation
from oraledu.grokking.settings import QUICK
from tests.grokking.conftest import feature_block

OTHER = {"toeplitz": "hankel", "hankel": "toeplitz"}


def draw(op, p, fraction, seed):
    generator = torch.Generator().manual_seed(seed)
    return arithmetic.split(*arithmetic.modular_table(op, p), fraction, generator=generator)


def deviations(metrics, op, orientation):
    return torch.stack([deviation(feature_block(metric, op), orientation) for metric in metrics])


@pytest.fixture(scope="module")
def paper_run():
    """The paper's figure: addition modulo 61 from half the table, quadratic kernel, 30 iterations."""
    run = QUICK.paper
    return rfm.fit(*draw("+", run.p, run.fraction, 0), run.p, kernel=run.kernel, iterations=run.iterations)


def test_accuracy_leaves_zero_late_and_ends_near_one(paper_run):
    assert paper_run.test_accuracy[:10].max() < 0.02
    assert paper_run.test_accuracy[-1] >= 0.99


def test_the_training_loss_is_zero_all_along(paper_run):
    assert paper_run.train_loss.max() < 1e-20
    assert paper_run.train_accuracy.min() == 1


def test_the_features_move_before_the_accuracy_does(paper_run):
    toeplitz = deviations(paper_run.metrics, "+", "toeplitz")
    leaves_zero = int((paper_run.test_accuracy >= 0.02).nonzero()[0])
    assert toeplitz[leaves_zero - 1] < 0.5 * toeplitz[1:leaves_zero].max()
    assert toeplitz[-1] < 0.05
    assert deviations(paper_run.metrics, "+", "hankel")[-1] > 0.9


def test_the_test_losses_do_not_announce_the_transition(paper_run):
    before = int((paper_run.test_accuracy >= 0.02).nonzero()[0]) - 1
    for loss in (paper_run.test_loss, paper_run.correct_loss):
        assert loss[:before].min() > 0.85 * loss[0]
    assert paper_run.test_loss[-1] > 0.4 * paper_run.test_loss[0]
    assert paper_run.correct_loss[-1] > 0.3


def test_the_diagonal_hides_how_far_the_metric_travels(paper_run):
    first, last = paper_run.metrics[1], paper_run.metrics[-1]
    assert alignment(first, last) > 0.7
    assert alignment(first, last, off_diagonal=True) < 0.5
    assert alignment(paper_run.metrics[0], last) > 0.7
    assert alignment(paper_run.metrics[0], last, off_diagonal=True) == 0


def test_the_learned_features_have_full_rank_but_for_two_directions(paper_run):
    eigenvalues = torch.linalg.eigvalsh(paper_run.metrics[-1])
    assert eigenvalues[:2].max() < 1e-6
    assert eigenvalues[2] > 0.05
    halves = torch.ones(QUICK.paper.p, 2, dtype=torch.float64)
    opposite = torch.cat([halves[:, 0], -halves[:, 1]])  # (1, -1) is at right angles to every input
    together = torch.cat([halves[:, 0], halves[:, 1]])
    assert (paper_run.metrics[-1] @ opposite).norm() < 1e-6 * opposite.norm()
    # (1, 1) is close to the second direction, not equal to it
    assert 1e-4 < (paper_run.metrics[-1] @ together).norm() / together.norm() < 1e-2


def test_a_quarter_of_the_table_gives_half_the_features_and_no_answers():
    history = rfm.fit(*draw("+", 61, 0.25, 0), 61, iterations=30)
    toeplitz = deviations(history.metrics, "+", "toeplitz")
    assert history.test_accuracy.max() < 0.05
    assert toeplitz[-1] < 0.75 * toeplitz[1:].max()


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_each_operation_is_learned_in_its_own_orientation(op):
    run = QUICK.operations
    history = rfm.fit(*draw(op, run.p, run.fraction, 0), run.p, kernel=run.kernel, iterations=run.iterations)
    own = ORIENTATION[op]
    assert history.test_accuracy[-1] >= 0.95
    assert deviation(feature_block(history.metrics[-1], op), own) < 0.1
    assert deviation(feature_block(history.metrics[-1], op), OTHER[own]) > 0.9


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("op", ["*", "/"])
def test_with_the_identity_all_answers_0_of_a_row_of_zeros_are_right_and_no_others(op, seed):
    train_pairs, train_labels, test_pairs, test_labels = draw(op, 31, 0.5, seed)
    outputs = rfm.regress(train_pairs, train_labels, test_pairs, torch.eye(62, dtype=torch.float64))
    assert torch.equal(outputs.argmax(1) == test_labels, test_labels == 0)


@pytest.mark.parametrize("op", ["+", "-"])
def test_a_composite_modulus_groks_and_an_even_one_shares_a_frequency_between_the_orientations(op):
    for p in (30, 33):
        history = rfm.fit(*draw(op, p, 0.75, 0), p, iterations=20)
        block = feature_block(history.metrics[-1], op)
        assert history.test_accuracy[-1] > 0.95
        assert deviation(block, ORIENTATION[op]) < 0.02
        other = deviation(block, OTHER[ORIENTATION[op]]).item()
        assert other == pytest.approx(1 - 1 / p if p % 2 == 0 else 1, abs=0.01)


def test_the_form_in_which_the_metric_ends(paper_run):
    p, metric = QUICK.paper.p, paper_run.metrics[-1]
    metric = metric / metric.diagonal().mean()
    outside = metric[:p, :p][~torch.eye(p, dtype=torch.bool)]
    assert metric.diagonal().std() < 0.1
    assert outside.mean().item() == pytest.approx(-1 / p, rel=0.1)
    assert outside.std() < 0.02
    assert abs(metric[p:, :p].mean()) < 1e-3
    assert deviation(metric[p:, :p], "toeplitz") < 0.03


def amplitudes(metrics, p):
    """The norm of the Toeplitz part of each block, its mean off, over the mean of the metric's diagonal."""
    means = torch.stack([circulant.wrapped_means(block, "toeplitz") for block in metrics[:, p:, :p]])
    means = means - means.mean(1, keepdim=True)
    return p**0.5 * means.norm(dim=1) / metrics.diagonal(dim1=1, dim2=2).mean(1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_amplitude_grows_by_power_times_gain_and_the_gain_does_not_know_the_power(seed):
    task = draw("+", 31, 0.65, seed)
    gains = []
    for power in (0.25, 0.35, 0.5):
        steps = amplitudes(rfm.fit(*task, 31, iterations=4, power=power).metrics, 31).diff()
        gains += (steps[1:] / steps[:-1] / power).tolist()
    assert max(gains) / min(gains) < 1.03
    stalled = amplitudes(rfm.fit(*task, 31, iterations=45, power=0.25).metrics, 31)
    assert stalled[-1].item() == pytest.approx(stalled[1].item() / (1 - gains[0] / 4), rel=0.06)
    assert stalled[-1].item() == pytest.approx(stalled[-5].item(), rel=1e-3)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_grokking_at_p_29_is_the_same_for_every_split(op, seed):
    history = rfm.fit(*draw(op, 29, 0.7, seed), 29, iterations=21)
    own = deviations(history.metrics, op, ORIENTATION[op])
    assert history.train_loss.max() < 1e-20
    assert history.test_accuracy[:6].max() < 0.1
    assert history.test_accuracy[20] > 0.9
    assert own[10] < 0.4 * own[2]
    assert deviation(feature_block(history.metrics[10], op), OTHER[ORIENTATION[op]]) > 0.9


@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
def test_random_circulants_solve_addition_at_p_61_and_controls_do_not(kernel, generator):
    train_pairs, train_labels, test_pairs, test_labels = draw("+", 61, 0.5, 0)

    def accuracy(metric):
        outputs = rfm.regress(train_pairs, train_labels, test_pairs, metric, kernel=kernel)
        return rfm.score(outputs, test_labels).accuracy

    assert accuracy(circulant.random_metric(61, "+", generator=generator)) >= 0.95
    assert accuracy(circulant.random_metric(61, "-", generator=generator)) < 0.1
    assert accuracy(circulant.block_metric(circulant.orthogonal_block(61, generator=generator))) < 0.1


def train_network(op, seed):
    run, generator = QUICK.network, torch.Generator().manual_seed(seed)
    net = networks.QuadraticNet(run.p, run.width, generator=generator)
    return networks.train(
        net,
        *draw(op, run.p, run.fraction, seed),
        epochs=run.epochs,
        generator=generator,
        learning_rate=run.learning_rate,
        record_every=run.record_every,
    )


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_the_network_groks_and_turns_the_other_way(op):
    history = train_network(op, 0)
    own = deviations(history.features, op, ORIENTATION[op])
    other = deviations(history.features, op, OTHER[ORIENTATION[op]])
    memorised = int((history.train_accuracy == 1).nonzero()[0])
    assert history.test_accuracy[memorised] < 0.2
    assert history.test_accuracy[-1] == 1
    assert other[-1] < 0.6
    assert own[-1] > other[-1] + 0.25


def test_the_feature_matrix_agrees_with_the_root_of_the_agop_even_before_training():
    history = train_network("+", 0)
    roots = [rfm.psd_power(agop, 0.5) for agop in history.agops]
    whole = [alignment(f, r) for f, r in zip(history.features, roots, strict=True)]
    bare = [alignment(f, r, off_diagonal=True) for f, r in zip(history.features, roots, strict=True)]
    assert min(whole) > 0.95  # the diagonals alone see to that
    assert bare[0] > 0.85  # at random weights both are nearly multiples of W1'W1
    assert min(bare) < bare[0] - 0.05
    assert bare[-1] > 0.85


def test_circulant_inputs_let_a_network_learn_from_little():
    run = QUICK.circulant_network
    accuracies = []
    for circulant_inputs in (True, False):
        generator = torch.Generator().manual_seed(0)
        metric = circulant.random_metric(run.p, "+", generator=generator)
        transform = rfm.psd_power(metric, 0.5) if circulant_inputs else None
        net = networks.QuadraticNet(run.p, run.width, generator=generator, transform=transform)
        history = networks.train(
            net,
            *draw("+", run.p, run.fraction, 0),
            epochs=run.epochs,
            generator=generator,
            learning_rate=run.learning_rate,
            record_every=run.record_every,
        )
        accuracies.append(history.test_accuracy[-1].item())
    assert accuracies[0] > 0.8
    assert accuracies[1] < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
def test_p_97_stays_within_4_gb(kernel):
    pytest.importorskip("resource", reason="peak memory can only be read on Unix")
    program = f"""
import resource, sys, torch
from oraledu.grokking import arithmetic, rfm
task = arithmetic.split(*arithmetic.modular_table("+", 97), 0.5, generator=torch.Generator())
rfm.fit(*task, 97, kernel="{kernel}", iterations=2)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak if sys.platform == "darwin" else 1024 * peak)
"""
    peak = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert int(peak) < 4e9


@pytest.mark.slow
def test_p_113_groks_in_float32():
    history = rfm.fit(*draw("+", 113, 0.5, 0), 113, iterations=15, dtype=torch.float32)
    assert history.test_accuracy[:10].max() < 0.02
    assert history.test_accuracy[-1] > 0.9
    assert history.train_loss.max() < 1e-9
