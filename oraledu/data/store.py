"""Put files into this package, with their checksums."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from oraledu.data.embedded import CHECKSUMS, FOLDER, read_checksums


def store(files: Mapping[str, bytes], folder: Path = FOLDER) -> None:
    """Write files by their names, and their lines among the checksums; other lines stay.

    Each file gets its name once it is whole.
    """
    sums = read_checksums(folder) if (folder / CHECKSUMS).is_file() else {}
    sums |= {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    for name, content in [*files.items(), (CHECKSUMS, listed.encode())]:
        part = folder / f"{name}.part"
        part.write_bytes(content)
        os.replace(part, folder / name)
