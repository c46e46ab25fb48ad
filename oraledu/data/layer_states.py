"""States of every layer of a language model on the texts of `wordnet`."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

#: Models whose states are embedded, and their files.
FILES = {"smollm2-135m": "states_smollm2.npz.xz", "minilm-l6": "states_minilm.npz.xz"}


@dataclass(frozen=True, eq=False)
class LayerStates:
    """What a lesson reads of a model, layer by layer; layer 0 is the embedding.

    Attributes:
        name: Of the model.
        prompts: Texts that are looked at token by token.
        grams: For each prompt (layers, T, T) float32, the Gram matrices of its tokens, the first token among them.
        pooled: By text set (layers, n, D) float32, the mean of each text's tokens without the first one.
        with_first: By text set the same with the first token. Embedded for SmolLM2 alone.
        views: (layers, prompts, q, d) float32, q noisy copies of each prompt, pooled without the first token.
            Embedded ones are in coordinates of their own span, so d = prompts · q: their products, not their
            coordinates, are the model's.
    """

    name: str
    prompts: tuple[str, ...]
    grams: tuple[Tensor, ...]
    pooled: Mapping[str, Tensor]
    with_first: Mapping[str, Tensor]
    views: Tensor

    @property
    def layers(self) -> int:
        """How many layers there are: 32 in SmolLM2, 7 in MiniLM."""
        return len(self.views)
