"""Tasks that need nothing but the cosine of two pooled states: similarity of pairs, and retrieval."""

import torch
from torch import Tensor

from oraledu.representations.probes.outcome import Outcome, rank_agreement, share
from oraledu.representations.states import check_states, unit_rows


def similarity(a: Tensor, b: Tensor, gold: Tensor) -> Outcome:
    """Compare the cosines of pairs with a similarity that is known.

    Args:
        a: (..., N, D) the first of each pair.
        b: (..., N, D) the second.
        gold: (N,) the similarity of each pair, on any scale.

    Returns:
        Items (..., N, 2), cosine and gold; the score is Spearman's correlation.

    Raises:
        TypeError: If a or b is not a float tensor.
        ValueError: If shapes do not fit or a number is not finite.
    """
    _check(a, b, "a", "b")
    if gold.shape != a.shape[-2:-1] or not gold.isfinite().all():
        raise ValueError(
            f"gold must be {a.shape[-2]} finite numbers, one a pair, got shape {tuple(gold.shape)}"
        )
    cosines = torch.linalg.vecdot(unit_rows(a.double()), unit_rows(b.double())).cpu()
    return Outcome(torch.stack([cosines, gold.double().cpu().expand_as(cosines)], dim=-1), rank_agreement)


def retrieval(queries: Tensor, documents: Tensor, *, at: int = 10) -> Outcome:
    """Rank all documents by their cosine with each query; document i is the answer to query i.

    A document with the same cosine as the answer counts as ranked before it, so that states that are all alike
    score nothing.

    Args:
        queries: (..., N, D).
        documents: (..., N, D).
        at: Ranks beyond this one count as 0.

    Returns:
        Items (..., N, 1), one over the rank of the answer; the score is the mean reciprocal rank, MRR@at.

    Raises:
        TypeError: If queries or documents are not float tensors.
        ValueError: If their shapes differ, an entry is not finite, or ``at`` is below 1.
    """
    _check(queries, documents, "queries", "documents")
    if at < 1:
        raise ValueError(f"at must be at least 1, got {at}")
    cosines = unit_rows(queries.double()) @ unit_rows(documents.double()).mT  # (..., N, N)
    ranks = (cosines >= cosines.diagonal(dim1=-2, dim2=-1)[..., None]).sum(dim=-1)
    return Outcome(torch.where(ranks <= at, 1 / ranks, 0).double()[..., None].cpu(), share)


def _check(a: Tensor, b: Tensor, name_a: str, name_b: str) -> None:
    check_states(a, name_a, rows=2, kind="item")
    check_states(b, name_b, rows=2, kind="item")
    if a.shape != b.shape:
        raise ValueError(
            f"{name_a} and {name_b} must have one shape, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
