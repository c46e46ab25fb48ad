"""One vector a text: the mean of its tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor


def pool(states: Sequence[Tensor], *, first_token: bool = False, tokens: Sequence[str] = ()) -> Tensor:
    """Return the mean token of each text in each layer, or the mean patch of each image.

    Args:
        states: For each text (layers, T, D), as `hidden_states` gives them.
        first_token: Keep the first token. It is left out by default: in a decoder it can be a hundred times as
            long as the others, and the mean would be of it alone. A text that is one token keeps it.
        tokens: What the T tokens of an image are, as `image_states` gives it: the patches alone are averaged.

    Returns:
        (layers, n, D) float32.

    Raises:
        ValueError: If there is no text.
    """
    if not states:
        raise ValueError("states must hold at least one text, got none")
    if tokens:
        patches = torch.tensor([token == "patch" for token in tokens])
        return torch.stack([each[:, patches].mean(dim=1) for each in states], dim=1)
    skipped = [0 if first_token or each.shape[1] == 1 else 1 for each in states]
    return torch.stack(
        [each[:, skip:].mean(dim=1) for each, skip in zip(states, skipped, strict=True)], dim=1
    )
