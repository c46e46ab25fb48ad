"""The data sets that lie in this package: one file each, compared with its checksum before it is read."""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
#: Lines "digest  name", as `sha256sum` writes them.
CHECKSUMS = "SHA256SUMS"
CURE = "install oraledu anew"
DOCTOR = "; 'oraledu doctor' says what to do"


@dataclass(frozen=True)
class Subset:
    """Images of one split, as they lie in the file.

    Attributes:
        pixels: (N, H, W) uint8.
        labels: (N,) uint8.
        indices: (N,) uint16, the image's place in the complete set.
    """

    pixels: np.ndarray
    labels: np.ndarray
    indices: np.ndarray


def read_subset(file: str, split: str, folder: Path = FOLDER) -> Subset:
    """Read one split of an embedded set of images.

    Args:
        file: Name of the npz file, such as `mnist.npz`.
        split: "train" or "test".
        folder: Where it lies, beside `SHA256SUMS`.

    Raises:
        FileNotFoundError: If the file or its checksum is missing.
        ValueError: If the file is damaged.
    """
    with np.load(io.BytesIO(read_checked(file, folder)), allow_pickle=False) as arrays:
        return Subset(*(arrays[f"{split}_{part}"] for part in ("pixels", "labels", "indices")))


def read_checked(file: str, folder: Path = FOLDER) -> bytes:
    """Return the content of an embedded file, once its checksum has been compared.

    Raises:
        FileNotFoundError: If the file or the list of checksums is missing.
        ValueError: If the file is damaged, or has no checksum.
    """
    path = folder / file
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing{DOCTOR}")
    content = path.read_bytes()
    if path.suffix == ".json":  # git may have given a text the line ends of Windows
        content = content.replace(b"\r\n", b"\n")
    if read_checksums(folder).get(file) != hashlib.sha256(content).hexdigest():
        raise ValueError(f"{path} is damaged: its checksum is not that of {CHECKSUMS}{DOCTOR}")
    return content


def read_checksums(folder: Path = FOLDER) -> dict[str, str]:
    """Return the SHA-256 sum of each embedded file, in the order of the list.

    Raises:
        FileNotFoundError: If the list is missing.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing{DOCTOR}")
    lines = path.read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}


@contextmanager
def packed(file: str, folder: Path = FOLDER) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Open what `pack` has made: its arrays by name, and its recipe.

    Raises:
        FileNotFoundError: If the file or the list of checksums is missing.
        ValueError: If it is damaged, or what reads it inside finds that it does not fit.
    """
    content = io.BytesIO(read_checked(file, folder))
    try:
        with np.load(content, allow_pickle=False) as arrays:
            yield arrays, json.loads(arrays["recipe"].tobytes())
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder / file} does not fit this version ({reason}): {CURE}") from error


def pack(recipe: Mapping[str, Any], **arrays: np.ndarray) -> bytes:
    """Return the content of a file of arrays with their recipe; the same arrays give the same bytes."""
    content = io.BytesIO()
    told = np.frombuffer(json.dumps(recipe).encode(), np.uint8)
    np.savez(content, allow_pickle=False, **arrays, recipe=told)
    return content.getvalue()
