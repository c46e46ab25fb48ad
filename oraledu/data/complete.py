"""Find the complete data sets: in a folder of the user's, or through torchvision where it is installed."""

import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

VARIABLE = "ORALEDU_DATA"


def user_folder() -> Path | None:
    """Return the folder that `ORALEDU_DATA` names, or None where it is not set.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"{VARIABLE} is {named!r}, and there is no such folder")
    return folder


@dataclass(frozen=True)
class Need:
    """Something that a run reads and that is not embedded, and whether it is there."""

    name: str
    there: bool


def complete_images(name: str) -> Need:
    """Say whether the complete set of a loader of `oraledu.data` can be read, or fetched by torchvision."""
    from oraledu.data import cifar, idx, mnist_like

    base = user_folder()
    if name == "cifar10":
        title, here = "CIFAR-10", bool(base and (base / cifar.FOLDER).is_dir())
    else:
        source = {"fashion_mnist": mnist_like.FASHION_MNIST, "mnist": mnist_like.MNIST}[name]
        title = f"the complete {source.title}"
        here = bool(base and any(idx.find_idx(base / folder, "train") for folder in source.folders))
    return Need(title, here or importlib.util.find_spec("torchvision") is not None)


def through_torchvision(name: str, split: str, wanted: str) -> Any:
    """Return a data set of torchvision, fetched into the user's cache folder when it is first asked for.

    It is fetched into a folder that gets its name once it is whole, so an interrupted transfer leaves nothing.

    Args:
        name: Its class in `torchvision.datasets`.
        split: "train" or "test".
        wanted: What to put where instead, for the errors.

    Raises:
        FileNotFoundError: If torchvision is not installed, or cannot fetch the set.
    """
    try:
        datasets = importlib.import_module("torchvision.datasets")
    except ImportError:
        raise FileNotFoundError(f"{wanted}; or 'pip install torchvision', which fetches it") from None
    load = getattr(datasets, name)
    folder = Path(os.environ.get("ORALEDU_CACHE") or user_cache_path("oraledu", appauthor=False)) / "data"
    if not (folder / name).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as unfinished:
            try:
                load(Path(unfinished, name), download=True)
            except (OSError, RuntimeError) as error:
                raise FileNotFoundError(f"torchvision could not fetch {name} ({error}); {wanted}") from error
            Path(unfinished, name).rename(folder / name)
    return load(folder / name, train=split == "train")
