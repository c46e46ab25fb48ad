"""What the page's script does with a sprite, in Python."""

import base64
import io
import json
import re
import zlib
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def index_of(script: str) -> dict[str, Any]:
    """Return what the script beside a sprite holds."""
    (packed,) = re.fullmatch(r'oraledu\.frames\("\w+", "(.+)"\);\n', script).groups()
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def frames_of(sprite: bytes, index: dict[str, Any]) -> list[NDArray[np.uint8]]:
    """Return every frame in a sprite: (height, width, 3)."""
    sheet = np.asarray(Image.open(io.BytesIO(sprite)).convert("RGB"))
    side, width, height = index["tile"], index["width"], index["height"]
    across, made, numbers = -(-width // side), [], np.cumsum(index["tiles"], axis=0)
    for frame in numbers:
        whole = np.zeros((-(-height // side) * side, across * side, 3), np.uint8)
        for place, number in enumerate(frame):
            (row, column), (y, x) = divmod(int(number), index["columns"]), divmod(place, across)
            tile = sheet[row * side : (row + 1) * side, column * side : (column + 1) * side]
            whole[y * side : (y + 1) * side, x * side : (x + 1) * side] = tile
        made.append(whole[:height, :width])
    return made


def differing(frames: list[NDArray[np.uint8]]) -> int:
    """Return how many frames differ from the one before."""
    return sum(bool((one != other).any()) for one, other in pairwise(frames))
