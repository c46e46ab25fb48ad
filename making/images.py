"""Make the embedded subsets from the original IDX files.

    python -m making.images FASHION_FOLDER MNIST_FOLDER

Each folder holds the four files of its set, plain or `.gz`. The first images of every class are taken, and the
classes dealt out in turn. The same input gives the same files, byte for byte, with one version of numpy and zlib.
"""

import io
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from oraledu.data.embedded import FOLDER
from oraledu.data.idx import find_idx, read_idx_pair
from oraledu.data.images import SPLITS, balanced_order
from oraledu.data.mnist_like import FASHION_MNIST, MNIST
from oraledu.data.store import store

#: Images of each split.
COUNTS = {"train": 2000, "test": 500}


def main(folders: list[str]) -> int:
    """Make both subsets in this package; return 2 if the two folders are not given."""
    if len(folders) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    make(Path(folders[0]), Path(folders[1]))
    return 0


def make(fashion: Path, mnist: Path, target: Path = FOLDER, counts: Mapping[str, int] = COUNTS) -> None:
    """Write both npz files and their checksums, or nothing if something is wrong with an original.

    The list keeps the checksums of other files.

    Args:
        fashion: The folder of Fashion-MNIST's IDX files.
        mnist: The folder of MNIST's.
        target: Where to write.
        counts: Images of each split, a multiple of the number of classes.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged, or a class has too few images.
    """
    files = {
        source.file: pack(folder, counts) for source, folder in ((FASHION_MNIST, fashion), (MNIST, mnist))
    }
    store(files, target)


def pack(folder: Path, counts: Mapping[str, int]) -> bytes:
    """Return the npz file of one data set: for each split its pixels, labels and places in the original.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged, or a class has too few images.
    """
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        paths = find_idx(folder, split)
        if paths is None:
            raise FileNotFoundError(f"{folder} has no IDX files of the {split} set")
        pixels, labels = read_idx_pair(*paths)
        chosen = balanced_order(labels)[: counts[split]]
        if np.ptp(np.bincount(labels[chosen], minlength=labels.max() + 1)) or len(chosen) < counts[split]:
            raise ValueError(f"{paths[1]} has too few images of a class for {counts[split]} balanced ones")
        arrays[f"{split}_pixels"] = pixels[chosen]
        arrays[f"{split}_labels"] = labels[chosen]
        arrays[f"{split}_indices"] = chosen.astype(np.uint16)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
