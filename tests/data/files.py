"""Small files in the formats that the loaders read."""

import gzip
import struct
import types
from pathlib import Path
from typing import Any

import numpy as np

NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def idx(values: np.ndarray) -> bytes:
    """Return an array of bytes in the IDX format."""
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def write_idx_pair(
    folder: Path, split: str, pixels: np.ndarray, labels: np.ndarray, *, packed: bool = False
) -> None:
    """Write images and labels under the names of MNIST's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in zip(NAMES[split], (pixels, labels), strict=True):
        content = idx(values.astype(np.uint8))
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


def digits(count: int, classes: int = 10, side: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return random images (count, side, side) and labels (count,) of classes in no order, both uint8."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % classes).astype(np.uint8)
    return random.integers(0, 256, (count, side, side), dtype=np.uint8), labels


class FakeTorchvision(types.ModuleType):
    """Stands for `torchvision.datasets`: every class hands out the same images, and calls are recorded."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        super().__init__("torchvision.datasets")
        self.pixels, self.labels = pixels, labels
        self.calls: list[tuple[str, Path, bool, bool]] = []
        self.fails: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def load(root: Path, train: bool = True, download: bool = False) -> types.SimpleNamespace:
            self.calls.append((name, root, train, download))
            if download:
                root.mkdir()
                (root / "raw").write_bytes(b"fetched")
                if self.fails:
                    raise self.fails
            assert (root / "raw").read_bytes() == b"fetched"
            return types.SimpleNamespace(data=self.pixels, targets=self.labels.tolist())

        return load
