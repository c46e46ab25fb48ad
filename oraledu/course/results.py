"""What a learner has done so far: one small JSON file in the learner's own folder.

`oraledu lab` marks that folder with a subfolder `.oraledu`. Where no such mark stands above the working
directory, as in a checkout or on a build machine, nothing is recorded.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from oraledu.course.verdict import STATUSES, Status

BEGAN = Path.cwd()  # a cell may change the working directory
MARKER = ".oraledu"
FILE = "results.json"
#: A line of JSON for each check: what was checked, and what was found.
ATTEMPTS = "attempts.jsonl"
#: How the folder was handed out, where a teacher has made it.
HANDED_OUT = "handout.json"
VERSION = 1


@dataclass(frozen=True)
class Result:
    """How an exercise stands: its status, how often it was attempted, the ISO date of the last change."""

    status: Status
    attempts: int
    changed: str

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}; got {self.status!r}")
        if not isinstance(self.attempts, int) or self.attempts < 0:
            raise ValueError(f"attempts must be a count; got {self.attempts!r}")
        date.fromisoformat(self.changed)


def find_folder() -> Path | None:
    """Return the nearest `.oraledu` folder upward from the working directory, or from where the process began."""
    marked = (folder / MARKER for here in (Path.cwd(), BEGAN) for folder in (here, *here.parents))
    return next((folder for folder in marked if folder.is_dir()), None)


def offset() -> int:
    """Return what the learner's folder adds to the seeds of a lesson; 0 but where each student has other data.

    Raises:
        ValueError: the folder's mark is damaged.
    """
    folder = find_folder()
    if folder is None or not (path := folder / HANDED_OUT).is_file():
        return 0
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["offset"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is damaged; take it from the folder as it was handed out.") from None


def read(folder: Path) -> dict[str, Result]:
    """Return the results in a `.oraledu` folder by the exercise's identifier; none where there is no file.

    Raises:
        ValueError: the file is not one that this version of the course has written.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["version"] != VERSION:
            raise ValueError(f"version {stored['version']!r} is unknown")
        return {name: Result(**entry) for name, entry in stored["exercises"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{FILE} is damaged: {error}") from error


def attempts(folder: Path) -> list[dict[str, Any]]:
    """Return what each check has noted in a `.oraledu` folder, in order; a torn line is left out."""
    path = folder / ATTEMPTS
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    found = []
    for line in lines:
        with suppress(ValueError):
            entry = json.loads(line)
            found += [entry] if isinstance(entry, dict) else []
    return found


def record(exercise: str, status: Status, **evidence: Any) -> str | None:
    """Record the status of an exercise; a lesson never stops because this fails.

    Args:
        exercise: its identifier.
        status: what the check has found.
        evidence: what else to note of an attempt: plain values, such as the function's source.

    "Not attempted" is recorded only for an exercise that has never been attempted, so that a fresh copy of a
    lesson does not take back what was done.

    Returns:
        None, or one line for the learner: a damaged file was set aside, or nothing could be saved.
    """
    try:
        folder = find_folder()
        if folder is None:
            return None
        with FileLock(folder / f"{FILE}.lock", timeout=10):  # a second notebook may record meanwhile
            if status != "not attempted":
                _note(folder / ATTEMPTS, {"exercise": exercise, "status": status, **evidence})
            return _update(folder, exercise, status)
    except OSError as error:
        return f"Your results could not be saved ({error.strerror or error}); the lesson goes on without."


def _update(folder: Path, exercise: str, status: Status) -> str | None:
    note = None
    try:
        results = read(folder)
    except ValueError:
        kept = _set_aside(folder / FILE)
        note = f"Your file of results was damaged; it is kept as {kept}, and a new one begins."
        results = {}
    before = results.get(exercise)
    attempts = before.attempts if before else 0
    if status != "not attempted":
        attempts += 1
    elif before:
        return note
    changed = before.changed if before and before.status == status else date.today().isoformat()
    _write(folder / FILE, results | {exercise: Result(status, attempts, changed)})
    return note


def _note(path: Path, entry: dict[str, Any]) -> None:
    entry["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def _set_aside(path: Path) -> str:
    number = 1
    while (kept := path.with_name(f"results.damaged-{number}.json")).exists():
        number += 1
    path.rename(kept)
    return kept.name


def _write(path: Path, results: dict[str, Result]) -> None:
    """Replace the file in one step, so that a crash leaves either the old one or the new one."""
    content = {"version": VERSION, "exercises": {name: asdict(result) for name, result in results.items()}}
    draft = path.with_name(f"{FILE}.{os.getpid()}.tmp")
    try:
        draft.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
