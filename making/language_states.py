"""Make the embedded states of the two language models anew; about two minutes on one core.

    oraledu fetch smollm2-135m
    oraledu fetch minilm-l6
    python -m making.language_states

One torch thread. With the same version of torch, on the same kind of processor, the files come out byte for byte.
"""

import torch
from torch import Tensor

from oraledu.data.layer_pack import pack
from oraledu.data.layer_states import FILES, LayerStates
from oraledu.data.store import store
from oraledu.data.texts import SETS, TextSets, wordnet
from oraledu.representations.models.live import compute
from oraledu.representations.models.load import load
from oraledu.representations.models.text import tokenize

#: How exact the pooled states are kept: the noise of `codec.encode`.
NOISE = {"smollm2-135m": 0.02, "minilm-l6": 0.06}
#: By how much finer or coarser than that. What is asked of few texts, or of small directions, needs more.
FINENESS = {
    "smollm2-135m": {
        "noun": 1.3,
        "verb": 4,
        "pairs_a": 0.5,
        "pairs_b": 0.5,
        "examples": 0.65,
        "glosses": 0.65,
    },
    "minilm-l6": {},
}


def main() -> None:
    """Run both models on the texts of the lesson."""
    torch.set_num_threads(1)
    texts = wordnet()
    store({file: packed(compute(name, texts), texts) for name, file in FILES.items()})


def packed(states: LayerStates, texts: TextSets) -> bytes:
    """Return the file of a model's states."""
    return pack(states, lengths(states.name, texts), noise=NOISE[states.name], fineness=FINENESS[states.name])


def lengths(name: str, texts: TextSets) -> dict[str, Tensor]:
    """Return how many tokens each text has, the first one among them."""
    reader = load(name).reader
    return {key: torch.tensor([len(each) for each in tokenize(reader, texts.texts[key])]) for key in SETS}


if __name__ == "__main__":
    main()
