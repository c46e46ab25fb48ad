"""CIFAR-10, the paper's main data set: from its binary files, or through torchvision."""

from pathlib import Path

import numpy as np

from oraledu.data.complete import VARIABLE, through_torchvision, user_folder
from oraledu.data.images import Images, balanced_order, check_split, prepare

FOLDER = "cifar-10-batches-bin"
FILES = {"train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)), "test": ("test_batch.bin",)}
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
SIDE = 32
#: Images in each file.
RECORDS = 10_000


def cifar10(count: int | None = None, *, split: str = "train", pool: int = 1) -> Images:
    """Load small colour photographs (CIFAR-10, Krizhevsky 2009), 32 × 32, ten classes.

    Read from the binary version, a folder `cifar-10-batches-bin` in the one that the environment variable
    `ORALEDU_DATA` names; else torchvision fetches the set. The classes come in turn.

    Args:
        count: How many images: at most 50000 of "train" and 10000 of "test", all of them if left out.
        split: "train" or "test".
        pool: Average blocks of pool × pool pixels.

    Returns:
        `.pixels` (N, 3, 32 / pool, 32 / pool) float32 in [-1, 1], red, green and blue; `.labels`, `.classes`.

    Raises:
        ValueError: If an argument is out of range, or a file is damaged.
        FileNotFoundError: If a file is missing; it says what to put where.
    """
    check_split(split)
    base = user_folder()
    folder = base / FOLDER if base else None
    pixels, labels = _read(folder, split) if folder and folder.is_dir() else _fetch(split)
    order = balanced_order(labels)
    return prepare(pixels[order], labels[order], CLASSES, count=count, pool=pool)


def _read(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (N, 3, H, W) and labels (N,) of the binary files: one byte of label, then three planes."""
    records = np.concatenate([_records(folder / name) for name in FILES[split]])
    return records[:, 1:].reshape(-1, 3, SIDE, SIDE), records[:, 0]


def _records(path: Path) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: unpack the binary version of CIFAR-10 there")
    content = np.frombuffer(path.read_bytes(), np.uint8)
    width = 1 + 3 * SIDE * SIDE
    if content.size != RECORDS * width:
        raise ValueError(
            f"{path} is cut short or damaged: it has {content.size} bytes, not {RECORDS * width}; fetch it anew"
        )
    records = content.reshape(RECORDS, width)
    if records[:, 0].max() >= len(CLASSES):
        raise ValueError(f"{path} is damaged: it has a label above {len(CLASSES) - 1}; fetch it anew")
    return records


def _fetch(split: str) -> tuple[np.ndarray, np.ndarray]:
    wanted = (
        f"CIFAR-10 is not here: unpack its binary version, a folder {FOLDER}, and set {VARIABLE} to the folder "
        "that holds it"
    )
    found = through_torchvision("CIFAR10", split, wanted)
    return np.asarray(found.data).transpose(0, 3, 1, 2), np.asarray(found.targets, dtype=np.uint8)
