"""Hidden states of texts."""

import functools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from oraledu.representations.models.capture import capture
from oraledu.representations.models.load import Model, load
from oraledu.representations.models.tokens import most_tokens, tokenize

#: By how much of its length a state may move with its batch: rounding moves it by 1e-5, a model that mixes by 0.04.
TOLERANCE = 1e-3


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
    norm ends with its last block: MiniLM has 7. `MODELS.md` lists what was tried.

    A text begins with the first token of its tokenizer, BOS or CLS; BOS is put there where the tokenizer adds
    nothing, and a tokenizer that has none leaves it away. It is kept: `pool` drops it. Texts of a batch are padded
    on the right, and padding is masked and cut off. A model whose states move with their batch all the same, which
    is tried once, reads one text at a time.

    Args:
        name: Of the model, as in `load`.
        texts: At least one; none blank.
        batch_size: How many texts at a time, longest first.
        max_tokens: A longer text is cut there, and where the model's positions end.
        device: Where to compute; the states come back on the CPU.

    Returns:
        For each text (layers, T, D) float32, T with the first token.

    Raises:
        ValueError: If there is no text, one is blank, a number is below 1, or the model is of another kind.
        TypeError: If texts are one string.
        ImportError: If transformers is not installed.
        FileNotFoundError: If the model is not here and cannot be had.
    """
    streamed = stream(name, texts, batch_size=batch_size, max_tokens=max_tokens, device=device)
    found = {place: states.clone() for place, states in streamed}
    return [found[place] for place in range(len(texts))]


def stream(
    name: str,
    texts: Sequence[str],
    *,
    batch_size: int | None = None,
    batch_tokens: int | None = None,
    max_tokens: int = 2048,
    device: torch.device | str = "cpu",
) -> Iterator[tuple[int, Tensor]]:
    """Yield what `hidden_states` returns text by text, longest first: the place of each text, and its states.

    Only one batch is in memory at a time; what is yielded is a view of it.

    Args:
        name: Of the model, as in `load`.
        texts: As for `hidden_states`, and so errors.
        batch_size: At most so many texts at a time.
        batch_tokens: At most so many tokens at a time, padding included; a longer text goes alone.
        max_tokens: As for `hidden_states`.
        device: Where to compute; the states come back on the CPU.
    """
    _check(texts, 1 if batch_size is None else batch_size, max_tokens)
    model = load(name)
    network = model.network.to(device)
    numbers = tokenize(model.reader, texts, min(max_tokens, most_tokens(network, model.reader)))
    order = sorted(range(len(texts)), key=lambda place: -len(numbers[place]))
    most = batch_size or len(order)
    together = _may_be_batched(model, device)
    while order:
        fitting = most if batch_tokens is None else min(most, batch_tokens // len(numbers[order[0]]))
        size = max(1, fitting) if together else 1  # a text of more tokens goes alone
        places, order = order[:size], order[size:]
        states = capture(network, **_padded([numbers[place] for place in places], device))
        for row, place in enumerate(places):
            yield place, states[:, row, : len(numbers[place])]


@functools.lru_cache(maxsize=1)
def _may_be_batched(model: Model, device: torch.device | str) -> bool:
    """Say whether a text's states stay the same beside a longer one: some models mix in what a batch is filled with."""
    most = most_tokens(model.network, model.reader)
    numbers = tokenize(model.reader, ["a bird sings in the tree far away", "a bird sings"], most)
    alone = capture(model.network, **_padded(numbers[1:], device))[:, 0]
    apart = capture(model.network, **_padded(numbers, device))[:, 1, : len(numbers[1])] - alone
    return bool((apart.norm(dim=-1) <= TOLERANCE * alone.norm(dim=-1)).all())


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
