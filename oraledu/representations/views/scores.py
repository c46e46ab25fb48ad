"""Part 4: which layer is best for which score."""

from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.figures import Figure
from oraledu.course.tables import Table, results
from oraledu.representations.probes import Outcome
from oraledu.representations.selection import Scores
from oraledu.representations.views.layout import row
from oraledu.representations.views.words import Curves, Models, plain, signed, written

MEAN = "mean of all"
#: Standard deviations beyond which colours stay the same.
WIDEST = 2.0


def score_heatmap(*, scores: Curves, model: str) -> Figure:
    """Draw all scores over all layers, each standardised over the layers, with a dot at the best layer."""
    rows = {**scores, MEAN: mean_score(scores)}
    z = torch.stack([standardised(values) for values in rows.values()])
    figure, (ax,) = row(1, height=60 + 26 * len(rows))
    limit = min(float(z.abs().max()), WIDEST)  # one poor layer must not wash out the others
    image = ax.imshow(
        z.numpy(), cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest"
    )
    best = [int(values.argmax()) for values in rows.values()]
    ax.plot(best, range(len(rows)), "o", color="black", markersize=5, markeredgecolor="white")
    ax.axhline(len(scores) - 0.5, color="black", linewidth=1)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel="layer", title=f"{model}: each score over the layers; the dot marks its best layer")
    ax.locator_params(axis="x", integer=True, nbins=9)
    extend = "both" if limit == WIDEST else "neither"
    bar = figure.colorbar(image, ax=ax, fraction=0.04, pad=0.02, extend=extend)
    bar.set_label("standard deviations\nfrom the score's mean", fontsize="small")
    words = "; ".join(
        f"{name} {plain(values.max())} at layer {place}, {plain(values[-1])} at the last"
        for (name, values), place in zip(rows.items(), best, strict=True)
    )
    figure.alt = (
        f"Scores of {model} by layer, 0 to {z.shape[1] - 1}, as colours around each score's mean, with a dot at "
        f"the best layer: {words}."
    )
    return figure


def score_table(*, models: Models) -> Table:
    """Say for each model and score which layer is best, and how much better than the last."""
    rows = []
    for model, scores in models.items():
        for name, values in {**scores, MEAN: mean_score(scores)}.items():
            best, last = int(values.argmax()), len(values) - 1
            gain = signed(100 * float(values[best] - values[last]))
            rows.append((model, name, f"{best} of {last}", values[best], values[last], gain))
    return results(["model", "score", "best layer", "best", "last", "gain (points)"], rows)


def by_name(scores: Scores, take: Callable[[Outcome], Tensor]) -> dict[str, Tensor]:
    """Take something of each outcome, such as its score or its bootstrap, under the name that figures give it."""
    return {
        written((texts, name)): take(outcome) for texts, of in scores.items() for name, outcome in of.items()
    }


def mean_score(scores: Curves) -> Tensor:
    """Return the mean of scores over the same layers: (layers,)."""
    return torch.stack(list(scores.values())).mean(dim=0)


def standardised(values: Tensor) -> Tensor:
    """Return a curve minus its mean, over its standard deviation; zeros if it is flat: (layers,)."""
    rest = values - values.mean()
    scale = rest.square().mean().sqrt()
    return rest / torch.where(scale > 0, scale, 1)
