"""All seeds of a width in one pass: weights stacked along the first axis, one batched product for all of them.

Training at a high rate is chaotic: what two processors round differently in the last bit of a step, 1e-16 of the loss,
is a fifth of it after some thousands of steps. On a grid it is nothing: each step's weights are rounded to the same
numbers, unless one of them lies within 1e-16 of the middle between two.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from oraledu.scaling.adam import Adam
from oraledu.scaling.noise import gradient_covariance_trace

#: Weights by name, each (seeds, …): what one network has, for each seed.
Weights = dict[str, Tensor]
#: Inputs and targets, each (seeds, …).
Batch = tuple[Tensor, Tensor]
#: What keeps a norm away from zero.
TINY = 1e-6


class StackedPass:
    """Networks of one width, one for each seed, trained side by side with Adam.

    No operation mixes seeds, and Adam works on each number alone: every seed trains as it would by itself.

    Attributes:
        weights: The weights, each (seeds, …).
        batch: Returns the batch of a step.
    """

    def __init__(
        self,
        weights: Weights,
        rates: dict[str, float],
        losses: Callable[[Weights, Batch], Tensor],
        *,
        batch: Callable[[int], Batch],
        test: Sequence[Batch],
        probes: Callable[[], Sequence[Batch]],
        gradients: Callable[[Weights, Batch], Weights] | None = None,
        decays: dict[str, float] | None = None,
        grid: float | None = None,
    ) -> None:
        """Start from given weights.

        Args:
            weights: (seeds, …) each.
            rates: The peak rate for each name.
            losses: Maps weights and a batch to the mean loss over the batch, (seeds,).
            batch: Returns the batch of a step.
            test: Batches of equal size, whose mean loss is the test loss.
            probes: Returns the mini-batches on which gradients are compared, of the size of those in training.
            gradients: Maps weights and a batch to the gradients of the losses; by autograd if left out.
            decays: The weight decay for each name; none if left out.
            grid: Round the weights to multiples of this, a power of two, at the start and after each step; not if
                left out. It takes float64, and a grid far above the rounding of a step.

        Raises:
            ValueError: If the grid is no power of two.
        """
        if grid is not None and math.frexp(grid)[0] != 0.5:
            raise ValueError(f"grid must be a power of two, so that rounding to it is exact; got {grid}")
        self.weights = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
        self.batch = batch
        self._losses, self._test, self._probes = losses, test, probes
        self._gradients = gradients or self._by_autograd
        self._adam = Adam(self.weights, rates, decays)
        self._grid = grid
        self._settle()

    @property
    def done(self) -> int:
        """How many steps were taken."""
        return self._adam.done

    def step(self, rate: float) -> None:
        """Take one step at a share of the full rate."""
        self._adam.step(self._gradients(self.weights, self.batch(self.done)), rate)
        self._settle()

    @torch.no_grad()
    def loss(self) -> Tensor:
        """Return the test loss of each seed: (seeds,) float64 on the CPU."""
        found = [self._losses(self.weights, batch) for batch in self._test]
        return torch.stack(found).cpu().double().mean(dim=0)

    def trace(self) -> Tensor:
        """Return the preconditioned trace of the covariance of mini-batch gradients: (seeds,) float64.

        The preconditioner is Adam's at the peak rate, rate / (√v̂ + ε). A weight that has had no gradient yet has no
        v̂ and does not count; before the first step there is none at all, and the trace is NaN.
        """
        if self.done == 0:
            seeds = len(next(iter(self.weights.values())))
            return torch.full((seeds,), torch.nan, dtype=torch.float64)
        found = [self._gradients(self.weights, batch) for batch in self._probes()]
        traces = []
        for name in self.weights:
            gradients = torch.stack([each[name] for each in found]).flatten(2)
            inverse = self._adam.preconditioner(name).flatten(1)
            traces.append(gradient_covariance_trace(gradients, inverse))
        return torch.stack(traces).cpu().double().sum(dim=0)

    def state(self) -> dict[str, Any]:
        """Return copies of all that the next step depends on."""
        weights = {name: weight.detach().clone() for name, weight in self.weights.items()}
        return {"weights": weights, "adam": self._adam.state()}

    @torch.no_grad()
    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name, weight in self.weights.items():
            weight.copy_(state["weights"][name])
        self._adam.load(state["adam"])

    @torch.no_grad()
    def _settle(self) -> None:
        """Round the weights to the grid, if there is one."""
        if self._grid is not None:
            for weight in self.weights.values():
                weight.div_(self._grid).round_().mul_(self._grid)

    def _by_autograd(self, weights: Weights, batch: Batch) -> Weights:
        found = torch.autograd.grad(self._losses(weights, batch).sum(), list(weights.values()))
        return dict(zip(weights, found, strict=True))


def rms_norm(h: Tensor) -> Tensor:
    """Return h over its root mean square along the last axis."""
    return torch.nn.functional.rms_norm(h, h.shape[-1:], eps=TINY)
