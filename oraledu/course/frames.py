"""Drawn pictures, kept so that a position seen before comes back at once."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

KEPT_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Frame:
    """One drawn picture: PNG, alt text, and width and height on the page in CSS pixels."""

    png: bytes
    alt: str
    size: tuple[int, int]


class Frames:
    """The pictures drawn last, up to a number of bytes; the one unused for longest goes first."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._frames: OrderedDict[Hashable, Frame] = OrderedDict()

    def __len__(self) -> int:
        return len(self._frames)

    def get(self, key: Hashable) -> Frame | None:
        """Return the picture kept for `key`, if there is one."""
        if key in self._frames:
            self._frames.move_to_end(key)
        return self._frames.get(key)

    def put(self, key: Hashable, frame: Frame) -> None:
        """Keep a picture."""
        self._frames[key] = frame
        while sum(len(kept.png) for kept in self._frames.values()) > self._limit:
            self._frames.popitem(last=False)
