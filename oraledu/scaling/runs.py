"""What training a ladder leaves behind: the curves of every width and seed."""

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class Record:
    """One look at all seeds of a width.

    Attributes:
        width: Of which width.
        step: How many steps were done.
        tau: The training time, in steps at full rate.
        loss: (seeds,) float64 on the CPU; NaN from where a seed has diverged.
        trace: (seeds,) the preconditioned trace of the gradient covariance, or None if it was not asked for.
    """

    width: int
    step: int
    tau: float
    loss: Tensor
    trace: Tensor | None = None


@dataclass(frozen=True)
class Divergence:
    """A run that diverged, and the step at which this was seen first."""

    width: int
    seed: int
    step: int


@dataclass(frozen=True)
class Runs:
    """The curves of a ladder. Row i of each array belongs to ``widths[i]``.

    Attributes:
        widths: The widths, ascending.
        seeds: The seeds.
        parameters: (sizes,) float64, how many parameters each width has.
        steps: (sizes, points) int64, the steps done at each record; the last is the horizon.
        tau: (sizes, points) float64, the training time there, in steps at full rate.
        tokens: (sizes, points) float64, the tokens (or examples) seen.
        loss: (sizes, seeds, points) float64; NaN from where a run has diverged.
        trace: (sizes, seeds, points) float64, the trace of the gradient covariance at the records, or None.
    """

    widths: tuple[int, ...]
    seeds: tuple[int, ...]
    parameters: Tensor
    steps: Tensor
    tau: Tensor
    tokens: Tensor
    loss: Tensor
    trace: Tensor | None = None

    @property
    def progress(self) -> Tensor:
        """Progress x = step / horizon, one row a run: (sizes, seeds, points)."""
        x = self.steps.double() / self.steps[:, -1:]
        return x[:, None].expand_as(self.loss)

    @property
    def compute(self) -> Tensor:
        """FLOPs spent, 6 · tokens · parameters: (sizes, points)."""
        return 6 * self.tokens * self.parameters[:, None]

    @property
    def end(self) -> Tensor:
        """The loss at the horizon: (sizes, seeds)."""
        return self.loss[..., -1]

    @property
    def diverged(self) -> tuple[Divergence, ...]:
        """The runs that diverged, by width and seed."""
        found = []
        for row, column in self.end.isnan().nonzero().tolist():
            point = int(self.loss[row, column].isnan().nonzero()[0])
            found.append(Divergence(self.widths[row], self.seeds[column], int(self.steps[row, point])))
        return tuple(found)

    def finished(self) -> "Runs":
        """Return the seeds that no width has lost, for what needs whole arrays.

        Raises:
            ValueError: If there is none; the text says where the runs diverged.
        """
        kept = self.end.isfinite().all(dim=0)
        if not kept.any():
            raise ValueError(f"every seed has diverged at some width; lower the rate: {self.diverged}")
        seeds = tuple(seed for seed, keep in zip(self.seeds, kept.tolist(), strict=True) if keep)
        trace = None if self.trace is None else self.trace[:, kept]
        return replace(self, seeds=seeds, loss=self.loss[:, kept], trace=trace)
