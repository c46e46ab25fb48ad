"""Part 5: what a decay does at equal training time, and the law that predicts it."""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from matplotlib.ticker import FixedLocator, MaxNLocator
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREY, ORANGE
from oraledu.course.words import above
from oraledu.scaling import noise
from oraledu.scaling.linear import LinearLadder
from oraledu.scaling.runs import Runs
from oraledu.scaling.schedules import SHAPES, Shape, step_rates
from oraledu.scaling.views.layout import about, legend_below, plain_log

#: At how many steps an exact curve is drawn.
RECORDS = 150
#: Panels side by side in `prediction`.
COLUMNS = 3
#: How it draws the constant rate's loss, the schedule's own, and the predicted one.
LINES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "label": "constant rate at equal τ"},
    {"color": ORANGE, "linewidth": 2.5, "label": "this schedule"},
    {"color": "black", "linestyle": "--", "label": "predicted"},
)


def schedule_explorer(
    *, ladder: LinearLadder, width: int, predict: Callable[..., Tensor] = noise.predict
) -> Explorer:
    """Let a learner pick a schedule, and see its loss over steps and over training time, exactly and as predicted.

    Each schedule runs the exact recursion of the solvable ladder at one width; 192 directions and 1600 steps take some
    20 ms. The law is the learner's or the reference's, called as `noise.predict` with α and `at`.
    """
    single = replace(ladder, widths=(width,))
    constant = single.expected("constant", records=RECORDS)
    assert constant.trace is not None  # the exact recursion always knows it
    time, level, trace = constant.tau[0], constant.loss[0, 0] - ladder.offset, constant.trace[0, 0]
    steps = int(constant.steps[0, -1])
    figure, axes = panels([["rate", "tau"], ["steps", "change"]], height=430, width_ratios=[1, 1.4])
    (share,) = axes["rate"].plot([], [], color=ORANGE, linewidth=2)
    axes["rate"].set(xlim=(0, steps), ylim=(-0.03, 1.05), xlabel="step t", title="share s of the full rate")
    drawn = {}
    for name, label in (("steps", "step t"), ("tau", "training time τ = Σ s (steps at full rate)")):
        ax = axes[name]
        ax.plot(time[1:], level[1:], color=BLUE, label="constant rate")
        (drawn[name],) = ax.plot([], [], color=ORANGE, linewidth=2, label="this schedule, exact")
        ax.set(yscale="log", xlim=(0, steps), xlabel=label, ylabel="L - L₀")
        ax.set_ylim(0.8 * float(level[-1]), float(level[time >= steps / 12][0]))
        plain_log(ax)
    (law,) = axes["tau"].plot([], [], color="black", linestyle="--", label="predicted from the constant rate")
    term = axes["tau"].fill_between(time, level, level, color=GREY, alpha=0.35, linewidth=0)
    term.set_label("α (1 - s) η Tr Σ")
    axes["steps"].set_title("loss at equal steps")
    axes["tau"].set_title("loss at equal training time")
    change = axes["change"]
    change.axhline(0, color=BLUE)
    (true_change,) = change.plot([], [], color=ORANGE, linewidth=2)
    (law_change,) = change.plot([], [], color="black", linestyle="--")
    change.set(xlim=(0, steps), xlabel="training time τ (steps at full rate)", ylabel="per cent")
    most = 50 * float(trace[-1] / level[-1])  # what the law gives for α = 1/2 at the end of a full decay
    change.set_ylim(-1.2 * most, 0.2 * most)
    for ax in axes.values():
        ax.xaxis.set_major_locator(MaxNLocator(4))
    for name in ("rate", "change"):
        axes[name].yaxis.set_major_locator(MaxNLocator(4))
    for name in ("steps", "tau"):
        axes[name].yaxis.set_major_locator(FixedLocator(_few(*axes[name].get_ylim())))
    legend_below(figure, axes["tau"], 4)

    @functools.lru_cache
    def exact(schedule: Shape) -> Runs:
        return single.expected(schedule, records=RECORDS)

    def draw(shape: str = "linear", decay: float = 1.0, alpha: float = 0.25) -> Figure:
        schedule = Shape(shape, decay)
        rates = step_rates(schedule, steps)
        run = exact(schedule)
        at, tau, loss = run.steps[0], run.tau[0], run.loss[0, 0] - ladder.offset
        same = noise.equal_tau(time, level, rates, at)
        predicted = predict(time, level, rates, trace, alpha, at=at)
        share.set_data(torch.arange(steps) + 0.5, rates)
        drawn["steps"].set_data(at[1:], loss[1:])
        drawn["tau"].set_data(tau[1:], loss[1:])
        law.set_data(tau[1:], predicted[1:])
        term.set_data(tau[1:], same[1:], predicted[1:])
        true_change.set_data(tau[1:], 100 * (loss / same - 1)[1:])
        law_change.set_data(tau[1:], 100 * (predicted / same - 1)[1:])
        gained = 1 - float(loss[-1] / same[-1])
        told = "nothing to predict"
        if shape != "constant":
            told = f"{_down(noise.explained(predicted, loss, same))} explained"
        change.set_title(f"change at equal training time: {told}")
        words = "constant" if shape == "constant" else f"{shape} over the last {100 * decay:.0f} %"
        figure.alt = (
            f"Schedule {words}. Its loss ends, after {float(tau[-1]) / steps:.2f} of the constant run's training "
            f"time, at {about(float(loss[-1]), 2)} above the offset; the constant rate has "
            f"{about(float(level[-1]), 2)} after as many steps and {about(float(same[-1]), 2)} at equal training time, "
            f"{100 * gained:.0f} % of which the decay removes. The law with α = {alpha:.2f} predicts "
            f"{about(float(predicted[-1]), 2)}: {told}."
        )
        return figure

    return explore(
        draw,
        labels={"shape": "schedule", "decay": "share of the run that decays", "alpha": "α"},
        shape=list(SHAPES),
        decay=[round(0.1 * step, 1) for step in range(1, 11)],
        alpha=[round(0.05 * step, 2) for step in range(11)],
    )


