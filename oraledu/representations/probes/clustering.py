"""Finding the classes without being told: k-means, scored by V-measure."""

import numpy as np
import torch
from torch import Tensor

from oraledu.representations.probes.classification import Labels, encode, layers_of
from oraledu.representations.probes.outcome import Outcome, v_measure
from oraledu.representations.states import check_states


def clustering(states: Tensor, labels: Labels, *, generator: torch.Generator, repeats: int = 3) -> Outcome:
    """Cluster pooled states into as many clusters as there are classes, by mini-batch k-means.

    Args:
        states: (..., N, D) pooled states.
        labels: N labels.
        generator: The source of randomness; all layers start from the same seeds.
        repeats: How many clusterings, each from its own seed.

    Returns:
        Items (..., N, 1 + repeats), class and clusters; the score is the V-measure, averaged over clusterings.
        Over a part of the items it still judges the clusters of all.

    Raises:
        TypeError: If the states are not a float tensor, or labels a set.
        ValueError: If shapes or counts do not fit, or ``repeats`` is below 1.
    """
    from sklearn.cluster import MiniBatchKMeans

    check_states(states, "states", kind="item")
    numbers, names = encode(labels)
    if len(numbers) != states.shape[-2]:
        raise ValueError(f"labels must be {states.shape[-2]}, one a row, got {len(numbers)}")
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    seeds = torch.randint(2**31, (repeats,), generator=generator, device=generator.device).tolist()
    found = []
    for (x,) in layers_of(states):
        fits = [MiniBatchKMeans(len(names), random_state=seed, n_init=3).fit(x).labels_ for seed in seeds]
        found.append(np.stack([numbers.numpy(), *fits], axis=1))
    items = torch.from_numpy(np.stack(found)).double().reshape(*states.shape[:-1], 1 + repeats)
    return Outcome(items, v_measure)
