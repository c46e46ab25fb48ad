"""How the five kinds of MTEB tasks are scored from pooled states, layer by layer.

Each protocol takes rows of `tasks.read`, and a function that turns texts into pooled states of all layers. The
benchmark's own code takes the best of several similarities for pairs; here it is the cosine.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from oraledu.keep import NOWHERE, Keep
from oraledu.representations import probes
from oraledu.representations.models import live
from oraledu.representations.probes.outcome import Outcome, rank_agreement
from oraledu.representations.states import unit_rows
from oraledu.representations.tasks import TASKS, Row, kind_of, read

#: Turns n texts into their pooled states (layers, n, D).
Embed = Callable[[list[str]], Tensor]
#: How many pairs, and queries with their documents, are in memory at one time.
PAIRS, QUERIES = 1024, 64


def score_model(
    name: str, task: str, *, device: torch.device | str = "cpu", rows: int | None = None, keep: Keep = NOWHERE
) -> Tensor:
    """Read a task, and score every layer of a model that reads its texts.

    Args:
        name: Of the model, as in `models.load`.
        task: One of `TASKS`.
        device: Where the model computes.
        rows: At most so many rows of each split; all if left out.
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Returns:
        (layers,), as `score`, whose errors these are.
    """
    if (kept := keep.load()) is not None:
        return kept["score"]
    calls = itertools.count()

    def embed(texts: list[str]) -> Tensor:
        return live.pooled_states(name, texts, device=device, keep=keep.part(str(next(calls))))[0]

    found = score(task, embed, generator=torch.Generator().manual_seed(0), rows=rows)
    keep.save({"score": found})
    return found


def score(task: str, embed: Embed, *, generator: torch.Generator, rows: int | None = None) -> Tensor:
    """Read a task from the user's folder, and score every layer.

    Args:
        task: One of `TASKS`.
        embed: Turns texts into pooled states (layers, n, D).
        generator: The source of randomness of draws and clusterings.
        rows: At most so many rows of each split, the first; all if left out.

    Returns:
        (layers,) float64 in [0, 1], or [-1, 1] for similarity.

    Raises:
        ValueError: If the task is unknown, ``rows`` below 1, or a file malformed or too small for its protocol.
        FileNotFoundError: If a file is missing; it says what to put where.
    """
    kind = kind_of(task)
    if rows is not None and rows < 1:
        raise ValueError(f"rows must be at least 1, got {rows}")
    parts = {split: read(task, split)[:rows] for split in kind.splits}
    match TASKS[task]:
        case "classification":
            return classification(parts["train"], parts["test"], embed, generator=generator)
        case "clustering":
            return clustering(parts["test"], embed, generator=generator)
        case "pair classification":
            return pair_classification(parts["test"], embed)
        case "reranking":
            return reranking(parts["test"], embed)
        case _:
            return similarity(parts["test"], embed)


def classification(
    train: Sequence[Row],
    test: Sequence[Row],
    embed: Embed,
    *,
    generator: torch.Generator,
) -> Tensor:
    """Return the accuracy of logistic regressions on few examples of each class, mean of draws: (layers,)."""
    return probes.few_shot(
        embed([row["text"] for row in train]),
        [row["label"] for row in train],
        embed([row["text"] for row in test]),
        [row["label"] for row in test],
        generator=generator,
    ).score()


def clustering(rows: Sequence[Row], embed: Embed, *, generator: torch.Generator) -> Tensor:
    """Return the V-measure of mini-batch k-means, mean over the sets: (layers,). Each row is a set."""
    scores = [
        probes.clustering(embed(row["sentences"]), row["labels"], generator=generator, repeats=1).score()
        for row in rows
    ]
    return torch.stack(scores).mean(dim=0)


def pair_classification(rows: Sequence[Row], embed: Embed) -> Tensor:
    """Return the average precision of the cosine of pairs as a sign that they belong together: (layers,).

    Raises:
        ValueError: If all pairs have the same label.
    """
    from sklearn.metrics import average_precision_score  # slow to load, and no figure waits for it

    labels = np.array([row["label"] for row in rows])
    if len(set(labels.tolist())) < 2:
        raise ValueError("pairs must be of both labels, 0 and 1, to be told apart")
    cosines = _pair_cosines(rows, embed)
    found = [average_precision_score(labels, layer) for layer in cosines.numpy()]
    return torch.tensor(found, dtype=torch.float64)


def reranking(rows: Sequence[Row], embed: Embed) -> Tensor:
    """Return the mean over queries of the average precision of their documents by cosine: (layers,).

    A query without a positive or without a negative document has nothing to rank, and is left out.

    Raises:
        ValueError: If no query has both.
    """
    from sklearn.metrics import average_precision_score  # slow to load, and no figure waits for it

    rows = [row for row in rows if row["positive"] and row["negative"]]
    if not rows:
        raise ValueError("a query must have a positive and a negative document, and none has")
    found = []
    for start in range(0, len(rows), QUERIES):
        some, begin = rows[start : start + QUERIES], 0
        queries = embed([row["query"] for row in some])  # (layers, queries, D)
        documents = embed([text for row in some for text in row["positive"] + row["negative"]])
        for place, row in enumerate(some):
            relevant = [1] * len(row["positive"]) + [0] * len(row["negative"])
            own = documents[:, begin : begin + len(relevant)]
            cosines = _cosines(queries[:, place : place + 1].expand_as(own), own)  # (layers, documents)
            found.append([average_precision_score(relevant, layer) for layer in cosines.numpy()])
            begin += len(relevant)
    return torch.tensor(found, dtype=torch.float64).mean(dim=0)


def similarity(rows: Sequence[Row], embed: Embed) -> Tensor:
    """Return Spearman's correlation of the cosine of pairs with their score: (layers,)."""
    gold = torch.tensor([row["score"] for row in rows], dtype=torch.float64)
    cosines = _pair_cosines(rows, embed)
    return Outcome(torch.stack([cosines, gold.expand_as(cosines)], dim=-1), rank_agreement).score()


def _pair_cosines(rows: Sequence[Row], embed: Embed) -> Tensor:
    """Return the cosine of each pair, (layers, n) float64, with the states of `PAIRS` pairs in memory."""
    found = []
    for start in range(0, len(rows), PAIRS):
        some = rows[start : start + PAIRS]
        found.append(_cosines(*(embed([row[name] for row in some]) for name in ("sentence1", "sentence2"))))
    return torch.cat(found, dim=1)


def _cosines(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine of each pair of rows: (layers, n, D) twice -> (layers, n) float64."""
    return torch.linalg.vecdot(unit_rows(a.double()), unit_rows(b.double())).cpu()
