"""Hidden states of texts."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from oraledu.representations.models.capture import capture
from oraledu.representations.models.load import load


def hidden_states(
    name: str,
    texts: Sequence[str],
    *,
    batch_size: int = 16,
    max_tokens: int = 2048,
    device: torch.device | str = "cpu",
) -> list[Tensor]:
    """Return the states of every token of each text in every layer.

    Layer 0 is the embedding, layers 1 to L the residual stream after each block; a decoder's last layer is the
    state after the final norm, which transformers calls its last hidden state. SmolLM2 has 32 layers: 0, 1 to 30,
    and 31 after the norm; ``states[-2]`` is the residual that the norm is taken of. An encoder without a final
    norm ends with its last block: MiniLM has 7.

    A text begins with the first token of its tokenizer, BOS or CLS, put there where the tokenizer does not; a
    tokenizer that has none leaves it away. It is kept: `pool` drops it. Texts of a batch are padded on the right,
    and padding is masked and cut off, so a text's states do not depend on what it is batched with.

    Args:
        name: Of the model, as in `load`.
        texts: At least one; none blank.
        batch_size: How many texts at a time, longest first.
        max_tokens: A longer text is cut there.
        device: Where to compute; the states come back on the CPU.

    Returns:
        For each text (layers, T, D) float32, T with the first token.

    Raises:
        ValueError: If there is no text, one is blank, or a number is below 1.
        TypeError: If texts are one string.
        ImportError: If transformers is not installed.
        FileNotFoundError: If the model is not here and cannot be had.
    """
    _check(texts, batch_size, max_tokens)
    model = load(name)
    numbers = tokenize(model.reader, texts, max_tokens)
    order = sorted(range(len(texts)), key=lambda place: -len(numbers[place]))
    network = model.network.to(device)
    found: dict[int, Tensor] = {}
    for start in range(0, len(order), batch_size):
        places = order[start : start + batch_size]
        states = capture(network, **_padded([numbers[place] for place in places], device))
        for row, place in enumerate(places):
            found[place] = states[:, row, : len(numbers[place])].clone()
    return [found[place] for place in range(len(texts))]


def tokenize(tokenizer: Any, texts: Sequence[str], max_tokens: int = 2048) -> list[list[int]]:
    """Return the tokens of each text, the first one of the tokenizer before them.

    Raises:
        ValueError: If a text has no token.
    """
    first = tokenizer.cls_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    found = []
    for text in texts:
        numbers = tokenizer(text)["input_ids"]
        if first is not None and numbers[:1] != [first]:
            numbers = [first, *numbers]
        if not numbers:
            raise ValueError(f"texts must have tokens, but {text!r} has none: leave it out")
        found.append(numbers[:max_tokens])
    return found


def _padded(numbers: list[list[int]], device: torch.device | str) -> dict[str, Tensor]:
    """Return one batch, filled up on the right: what it is filled with is masked, so any token will do."""
    lengths = torch.tensor([len(each) for each in numbers])
    width = int(lengths.max())
    tokens = torch.tensor([[*each, *[0] * (width - len(each))] for each in numbers])
    mask = (torch.arange(width) < lengths[:, None]).long()
    return {"input_ids": tokens.to(device), "attention_mask": mask.to(device)}


def _check(texts: Sequence[str], batch_size: int, max_tokens: int) -> None:
    if isinstance(texts, str):
        raise TypeError("texts must be a list of strings, got one string: put it into a list")
    if not texts:
        raise ValueError("texts must hold at least one text, got none")
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"texts must be strings, got {type(text).__name__}")
        if not text.strip():
            raise ValueError("texts must not be blank, but one is: leave it out")
    if batch_size < 1 or max_tokens < 1:
        raise ValueError(f"batch_size and max_tokens must be at least 1, got {batch_size} and {max_tokens}")
