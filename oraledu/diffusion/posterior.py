"""Posteriors over many candidates, seen a tile at a time: streaming log-sum-exp.

Candidate i of a query has the weight 2^l_i / Σ_j 2^l_j. The log-weights l arrive in tiles and are never all in
memory. What is held is relative to a *reference*: one number for each query, near its largest log-weight so far, and
raised when a much larger one arrives.

Logarithms are to base 2, since `torch.exp2` takes a third of the time of `torch.exp` on many processors.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.diffusion.tiles import gpu_tile

#: What turns a natural logarithm into one to base 2.
LOG2_E = 1 / math.log(2)

#: Log-weights below this, relative to the reference, are held here. So small a weight counts for nothing either
#: way, but below -126 the power is a denormal number, which costs a processor a hundred ordinary ones.
FLOOR = -120.0

#: A log-weight may exceed the reference by this much before the reference is raised: 2³⁰ is far from overflow.
HEADROOM = 30.0

#: Where none can exceed it by more than this, none is looked for: 2⁸⁰, a billion times, is far from overflow too.
SAFE = 80.0

#: How many log-weights to hold at a time: as many as fit into a processor's cache.
CPU_TILE = 1 << 18

#: Sums the values of a tile's candidates under given weights: (*, n) to (*, …).
Combine = Callable[[Tensor], Tensor]


def tile_size(device: torch.device) -> int:
    """Return how many log-weights to hold at a time on a device."""
    return CPU_TILE if device.type == "cpu" else gpu_tile(device)


class Posterior(ABC):
    """A running posterior for a block of queries, of any shape (*).

    Attributes:
        reference: (*) what log-weights are relative to; None before the first tile.
        mass: (*) the sum of all weights so far, relative to the reference.
        within: Two bounds (*) between which all log-weights lie, up to rounding; None if they are not known.
    """

    reference: Tensor | None = None
    mass: Tensor
    _too_large = _too_small = True

    def __init__(self, within: tuple[Tensor, Tensor] | None = None) -> None:
        """Begin without candidates."""
        self.within = within

    def add(self, log_weights: Tensor, combine: Combine) -> None:
        """Take in a tile of candidates.

        Args:
            log_weights: (*, n) relative to the reference; overwritten.
            combine: Sums the values of these candidates.
        """
        if self.reference is None:
            largest = log_weights.amax(dim=-1)
            self.mass = torch.zeros_like(largest)
            log_weights.sub_(largest[..., None])
            self._refer_to(largest)
        elif self._too_large and (largest := log_weights.amax(dim=-1)).max() > HEADROOM:
            high = largest > HEADROOM
            raised = torch.where(high, self.reference + largest, self.reference)
            gain = raised - self.reference  # not `largest`: the sum was rounded
            log_weights[high] -= gain[high][:, None]
            self.mass *= torch.exp2(-gain)
            self._follow(gain)
            self._refer_to(raised)
        self._take(log_weights, combine)

    def _refer_to(self, reference: Tensor) -> None:
        """Set the reference, and note whether log-weights can be too large or too small beside it."""
        self.reference = reference
        if self.within is not None:
            low, high = self.within
            self._too_large = bool((high - reference).max() > SAFE)
            self._too_small = bool((low - reference).min() < FLOOR)

    @abstractmethod
    def _follow(self, gain: Tensor) -> None:
        """Let what is held follow the reference, raised by `gain` (*)."""

    @abstractmethod
    def _take(self, log_weights: Tensor, combine: Combine) -> None:
        """Take in log-weights, at most `SAFE` above the reference."""

    def _weigh(self, log_weights: Tensor) -> Tensor:
        """Return the weights, in place of their logarithms, and count them."""
        weights = (log_weights.clamp_(min=FLOOR) if self._too_small else log_weights).exp2_()
        self.mass += weights.sum(dim=-1)
        return weights


class Mean(Posterior):
    """The mean of the candidates' values."""

    _sums: Tensor | None = None

    @property
    def mean(self) -> Tensor:
        """The posterior mean, (*, …)."""
        assert self._sums is not None
        return self._sums / self._beside(self.mass)

    def _beside(self, factor: Tensor) -> Tensor:
        """Return a factor for each query, (*), in a shape that multiplies the sums (*, …)."""
        assert self._sums is not None
        return factor.view(factor.shape + (1,) * (self._sums.ndim - factor.ndim))

    def _follow(self, gain: Tensor) -> None:
        assert self._sums is not None
        self._sums *= self._beside(torch.exp2(-gain))

    def _take(self, log_weights: Tensor, combine: Combine) -> None:
        sums = combine(self._weigh(log_weights))
        self._sums = sums if self._sums is None else self._sums.add_(sums)


class Heaviest(Posterior):
    """The candidate with the largest weight; of equal ones the first."""

    _seen = 0
    _index: Tensor
    _largest: Tensor

    @property
    def index(self) -> Tensor:
        """Which candidate it is, (*), counted over all tiles in their order."""
        return self._index

    @property
    def weight(self) -> Tensor:
        """Its posterior weight, (*)."""
        return torch.exp2(self._largest) / self.mass

    def _follow(self, gain: Tensor) -> None:
        self._largest -= gain

    def _take(self, log_weights: Tensor, combine: Combine) -> None:
        largest, where = log_weights.max(dim=-1)
        if self._seen:
            better = largest > self._largest
            self._index = torch.where(better, where + self._seen, self._index)
            self._largest = torch.maximum(self._largest, largest)
        else:
            self._index, self._largest = where, largest
        self._seen += log_weights.shape[-1]
        self._weigh(log_weights)
