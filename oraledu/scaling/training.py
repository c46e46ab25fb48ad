"""Training a ladder: every width to its horizon under a schedule, all seeds of a width side by side."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from oraledu.keep import NOWHERE, Keep
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.runs import Record, Runs
from oraledu.scaling.schedules import Schedule, step_rates, training_time

#: A loss so many times that before training counts as diverged, as does one that is not finite.
HOPELESS = 100.0


class Pass(Protocol):
    """All seeds of one width in training."""

    def step(self, rate: float) -> None:
        """Take one step at a share of the full rate."""

    def loss(self) -> Tensor:
        """Return the test loss of each seed, (seeds,) float64 on the CPU."""

    def trace(self) -> Tensor:
        """Return the preconditioned trace of the gradient covariance, (seeds,) float64 on the CPU."""

    def state(self) -> dict[str, Any]:
        """Return all that the next step depends on."""

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state."""


class Ladder(Protocol):
    """One kind of model in several widths."""

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths, ascending."""

    @property
    def horizon(self) -> Horizon:
        """How many tokens each size is to see."""

    @property
    def tokens_per_step(self) -> int:
        """The tokens (or examples) in a step."""

    def parameters(self, width: int) -> int:
        """Return the number of parameters."""

    def begin(self, width: int, seeds: Sequence[int], steps: int) -> Pass:
        """Return all seeds of a width before the first of so many steps."""


@dataclass(frozen=True)
class _Plan:
    """What one width is to do: (steps,) shares of the full rate, and (points,) the steps to record at."""

    width: int
    rates: Tensor
    records: list[int]


def train_steps(ladder: Ladder, width: int) -> int:
    """Return the number of steps that brings a width to its horizon, at least 1."""
    return max(1, round(ladder.horizon.tokens(ladder.parameters(width)) / ladder.tokens_per_step))


def train(
    ladder: Ladder,
    schedule: str | Schedule = "linear",
    *,
    seeds: Sequence[int],
    records: Tensor | int = 60,
    trace: bool = False,
    keep: Keep = NOWHERE,
) -> Runs:
    """Train every width of a ladder to its horizon under a schedule.

    A seed decides a run's start and the order of its data (see the ladder), whatever other seeds run beside it. A
    run that diverges is set to NaN from there on; the others go on. See `Runs.diverged`.

    Args:
        ladder: A `LinearLadder`, `MLPLadder` or `TransformerLadder`.
        schedule: A name or a function of progress; see `schedules.resolve`.
        seeds: Distinct whole numbers, at least 0; all of a width are trained in one pass.
        records: The progress, (points,) increasing in [0, 1] to 1, at which to record, rounded to whole steps; or the
            number of equal parts to divide it into, from 0 on.
        trace: Record the gradient noise too.
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Returns:
        The `Runs`.

    Raises:
        ValueError: If an argument is unfit; the text says what to do.
    """
    found = iterate(ladder, schedule, seeds=seeds, records=records, trace=trace, keep=keep)
    return collect(found, ladder, seeds)


def iterate(
    ladder: Ladder,
    schedule: str | Schedule = "linear",
    *,
    seeds: Sequence[int],
    records: Tensor | int = 60,
    trace: bool = False,
    keep: Keep = NOWHERE,
) -> Iterator[Record]:
    """Yield the records of `train` one by one, width after width, for a progress bar and for stopping early.

    Arguments and errors are those of `train`; `collect` makes `Runs` of the records.
    """
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise ValueError(f"seeds must be distinct whole numbers from 0 up, at least one; got {list(seeds)}")
    if not ladder.widths or sorted(set(ladder.widths)) != list(ladder.widths):
        raise ValueError(f"the ladder's widths must ascend, got {ladder.widths}")
    plans = [_plan(ladder, width, schedule, records) for width in ladder.widths]
    return _run(ladder, plans, seeds, trace, keep)


def collect(records: Iterable[Record], ladder: Ladder, seeds: Sequence[int]) -> Runs:
    """Make `Runs` of the records of `iterate`; a width that has not reached its horizon is left out.

    Raises:
        ValueError: If no width has.
    """
    rows: dict[int, list[Record]] = {}
    for record in records:
        rows.setdefault(record.width, []).append(record)
    rows = {width: row for width, row in rows.items() if row[-1].step == train_steps(ladder, width)}
    if not rows:
        raise ValueError("records must hold at least one width up to its horizon")
    traces = [[record.trace for record in row if record.trace is not None] for row in rows.values()]
    steps = torch.tensor([[record.step for record in row] for row in rows.values()])
    return Runs(
        widths=tuple(rows),
        seeds=tuple(seeds),
        parameters=torch.tensor([ladder.parameters(width) for width in rows], dtype=torch.float64),
        steps=steps,
        tau=torch.tensor([[record.tau for record in row] for row in rows.values()], dtype=torch.float64),
        tokens=steps.double() * ladder.tokens_per_step,
        loss=torch.stack([torch.stack([record.loss for record in row], dim=1) for row in rows.values()]),
        trace=torch.stack([torch.stack(row, dim=1) for row in traces]) if traces[0] else None,
    )


def record_steps(steps: int, records: Tensor | int) -> list[int]:
    """Return the steps to record at: progress times the number of steps, rounded.

    Args:
        steps: The length of the run.
        records: Progress, or a number of parts; see `train`.

    Raises:
        ValueError: If progress does not increase in [0, 1] to 1, or two records fall on one step.
    """
    if isinstance(records, int):
        if records < 1:
            raise ValueError(f"records must be at least 1, got {records}")
        records = torch.linspace(0, 1, records + 1, dtype=torch.float64)
    if records.ndim != 1 or len(records) == 0 or records[0] < 0 or records[-1] != 1:
        raise ValueError("records must hold progress from 0 at the earliest to 1 at the end")
    found = [round(x * steps) for x in records.double().tolist()]
    if any(later <= earlier for earlier, later in pairwise(found)):
        raise ValueError(
            f"records must increase and fall on different steps; a run of {steps} steps is too short for them: "
            "ask for fewer"
        )
    return found


def _plan(ladder: Ladder, width: int, schedule: str | Schedule, records: Tensor | int) -> _Plan:
    steps = train_steps(ladder, width)
    return _Plan(width, step_rates(schedule, steps), record_steps(steps, records))


class _Keeper:
    """All that was recorded, and how much of the compute is done, for a `Keep` in the middle of any width."""

    def __init__(self, ladder: Ladder, plans: list[_Plan], keep: Keep) -> None:
        self.keep, state = keep, keep.load() or {"records": [], "pass": None}
        self.records = [Record(*fields) for fields in state["records"]]
        self.at: dict[str, Any] | None = state["pass"]
        costs = [ladder.parameters(plan.width) for plan in plans]
        self.cost = dict(zip((plan.width for plan in plans), costs, strict=True))
        self.before = {
            plan.width: sum(cost * len(each.rates) for cost, each in zip(costs[:place], plans, strict=False))
            for place, plan in enumerate(plans)
        }
        self.total = sum(cost * len(plan.rates) for cost, plan in zip(costs, plans, strict=True))

    def offer(self, width: int, step: int, lost: Tensor, run: Pass) -> None:
        """Save after a step, if it is time."""
        if self.keep.due(self.before[width] + self.cost[width] * step, self.total):
            records = [(r.width, r.step, r.tau, r.loss, r.trace) for r in self.records]
            at = {"width": width, "step": step, "lost": lost, "run": run.state()}
            self.keep.save({"records": records, "pass": at})


def _run(
    ladder: Ladder, plans: list[_Plan], seeds: Sequence[int], trace: bool, keep: Keep
) -> Iterator[Record]:
    keeper = _Keeper(ladder, plans, keep)
    yield from tuple(keeper.records)
    for plan in plans:
        if sum(record.width == plan.width for record in keeper.records) < len(plan.records):
            yield from _run_width(ladder, plan, seeds, trace, keeper)


def _run_width(
    ladder: Ladder, plan: _Plan, seeds: Sequence[int], trace: bool, keeper: _Keeper
) -> Iterator[Record]:
    run = ladder.begin(plan.width, seeds, len(plan.rates))
    limit = HOPELESS * run.loss()
    step, lost = 0, torch.zeros(len(seeds), dtype=torch.bool)
    if keeper.at is not None and keeper.at["width"] == plan.width:
        run.load(keeper.at["run"])
        step, lost = keeper.at["step"], keeper.at["lost"]
    seen = sum(record.width == plan.width for record in keeper.records)
    tau, rates = training_time(plan.rates).tolist(), plan.rates.tolist()
    for target in plan.records[seen:]:
        while step < target:
            if not lost.all():
                run.step(rates[step])
            step += 1
            if step < target:
                keeper.offer(plan.width, step, lost, run)
        loss = run.loss()
        lost = lost | ~(loss <= limit)  # true for a NaN too
        noise = run.trace().masked_fill(lost, torch.nan) if trace else None
        record = Record(plan.width, step, tau[step], loss.masked_fill(lost, torch.nan), noise)
        keeper.records.append(record)
        keeper.offer(plan.width, step, lost, run)
        yield record
