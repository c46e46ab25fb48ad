"""Noise on a text: a second view of it that a reader would still take for the same (paper, appendix D).

Three kinds of typing errors one after the other, as in the authors' code: a word split in two, a character
inserted, replaced, swapped or dropped, and a character replaced by a neighbour on the keyboard.
"""

import random
import string
from collections.abc import Callable

import torch

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    """Return for each letter those beside it, above and below on a staggered QWERTY keyboard."""
    place = {key: (row, column) for row, keys in enumerate(ROWS) for column, key in enumerate(keys)}

    def touch(a: tuple[int, int], b: tuple[int, int]) -> bool:
        down, right = b[0] - a[0], b[1] - a[1]
        return (down, right) in {(0, 1), (0, -1), (1, 0), (1, -1), (-1, 0), (-1, 1)}

    return {key: "".join(other for other in place if touch(place[key], place[other])) for key in place}


NEIGHBOURS = _neighbours()


def augment(text: str, *, generator: torch.Generator, probability: float = 0.3) -> str:
    """Return a text with typing errors: words split, characters changed, keys missed.

    Each of the three kinds touches each word with the given probability, once. Words stay in their order; runs of
    white space become one space. A short text can come back unchanged.

    Args:
        text: What to change; not blank.
        generator: The source of randomness: one in the same state gives the same text, everywhere.
        probability: The chance that one kind of error meets one word, in [0, 1]; the paper's 0.3 if left out.

    Returns:
        The noisy text.

    Raises:
        ValueError: If the text is blank or the probability outside [0, 1].
        TypeError: If ``text`` is no string.
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be one string, got {type(text).__name__}; call augment on each of many")
    if not text.strip():
        raise ValueError("text must hold at least one word, got a blank one: leave it out")
    if not 0 <= probability <= 1:
        raise ValueError(f"probability must lie in [0, 1], got {probability}")
    seed = torch.randint(2**62, (), generator=generator, device=generator.device).item()
    # Python promises that random() gives the same numbers for a seed in every version.
    draw = random.Random(seed).random
    for error in (_split, _change, _miss_key):
        text = " ".join(error(word, draw) if draw() < probability else word for word in text.split())
    return text


Draw = Callable[[], float]


def _split(word: str, draw: Draw) -> str:
    """Put a space somewhere inside a word."""
    if len(word) < 2:
        return word
    place = 1 + _below(len(word) - 1, draw)
    return f"{word[:place]} {word[place:]}"


def _change(word: str, draw: Draw) -> str:
    """Insert, replace, swap or drop one character of a word; a word of one character is not emptied."""
    place, letter = _below(len(word), draw), string.ascii_lowercase[_below(26, draw)]
    before, here, after = word[:place], word[place], word[place + 1 :]
    edit = _below(4, draw)
    if edit == 0:
        return before + letter + here + after
    if edit == 1:
        return before + letter + after
    if edit == 2:
        return before + after[:1] + here + after[1:]
    return (before + after) or word


def _miss_key(word: str, draw: Draw) -> str:
    """Replace one character by a neighbour of its key, in its case; what is no letter of a key stays."""
    place = _below(len(word), draw)
    keys = NEIGHBOURS.get(word[place].lower())
    if keys is None:
        return word
    key = keys[_below(len(keys), draw)]
    return word[:place] + (key.upper() if word[place].isupper() else key) + word[place + 1 :]


def _below(count: int, draw: Draw) -> int:
    """Return a random integer from 0 to count - 1."""
    return int(count * draw())
