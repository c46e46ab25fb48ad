"""Parts 4 and 6: what a chosen layer promises and gives; metrics that choose it without labels."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREEN, GREY, ORANGE, PURPLE
from oraledu.representations.correlation import distance_correlation, spearman
from oraledu.representations.selection import Choice, choose, pick
from oraledu.representations.views.layout import layer_axis, legend_above, name_rows, row, with_looks
from oraledu.representations.views.scores import MEAN, mean_score
from oraledu.representations.views.words import Curves, Models, Name, plain, signed, written


def gains(
    *, halves: Mapping[Name, tuple[Tensor, Tensor]], honest_gain: Callable[[Tensor, Tensor], Tensor]
) -> dict[Name, Choice]:
    """Choose a layer on half A of every split, and let a function, which may be the learner's, say what it gains on B.

    The halves are those of `selection.split_scores`, (splits, layers) each.
    """
    return {name: replace(choose(a, a, b), honest=honest_gain(a, b)) for name, (a, b) in halves.items()}


def honest_selection(*, models: Mapping[str, Mapping[Name, Choice]], level: float = 0.9) -> Figure:
    """Draw for each model and score what the layer chosen on one half promises there, and gives on the other.

    The level is the share of splits that an interval holds.
    """
    names = [written(name) for name in next(iter(models.values()))]
    width = min(720, 250 + 260 * len(models))
    figure, axes = panels([list(models)], height=95 + 26 * len(names), sharey=True, sharex=True, width=width)
    hollow: dict[str, Any] = {"color": ORANGE, "markerfacecolor": "white", "markersize": 5}
    words = []
    for model, choices in models.items():
        ax = axes[model]
        for place, choice in enumerate(choices.values()):
            low, high = choice.interval(level)
            ax.plot([100 * low, 100 * high], [place, place], color=BLUE, linewidth=3, alpha=0.45)
            ax.plot(100 * choice.gain, place, "o", color=BLUE)
            ax.plot(100 * choice.promised.mean(), place, "D", **hollow)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set(title=model, xlabel="gain over the last layer (points)")
        above = sum(choice.gain > 0 for choice in choices.values())
        clear = sum(choice.interval(level)[0] > 0 for choice in choices.values())
        told = ", ".join(
            f"{name} {signed(100 * choice.promised.mean())} and {signed(100 * choice.gain)}"
            for name, choice in zip(names, choices.values(), strict=True)
        )
        words.append(
            f"{model}: the honest gain is above zero on {above} of {len(names)} scores, its interval of {level:.0%} on "
            f"{clear}; in points, promised and honest: {told}"
        )
    first = axes[next(iter(models))]
    name_rows(first, names)
    handles = [
        *first.plot([], [], "D", **hollow, label="promised, on the half that chose"),
        *first.plot([], [], "o-", color=BLUE, label=f"honest, on the other half ({level:.0%} of splits)"),
    ]
    legend_above(figure, handles)
    figure.alt = f"Gain of a chosen layer over the last. {'. '.join(words)}."
    return figure


def regret_explorer(*, metrics: Curves, scores: Curves) -> Explorer:
    """Let a learner trust a metric at its low or high end, and see the layer it picks and what that costs."""
    layers = len(next(iter(metrics.values())))
    targets = {MEAN: mean_score(scores), **scores}
    figure, (left, right) = row(2, height=300)
    (metric_line,) = left.plot([], [], "-o", color=PURPLE, markersize=3, linewidth=1.3)
    (extreme,) = left.plot([], [], "D", color=ORANGE, markersize=9, zorder=3)
    (score_line,) = right.plot([], [], "-o", color=BLUE, markersize=3, linewidth=1.3)
    (best,) = right.plot([], [], "*", color=GREEN, markersize=14, zorder=3, label="best")
    (last,) = right.plot([], [], "s", color="black", markersize=7, zorder=3, label="last")
    (picked,) = right.plot([], [], "D", color=ORANGE, markersize=8, zorder=4, label="picked")
    cursors = [ax.axvline(0, color=ORANGE, linewidth=0.8, linestyle="--") for ax in (left, right)]
    right.legend(loc="lower right", ncols=3, fontsize="small", columnspacing=1, handletextpad=0.2)
    for name, ax in (("metric", left), ("score", right)):
        layer_axis(ax, layers)
        ax.set_ylabel(name)

    def draw(
        metric: str = next(iter(metrics)), prefer: Literal["low", "high"] = "low", score: str = MEAN
    ) -> Figure:
        values, target = metrics[metric], targets[score]
        chosen = pick(values, target, prefer=prefer)
        top, gain = int(target.argmax()), chosen.score - float(target[-1])
        steps = np.arange(layers)
        metric_line.set_data(steps, values)
        extreme.set_data([chosen.layer], [values[chosen.layer]])
        score_line.set_data(steps, target)
        picked.set_data([chosen.layer], [chosen.score])
        best.set_data([top], [target[top]])
        last.set_data([layers - 1], [target[-1]])
        for cursor in cursors:
            cursor.set_xdata([chosen.layer] * 2)
        _fit(left, values)
        _fit(right, target, below=0.22)
        left.set_title(f"{metric}: {prefer}est at layer {chosen.layer}")
        right.set_title(f"{score}: regret {100 * chosen.regret:.1f} points")
        figure.alt = (
            f"Left: {metric} by layer, {prefer}est at layer {chosen.layer}, {plain(values[chosen.layer])}. Right: "
            f"{score} by layer; {plain(chosen.score)} at that layer, {plain(target[top])} at the best, {top}, and "
            f"{plain(target[-1])} at the last. Regret {100 * chosen.regret:.1f} points; against the "
            f"last layer {signed(100 * gain)}."
        )
        return figure

    return explore(
        draw,
        labels={"prefer": "pick the layer where it is"},
        metric=list(metrics),
        prefer={"lowest": "low", "highest": "high"},
        score=list(targets),
    )


def metric_against_score(*, metrics: Models, scores: Curves) -> Figure:
    """Draw how each metric of a model goes together with its mean score over the layers, by two correlations."""
    names = list(next(iter(metrics.values())))
    figure, (left, right) = row(2, height=100 + 24 * len(names), sharey=True, width_ratios=[1.6, 1])
    words = []
    for model, curves, look in with_looks(metrics):
        rank = [float(spearman(values, scores[model])) for values in curves.values()]
        distance = [float(distance_correlation(values, scores[model])) for values in curves.values()]
        style = {**look, "linestyle": "none", "markersize": 7}
        left.plot(rank, range(len(names)), **style, label=f"{model} ({len(scores[model])} layers)")
        right.plot(distance, range(len(names)), **style)
        told = ", ".join(
            f"{name} {plain(r)} and {plain(d)}" for name, r, d in zip(names, rank, distance, strict=True)
        )
        words.append(f"{model}: {told}")
    left.axvline(0, color="black", linewidth=0.8)
    left.set(xlim=(-1.08, 1.08), xlabel="Spearman's ρ with the mean score")
    left.set_title("does it rise or fall with the score?")
    right.set(xlim=(0, 1.04), xlabel="distance correlation", title="do they go together at all?")
    name_rows(left, names)
    for ax in (left, right):
        ax.grid(axis="y", color=GREY, linewidth=0.4, alpha=0.5)
    if len(metrics) > 1:
        legend_above(figure, left.get_lines()[: len(metrics)])
    figure.alt = (
        "Correlation of each metric with the mean score over the layers, Spearman's and distance correlation. "
        f"{'. '.join(words)}."
    )
    return figure


def _fit(ax: Axes, values: Tensor, *, below: float = 0.08) -> None:
    """Let the vertical axis hold a curve, with room below it as a share of its height."""
    low, high = float(values.min()), float(values.max())
    height = max(high - low, 1e-6)
    ax.set_ylim(low - below * height, high + 0.1 * height)
