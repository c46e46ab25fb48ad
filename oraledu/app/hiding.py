"""What hides a package from a kernel: a script or folder of its name that is found before it. Standard library only."""

from __future__ import annotations

import sysconfig
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def hiding(folder: Path) -> list[Path]:
    """Return the scripts and packages in a folder that hide an installed package of their name."""
    installed = [sysconfig.get_path(kind) for kind in ("stdlib", "purelib")]
    found = {path: path.stem for path in folder.glob("*.py")}
    found |= {path.parent: path.parent.name for path in folder.glob("*/__init__.py")}
    return [
        path
        for path, name in sorted(found.items())
        if path.resolve() != PACKAGE and PathFinder.find_spec(name, installed)
    ]
