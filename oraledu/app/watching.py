"""How far the long call of a run is, and how long it will still take, beside the bar that counts cells."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from oraledu.course.runfolder import PROGRESS

SECONDS = 1.0


@contextmanager
def watched(folder: Path, bar: Any) -> Iterator[None]:
    """Show what a run's calls say of themselves behind a bar, every second, until the end."""
    shutil.rmtree(folder / PROGRESS, ignore_errors=True)  # of a process that was killed
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(SECONDS):
            bar.set_postfix_str(told(folder))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def told(folder: Path) -> str:
    """Return the calls that are under way, each with the share that is done and the time that is left."""
    found = []
    for note in sorted((folder / PROGRESS).glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):  # it may be gone by now
            said = json.loads(note.read_text("utf-8"))
            left = f", {tqdm.format_interval(said['left'])} left" if said["left"] else ""
            found.append(f"{said['call']} {said['share']:.0%}{left}")
    return "; ".join(found)
