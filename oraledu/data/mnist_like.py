"""Fashion-MNIST and MNIST: the embedded subsets, and the complete sets where they are wanted."""

from dataclasses import dataclass

import numpy as np

from oraledu.data.complete import VARIABLE, through_torchvision, user_folder
from oraledu.data.embedded import Subset, read_subset
from oraledu.data.idx import PREFIXES, find_idx, read_idx_pair
from oraledu.data.images import Images, balanced_order, check_split, prepare


@dataclass(frozen=True)
class Source:
    """A data set in the files of MNIST.

    Attributes:
        title: What it is called.
        file: Name of the embedded subset.
        folders: Where its IDX files may lie below the user's folder: its own, torchvision's, or that folder itself.
        torchvision: Name of its class in torchvision.
        classes: Names of the labels 0 to 9.
    """

    title: str
    file: str
    folders: tuple[str, ...]
    torchvision: str
    classes: tuple[str, ...]


FASHION_MNIST = Source(
    title="Fashion-MNIST",
    file="fashion_mnist.npz",
    folders=("fashion-mnist", "FashionMNIST/raw", "."),
    torchvision="FashionMNIST",
    classes=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
)
MNIST = Source(
    title="MNIST",
    file="mnist.npz",
    folders=("mnist", "MNIST/raw", "."),
    torchvision="MNIST",
    classes=tuple("0123456789"),
)


def fashion_mnist(
    count: int | None = None, *, split: str = "train", pool: int = 1, complete: bool = False
) -> Images:
    """Load images of clothes (Fashion-MNIST, Xiao, Rasul and Vollgraf 2017), 28 × 28, ten classes.

    The classes come in turn, so the first n images have equally many of each if n is a multiple of ten.

    Args:
        count: How many images: at most 2000 of "train" and 500 of "test", all of them if left out.
        split: "train" or "test".
        pool: Average blocks of pool × pool pixels: 2 gives 14 × 14 images.
        complete: Use the complete set, 60000 and 10000 images. Its IDX files are read from the folder that the
            environment variable `ORALEDU_DATA` names, else torchvision fetches them. It starts with the
            images of the embedded subset, in the same order.

    Returns:
        `.pixels` (N, 1, 28 / pool, 28 / pool) float32 in [-1, 1], `.labels` (N,) int64, `.classes`.

    Raises:
        ValueError: If an argument is out of range, or a file is damaged or of another data set.
        FileNotFoundError: If a file is missing; it says what to put where.
    """
    return _load(FASHION_MNIST, count, split, pool, complete)


def mnist(count: int | None = None, *, split: str = "train", pool: int = 1, complete: bool = False) -> Images:
    """Load images of handwritten digits (MNIST, LeCun, Cortes and Burges), 28 × 28, ten classes.

    Arguments, result and errors are those of `fashion_mnist`. The classes of the complete set differ in size: its
    first 54210 training images and its first 8920 test images are balanced.
    """
    return _load(MNIST, count, split, pool, complete)


def _load(source: Source, count: int | None, split: str, pool: int, complete: bool) -> Images:
    check_split(split)
    subset = read_subset(source.file, split)
    if complete:
        pixels, labels = _complete(source, split, subset)
    elif count is not None and count > len(subset.labels):
        raise ValueError(
            f"count must be at most {len(subset.labels)}, the embedded {split} images, got {count}; "
            "complete=True gives the complete set"
        )
    else:
        pixels, labels = subset.pixels, subset.labels
    return prepare(pixels[:, None], labels, source.classes, count=count, pool=pool)


def _complete(source: Source, split: str, subset: Subset) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (N, H, W) and labels (N,) of a complete set, which must begin with the subset's images."""
    base = user_folder()
    pairs = (find_idx(base / folder, split) for folder in source.folders) if base else iter(())
    if paths := next(filter(None, pairs), None):
        pixels, labels = read_idx_pair(*paths)
        origin = str(paths[0])
    else:
        found = through_torchvision(source.torchvision, split, _wanted(source, split))
        pixels, labels = np.asarray(found.data), np.asarray(found.targets, dtype=np.uint8)
        origin = f"torchvision's {source.torchvision}"
    order = balanced_order(labels)
    first = order[: len(subset.labels)]
    if not np.array_equal(pixels[first], subset.pixels):
        raise ValueError(f"{origin} is not the {split} set of {source.title}: its images are others")
    return pixels[order], labels[order]


def _wanted(source: Source, split: str) -> str:
    images, labels = (f"{PREFIXES[split]}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
    return (
        f"the complete {source.title} is not here: put {images} and {labels} (or the same with .gz) into a folder "
        f"{source.folders[0]}, and set {VARIABLE} to the folder that holds it"
    )
