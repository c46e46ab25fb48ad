"""Parts 3, 4 and 7: metrics and scores over the layers of several models, one small panel each.

A curve is (layers,), or (runs, layers), whose mean is drawn with the spread of the runs as a band.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray
from torch import Tensor

from oraledu.course.figures import Figure, panels
from oraledu.course.style import GREY, styled
from oraledu.representations.selection import interval
from oraledu.representations.settings import LAYERS
from oraledu.representations.views.layout import LOOKS, depth, legend_above, mean_run, with_looks
from oraledu.representations.views.words import Models, extremes, plain

#: A place without a panel.
EMPTY = "."
#: Height of a small panel, CSS pixels.
HEIGHT = 150


def metric_curves(
    *,
    models: Models,
    references: Mapping[str, float] | None = None,
    columns: int = 3,
) -> Figure:
    """Draw every metric over the layers, one panel each.

    References are values to draw as a dotted line, such as that of chance, by metric.
    """
    figure, axes = _grid(models, [_with_units(models)], columns)
    for name, value in (references or {}).items():
        axes[name].axhline(value, color=GREY, linestyle=":", linewidth=1.2)
    figure.alt = f"Metrics by layer. {_words(models)}"
    return figure


def score_curves(
    *,
    models: Models,
    spreads: Mapping[str, Mapping[str, Tensor]] | None = None,
    level: float = 0.9,
    columns: int = 4,
) -> Figure:
    """Draw every score over the layers, one panel each, with a band that holds a share (the level) of its resamples.

    Spreads are the scores of resampled items, (resamples, layers), from `selection.bootstrap`. Their spread around
    their mean is laid around the score, since resampling moves a V-measure up.
    """
    figure, axes = _grid(models, [_as_scores(models)], columns)
    words = []
    for model, curves, look in with_looks(models):
        widths = []
        for name, samples in (spreads or {}).get(model, {}).items():
            values = _runs(curves[name]).mean(axis=0)
            low, high = (values + each.numpy() for each in interval(samples - samples.mean(dim=0), level))
            place = _places(models, len(values))
            axes[name].fill_between(place, low, high, color=look["color"], alpha=0.2, linewidth=0)
            widths.append(float((high - low).max()))
        if widths:
            words.append(f" {model}: no band of {level:.0%} is wider than {plain(max(widths))}.")
    figure.alt = f"Scores by layer. {_words(models)}{''.join(words)}"
    return figure


def sweep_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw `score_curves` of a sweep; of many models the mean over tasks, a panel each. Only whole curves count.

    Raises:
        ValueError: No task has a score at every layer of every model.
    """
    found: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        found.setdefault((row["model"], row["task"]), {})[row["layer"]] = row["score"]
    models, tasks = (list(dict.fromkeys(each)) for each in zip(*found, strict=True))
    tasks = [task for task in tasks if all(len(found.get((m, task), {})) == LAYERS[m] for m in models)]
    if not tasks:
        raise ValueError("it takes a task that has been scored at every layer of every model")
    scores = {
        model: {
            task: torch.tensor([found[model, task][layer] for layer in range(LAYERS[model])])
            for task in tasks
        }
        for model in models
    }
    if len(models) > len(LOOKS):
        means = {model: torch.stack(list(of.values())).mean(dim=0) for model, of in scores.items()}
        scores = {f"mean of {len(tasks)} tasks": means}
    figure = score_curves(models=scores)
    if len(scores) == 1:  # then no legend names it
        figure.suptitle(next(iter(scores)))
    return figure


def vision_curves(*, metrics: Models, scores: Models, names: Sequence[str] = (), columns: int = 4) -> Figure:
    """Draw the metrics, or those of the names, and below them the probes of the same networks over their layers."""
    metrics = {model: {name: of[name] for name in names or of} for model, of in metrics.items()}
    both = {model: {**metrics[model], **scores[model]} for model in metrics}
    figure, _ = _grid(both, [_with_units(metrics), _as_scores(scores)], columns)
    figure.alt = f"Metrics and probes by layer. {_words(both)}"
    return figure


def unit_of(metric: str) -> str:
    """Return what a metric is measured in: entropies as a share of their largest value."""
    if "entropy" in metric or "LiDAR" in metric:
        return "share of largest"
    return "radians" if "curvature" in metric else "nats"


def _with_units(models: Models) -> dict[str, str]:
    return {name: unit_of(name) for name in next(iter(models.values()))}


def _as_scores(models: Models) -> dict[str, str]:
    return dict.fromkeys(next(iter(models.values())), "score")


def _grid(
    models: Models, groups: Sequence[Mapping[str, str]], columns: int
) -> tuple[Figure, dict[str, Axes]]:
    """Draw a panel for each name, labelled with its unit, each group from a new row on, and a legend of the models."""
    names = {name: unit for group in groups for name, unit in group.items()}
    width = min(columns, max(len(group) for group in groups))
    rows = []
    for group in groups:
        keys = list(group)
        keys += [EMPTY] * (-len(keys) % width)
        rows += [keys[start : start + width] for start in range(0, len(keys), width)]
    several = len(models) > 1
    units_differ = len(set(names.values())) > 1
    figure, axes = panels(rows, height=HEIGHT * len(rows) + 26 * several + 18, empty_sentinel=EMPTY)
    for name in names:
        ax = axes[name]
        for model, curves, look in with_looks(models):
            runs = _runs(curves[name])
            place = _places(models, runs.shape[1])
            ax.plot(place, runs.mean(axis=0), **look, markersize=2.5, linewidth=1.2, label=model)
            if len(runs) > 1:
                band = runs.min(axis=0), runs.max(axis=0)
                ax.fill_between(place, *band, color=look["color"], alpha=0.2, linewidth=0)
        ax.set_title(textwrap.fill(name, 22), fontsize="medium" if width < 4 else "small")
        if units_differ or name in [row[0] for row in rows]:
            ax.set_ylabel(names[name], fontsize="small")
        ax.margins(y=0.12)
        ax.locator_params(axis="y", nbins=4)
        if _same_layers(models):
            ax.locator_params(axis="x", integer=True)
    across = "layer" if _same_layers(models) else "depth, from the embedding at 0 to the last layer at 1"
    if (most := max(len(_runs(values)) for curves in models.values() for values in curves.values())) > 1:
        across += f" (lines: means of {most} runs; bands: from the least to the largest)"
    with styled():
        figure.supxlabel(across, fontsize=9)
    if several:
        legend_above(figure, axes[rows[0][0]].get_lines()[: len(models)])
    return figure, axes


def _runs(values: Tensor) -> NDArray[np.floating]:
    """Return (layers,) or (runs, layers) as (runs, layers)."""
    return np.atleast_2d(values.double().numpy())


def _same_layers(models: Models) -> bool:
    return len({values.shape[-1] for curves in models.values() for values in curves.values()}) == 1


def _places(models: Models, layers: int) -> NDArray[np.floating]:
    """Return where layers stand: their numbers, or their depth if models differ in how many they have."""
    return np.arange(layers, dtype=float) if _same_layers(models) else depth(layers).numpy()


def _words(models: Models) -> str:
    return " ".join(
        f"{model}, {name}: {extremes(mean_run(values))}."
        for model, curves in models.items()
        for name, values in curves.items()
    )
