"""A sweep of language models: their scores by layer and task.

At the quick scale the states are the embedded ones, and the tasks the lesson's; at the full scale models run on MTEB.
"""

import functools
from collections.abc import Callable
from typing import Any

import torch

from oraledu.data.embedded_states import layer_states
from oraledu.data.texts import wordnet
from oraledu.representations import protocols
from oraledu.representations.evaluate import SCORES, SEED
from oraledu.representations.models import pooled_states
from oraledu.representations.settings import LAYERS, preset

#: The lesson's own scores by one name, such as "noun clustering".
LOCAL = {" ".join(dict.fromkeys(name)): name for name in SCORES}
_states = functools.lru_cache(maxsize=1)(layer_states)


def axes(scale: str) -> dict[str, tuple]:
    """Return what is varied at a scale; tasks last, so that runs side by side are passes through different texts."""
    chosen = preset(scale)
    layers = max(LAYERS[model] for model in chosen.models)
    return {"model": chosen.models, "layer": tuple(range(layers)), "task": chosen.tasks or tuple(LOCAL)}


def exists(*, model: str, layer: int, **_: Any) -> bool:
    """Tell whether a model has a layer."""
    return layer < LAYERS[model]


def run(scale: str, *, model: str, layer: int, task: str, device: str, keep: Callable[..., Any]) -> dict:
    """Return the settings of a run and its score; `keep` is put around a pass of MTEB, which scores all layers."""
    texts = preset(scale).texts
    settings = f"texts {texts or 'all'}, seed {SEED}"
    if task not in LOCAL:
        return {"settings": settings, "score": keep(mteb_scores)(model, task, texts, device)[layer]}
    pooled = {name: each[layer : layer + 1] for name, each in _states(model).pooled.items()}
    return {"settings": settings, "score": float(SCORES[LOCAL[task]](pooled, wordnet()).score())}


def mteb_scores(model: str, task: str, texts: int | None, device: str) -> list[float]:
    """Score all layers of a model on a task of MTEB, whose files the user provides; on so many texts, or all."""
    drawn = torch.Generator().manual_seed(SEED)
    embed = functools.partial(pooled_states, model, device=device)
    return protocols.score(task, lambda rows: embed(rows)[0], generator=drawn, rows=texts).tolist()
