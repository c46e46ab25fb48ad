"""Pages as PDF, by Chromium: tagged, with bookmarks, hints and answers unfolded."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from oraledu.app.errors import UserError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_OPTIONS = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_PRINT = ["--no-pdf-header-footer", "--generate-pdf-document-outline"]
_MINUTES = 30


def find() -> str:
    """Return Chromium's path.

    Raises:
        UserError: there is none.
    """
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    raise UserError("printing needs Chromium; install it, on Debian with 'apt-get install chromium'")


def write(page: Path, target: Path) -> None:
    """Print a page of HTML into a file.

    Raises:
        UserError: there is no Chromium, or it printed nothing.
        OSError: the file cannot be written.
    """
    # Chromium refuses its sandbox to root.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        command = [find(), *_OPTIONS, *root, *_PRINT, f"--user-data-dir={profile}"]
        command += [f"--print-to-pdf={target.resolve()}", page.resolve().as_uri()]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60 * _MINUTES, check=False)
    if not target.exists():
        last = ended.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise UserError(f"Chromium printed no {target.name}: {last[0]}")
