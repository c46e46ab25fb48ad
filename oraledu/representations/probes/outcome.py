"""What a probe found, item by item, and how a score is made of it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.representations.correlation import spearman

Measure = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a probe found on each item it was tested on.

    Attributes:
        items: (..., n, k) float64: k numbers for each of n items; leading dimensions are layers.
        measure: The score of items, (..., m, k) -> (...), for any m of them.
    """

    items: Tensor
    measure: Measure

    @property
    def count(self) -> int:
        """How many items there are."""
        return self.items.shape[-2]

    def score(self, chosen: Tensor | None = None) -> Tensor:
        """Return the score over all items, or over those of the given indices: (...).

        Args:
            chosen: (m,) integer indices of items; one that comes twice counts twice.
        """
        return self.measure(self.items if chosen is None else self.items[..., chosen, :])


def share(items: Tensor) -> Tensor:
    """Return the mean of what each item gained: (..., m, 1) -> (...)."""
    return items[..., 0].mean(dim=-1)


def rank_agreement(items: Tensor) -> Tensor:
    """Return Spearman's correlation of two numbers for each item: (..., m, 2) -> (...)."""
    return spearman(items[..., 0], items[..., 1])


def v_measure(items: Tensor) -> Tensor:
    """Return the V-measure of clusters against classes, averaged over r clusterings: (..., m, 1 + r) -> (...).

    It is the harmonic mean of homogeneity and completeness, 2 I / (H(class) + H(cluster)) with I their mutual
    information; 1 if there is one class and one cluster. It is not corrected for chance.

    Args:
        items: (..., m, 1 + r) for each item the number of its class, then of its cluster in each clustering.
    """
    classes, clusters = items[..., :1].long(), items[..., 1:].long()  # (..., m, 1), (..., m, r)
    width = int(clusters.max()) + 1
    joint = _counts(classes * width + clusters, (int(classes.max()) + 1) * width)  # (..., r, C K)
    joint = joint.unflatten(-1, (-1, width)) / items.shape[-2]
    of_class, of_cluster = (torch.special.entr(joint.sum(dim=dim)).sum(dim=-1) for dim in (-1, -2))
    entropy = of_class + of_cluster
    information = entropy - torch.special.entr(joint).sum(dim=(-2, -1))
    return torch.where(entropy > 0, 2 * information / torch.where(entropy > 0, entropy, 1), 1).mean(dim=-1)


def _counts(numbers: Tensor, width: int) -> Tensor:
    """Count how often each number below ``width`` occurs along dimension -2: (..., m, r) -> (..., r, width)."""
    numbers = numbers.movedim(-2, -1)
    counts = torch.zeros(*numbers.shape[:-1], width, dtype=torch.float64)
    return counts.scatter_add_(-1, numbers, torch.ones(numbers.shape, dtype=torch.float64))
