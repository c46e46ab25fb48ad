"""The solvable ladder: linear regression with power-law spectra, by one-pass stochastic gradient descent.

Direction i of a Gaussian input has variance λ_i = i^(-a); the target puts energy λ_i w_i² = i^(-b) into it. A model of
width p learns the first p directions; what the others hold looks like noise to it. In expectation over the data the
squared error of each direction follows a closed recursion, so that every curve is known without chance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oraledu.scaling.horizon import Horizon
from oraledu.scaling.runs import Runs
from oraledu.scaling.schedules import Schedule, step_rates, training_time
from oraledu.scaling.seeds import stream
from oraledu.scaling.training import record_steps, train_steps

#: Steps whose examples are drawn at once.
BLOCK = 32
#: One step of the recursion: m, λ, h, B and the variance beyond reach give the next m.
Step = Callable[[Tensor, Tensor, float, int, float], Tensor]


@dataclass(frozen=True)
class LinearLadder:
    """Widths of the power-law regression, and how they are trained.

    The loss is half the mean squared error. A parameter is a direction, a token an example.

    Attributes:
        widths: How many directions each model learns, ascending.
        horizon: How many examples each width sees.
        spectrum: a > 1, how fast the input's variances fall.
        energy: b > 1, how fast the target's energies fall.
        batch: B, examples in a step.
        rate: η, the full rate; unstable from somewhere near 2 / (1 + Σλ / B).
        label_noise: Standard deviation of what is added to labels; it makes an offset of half its square.
        dtype: The type that stochastic runs compute in.
        device: Where stochastic runs compute.
    """

    widths: tuple[int, ...]
    horizon: Horizon
    spectrum: float = 1.5
    energy: float = 1.7
    batch: int = 8
    rate: float = 0.5
    label_noise: float = 0.0
    dtype: torch.dtype = torch.float32
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse exponents without a finite sum, and empty batches."""
        for name in ("spectrum", "energy"):
            if not getattr(self, name) > 1:
                raise ValueError(f"{name} must be above 1 for a finite sum, got {getattr(self, name)}")
        if self.batch < 1 or not self.rate > 0 or not self.label_noise >= 0:
            raise ValueError(
                "batch must be at least 1, rate above 0 and label_noise at least 0, "
                f"got {self.batch}, {self.rate} and {self.label_noise}"
            )

    @property
    def tokens_per_step(self) -> int:
        """The examples in a step."""
        return self.batch

    @property
    def offset(self) -> float:
        """The loss that no model falls below."""
        return self.label_noise**2 / 2

    @property
    def frontier_exponent(self) -> float:
        """What theory gives for the frontier: (b - 1) / (1 + a)."""
        return (self.energy - 1) / (1 + self.spectrum)

    def parameters(self, width: int) -> int:
        """Return the number of parameters: the width itself."""
        return width

    def spectra(self, width: int) -> tuple[Tensor, Tensor, float]:
        """Return λ (p,), the energies λ w² (p,), both float64, and the variance of all that is beyond reach."""
        from scipy.special import zeta  # slow to load, and no figure waits for it

        index = torch.arange(1, width + 1, dtype=torch.float64)
        beyond = float(zeta(self.energy, width + 1)) + self.label_noise**2
        return index**-self.spectrum, index**-self.energy, beyond

    def begin(self, width: int, seeds: Sequence[int], steps: int) -> "LinearPass":
        """Return all seeds of a width before the first step; a seed decides the examples."""
        return LinearPass(self, width, seeds)

    def expected(
        self, schedule: str | Schedule = "linear", *, records: Tensor | int = 60, step: Step | None = None
    ) -> Runs:
        """Return the exact means over the data of the curves of every width, as `Runs` of one row each.

        With m_i = E δ_i² (δ the error of the weights), R = Σ λ_i m_i + what is beyond reach, and h = η s:
        m ← m (1 - 2 h λ) + h² [(λ R + 2 λ² m) / B + (1 - 1/B) λ² m]. The loss is R / 2, and the noise of a
        step is η Tr Σ = η / B · (R Σ λ + Σ λ² m).

        Args:
            schedule: A name or a function of progress; see `schedules.resolve`.
            records: Progress to record at, or a number of equal parts, as for `train`.
            step: The recursion in other hands; about ten times slower than the built-in one.

        Raises:
            ValueError: If the schedule or the records are unfit.
        """
        rows = []
        walk = self._recursion if step is None else self._stepwise(step)
        for width in self.widths:
            steps = train_steps(self, width)
            at = record_steps(steps, records)
            rates = step_rates(schedule, steps)
            rows.append((at, training_time(rates)[at], *walk(width, rates.numpy(), at)))
        steps_done = torch.tensor([row[0] for row in rows])
        return Runs(
            widths=self.widths,
            seeds=(0,),
            parameters=torch.tensor(self.widths, dtype=torch.float64),
            steps=steps_done,
            tau=torch.stack([row[1] for row in rows]),
            tokens=steps_done.double() * self.batch,
            loss=torch.from_numpy(np.stack([row[2] for row in rows]))[:, None],
            trace=torch.from_numpy(np.stack([row[3] for row in rows]))[:, None],
        )

    def _recursion(self, width: int, rates: np.ndarray, at: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the exact mean loss and noise at the steps ``at`` (points,), two of (points,)."""
        spectrum, energies, beyond = self.spectra(width)
        values = spectrum.numpy()
        errors = (energies / spectrum).numpy().copy()  # m at the start, where no weight is learned: w²
        squares, curvature = values**2, (1 + 1 / self.batch) * values**2
        losses, noises = np.empty(len(at)), np.empty(len(at))
        wanted = {step: place for place, step in enumerate(at)}
        for step in range(len(rates) + 1):
            risk = values @ errors + beyond
            if (place := wanted.get(step)) is not None:
                losses[place] = risk / 2
                noises[place] = self.rate / self.batch * (risk * values.sum() + squares @ errors)
            if step < len(rates):
                h = self.rate * rates[step]
                errors *= 1 - 2 * h * values + h * h * curvature
                errors += (h * h / self.batch * risk) * values
        return losses, noises

    def _stepwise(self, step: Step) -> Callable[[int, np.ndarray, list[int]], tuple[np.ndarray, np.ndarray]]:
        """Return what `_recursion` does, with the given step."""

        def walk(width: int, rates: np.ndarray, at: list[int]) -> tuple[np.ndarray, np.ndarray]:
            spectrum, energies, beyond = self.spectra(width)
            moments, kept = energies / spectrum, []
            wanted = set(at)
            for done in range(len(rates) + 1):
                if done in wanted:
                    kept.append(moments)
                if done < len(rates):
                    moments = step(moments, spectrum, self.rate * float(rates[done]), self.batch, beyond)
            found = torch.stack(kept)  # (points, p)
            risk = found @ spectrum + beyond
            noises = self.rate / self.batch * (risk * spectrum.sum() + found @ spectrum.square())
            return (risk / 2).numpy(), noises.numpy()

        return walk


class LinearPass:
    """All seeds of one width of a `LinearLadder`, as one product a step."""

    def __init__(self, ladder: LinearLadder, width: int, seeds: Sequence[int]) -> None:
        """Start with weights of zero."""
        self.ladder, self.width, self.seeds = ladder, width, tuple(seeds)
        spectrum, energies, self.beyond = ladder.spectra(width)
        self.spectrum = spectrum
        start = (energies / spectrum).sqrt().to(ladder.device, ladder.dtype)
        self.errors = start.expand(len(self.seeds), width).clone()  # δ: (S, p), the weights still missing
        self.done = 0
        size = len(self.seeds), BLOCK, ladder.batch
        self._scales = spectrum.sqrt().to(ladder.device, ladder.dtype)  # (p,)
        # Drawn on the CPU, so that the numbers are the same everywhere, and moved a block at a time.
        self._inputs = torch.empty(*size, width, dtype=ladder.dtype)
        self._rest = torch.empty(*size, dtype=ladder.dtype)
        self._block_inputs, self._block_rest = self._inputs, self._rest
        self._block: int | None = None

    def examples(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the inputs of a step, (S, B, p), and the part of their labels that is beyond reach, (S, B).

        They lie in a buffer that is filled anew every 32 steps.
        """
        if self._block is None or step // BLOCK != self._block:
            self._draw(step // BLOCK)
            self._block = step // BLOCK
        return self._block_inputs[:, step % BLOCK], self._block_rest[:, step % BLOCK]

    def step(self, rate: float) -> None:
        """Take one step on fresh examples at a share of the full rate."""
        inputs, rest = self.examples(self.done)
        residual = torch.baddbmm(rest[..., None], inputs, self.errors[..., None])  # (S, B, 1)
        gradient = torch.bmm(residual.transpose(1, 2), inputs)[:, 0]  # B times the gradient: (S, p)
        self.errors.sub_(gradient, alpha=self.ladder.rate * rate / self.ladder.batch)
        self.done += 1

    def loss(self) -> Tensor:
        """Return half the mean squared error over all inputs, exact for the weights at hand: (S,)."""
        return self._risk() / 2

    def trace(self) -> Tensor:
        """Return η Tr Σ for the weights at hand: (S,)."""
        squares = (self.errors.cpu().double().square() * self.spectrum.square()).sum(dim=1)
        return self.ladder.rate / self.ladder.batch * (self._risk() * self.spectrum.sum() + squares)

    def state(self) -> dict[str, Any]:
        """Return all that the next step depends on."""
        return {"errors": self.errors.clone(), "done": self.done}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.errors.copy_(state["errors"])
        self.done = state["done"]

    def _risk(self) -> Tensor:
        return self.errors.cpu().double().square() @ self.spectrum + self.beyond

    def _draw(self, block: int) -> None:
        """Draw the examples of a block of steps."""
        for place, seed in enumerate(self.seeds):
            generator = stream("linear", seed, self.width, block)
            self._inputs[place].normal_(generator=generator)
            self._rest[place].normal_(std=self.beyond**0.5, generator=generator)
        self._block_inputs = self._inputs.to(self.ladder.device).mul_(self._scales)
        self._block_rest = self._rest.to(self.ladder.device)
