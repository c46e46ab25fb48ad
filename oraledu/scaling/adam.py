"""Adam, on all weights of a stack: every number has its own step, so that stacked seeds do not meet."""

from typing import Any

import torch
from torch import Tensor

#: The decay rates of the two averages, and ε (paper, appendix B).
BETAS = (0.9, 0.95)
EPSILON = 1e-20


class Adam:
    """Adam with a rate for each weight, and with decoupled weight decay (AdamW) where one is given.

    Written out rather than taken from `torch.optim`, whose import costs seconds and whose calls cost as much as a small
    network's step.

    Attributes:
        rates: The peak rate of each weight's name.
        decays: By how much a step at rate 1 would shrink a weight, by name; what is not named does not decay.
        done: How many steps were taken.
    """

    def __init__(
        self, weights: dict[str, Tensor], rates: dict[str, float], decays: dict[str, float] | None = None
    ) -> None:
        """Take charge of weights, which `step` changes in place."""
        self.rates, self.decays, self.done = rates, decays or {}, 0
        self._weights = weights
        self._first = {
            name: torch.zeros_like(weight, requires_grad=False) for name, weight in weights.items()
        }
        self._second = {
            name: torch.zeros_like(weight, requires_grad=False) for name, weight in weights.items()
        }

    @torch.no_grad()
    def step(self, gradients: dict[str, Tensor], share: float) -> None:
        """Take one step at a share of the peak rates."""
        self.done += 1
        first_left, second_left = (
            1 - beta**self.done for beta in BETAS
        )  # less than 1 by the zeros at the start
        for name, weight in self._weights.items():
            gradient = gradients[name]
            first = self._first[name].lerp_(gradient, 1 - BETAS[0])
            second = self._second[name].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
            if name in self.decays:
                weight.mul_(1 - self.rates[name] * share * self.decays[name])
            size = second.sqrt().mul_(second_left**-0.5).add_(EPSILON)
            weight.addcdiv_(first, size, value=-self.rates[name] * share / first_left)

    def preconditioner(self, name: str) -> Tensor:
        """Return what a gradient of a weight is multiplied by at the peak rate: rate / (√v̂ + ε).

        It is 0 where there has been no gradient yet, and so no v̂.
        """
        moments = self._second[name]
        size = (moments / (1 - BETAS[1] ** self.done)).sqrt() + EPSILON
        return torch.where(moments > 0, self.rates[name] / size, 0)

    def state(self) -> dict[str, Any]:
        """Return copies of all that the next step depends on, but for the weights."""
        averages = {
            place: {name: values.clone() for name, values in moments.items()}
            for place, moments in (("first", self._first), ("second", self._second))
        }
        return {**averages, "done": self.done}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for place, moments in (("first", self._first), ("second", self._second)):
            for name, values in moments.items():
                values.copy_(state[place][name])
        self.done = state["done"]
