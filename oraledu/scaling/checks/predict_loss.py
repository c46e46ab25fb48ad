"""Exercise 10: the loss under any schedule, from the loss at a constant rate."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.scaling import noise
from oraledu.scaling.checks import references
from oraledu.scaling.checks.inputs import interpolated, normal, ragged_progress, uniform
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.linear import LinearLadder
from oraledu.scaling.schedules import Shape, step_rates

STEPS = 60


def cases(generator: torch.Generator) -> list[Case]:
    """Return decays, a schedule of no order, a warm-up, runs shorter than the constant one, and another α."""
    tau, loss, trace = _constant(generator)
    chance = torch.rand(STEPS, generator=generator, dtype=torch.float64)
    return [
        Case("a schedule of no order", (tau, loss, chance, trace, 0.25)),
        Case("a linear decay", (tau, loss, step_rates("linear", STEPS), trace, 0.25)),
        Case("another alpha", (tau, loss, step_rates("cosine", STEPS), trace, uniform(0.3, 0.6, generator))),
        Case("a warm-up and a decay", (tau, loss, step_rates(Shape("linear", 0.4, 0.2), STEPS), trace, 0.25)),
        Case("a shorter run", (tau, loss, chance[:25], trace, 0.25)),
        Case("the full rate", (tau, loss, torch.ones_like(chance), trace, 0.25)),
        Case("one step", (tau, loss, chance[:1], trace, 0.25)),
        Case("steps without a rate", (tau, loss, torch.zeros_like(chance), trace, 0.25)),
        Case("two records", (tau[[0, -1]], loss[[0, -1]], chance, trace[[0, -1]], 2.5)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return a run of the solvable ladder, 1597 steps, from 61 records of the constant one."""
    tau = torch.linspace(0, 1597, 61, dtype=torch.float64)
    loss = (10 + tau) ** -0.4
    return Case("1597 steps", (tau, loss, step_rates("linear", 1597), 0.1 * loss, 0.25))


def _constant(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw a constant-rate run of 60 steps: training time, loss and noise at 14 uneven records."""
    tau = STEPS * ragged_progress(generator, 14)
    loss = 0.2 + (1 + tau) ** -0.5 * torch.exp(0.1 * normal(generator, 14))
    trace = loss * torch.exp(0.3 * normal(generator, 14))
    return tau, loss, trace


def takes_off_a_share_of_the_noise(function: Function, generator: torch.Generator) -> str | None:
    """Ask for α η Tr Σ(τ) less where the rate is 0, and for the share 1 - s in between."""
    tau, loss, trace = _constant(generator)
    for share, removed in ((0.0, 1.0), (0.75, 0.25)):
        rates = torch.tensor([1.0, 1.0, 1.0, share], dtype=torch.float64)
        with_noise, without = (float(function(tau, loss, rates, trace, alpha)[-1]) for alpha in (0.3, 0.0))
        expected = 0.3 * removed * float(interpolated(rates.sum()[None], tau, trace))
        if not abs(without - with_noise - expected) < 1e-9:
            return f"at the share {share:g} of the rate the loss is {removed:g} α η Tr Σ(τ) lower than at equal τ"
    return None


def predicts_the_solvable_ladder(function: Function, generator: torch.Generator) -> str | None:
    """Ask for most of what a linear decay changes on the solvable ladder, never trained on."""
    ladder = LinearLadder((96,), Horizon.through(100, 4800, 1.5))
    steps = int(ladder.expected("constant", records=1).steps[0, -1])
    constant, true = (ladder.expected(name, records=steps) for name in ("constant", "linear"))
    assert constant.trace is not None
    tau, loss, rates = constant.tau[0], constant.loss[0, 0], step_rates("linear", steps)
    predicted = function(tau, loss, rates, constant.trace[0, 0], 0.25)
    share = noise.explained(predicted, true.loss[0, 0], noise.equal_tau(tau, loss, rates))
    return (
        None
        if share > 0.9
        else f"on the solvable ladder it explains {share:.2f} of what a linear decay changes"
    )


def plain(tau: Tensor, constant_loss: Tensor, schedule: Tensor, trace: Tensor, alpha: float) -> Tensor:
    """Read loss and trace at equal training time."""
    times = torch.cat([schedule.new_zeros(1), schedule.cumsum(0)])
    share = torch.cat([schedule[:1], schedule])
    level = interpolated(times, tau, constant_loss)
    change = alpha * (share - 1) * interpolated(times, tau, trace)
    return level + change


WRONG = r"""
torch.cat([schedule.new_zeros(1), schedule.cumsum(0)]) => torch.arange(len(schedule) + 1, dtype=torch.float64)
  :: Compare at equal training time τ, the sum of the shares so far, not after equally many steps
times, tau, trace => torch.arange(len(schedule) + 1, dtype=torch.float64), tau, trace
  :: Read the trace at equal τ as well, not after equally many steps
[schedule.new_zeros(1), schedule.cumsum(0)] => [schedule.cumsum(0), schedule.sum()[None]]
  :: Before the first step τ is 0: put a zero before the cumulative sum
 - 1) => ) :: The constant-rate run carries its own noise already: the factor is s - 1, not s
share - 1 => 1 - share :: A lower rate lowers the loss: the factor is s - 1, not 1 - s
share - 1 => share**2 - 1 :: The share stands in the factor s - 1 as it is, not squared
 + change => :: The noise term is missing: without it a decay would only slow the run down
[schedule[:1], schedule] => [schedule, schedule[-1:]]
  :: After a step the share is that of the step just taken, not of the next one
= alpha => = 0.25 :: α is an argument, and it is not always 1/4
= alpha => = 1 :: The noise term carries the factor α
tau, trace) => tau, trace[-1].expand_as(trace))
  :: The noise changes along the run: read the trace at equal τ, not at the end
tau, trace) => tau, trace.sqrt()) :: The law has the trace itself, not its root
interpolated(times, tau, constant_loss) => constant_loss[(times[:, None] - tau).abs().argmin(1)]
interpolated(times, tau, trace) => trace[(times[:, None] - tau).abs().argmin(1)]
  :: Interpolate linearly between the records; yours takes the nearest one
level + change => (level + change)[1:]
  :: Begin before the first step: there is one loss more than there are steps
level + change => level * (1 + change) :: The noise term is added to the loss, not to its factor
"""

predict_loss = Exercise(
    id="scaling.predict_loss",
    title="The loss under any schedule",
    reference=references.predict_loss,
    cases=cases,
    properties=[takes_off_a_share_of_the_noise, predicts_the_solvable_ladder],
    wrong_answers=slips(plain, WRONG),
    hints=[
        "Three arrays of length steps + 1: the training time $\\tau$ so far, the share $s$ of the step just taken, and "
        "what the constant-rate run had at that $\\tau$.",
        "`torch.cumsum(schedule, 0)` with a zero before it is $\\tau$. `np.interp(times, tau, values)` reads the loss, "
        "and then the trace, at these times (`torch.from_numpy` brings the result back).",
        "`torch.cat([schedule[:1], schedule])` is the share of the step just taken; before the first step take the "
        "first. Then $L(\\tau) + \\alpha (s - 1)\\,\\eta\\,\\mathrm{Tr}\\,\\Sigma(\\tau)$; `trace` holds "
        "$\\eta\\,\\mathrm{Tr}\\,\\Sigma$.",
    ],
    core=False,
    full_size=full_size,
    slow_factor=100,
    float32=False,
)
