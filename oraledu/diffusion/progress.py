"""A progress bar for long work, which stays away where `CI` is set."""

import os
from collections.abc import Iterable
from typing import TypeVar

from tqdm.auto import tqdm

T = TypeVar("T")


def progress(iterable: Iterable[T], label: str) -> Iterable[T]:
    """Pass the items through behind a progress bar."""
    return tqdm(iterable, desc=label, leave=False, disable=bool(os.environ.get("CI")))
