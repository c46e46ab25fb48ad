"""Rules that pick a layer without a label, and what they cost.

A rule looks at the texts of half A, and no label; the score on half B says what its layer is worth. The isotropy is
that of Batra and others, "Uncovering the latent potential of deep intermediate representations" (ICML 2026).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.representations.selection import interval
from oraledu.representations.states import check_states

#: By text set, the layer that a rule picks in each split.
Picks = Mapping[str, Tensor]
#: By text set and score, (splits, layers) on half A and on half B, as `selection.split_scores` returns them.
Halves = Mapping[tuple[str, str], tuple[Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class Trial:
    """What the picks of a rule are worth on half B, averaged over scores, in each of the splits.

    Attributes:
        layers: (splits · text sets,) what was picked.
        gain: (splits,) over the last layer.
        middle: (splits,) over the middle one, L // 2 of L layers.
        regret: (splits,) against the layer that the labels of half A choose; what is honest.
        most: (splits,) against the best layer of half B, which is too much.
    """

    layers: Tensor
    gain: Tensor
    middle: Tensor
    regret: Tensor
    most: Tensor

    def interval(self, of: str = "gain", level: float = 0.9) -> tuple[float, float]:
        """Return the interval that holds the given share of the splits."""
        low, high = interval(getattr(self, of), level)
        return low.item(), high.item()

    def favourite(self) -> int:
        """Return the layer that is picked most often."""
        return int(self.layers.mode().values)


def isotropy(states: Tensor) -> Tensor:
    """Return the mean over the standard deviation of the eigenvalues of the states' covariance: (..., n, D) -> (...).

    Where n is less than D, of as many eigenvalues as there are states. It is 1 / sqrt(m exp(-S_2) - 1), with m their
    number and S_2 the collision entropy of the states around their mean, so it ranks layers as S_2 does.

    Args:
        states: (..., n, D) float32 or float64, not all equal.

    Returns:
        (...) in the type of the states; infinite where all eigenvalues are equal.

    Raises:
        TypeError: If the states are no tensor, or hold another type of number.
        ValueError: If the shape is unfit, or an entry is not finite.
    """
    check_states(states, "states", rows=2, kind="text")
    centred = states.double() - states.double().mean(dim=-2, keepdim=True)
    values = torch.linalg.svdvals(centred).square()
    return (values.mean(dim=-1) / values.std(dim=-1, correction=0)).to(states.dtype)


def subset_collision(states: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Return the collision entropy of many subsets of items, as they are and around their own mean.

    With a the 0s and 1s of a subset of n rows, the Gram matrix K of all rows is enough:
    ||H K H||² = a'(K∘K)a - 2/n Σ_i a_i (Ka)_i² + (a'Ka)²/n², tr H K H = Σ_i a_i K_ii - a'Ka/n.

    Args:
        states: (layers, N, q, D) the q rows of each of N items.
        items: (splits, m) the items of each subset.

    Returns:
        Two of (splits, layers) float64, in nats.
    """
    layers, count, each, _ = states.shape
    member = torch.zeros(len(items), count, dtype=torch.float64, device=states.device)
    member = member.scatter_(1, items.to(states.device), 1).repeat_interleave(each, 1).T  # (N q, splits)
    rows = each * items.shape[1]
    plain, around = [], []
    for layer in range(layers):
        z = states[layer].flatten(0, 1).double()
        k = z @ z.T
        reach, trace = k @ member, (k.diagonal()[:, None] * member).sum(0)
        whole = (reach * member).sum(0)
        square = ((k * k) @ member * member).sum(0)
        plain.append(2 * trace.log() - square.log())
        square = square - 2 / rows * (reach.square() * member).sum(0) + whole.square() / rows**2
        around.append(2 * (trace - whole / rows).log() - square.log())
    return torch.stack(plain, dim=1).cpu(), torch.stack(around, dim=1).cpu()


def honest_regret(on_a: Tensor, on_b: Tensor, picked: Tensor) -> Tensor:
    """Return on half B what the layer that half A chooses by its labels has more than the picked one.

    Its expectation is at most what the best layer has more; that of max(on_b) minus the picked one is at least that.

    Args:
        on_a: (splits, layers) scores on the half that chooses.
        on_b: (splits, layers) scores on the other half.
        picked: (splits,) int64, the layer that a rule picks in each split.

    Returns:
        (splits,) the regrets; negative where the rule does better.
    """
    chosen = torch.stack([on_a.argmax(dim=1), picked], dim=1)
    score = on_b.gather(1, chosen)
    return score[:, 0] - score[:, 1]


def trial(
    picks: Picks, halves: Halves, *, regret: Callable[[Tensor, Tensor, Tensor], Tensor] = honest_regret
) -> Trial:
    """Try what a rule picks on half A: its worth on half B, each score counting once."""
    found = []
    for (texts, _), (on_a, on_b) in halves.items():
        picked = picks[texts]
        score = on_b.gather(1, picked[:, None])[:, 0]
        middle = on_b[:, on_b.shape[1] // 2]
        against = regret(on_a, on_b, picked), on_b.amax(dim=1) - score
        found.append(torch.stack([score - on_b[:, -1], score - middle, *against]))
    return Trial(torch.cat(list(picks.values())), *torch.stack(found).mean(dim=0))


def shifted_gains(picks: Picks, halves: Halves) -> Tensor:
    """Return the mean gain over the last layer of all picks moved along the layers, by 0 to L - 1: (L,).

    The curve that picks is moved in a circle, and stays as smooth as it was; all text sets move together.
    """
    gains = []
    for (texts, _), (_, on_b) in halves.items():
        layers = on_b.shape[1]
        moved = (picks[texts][:, None] + torch.arange(layers)) % layers  # (splits, L)
        gains.append((on_b.gather(1, moved) - on_b[:, -1:]).mean(dim=0))
    return torch.stack(gains).mean(dim=0)
