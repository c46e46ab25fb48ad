"""Texts of WordNet 3.0 that make four tasks: two classifications, similarity of pairs, and retrieval."""

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from oraledu.data.embedded import FOLDER, read_checked

FILE = "wordnet.json.xz"
#: The text sets of which a model's pooled states are embedded.
SETS = ("noun", "verb", "pairs_a", "pairs_b", "examples", "glosses")


@dataclass(frozen=True, eq=False)
class TextSets:
    """Definitions and example sentences of WordNet; no text is in two sets.

    Attributes:
        texts: By set: ``"noun"`` and ``"verb"`` definitions to classify, ``"pairs_a"`` and ``"pairs_b"``
            definitions of two nouns, ``"examples"`` sentences with a word, ``"glosses"`` that word's definition.
        labels: For ``"noun"`` and ``"verb"`` the class of each text, a name.
        classes: Their names, sorted.
        similarity: (pairs,) float64 in (0, 1], Wu and Palmer's similarity of the two nouns of each pair.
        prompts: Definitions a little longer, for what is asked token by token.
    """

    texts: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, tuple[str, ...]]
    classes: Mapping[str, tuple[str, ...]]
    similarity: Tensor
    prompts: tuple[str, ...]


def wordnet(folder: Path = FOLDER) -> TextSets:
    """Read the embedded texts.

    Raises:
        FileNotFoundError: If the file or its checksum is missing.
        ValueError: If the file is damaged.
    """
    content = json.loads(lzma.decompress(read_checked(FILE, folder)))
    labels = {name: tuple(content["labels"][name]) for name in ("noun", "verb")}
    return TextSets(
        texts={name: tuple(content["texts"][name]) for name in SETS},
        labels=labels,
        classes={name: tuple(sorted(set(each))) for name, each in labels.items()},
        similarity=torch.tensor(content["similarity"], dtype=torch.float64),
        prompts=tuple(content["prompts"]),
    )
