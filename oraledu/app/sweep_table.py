"""The table of a sweep: one row a run in a Parquet file, which is whole whenever the sweep is killed."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from oraledu.app.errors import UserError

Row = dict[str, Any]


def read(path: Path, identity: Mapping[str, str]) -> list[Row]:
    """Return the rows of a table, none if there is no file; each must say of itself what the identity says.

    Raises:
        UserError: the file cannot be read, or holds something else.
    """
    try:
        rows: list[Row] = pq.read_table(path).to_pylist() if path.exists() else []
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path} cannot be read as a table ({error}); choose another file with --out"
        ) from None
    for name, found in {(name, row.get(name)) for row in rows for name in identity} - set(identity.items()):
        said = f"{path} is a table of {name} {found}, asked for is {identity[name]}"
        raise UserError(f"{said}; choose another file with --out")
    return rows


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write rows aside, and then put the file in the place of the last one.

    Raises:
        UserError: it cannot be written; the last one is still whole.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb", buffering=0) as file:
            pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), file)
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        why = f"{path} cannot be written ({error.strerror or error})"
        raise UserError(f"{why}; all rows before are kept: make room, then run this again") from None
