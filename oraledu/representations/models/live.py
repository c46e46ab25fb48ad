"""The states that a lesson reads: the embedded ones, or those of the model itself, in the same form."""

import os
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from oraledu.data import layer_states
from oraledu.data.layer_states import LayerStates
from oraledu.data.texts import SETS, TextSets, wordnet
from oraledu.keep import NOWHERE, Keep
from oraledu.representations.augment import augment
from oraledu.representations.gram import gram
from oraledu.representations.models.pooling import pool
from oraledu.representations.models.text import hidden_states, stream

VARIABLE = "ORALEDU_MODEL"
#: Noisy copies of each prompt.
VIEWS = 5
VIEW_SEED = 0
#: Tokens whose states are in memory at one time; texts that are sorted by length, and kept, together.
_TOKENS, _CHUNK = 4096, 256


def is_live() -> bool:
    """Say whether the environment variable `ORALEDU_MODEL` asks for the model itself.

    Raises:
        ValueError: If it has a value that means nothing.
    """
    asked = os.environ.get(VARIABLE, "embedded")
    if asked not in ("embedded", "live"):
        raise ValueError(f"{VARIABLE} is {asked!r}; set it to live or embedded, or leave it away")
    return asked == "live"


def states(
    name: str,
    texts: TextSets | None = None,
    *,
    prompts: Sequence[str] = (),
    device: torch.device | str = "cpu",
) -> LayerStates:
    """Return what a lesson reads of a model: embedded, or with `ORALEDU_MODEL=live` of the model itself.

    Args:
        name: ``"smollm2-135m"`` or ``"minilm-l6"``; live any model of `load`.
        texts: The texts of all tasks, those of `wordnet` if left out; others need the live model.
        prompts: Sentences of your own, in place of the prompts; they need the live model.
        device: Where the live model computes; its states come back on the CPU.

    Raises:
        ValueError: If there are no embedded states of this name or of such texts.
        FileNotFoundError: If a file is missing, or the live model has not been fetched.
        ImportError: If the live model needs transformers, which is not installed.
    """
    if is_live():
        texts = texts or wordnet()
        return compute(name, replace(texts, prompts=tuple(prompts)) if prompts else texts, device=device)
    if texts is not None or prompts:
        raise ValueError(
            f"texts and prompts of your own need the model itself: 'oraledu fetch {name}', then {VARIABLE}=live"
        )
    return layer_states(name)


def compute(name: str, texts: TextSets, *, device: torch.device | str = "cpu") -> LayerStates:
    """Run a model on the texts of a lesson: for SmolLM2 about a minute and a half on one core."""
    prompts = hidden_states(name, texts.prompts, device=device)
    copies = [view for each in noisy(texts.prompts) for view in each]
    views = pooled_states(name, copies, device=device)[0]
    pooled = {key: pooled_states(name, texts.texts[key], device=device) for key in SETS}
    return LayerStates(
        name=name,
        prompts=texts.prompts,
        grams=tuple(gram(each) for each in prompts),
        pooled={key: without for key, (without, _) in pooled.items()},
        with_first={key: with_first for key, (_, with_first) in pooled.items()},
        views=views.unflatten(1, (len(texts.prompts), VIEWS)),
    )


def pooled_states(
    name: str, texts: Sequence[str], *, device: torch.device | str = "cpu", keep: Keep = NOWHERE
) -> tuple[Tensor, Tensor]:
    """Return the pooled states of many texts, without and with the first token: twice (layers, n, D).

    The states of single tokens are in memory for one batch of `_TOKENS` alone, however many texts there are.
    """
    parts = []
    for start in range(0, len(texts), _CHUNK):
        here = keep.part(str(start))
        if (kept := here.load()) is None:
            kept = {"pooled": _pooled(name, texts[start : start + _CHUNK], device)}
            here.save(kept)
        parts.append(kept["pooled"])
        keep.due(start + _CHUNK, len(texts))
    without, with_first = torch.cat(parts, dim=2)
    return without, with_first


def _pooled(name: str, texts: Sequence[str], device: torch.device | str) -> Tensor:
    """Return the pooled states of some texts, without and with the first token: (2, layers, n, D)."""
    found: dict[int, Tensor] = {}
    for place, states in stream(name, texts, batch_tokens=_TOKENS, device=device):
        found[place] = torch.stack([pool([states], first_token=first)[:, 0] for first in (False, True)])
    return torch.stack([found[place] for place in range(len(texts))], dim=2)


def noisy(prompts: tuple[str, ...]) -> list[list[str]]:
    """Return the noisy copies of each prompt: the same ones everywhere."""
    generator = torch.Generator().manual_seed(VIEW_SEED)
    return [[augment(prompt, generator=generator) for _ in range(VIEWS)] for prompt in prompts]
