"""The multi-power law: a loss curve from its schedule alone, with seven numbers that are fitted (arXiv:2503.12811).

L = L₀ + A S^(-α) - B Σ_k (s_(k-1) - s_k) G_k with G_k = 1 - (1 + C s_k^(-γ) S_k)^(-β): S is the sum of the shares s of
the full rate so far, S_k the sum from step k on. The last term is what every fall of the rate will have brought by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

#: Schedule (steps,), steps to look at (n,) int64 and losses there (n,).
Seen = tuple[Tensor, Tensor, Tensor]
#: Bounds of A, α, B, C, β and γ, so that the sum stays finite. On the lesson's runs β and γ end at theirs; with β from
#: 0.001 to 100 and γ from -2 on, the share of the late decay that is explained goes from 0.77 to 0.88.
LOWEST, HIGHEST = (1e-3, 0.05, 1e-9, 1e-4, 0.05, 0.0), (1e3, 2.0, 10.0, 1e3, 3.0, 2.0)


@dataclass(frozen=True)
class MultiPower:
    """The law with its numbers, in the order of the formula: L₀, A, α, B, C, β, γ."""

    offset: float
    level: float
    exponent: float
    drop: float
    speed: float
    bend: float
    slowing: float

    def loss(self, schedule: Tensor, at: Tensor) -> np.ndarray:
        """Return the loss (n,) after `at` (n,) steps, from 1 on, of a schedule (steps,) of shares above 0."""
        shares, ends = schedule.double().numpy(), at.numpy()
        sums = np.concatenate([[0.0], shares.cumsum()])
        level = self.offset + self.level * sums[ends] ** -self.exponent
        falls = np.flatnonzero(np.diff(shares)) + 1  # the steps whose share is another than the last
        if not len(falls):
            return level
        since = np.clip(sums[ends][:, None] - sums[falls], 0, None)  # (n, falls)
        brought = 1 - (1 + self.speed * shares[falls] ** -self.slowing * since) ** -self.bend
        return level - self.drop * brought @ (shares[falls - 1] - shares[falls])


def fit(runs: Sequence[Seen]) -> MultiPower:
    """Return the law that fits some runs best, by the Huber loss of the errors in log loss, as its paper does.

    Args:
        runs: Each run's schedule, steps and losses; one at least whose rate falls.

    Raises:
        ValueError: If no rate falls, so that the last term would be free, or a loss is not above 0.
    """
    from scipy.optimize import least_squares  # slow to load, and no figure waits for it

    if not any((schedule.diff() < 0).any() for schedule, _, _ in runs):
        raise ValueError("runs must hold one whose rate falls: from constant rates the law learns no decay")
    smallest = min(float(loss.min()) for _, _, loss in runs)
    if not smallest > 0:
        raise ValueError(f"losses must be above 0, got {smallest:g}: the law is fitted to their logarithm")
    low = np.array([1e-4 * smallest, *LOWEST])
    high = np.array([smallest, *HIGHEST])

    def law(numbers: np.ndarray) -> MultiPower:
        return MultiPower(*np.exp(numbers[:5]).tolist(), *numbers[5:].tolist())

    def errors(numbers: np.ndarray) -> np.ndarray:
        found = law(numbers)
        return np.concatenate(
            [np.log(np.maximum(found.loss(s, at), 1e-9)) - loss.log().numpy() for s, at, loss in runs]
        )

    start = np.array([0.3 * smallest, 0.5, 0.5, 0.1 * smallest, 0.03, 1.0, 0.5])
    low[:5], high[:5], start[:5] = np.log(low[:5]), np.log(high[:5]), np.log(start[:5])
    found = least_squares(errors, start, bounds=(low, high), loss="huber", f_scale=1e-3, max_nfev=150)
    return law(found.x)
