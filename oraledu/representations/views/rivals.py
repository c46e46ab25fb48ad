"""A rival: what rules without labels gain over the last layer."""

from collections.abc import Mapping, Sequence

from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREY, ORANGE
from oraledu.representations.rules import Trial
from oraledu.representations.views.layout import legend_above, name_rows
from oraledu.representations.views.words import signed


def rule_gains(
    *,
    models: Mapping[str, Mapping[str, Trial]],
    rival: str,
    paper: Sequence[str],
    any_layer: Mapping[str, float],
    level: float = 0.9,
) -> Figure:
    """Draw for each model the gain over the last layer of every rule, best first by the mean over models.

    The rival's rule is one, the paper's are several; the level is the share of splits that an interval holds. A layer
    at random gains what `any_layer` says, on average.
    """
    rules = list(next(iter(models.values())))
    rules.sort(key=lambda rule: -sum(float(of[rule].gain.mean()) for of in models.values()))
    figure, axes = panels([list(models)], height=110 + 21 * len(rules), sharey=True, sharex=True, width=720)
    looks = dict.fromkeys(paper, (BLUE, "s")) | {rival: (ORANGE, "D")}
    words = []
    for model, trials in models.items():
        ax, told = axes[model], []
        for place, rule in enumerate(rules):
            colour, marker = looks.get(rule, (GREY, "o"))
            low, high = trials[rule].interval(level=level)
            gain = 100 * float(trials[rule].gain.mean())
            ax.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=3, alpha=0.45)
            ax.plot(gain, place, marker, color=colour, markersize=6)
            told.append(f"{rule} {signed(gain)} (layer {trials[rule].favourite()})")
        ax.axvline(0, color="black", linewidth=0.8)
        ax.axvline(100 * any_layer[model], color="black", linewidth=0.8, linestyle=":")
        ax.set(title=model, xlabel="gain over the last layer (points)")
        clear = sum(trials[rule].interval(level=level)[0] > 0 for rule in rules)
        words.append(
            f"{model}: interval above zero for {clear} of {len(rules)} rules, a layer at random "
            f"{signed(100 * any_layer[model])}; mean gain in points and the layer picked most often: "
            + ", ".join(told)
        )
    first = axes[next(iter(models))]
    name_rows(first, rules)
    handles = [
        *first.plot([], [], "D-", color=ORANGE, label="the rival's rule"),
        *first.plot([], [], "s-", color=BLUE, label="the paper's"),
        *first.plot([], [], "o-", color=GREY, label=f"others ({level:.0%} of splits)"),
        *first.plot([], [], ":", color="black", label="a layer at random"),
    ]
    legend_above(figure, handles)
    figure.alt = (
        f"Gain over the last layer of {len(rules)} rules that pick a layer without labels, with intervals of "
        f"{level:.0%}. {'. '.join(words)}."
    )
    return figure
