"""What a user is told to run, to mend an installation. Standard library only."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import re
import shlex
import site
import subprocess
import sys
import sysconfig
from pathlib import Path

from oraledu.app import launch
from oraledu.app.install import LOCK, made_here, pip_command

#: Settings of pip by which it installs elsewhere, and the options that undo them.
UNDONE = {"user": "--no-user", "target": "--target=", "prefix": "--prefix="}


def command(*words: str) -> str:
    """Write a command as the user's shell takes it."""
    line = shlex.join(words)
    return line.replace("'", '"') if sys.platform == "win32" else line


def install(*words: str, venv: Path | None = None) -> str:
    """Write the command by which pip installs something into an environment; None means this one."""
    root = launch.checkout()
    tested = ["-c", str(root / LOCK)] if root else []
    if venv is None and sys.prefix == sys.base_prefix:  # conda's environments too
        return command(*(pip := [sys.executable, "-m", "pip"]), "install", *_beside(*pip), *tested, *words)
    return command(
        *(pip := pip_command(venv or Path(sys.prefix))), "install", *_undone(*pip), *tested, *words
    )


def _beside(*pip: str) -> list[str]:
    """Return the options by which a pip installs beside a course that lies in no virtual environment."""
    options = _undone(*pip)
    if Path(__file__).is_relative_to(site.getusersitepackages()):
        options = [option for option in options if option != "--no-user"] + ["--user"]
    managed = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    # Whoever has installed the course there has given this option already.
    return [*options, "--break-system-packages"] if managed.exists() else options


@functools.cache
def _undone(*pip: str) -> list[str]:
    """Return the options that undo what the user's settings of a pip say of the place."""
    asked = [*pip, "config", "list"]
    said = subprocess.run(asked, capture_output=True, text=True).stdout
    return [option for name, option in UNDONE.items() if re.search(rf"\.{name}='(?!0|false|no|off|')", said)]


def reinstall() -> str:
    """Say how everything is installed anew."""
    if made_here(Path(sys.prefix)):
        return "remove the folder .venv in the checkout, then run there 'python3 -m oraledu lab'"
    if root := launch.checkout():
        return install("--force-reinstall", "-e", str(root))
    return install("--force-reinstall", _origin())


def _origin() -> str:
    """Return where the package was installed from, as pip has written down; its name where nothing is written."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        if found := importlib.metadata.distribution("oraledu").read_text("direct_url.json"):
            source = json.loads(found)
            kind = source.get("vcs_info", {}).get("vcs")
            return f"{kind}+{source['url']}" if kind else str(source["url"])
    return "oraledu"


def restore(path: Path) -> str:
    """Say how a file of the package gets its content back."""
    root = launch.checkout()
    if root is None:
        return install("--force-reinstall", "--no-deps", _origin())
    if not (root / ".git").exists():
        return "copy it from a fresh copy of the course"
    # git leaves a file alone whose size and time it remembers.
    return f"delete it if it is there, then: {command('git', '-C', str(root), 'checkout', '--', str(path))}"
