"""Weight decay on a ladder: the timescale of AdamW, and the solvable ladder with decay, exactly.

A step w ← (1 - h ζ) w - h g makes the weights a moving average of the updates, which forgets over 1 / (h ζ) steps. As
a share of a run of T steps that is the timescale θ = 1 / (η ζ T), with the peak rate η (arXiv:2509.25087, which
writes τ and λ).
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from oraledu.scaling.linear import LinearLadder


def layer_decays(timescale: float, rates: Tensor, tokens: Tensor, batch: int) -> Tensor:
    """Return the decays ζ with which every layer of every size forgets over one share of its run.

    Args:
        timescale: θ, that share; above 0, and more than 1 if a run is to remember its start.
        rates: (sizes, layers) the peak rates η.
        tokens: (sizes,) how many tokens each size sees.
        batch: Tokens in a step.

    Returns:
        (sizes, layers) 1 / (η θ T), with T the steps of each size.

    Raises:
        ValueError: If the shapes do not fit, or a value is not above 0.
    """
    if rates.ndim != 2 or tokens.shape != rates.shape[:1]:
        raise ValueError(
            f"rates must have shape (sizes, layers) and tokens (sizes,), got {tuple(rates.shape)} and "
            f"{tuple(tokens.shape)}"
        )
    if not (timescale > 0 and batch > 0 and (rates > 0).all() and (tokens > 0).all()):
        raise ValueError("timescale, rates, tokens and batch must be above 0: leave decay out to have none")
    return batch / (timescale * rates * tokens[:, None])


@dataclass(frozen=True)
class DecayedLadder(LinearLadder):
    """The solvable ladder with decoupled weight decay; only its mean over the data is known here (`expected`).

    Attributes:
        decays: ζ of each width, at least 0; a step of rate h multiplies the weights by 1 - h ζ.
    """

    decays: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse decays that are not one for each width."""
        super().__post_init__()
        if len(self.decays) != len(self.widths) or not all(decay >= 0 for decay in self.decays):
            raise ValueError(f"decays must hold one for each of {len(self.widths)} widths, got {self.decays}")

    def _recursion(self, width: int, rates: np.ndarray, at: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the exact mean loss and noise at the steps ``at``, two of (points,).

        The weights still missing, e = w* - w, follow e ← (1 - h ζ) e + h ζ w* - h g. Their mean square m needs their
        mean too, because the pull towards zero has a direction.
        """
        spectrum, energies, beyond = (np.asarray(each) for each in self.spectra(width))
        decay = self.decays[self.widths.index(width)]
        goal = np.sqrt(energies / spectrum)  # w*
        mean, square = goal.copy(), goal**2
        losses, noises = [], []
        wanted = set(at)
        for step in range(len(rates) + 1):
            risk = spectrum @ square + beyond
            if step in wanted:
                losses.append(risk / 2)
                excess = risk * spectrum.sum() + spectrum**2 @ square
                noises.append(self.rate / self.batch * excess)
            if step < len(rates):
                h = self.rate * rates[step]
                left, pull = 1 - h * decay, h * decay * goal
                gradient = (spectrum * risk + (self.batch + 1) * spectrum**2 * square) / self.batch  # E g²
                kept = left * left - 2 * left * h * spectrum
                square = kept * square + 2 * (left - h * spectrum) * pull * mean + pull**2 + h * h * gradient
                mean = (left - h * spectrum) * mean + pull
        return np.array(losses), np.array(noises)
