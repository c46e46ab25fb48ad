"""Training a quadratic network on modular arithmetic, with snapshots of its features on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from oraledu.grokking.quadratic_net import QuadraticNet, feature_matrix, network_agop
from oraledu.grokking.regression import Score, check_examples, one_hot_targets, score
from oraledu.keep import NOWHERE, Keep, resume_training, training_state

__all__ = [
    "NetworkHistory",
    "QuadraticNet",
    "Snapshot",
    "collect",
    "feature_matrix",
    "iterate",
    "network_agop",
    "train",
]


@dataclass(frozen=True)
class Snapshot:
    """A network after some epochs: how well it does, its feature matrix and its AGOP."""

    epoch: int
    train: Score
    test: Score
    features: Tensor
    agop: Tensor


@dataclass(frozen=True)
class NetworkHistory:
    """What `train` saw, one entry for each snapshot; the first is the network before training.

    Attributes:
        epochs: (s,) the number of epochs done.
        train_accuracy: (s,) the share of training pairs that are right.
        test_accuracy: (s,) the share of test pairs that are right.
        train_loss: (s,) squared error, averaged over training pairs and classes.
        test_loss: (s,) squared error, averaged over test pairs and classes.
        correct_loss: (s,) squared error of the right class's output alone, over test pairs.
        features: (s, 2p, 2p) the feature matrices; on the CPU, wherever the network was.
        agops: (s, 2p, 2p) the AGOPs over the training pairs; on the CPU too.
    """

    epochs: Tensor
    train_accuracy: Tensor
    test_accuracy: Tensor
    train_loss: Tensor
    test_loss: Tensor
    correct_loss: Tensor
    features: Tensor
    agops: Tensor


def train(
    net: QuadraticNet,
    train_pairs: Tensor,
    train_labels: Tensor,
    test_pairs: Tensor,
    test_labels: Tensor,
    *,
    epochs: int,
    generator: torch.Generator,
    batch_size: int | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 1.0,
    betas: tuple[float, float] = (0.9, 0.98),
    record_every: int = 1,
    keep: Keep = NOWHERE,
) -> NetworkHistory:
    """Train a network in place with AdamW on the squared error against one-hot targets.

    Args:
        net: The network; its weights change.
        train_pairs: (n, 2) digit pairs.
        train_labels: (n,) answers.
        test_pairs: (m, 2) digit pairs.
        test_labels: (m,) answers.
        epochs: How many times to go through the training pairs, at least 1.
        generator: The source of the batches' order; a full batch draws nothing.
        batch_size: Pairs in a batch; all of them if left out.
        learning_rate: AdamW's step size.
        weight_decay: AdamW's decoupled weight decay; the paper takes 1.
        betas: AdamW's decay rates of its two averages.
        record_every: Epochs from one snapshot to the next, at least 1.
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Returns:
        The `NetworkHistory`, from before the first epoch to the last multiple of ``record_every``.

    Raises:
        ValueError: If an argument is unfit; the text says what to do.
        TypeError: If pairs or labels do not hold integers.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    snapshots = iterate(
        net,
        train_pairs,
        train_labels,
        test_pairs,
        test_labels,
        generator=generator,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        betas=betas,
        record_every=record_every,
        keep=keep,
        epochs=epochs,
    )
    return collect(islice(snapshots, epochs // record_every + 1))


def iterate(
    net: QuadraticNet,
    train_pairs: Tensor,
    train_labels: Tensor,
    test_pairs: Tensor,
    test_labels: Tensor,
    *,
    generator: torch.Generator,
    batch_size: int | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 1.0,
    betas: tuple[float, float] = (0.9, 0.98),
    record_every: int = 1,
    keep: Keep = NOWHERE,
    epochs: int = 0,
) -> Iterator[Snapshot]:
    """Yield the snapshots of `train` one by one, without end, for a progress bar and for stopping early.

    Arguments and errors are those of `train`; `collect` makes a `NetworkHistory` of a list of snapshots.
    With a `keep` the snapshots of an earlier process come first, and ``epochs`` tells it how much is left.
    """
    check_examples(train_pairs, train_labels, net.p, "train")
    check_examples(test_pairs, test_labels, net.p, "test")
    size = len(train_pairs) if batch_size is None else batch_size
    for name, value in (("batch_size", size), ("record_every", record_every)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay, betas=betas)
    targets = one_hot_targets(train_labels, net.p, net.first.dtype)

    def run_epoch() -> None:
        everything = torch.arange(len(train_pairs), device=train_pairs.device)
        if size < len(train_pairs):
            order = torch.randperm(len(train_pairs), generator=generator, device=generator.device)
            everything = order.to(train_pairs.device)
        for batch in everything.split(size):
            optimizer.zero_grad()
            mse_loss(net(train_pairs[batch]), targets[batch]).backward()
            optimizer.step()

    @torch.no_grad()
    def snapshot(epoch: int) -> Snapshot:
        train_score, test_score = (
            score(net(pairs), labels)
            for pairs, labels in ((train_pairs, train_labels), (test_pairs, test_labels))
        )
        agop = network_agop(net.input_weights(), net.second, train_pairs)
        return Snapshot(epoch, train_score, test_score, feature_matrix(net.first), agop)

    def snapshots() -> Iterator[Snapshot]:
        state = keep.load()
        resume_training(state, net, optimizer, generator)
        done = [_unpacked(each, train_pairs.device) for each in state["snapshots"]] if state else []
        yield from tuple(done)
        epoch = record_every * len(done)
        while True:
            for _ in range(record_every if epoch else 0):
                run_epoch()
            found = snapshot(epoch)
            if keep is not NOWHERE:
                done.append(found)
                if keep.due(epoch, epochs // record_every * record_every):
                    kept = training_state(net, optimizer, generator)
                    keep.save({**kept, "snapshots": [asdict(each) for each in done]})
            yield found
            epoch += record_every

    return snapshots()


def collect(snapshots: Iterable[Snapshot]) -> NetworkHistory:
    """Make a `NetworkHistory` of the snapshots of `iterate`, in their order.

    Raises:
        ValueError: If there is none.
    """
    snapshots = list(snapshots)
    if not snapshots:
        raise ValueError("snapshots must hold at least one")
    return NetworkHistory(
        epochs=torch.tensor([snapshot.epoch for snapshot in snapshots]),
        train_accuracy=torch.tensor([s.train.accuracy for s in snapshots], dtype=torch.float64),
        test_accuracy=torch.tensor([s.test.accuracy for s in snapshots], dtype=torch.float64),
        train_loss=torch.tensor([s.train.loss for s in snapshots], dtype=torch.float64),
        test_loss=torch.tensor([s.test.loss for s in snapshots], dtype=torch.float64),
        correct_loss=torch.tensor([s.test.correct_loss for s in snapshots], dtype=torch.float64),
        features=torch.stack([s.features for s in snapshots]).cpu(),
        agops=torch.stack([s.agop for s in snapshots]).cpu(),
    )


def _unpacked(snapshot: dict[str, Any], device: torch.device) -> Snapshot:
    """Return a snapshot from its dictionary, on a device."""
    train, test = Score(**snapshot["train"]), Score(**snapshot["test"])
    features, agop = snapshot["features"].to(device), snapshot["agop"].to(device)
    return Snapshot(snapshot["epoch"], train, test, features, agop)
