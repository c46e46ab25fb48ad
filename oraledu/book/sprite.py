"""Many pictures that differ in places, in one: equal tiles are kept once.

The frames of an explorer share their axes and words, and a control often moves one panel only. Cut into tiles, all
the frames together take about as much room as a few of them, without loss.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TILE = 32  # pixels; half of it makes the table of tiles the larger part, twice as much repeats the unchanged
#: A browser unpacks four bytes a pixel: 25 million pixels are 100 MB.
MOST_TILES = 25_000
WHITE = 255


@dataclass
class Sprite:
    """Pictures as they come in, cut into tiles.

    Attributes:
        levels: To how many levels of each colour the pictures are rounded; 256 leaves them as they are.
    """

    levels: int = 256
    _known: dict[bytes, int] = field(default_factory=dict)
    _frames: list[NDArray[np.int64]] = field(default_factory=list)
    _size: tuple[int, int] = (0, 0)
    _last: NDArray[np.uint8] | None = None

    def add(self, png: bytes) -> None:
        """Take in one more picture.

        Raises:
            ValueError: It has another size than the first.
        """
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        if self._frames and picture.size != self._size:
            raise ValueError(f"a frame has {picture.size} pixels; the first has {self._size}.")
        cut = _cut(self._rounded(np.asarray(picture)))  # (rows, columns, TILE, TILE, 3)
        numbers = self._frames[-1].copy() if self._frames else np.empty(cut.shape[:2], int)
        changed = (cut != self._last).any(axis=(2, 3, 4)) if self._frames else np.ones(cut.shape[:2], bool)
        for row, column in np.argwhere(changed):
            tile = cut[row, column].tobytes()
            numbers[row, column] = self._known.setdefault(tile, len(self._known))
        self._frames.append(numbers)
        self._size, self._last = picture.size, cut

    def packed(self) -> tuple[bytes, dict[str, object]]:
        """Return all tiles as one WebP picture, and how the frames lie in it.

        The second has the side of a tile, the tiles in a row of the sprite, width and height of a frame in pixels, and
        `tiles`: for each frame the numbers of its tiles, row by row, less those of the frame before.
        """
        # Tiles that take each other's place lie side by side: they are alike, and pack well.
        frames = np.stack(self._frames)  # (frames, rows, columns)
        order = dict.fromkeys(frames.transpose(1, 2, 0).ravel().tolist())
        place = np.empty(len(order), int)
        place[list(order)] = np.arange(len(order))
        columns = int(np.ceil(np.sqrt(len(order))))
        rows = -(-len(order) // columns)
        sheet = np.full((rows * columns, TILE, TILE, 3), WHITE, np.uint8)
        tiles = list(self._known)
        for number, tile in enumerate(order):
            sheet[number] = np.frombuffer(tiles[tile], np.uint8).reshape(TILE, TILE, 3)
        pixels = sheet.reshape(rows, columns, TILE, TILE, 3).swapaxes(1, 2)
        file = io.BytesIO()
        whole = Image.fromarray(pixels.reshape(rows * TILE, columns * TILE, 3))
        whole.save(file, format="webp", lossless=True, quality=75, method=4)
        changes = np.diff(place[frames].reshape(len(frames), -1), axis=0, prepend=0)
        width, height = self._size
        return file.getvalue(), {
            "tile": TILE,
            "columns": columns,
            "width": width,
            "height": height,
            "tiles": changes.tolist(),
        }

    def __len__(self) -> int:
        return len(self._known)

    def _rounded(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.levels == 256:
            return pixels
        step = 255 / (self.levels - 1)
        table: NDArray[np.uint8] = np.round(np.round(np.arange(256) / step) * step).astype(np.uint8)
        return table[pixels]


def text(values: object) -> str:
    """Return values as a short text: JSON, deflated, base64. A browser unpacks it without a library."""
    plain = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.b64encode(zlib.compress(plain, 9)).decode()


def _cut(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut a picture (H, W, 3) into tiles (rows, columns, TILE, TILE, 3), white beyond its right and lower edge."""
    rows, columns = (-(-side // TILE) for side in pixels.shape[:2])
    whole = np.full((rows * TILE, columns * TILE, 3), WHITE, np.uint8)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    return whole.reshape(rows, TILE, columns, TILE, 3).swapaxes(1, 2)
