"""From texts to the numbers of their tokens."""

from collections.abc import Sequence
from typing import Any

from torch import nn


def tokenize(tokenizer: Any, texts: Sequence[str], max_tokens: int = 2048) -> list[list[int]]:
    """Return the tokens of each text, with the special ones of its tokenizer, also where a text is cut.

    A tokenizer that adds none gets its BOS in front, if it has one.

    Raises:
        ValueError: If a text has no token.
    """
    probe, bare = (tokenizer("a", add_special_tokens=add)["input_ids"] for add in (True, False))
    fits = [place for place in range(len(probe)) if probe[place : place + len(bare)] == bare]
    back = len(probe) - len(bare) - min(fits, default=0)  # how many special tokens stand behind a text
    start = tokenizer.cls_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    found = []
    for text in texts:
        numbers = tokenizer(text, verbose=False)["input_ids"]
        if probe == bare and start is not None and numbers[:1] != [start]:
            numbers = [start, *numbers]
        if not numbers:
            raise ValueError(f"texts must have tokens, but {text!r} has none: leave it out")
        if (over := len(numbers) - max_tokens) > 0:
            end = len(numbers) - back
            numbers = [*numbers[: max(end - over, 0)], *numbers[end:]][:max_tokens]
        found.append(numbers)
    return found


def most_tokens(network: nn.Module, tokenizer: Any) -> int:
    """Return how many tokens a text may have: RoBERTa's positions begin after its pad's."""
    config: Any = network.config
    limits = [getattr(config.get_text_config(), "max_position_embeddings", None), tokenizer.model_max_length]
    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and hasattr(module, "padding_idx"):
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            limits.append(len(module.weight) - first)
    return int(min(limit for limit in limits if limit is not None and limit > 0))