def prediction(
    *,
    tau: Mapping[str, Tensor],
    true: Mapping[str, Tensor],
    predicted: Mapping[str, Tensor],
    constant: Mapping[str, Tensor],
    offset: float = 0.0,
) -> Figure:
    """Draw, for each schedule, the true and the predicted loss, and the constant rate's at equal training time.

    All are (points,), at the records of the schedule; the offset is subtracted in the picture.
    """
    names = list(tau)
    columns = min(COLUMNS, len(names))
    layout = [names[start : start + columns] for start in range(0, len(names), columns)]
    layout[-1] = layout[-1] + ["."] * (columns - len(layout[-1]))
    figure, axes = panels(layout, height=40 + 225 * len(layout), width=max(480, 240 * columns))
    words = []
    for name in names:
        share = noise.explained(predicted[name], true[name], constant[name])
        lower, guess = (
            100 * (1 - float((values[name][-1] - offset) / (constant[name][-1] - offset)))
            for values in (true, predicted)
        )
        told = above(share) if share >= 0 else "nothing"
        words.append(f"{name} {about(lower)} %, predicted {about(guess)} %, explained {told}")
        ax, late = axes[name], tau[name] >= tau[name][-1] / 4  # earlier the curves are the same, and steep
        curves = [values[name] - offset for values in (constant, true, predicted)]
        for curve, line in zip(curves, LINES, strict=True):
            ax.plot(tau[name], curve, **line)
        seen = torch.cat([curve[late] for curve in curves])
        ax.set(yscale="log", xlim=(float(tau[name][late][0]), float(tau[name][-1]) * 1.02))
        ax.set_ylim(0.95 * float(seen.min()), 1.05 * float(seen.max()))
        plain_log(ax)
        ax.locator_params(axis="x", nbins=4)
        ax.set_title(f"{name}: {_down(share)} explained")
    for row in layout:
        axes[row[0]].set_ylabel("L - L₀" if offset else "loss L")
    for name in layout[-1]:
        if name != ".":
            axes[name].set_xlabel("training time τ (steps)")
    legend_below(figure, axes[names[0]], 3)
    figure.alt = (
        "Loss over training time: the true curve of each schedule, the one predicted from a constant rate, and the "
        "constant rate's own. By how much the end lies below the constant rate's, and the share of the change over "
        f"the run that the law explains: {'; '.join(words)}."
    )
    return figure


def _few(low: float, high: float) -> list[float]:
    """Return the 1, 2, 3, 5 of each decade between two numbers."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    return [d * 10.0**decade for decade in decades for d in (1, 2, 3, 5) if low <= d * 10.0**decade <= high]


def _down(share: float) -> str:
    """Write an explained share in per cent, rounded down so that it never claims too much."""
    return f"{int(100 * share)} %" if share >= 0 else "less than nothing"
