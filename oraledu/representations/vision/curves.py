"""All metrics and probes of a vision transformer, layer by layer, from its states."""

from collections.abc import Sequence

import torch
from torch import Tensor

from oraledu.representations import probes
from oraledu.representations.entropy import from_gram, matrix_entropy
from oraledu.representations.geometry import curvature_from_gram
from oraledu.representations.gram import under
from oraledu.representations.invariance import dime, info_nce, lidar
from oraledu.representations.probes import Outcome

#: The conventions under which prompt entropy is taken: of the Gram matrix, and whether the start token counts.
ENTROPIES = {
    "entropy raw": ("raw", True),
    "entropy raw, no first": ("raw", False),
    "entropy unit, no first": ("unit", False),
    "entropy centred-unit, no first": ("centred-unit", False),
}


def token_curves(grams: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return the metrics of single images by layer, one row an image: (images, layers) each.

    Args:
        grams: For each image (layers, T, T), the start token first.

    Returns:
        Entropies S_1 as a share of their maximum, the log of the number of tokens; and the curvature without the
        start token, in radians.
    """
    table: dict[str, list[Tensor]] = {name: [] for name in (*ENTROPIES, "curvature")}
    for k in grams:
        for name, (convention, first) in ENTROPIES.items():
            chosen = under(k, convention, first_token=first)
            table[name].append(from_gram(chosen) / torch.tensor(chosen.shape[-1]).log())
        table["curvature"].append(curvature_from_gram(under(k, first_token=False)))
    return {name: torch.stack(rows) for name, rows in table.items()}


def dataset_curves(pooled: Tensor, views: Tensor, *, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the metrics of many images by layer, (layers,) each, as the paper has them and centred.

    Args:
        pooled: (layers, n, D) of different images.
        views: (layers, images, views, D); the first two views are InfoNCE's and DiME's.
        generator: The source of DiME's permutations.

    Returns:
        Dataset entropy as a share of log min(n, D), InfoNCE, LiDAR and DiME in nats. "centred" subtracts the mean
        over images first, of each view its own.
    """
    largest = torch.tensor(min(pooled.shape[-2:])).log()
    a, b = views[:, :, 0], views[:, :, 1]
    return {
        "dataset entropy": matrix_entropy(pooled) / largest,
        "dataset entropy, centred": matrix_entropy(_centred(pooled)) / largest,
        "InfoNCE": info_nce(a, b),
        "InfoNCE, centred": info_nce(_centred(a), _centred(b)),
        "LiDAR": lidar(views),
        "DiME": dime(a, b, generator=generator),
        "DiME, centred": dime(_centred(a), _centred(b), generator=generator),
    }


def probe_outcomes(
    fit: Tensor, fit_labels: Tensor, test: Tensor, test_labels: Tensor, *, generator: torch.Generator
) -> dict[str, Outcome]:
    """Return what the probes of classes find on the test images at every layer.

    Args:
        fit: (layers, n, D) what probes are fitted on.
        fit_labels: (n,) their classes.
        test: (layers, m, D) what they are tested on.
        test_labels: (m,) their classes.
        generator: The source of few-shot draws and clusterings.
    """
    parts = fit, fit_labels, test, test_labels
    return {
        "linear probe": probes.linear(*parts),
        "few shots": probes.few_shot(*parts, generator=generator),
        "neighbours": probes.nearest_neighbours(*parts),
        "clustering": probes.clustering(test, test_labels, generator=generator),
    }


def _centred(states: Tensor) -> Tensor:
    return states - states.mean(dim=-2, keepdim=True)
