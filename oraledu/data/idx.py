"""The IDX format of MNIST: four bytes that name type and dimensions, the sizes, then the bytes themselves."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

#: The first bytes of the names of the files of each split.
PREFIXES = {"train": "train", "test": "t10k"}
UNSIGNED_BYTES = 0x08


def find_idx(folder: Path, split: str) -> tuple[Path, Path] | None:
    """Return the files of a split in a folder, images and labels, or None if neither is there.

    They are `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or `t10k-…` for the test set, with or
    without `.gz`.

    Raises:
        FileNotFoundError: If only one of the two is there.
    """
    names = [f"{PREFIXES[split]}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")]
    found = [
        next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
        for name in names
    ]
    for name, path, other in zip(names, found, reversed(found), strict=True):
        if path is None and other is not None:
            raise FileNotFoundError(f"{other} needs {name} (or {name}.gz) beside it")
    images, labels = found
    return None if images is None or labels is None else (images, labels)


def read_idx_pair(images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the images (N, H, W) and the labels (N,) of a set, both uint8.

    Raises:
        ValueError: If a file is damaged, or they hold different numbers.
    """
    pixels, names = read_idx(images, 3), read_idx(labels, 1)
    if len(pixels) != len(names):
        raise ValueError(f"{images} has {len(pixels)} images, but {labels} has {len(names)} labels")
    return pixels, names


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read a file of unsigned bytes, unpacking it if its name ends in `.gz`.

    Args:
        path: The file.
        dimensions: How many dimensions it must have: 3 for images, 1 for labels.

    Returns:
        uint8 of the shape that the file states.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no IDX file of unsigned bytes with so many dimensions, or is cut short or damaged.
    """
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is damaged and cannot be unpacked ({error}): fetch it anew") from error
    magic = bytes([0, 0, UNSIGNED_BYTES, dimensions])
    if content[:4] != magic:
        raise ValueError(
            f"{path} is no IDX file of unsigned bytes with {dimensions} dimensions: it starts with "
            f"{content[:4].hex()}, not with {magic.hex()}"
        )
    start = 4 + 4 * dimensions
    sizes = [int(size) for size in np.frombuffer(content[4 : min(start, len(content) // 4 * 4)], ">u4")]
    if len(content) != start + math.prod(sizes):
        raise ValueError(
            f"{path} is cut short or damaged: it has {len(content)} bytes, and its sizes are {sizes}; fetch it anew"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(sizes)
