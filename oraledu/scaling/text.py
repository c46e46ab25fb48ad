"""The text that the transformers read: a novel, as a row of character numbers."""

import functools
import lzma
import re
from pathlib import Path

import torch
from torch import Tensor

from oraledu.data.embedded import DOCTOR

FILE = Path(__file__).parents[1] / "data" / "emma.txt.xz"
#: What is left of the text; every other character counts as a space, and spaces in a row as one.
ALPHABET = " abcdefghijklmnopqrstuvwxyz.,;:'\"!?-"
#: The share at the end that is kept for testing.
TEST_SHARE = 0.1


@functools.lru_cache(maxsize=1)
def novel() -> Tensor:
    """Return Jane Austen's "Emma" (1815) in lower case, as places in `ALPHABET`: (characters,) int64.

    It is read once in a process; do not change it.

    Raises:
        FileNotFoundError: If the embedded file is missing.
        ValueError: If it is damaged.
    """
    try:
        text = lzma.decompress(FILE.read_bytes()).decode().lower()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{FILE} is missing{DOCTOR}") from error
    except (lzma.LZMAError, UnicodeDecodeError) as error:
        raise ValueError(f"{FILE} is damaged{DOCTOR}") from error
    text = re.sub(f"[^{re.escape(ALPHABET)}]+", " ", text)
    places = {character: place for place, character in enumerate(ALPHABET)}
    return torch.tensor([places[character] for character in re.sub(" +", " ", text)])


def split() -> tuple[Tensor, Tensor]:
    """Return the characters to train on and those to test on, each (characters,) int64."""
    characters = novel()
    border = round(len(characters) * (1 - TEST_SHARE))
    return characters[:border], characters[border:]
