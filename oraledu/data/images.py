"""What every loader returns, in the form that the diffusion machines take, and the one order of all sets."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Images:
    """Images with their labels.

    Attributes:
        pixels: (N, C, H, W) float32 in [-1, 1]; -1 is black.
        labels: (N,) int64, places in `classes`.
        classes: The names of the classes.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def prepare(
    raw: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], *, count: int | None, pool: int
) -> Images:
    """Take the first images, average them in blocks, and scale 0…255 to [-1, 1].

    Args:
        raw: (N, C, H, W) uint8.
        labels: (N,) whole numbers from 0 up.
        classes: One name for each label.
        count: How many images; all if None.
        pool: Side of the square blocks, a divisor of H and W; 1 leaves the images as they are.

    Raises:
        ValueError: If count or pool is out of range.
    """
    if count is None:
        count = len(raw)
    if not 1 <= count <= len(raw):
        raise ValueError(f"count must lie between 1 and the {len(raw)} images there are, got {count}")
    height, width = raw.shape[2:]
    if pool < 1 or height % pool or width % pool:
        raise ValueError(f"pool must divide the image's {height} × {width} pixels (1, 2, …), got {pool}")
    pixels = torch.from_numpy(raw[:count].astype(np.float32))
    pixels = avg_pool2d(pixels, pool) / 127.5 - 1
    return Images(pixels, torch.from_numpy(labels[:count].astype(np.int64)), classes)


def balanced_order(labels: np.ndarray) -> np.ndarray:
    """Return the order that deals the classes out in turn: (N,) int64, a permutation.

    The first image of every class in the order of the labels, then every class's second image, and so on. With
    C classes of equal size every prefix of a multiple of C images has equally many of each; a class that runs
    out is passed over.
    """
    rank = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank[members] = np.arange(len(members))
    return np.lexsort((labels, rank))


def check_split(split: str) -> None:
    """Raise a ValueError unless `split` is "train" or "test"."""
    if split not in SPLITS:
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
