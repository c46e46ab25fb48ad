"""All metrics and probes of a vision transformer, layer by layer, from its states.

Names and conventions are those of `oraledu.representations.evaluate`, with images in the place of texts and the
start token in that of the first.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from oraledu.representations import probes
from oraledu.representations.entropy import from_gram, matrix_entropy
from oraledu.representations.geometry import curvature_from_gram
from oraledu.representations.gram import CONVENTIONS, under
from oraledu.representations.invariance import dime, info_nce, lidar
from oraledu.representations.probes import Outcome


def token_curves(grams: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return the metrics of single images by layer, one row an image: (images, layers) each.

    Args:
        grams: For each image (layers, T, T), the start token first.

    Returns:
        "entropy raw", "unit", "centred", "centred-unit": S_1 of the tokens over the log of how many they are; and
        "curvature" in radians. Each also ", no first", without the start token.
    """
    table: dict[str, list[Tensor]] = {}
    for k in grams:
        for first, ending in ((True, ""), (False, ", no first")):
            for convention in CONVENTIONS:
                chosen = under(k, convention, first_token=first)
                share = from_gram(chosen) / torch.tensor(float(chosen.shape[-1])).log()
                table.setdefault(f"entropy {convention}{ending}", []).append(share)
            turn = curvature_from_gram(under(k, first_token=first))
            table.setdefault(f"curvature{ending}", []).append(turn)
    return {name: torch.stack(rows) for name, rows in table.items()}


def dataset_curves(pooled: Tensor, views: Tensor) -> dict[str, Tensor]:
    """Return the metrics of many images by layer, (layers,) each.

    Args:
        pooled: (layers, n, D) of different images.
        views: (layers, images, views, D); the first two views are those of InfoNCE and DiME.

    Returns:
        "dataset entropy" and "LiDAR" over the log of their largest value; "InfoNCE" and "DiME" (order 2, exact)
        in nats. All but LiDAR also ", centred", around the mean of all states.
    """
    count, width = pooled.shape[-2:]
    images = views.shape[-3]
    largest = [torch.tensor(float(min(size, width))).log() for size in (count, images - 1)]
    table = {
        "dataset entropy": matrix_entropy(pooled) / largest[0],
        "dataset entropy, centred": matrix_entropy(_centred(pooled)) / largest[0],
        "LiDAR": lidar(views) / largest[1],
    }
    pair = views[:, :, :2].transpose(1, 2).flatten(1, 2)  # (layers, 2 images, D)
    for both, ending in ((pair, ""), (_centred(pair), ", centred")):
        a, b = both[:, :images], both[:, images:]
        table |= {f"InfoNCE{ending}": info_nce(a, b), f"DiME{ending}": dime(a, b, alpha=2)}
    return table


def probe_outcomes(
    fit: Tensor, fit_labels: Tensor, test: Tensor, test_labels: Tensor, *, generator: torch.Generator
) -> dict[str, Outcome]:
    """Return what four probes of classes find on the test images at every layer, all over the same items.

    The few-shot regression has a penalty of one strength, which weighs more where states are small. So each layer is
    moved and scaled as a whole first, to mean 0 and a root mean square of 1.

    Args:
        fit: (layers, n, D) what probes are fitted on.
        fit_labels: (n,) their classes.
        test: (layers, m, D) what they are tested on.
        test_labels: (m,) their classes.
        generator: The source of few-shot draws and clusterings.

    Returns:
        "linear probe", "few-shot", "nearest neighbours", and "clustering" of the test images.
    """
    parts = fit, fit_labels, test, test_labels
    middle = fit.mean(dim=1, keepdim=True)
    size = (fit - middle).square().mean(dim=(1, 2), keepdim=True).sqrt()
    alike = (fit - middle) / size, fit_labels, (test - middle) / size, test_labels
    return {
        "linear probe": probes.linear(*parts),
        "few-shot": probes.few_shot(*alike, generator=generator),
        "nearest neighbours": probes.nearest_neighbours(*parts),
        "clustering": probes.clustering(test, test_labels, generator=generator),
    }


def _centred(states: Tensor) -> Tensor:
    return states - states.mean(dim=-2, keepdim=True)
