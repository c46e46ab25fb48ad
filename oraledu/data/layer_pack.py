"""The file of a model's `LayerStates`: what it holds, and how that is made smaller.

* Gram matrices: their lower triangles, float32, unchanged.
* Pooled states of all text sets: `codec`, which changes them a little.
* With the first token: from its state, if that is the same in every text, as in a decoder; else left out.
* Views: float16, in coordinates of their own span, where each view needs one coordinate more than the one before.
  All products between views are kept, and with them every metric that does not look at single coordinates.
"""

import io
import lzma
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from oraledu.data import codec
from oraledu.data.layer_states import LayerStates

#: Plain range coding of single bytes: the numbers are noise, there are no words to find in them.
FILTERS = [
    {
        "id": lzma.FILTER_LZMA2,
        "dict_size": 1 << 12,
        "mode": lzma.MODE_NORMAL,
        "mf": lzma.MF_HC3,
        "nice_len": 64,
        "depth": 4,
        "lc": 0,
        "lp": 0,
        "pb": 0,
    }
]
#: First tokens that differ by more than this share of their length are not one.
_ALIKE = 1e-3


def pack(
    states: LayerStates,
    lengths: Mapping[str, Tensor],
    *,
    noise: float,
    fineness: Mapping[str, float] | None = None,
) -> bytes:
    """Return the file of states.

    Args:
        states: Of a model.
        lengths: By text set (n,), the tokens of each text with the first one.
        noise: As in `codec.encode`.
        fineness: By text set, as in `codec.encode`; 1 for those left out.
    """
    finer = {key: (fineness or {}).get(key, 1.0) for key in states.pooled}
    arrays = codec.encode(
        torch.cat(list(states.pooled.values()), dim=1),
        noise=noise,
        fineness=torch.cat([torch.full((each.shape[1],), finer[key]) for key, each in states.pooled.items()]),
    )
    first = _first_token(states, lengths)
    if first is not None:
        arrays["first"] = first.numpy()
        arrays["lengths"] = torch.cat(list(lengths.values())).numpy().astype(np.uint16)
    arrays["grams"] = np.concatenate([_triangle(gram) for gram in states.grams], axis=1)
    arrays["tokens"] = np.array([gram.shape[-1] for gram in states.grams], np.uint16)
    views = states.views.flatten(1, 2).double()
    arrays["views"] = _triangle(torch.linalg.qr(views.mT, mode="r").R.mT).astype(np.float16)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return lzma.compress(content.getvalue(), filters=FILTERS)


def unpack(content: bytes, name: str, prompts: tuple[str, ...], counts: Mapping[str, int]) -> LayerStates:
    """Read the file of states.

    Args:
        content: The file.
        name: Of the model.
        prompts: Those that the states are of.
        counts: By text set how many texts it has, in the order of the file.
    """
    with np.load(io.BytesIO(lzma.decompress(content)), allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    pooled = codec.decode(arrays)
    with_first = {}
    if "first" in arrays:
        others = 1 / torch.from_numpy(arrays["lengths"].astype(np.float32))[:, None]
        first = torch.from_numpy(arrays["first"])[:, None]
        with_first = _by_set(torch.lerp(pooled, first.expand_as(pooled), others.expand_as(pooled)), counts)
    tokens = arrays["tokens"].tolist()
    parts = np.split(arrays["grams"], np.cumsum([each * (each + 1) // 2 for each in tokens])[:-1], axis=1)
    grams = [_square(part, count) for part, count in zip(parts, tokens, strict=True)]
    views = _square(arrays["views"].astype(np.float32), round((2 * arrays["views"].shape[1]) ** 0.5 - 0.5))
    return LayerStates(
        name=name,
        prompts=prompts,
        grams=tuple(gram + gram.tril(-1).mT for gram in grams),
        pooled=_by_set(pooled, counts),
        with_first=with_first,
        views=views.unflatten(1, (len(prompts), -1)),
    )


def _first_token(states: LayerStates, lengths: Mapping[str, Tensor]) -> Tensor | None:
    """Return the state of the first token (layers, D) if it is the same in all texts, from the two means."""
    found = []
    for name, length in lengths.items():
        count = length[:, None].double()
        found.append(states.with_first[name] * count - states.pooled[name] * (count - 1))
    first = torch.cat(found, dim=1)
    mean = first.mean(dim=1, keepdim=True)
    apart = (first - mean).norm(dim=-1).median(dim=1).values
    return mean[:, 0].float() if (apart < _ALIKE * mean[:, 0].norm(dim=-1)).all() else None


def _by_set(states: Tensor, counts: Mapping[str, int]) -> dict[str, Tensor]:
    return dict(zip(counts, states.split(list(counts.values()), dim=1), strict=True))


def _triangle(matrices: Tensor) -> np.ndarray:
    """Return the lower triangles of (layers, n, n), row by row: (layers, n (n + 1) / 2)."""
    rows, columns = np.tril_indices(matrices.shape[-1])
    return matrices.numpy()[:, rows, columns]


def _square(triangles: np.ndarray, size: int) -> Tensor:
    """Return the lower triangular matrices (layers, n, n) of their triangles."""
    matrices = torch.zeros(len(triangles), size, size)
    rows, columns = np.tril_indices(size)
    matrices[:, rows, columns] = torch.from_numpy(triangles)
    return matrices
