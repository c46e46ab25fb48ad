"""Keeping a long run on disk on the way, so that what interrupts it costs a minute and not the run."""

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from oraledu.scaling.runs import Record


class Checkpoint:
    """The records of a run so far and the state that the next step starts from, in one file.

    Attributes:
        records: What was recorded.
        state: The state at the last save; read from a file, it belongs to the last record. None at the end of a width.
    """

    def __init__(self, path: Path | None, key: str, seconds: float) -> None:
        """Read the file if it is there.

        Args:
            path: The file; without one nothing is kept.
            key: What was asked for, in words; a file of something else is refused.
            seconds: How much time is to pass between two saves.

        Raises:
            ValueError: If the file cannot be read, or belongs to another run.
        """
        self.records: list[Record] = []
        self.state: dict[str, Any] | None = None
        self._path, self._key, self._seconds = path, key, seconds
        self._saved = time.monotonic()
        if path is not None and path.exists():
            self._read(path)

    def add(self, record: Record, state: Callable[[], dict[str, Any]] | None) -> None:
        """Take a record, and save it with the state after it if it is time.

        Args:
            record: The next record.
            state: Returns the state; None at the end of a width, which is always saved.
        """
        self.records.append(record)
        due = state is None or time.monotonic() - self._saved >= self._seconds
        if self._path is not None and due:
            self.state = None if state is None else state()
            self._write(self._path)
            self._saved = time.monotonic()

    def _read(self, path: Path) -> None:
        try:
            kept = torch.load(path, weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
            raise ValueError(f"checkpoint {path} cannot be read; delete it to start afresh") from error
        if not isinstance(kept, dict) or kept.get("key") != self._key:
            raise ValueError(
                f"checkpoint {path} belongs to another run; delete it, or name another file. It was made for "
                f"{kept.get('key') if isinstance(kept, dict) else 'something else'}, now is asked for {self._key}"
            )
        self.records = [Record(*fields) for fields in kept["records"]]
        self.state = kept["state"]

    def _write(self, path: Path) -> None:
        records = [(r.width, r.step, r.tau, r.loss, r.trace) for r in self.records]
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part")  # a save that is cut off leaves the last one whole
        torch.save({"key": self._key, "records": records, "state": self.state}, beside)
        os.replace(beside, path)
