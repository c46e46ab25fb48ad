"""One of a topic's presets, by the name of its scale."""

from typing import TypeVar

P = TypeVar("P")


def pick(scale: str, **presets: P) -> P:
    """Return the preset of a scale.

    Raises:
        ValueError: If there is none of that name.
    """
    if scale not in presets:
        *names, last = (repr(name) for name in presets)
        raise ValueError(f"scale must be {', '.join(names)} or {last}, got {scale!r}")
    return presets[scale]
