"""Parts 4 and 6: what a chosen layer promises and gives; metrics that choose it without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.representations.correlation import distance_correlation, spearman
from oraledu.representations.selection import Choice, choose, pick
from oraledu.representations.views.layout import (
    BLUE,
    GREEN,
    GREY,
    LOOKS,
    ORANGE,
    PURPLE,
    Curves,
    Models,
    Name,
    check_curves,
    check_models,
    layer_axis,
    plain,
    signed,
    written,
)
from oraledu.representations.views.scores import MEAN, mean_score


def gains(
    *, halves: Mapping[Name, tuple[Tensor, Tensor]], honest_gain: Callable[[Tensor, Tensor], Tensor]
) -> dict[Name, Choice]:
    """Choose a layer on half A of every split, and let a function say what it gains on half B.

    Args:
        halves: By score the scores on both halves, (splits, layers) each, as `selection.split_scores` returns them.
        honest_gain: The learner's or the reference's ``honest_gain(on_a, on_b)``: (splits,).
    """
    return {name: replace(choose(a, a, b), honest=honest_gain(a, b)) for name, (a, b) in halves.items()}


def honest_selection(*, models: Mapping[str, Mapping[Name, Choice]], level: float = 0.9) -> Figure:
    """Draw for each score what the layer chosen on one half promises there, and what it gives on the other.

    Args:
        models: By model, then by score, choices as of `gains` or `selection.choose_layers`; the same scores for each.
        level: The share of splits that an interval holds.

    Raises:
        ValueError: If there is no model or score, or models differ in their scores.
    """
    names = list(next(iter(models.values()), {}))
    if not names or any(list(choices) != names for choices in models.values()):
        raise ValueError("models must hold choices for the same scores, at least one of each.")
    figure, axes = panels(
        [list(models)],
        height=95 + 26 * len(names),
        sharey=True,
        sharex=True,
        width=min(720, 250 + 260 * len(models)),
    )
    words = []
    for model, choices in models.items():
        ax = axes[model]
        for place, choice in enumerate(choices.values()):
            low, high = choice.interval(level)
            ax.plot([100 * low, 100 * high], [place, place], color=BLUE, linewidth=3, alpha=0.45)
            ax.plot(100 * choice.gain, place, "o", color=BLUE)
            ax.plot(
                100 * choice.promised.mean(), place, "D", color=ORANGE, markerfacecolor="white", markersize=5
            )
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set(title=model, xlabel="gain over the last layer (points)")
        above = sum(choice.gain > 0 for choice in choices.values())
        clear = sum(choice.interval(level)[0] > 0 for choice in choices.values())
        words.append(
            f"{model}: the honest gain is above zero on {above} of {len(names)} scores, its interval of {level:.0%} on "
            f"{clear}; in points, promised and honest: "
            + ", ".join(
                f"{written(name)} {signed(100 * choice.promised.mean())} and {signed(100 * choice.gain)}"
                for name, choice in choices.items()
            )
        )
    axes[next(iter(models))].set_yticks(range(len(names)), [written(name) for name in names])
    axes[next(iter(models))].set_ylim(len(names) - 0.5, -0.5)
    first = axes[next(iter(models))]
    handles = [
        first.plot(
            [],
            [],
            "D",
            color=ORANGE,
            markerfacecolor="white",
            markersize=5,
            label="promised, on the half that chose",
        )[0],
        first.plot([], [], "o-", color=BLUE, label=f"honest, on the other half ({level:.0%} of splits)")[0],
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    figure.alt = f"Gain of a chosen layer over the last. {'. '.join(words)}."
    return figure


def regret_explorer(*, metrics: Curves, scores: Curves) -> Explorer:
    """Let a learner trust a metric at its low or high end, and see the layer it picks and what that costs.

    Args:
        metrics: For each metric (layers,).
        scores: For each score (layers,) over the same layers.

    Raises:
        ValueError: If there is no metric or score, or layers differ.
    """
    layers = check_curves(metrics, "metrics")
    if check_curves(scores, "scores") != layers:
        raise ValueError(f"scores must be over the {layers} layers of metrics.")
    targets = {MEAN: mean_score(scores), **scores}
    figure, axes = panels([["metric", "score"]], height=300)
    left, right = axes["metric"], axes["score"]
    (metric_line,) = left.plot([], [], "-o", color=PURPLE, markersize=3, linewidth=1.3)
    (extreme,) = left.plot([], [], "D", color=ORANGE, markersize=9, zorder=3)
    (score_line,) = right.plot([], [], "-o", color=BLUE, markersize=3, linewidth=1.3)
    (best,) = right.plot([], [], "*", color=GREEN, markersize=14, zorder=3, label="best")
    (last,) = right.plot([], [], "s", color="black", markersize=7, zorder=3, label="last")
    (picked,) = right.plot([], [], "D", color=ORANGE, markersize=8, zorder=4, label="picked")
    cursors = [ax.axvline(0, color=ORANGE, linewidth=0.8, linestyle="--") for ax in (left, right)]
    right.legend(loc="lower right", ncols=3, fontsize="small", columnspacing=1, handletextpad=0.2)
    for ax in (left, right):
        layer_axis(ax, layers)
        ax.set_ylabel("metric" if ax is left else "score")

    def draw(metric: str = next(iter(metrics)), prefer: str = "low", score: str = MEAN) -> Figure:
        values, target = metrics[metric], targets[score]
        chosen = pick(values, target, prefer="low" if prefer == "low" else "high")
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
        labels={"metric": "metric", "prefer": "pick the layer where it is", "score": "score"},
        metric=list(metrics),
        prefer={"lowest": "low", "highest": "high"},
        score=list(targets),
    )


def metric_against_score(*, metrics: Models, scores: Curves) -> Figure:
    """Draw how each metric goes together with the score over the layers: rank correlation, distance correlation.

    Args:
        metrics: By model, then by metric, (layers,).
        scores: By model its mean score, (layers,).

    Raises:
        ValueError: If the models differ, or a curve is unfit.
    """
    layers = check_models(metrics, "metrics")
    if list(scores) != list(metrics) or any(
        scores[model].shape != (count,) for model, count in layers.items()
    ):
        raise ValueError("scores must hold one curve for each model of metrics, over the same layers.")
    names = list(next(iter(metrics.values())))
    figure, axes = panels(
        [["rank", "distance"]], height=100 + 24 * len(names), sharey=True, width_ratios=[1.6, 1]
    )
    left, right = axes["rank"], axes["distance"]
    words = []
    for (model, curves), look in zip(metrics.items(), LOOKS, strict=False):
        rank = [float(spearman(values, scores[model])) for values in curves.values()]
        distance = [float(distance_correlation(values, scores[model])) for values in curves.values()]
        style = {"color": look["color"], "marker": look["marker"], "linestyle": "none", "markersize": 7}
        left.plot(rank, range(len(names)), **style, label=f"{model} ({layers[model]} layers)")
        right.plot(distance, range(len(names)), **style)
        told = ", ".join(
            f"{name} {plain(r)} and {plain(d)}" for name, r, d in zip(names, rank, distance, strict=True)
        )
        words.append(f"{model}: {told}")
    left.axvline(0, color="black", linewidth=0.8)
    left.set(
        xlim=(-1.08, 1.08),
        xlabel="Spearman's ρ with the mean score",
        title="does it rise or fall with the score?",
    )
    right.set(xlim=(0, 1.04), xlabel="distance correlation", title="do they go together at all?")
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.5, -0.5)
    for ax in (left, right):
        ax.grid(axis="y", color=GREY, linewidth=0.4, alpha=0.5)
    if len(metrics) > 1:
        figure.legend(
            handles=left.get_lines()[: len(metrics)],
            loc="outside upper center",
            ncols=len(metrics),
            frameon=False,
        )
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
