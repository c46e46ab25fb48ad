"""Training: snapshots, batches and seeds; and a network that groks on a small prime."""

from itertools import islice

import pytest
import torch

from oraledu.grokking import arithmetic, networks, rfm


@pytest.fixture
def small_task(generator):
    return arithmetic.split(*arithmetic.modular_table("+", 7), 0.6, generator=generator)


def small_net(seed=0, **keywords):
    return networks.QuadraticNet(7, 16, generator=torch.Generator().manual_seed(seed), **keywords)


def test_the_first_snapshot_is_the_network_before_training(small_task):
    untrained = small_net()
    net = small_net()
    history = networks.train(net, *small_task, epochs=4, generator=torch.Generator(), record_every=2)
    assert history.epochs.tolist() == [0, 2, 4]
    assert torch.equal(history.features[0], networks.feature_matrix(untrained.first))
    assert torch.equal(history.features[-1], networks.feature_matrix(net.first))
    assert torch.equal(history.agops[-1], networks.network_agop(net.first, net.second, small_task[0]))
    start, end = (rfm.score(machine(small_task[2]), small_task[3]) for machine in (untrained, net))
    for index, expected in ((0, start), (-1, end)):
        assert history.test_accuracy[index].item() == expected.accuracy
        assert history.test_loss[index].item() == pytest.approx(expected.loss)
        assert history.correct_loss[index].item() == pytest.approx(expected.correct_loss)


def test_every_curve_has_one_entry_a_snapshot(small_task):
    history = networks.train(small_net(), *small_task, epochs=5, generator=torch.Generator(), record_every=2)
    assert history.epochs.tolist() == [0, 2, 4]
    for name in ("train_accuracy", "test_accuracy", "train_loss", "test_loss", "correct_loss"):
        assert getattr(history, name).shape == (3,)
    assert history.features.shape == history.agops.shape == (3, 14, 14)


def test_a_full_batch_step_is_one_of_adamw(small_task):
    train_pairs, train_labels, *_ = small_task
    net, reference = small_net(), small_net()
    networks.train(net, *small_task, epochs=3, generator=torch.Generator(), learning_rate=0.02)
    optimizer = torch.optim.AdamW(reference.parameters(), lr=0.02, weight_decay=1.0, betas=(0.9, 0.98))
    for _ in range(3):
        optimizer.zero_grad()
        targets = torch.eye(7, dtype=torch.float64)[train_labels]
        (reference(train_pairs) - targets).square().mean().backward()
        optimizer.step()
    assert torch.allclose(net.first, reference.first)
    assert torch.allclose(net.second, reference.second)


def test_batches_go_through_every_training_pair_once_an_epoch(small_task):
    seen = []

    class Watched(networks.QuadraticNet):
        def forward(self, pairs):
            if torch.is_grad_enabled():
                seen.append(pairs)
            return super().forward(pairs)

    net = Watched(7, 4, generator=torch.Generator())
    networks.train(net, *small_task, epochs=2, batch_size=8, generator=torch.Generator().manual_seed(1))
    assert [len(batch) for batch in seen] == [8, 8, 8, 5] * 2  # 29 training pairs
    epochs = torch.cat(seen).reshape(2, 29, 2).tolist()
    assert sorted(epochs[0]) == sorted(epochs[1]) == small_task[0].tolist()
    assert epochs[0] != epochs[1]


def test_the_generator_decides_the_order_of_batches(small_task):
    nets = [small_net() for _ in range(3)]
    for net, seed in zip(nets, (1, 1, 2), strict=True):
        order = torch.Generator().manual_seed(seed)
        networks.train(net, *small_task, epochs=2, batch_size=8, generator=order)
    assert torch.equal(nets[0].first, nets[1].first)
    assert not torch.equal(nets[0].first, nets[2].first)


def test_collected_snapshots_are_what_train_returns(small_task):
    whole = networks.train(small_net(), *small_task, epochs=4, generator=torch.Generator())
    steps = networks.iterate(small_net(), *small_task, generator=torch.Generator())
    part = networks.collect(islice(steps, 3))
    assert torch.equal(part.features, whole.features[:3])
    assert part.epochs.tolist() == [0, 1, 2]


def test_a_transform_stays_as_it_is(small_task):
    transform = torch.eye(14, dtype=torch.float64) * 0.5
    net = small_net(transform=transform)
    history = networks.train(net, *small_task, epochs=3, generator=torch.Generator())
    assert torch.equal(net.transform, 0.5 * torch.eye(14, dtype=torch.float64))
    expected = networks.network_agop(0.5 * net.first, net.second, small_task[0])
    assert torch.allclose(history.agops[-1], expected)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": 1, "batch_size": 0}, "batch_size must be at least 1"),
        ({"epochs": 1, "record_every": 0}, "record_every must be at least 1"),
    ],
)
def test_unfit_settings_are_refused(keywords, words, small_task):
    with pytest.raises(ValueError, match=words):
        networks.train(small_net(), *small_task, generator=torch.Generator(), **keywords)


def test_digits_beyond_the_networks_modulus_are_refused():
    pairs = torch.tensor([[0, 8]])
    with pytest.raises(ValueError, match="train_pairs must hold digits from 0 to 6"):
        networks.iterate(
            small_net(), pairs, torch.tensor([1]), pairs, torch.tensor([1]), generator=torch.Generator()
        )


def test_no_snapshot_makes_no_history():
    with pytest.raises(ValueError, match="snapshots must hold at least one"):
        networks.collect([])
