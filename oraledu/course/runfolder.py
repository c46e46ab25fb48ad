"""The folder of one run of a lesson: what its long calls have reached, so that a killed run goes on from there.

`oraledu run` names the folder in `ORALEDU_RUN`; without it nothing here does anything. A file holds one state or one
result, behind a line that says of what: the run, the call, and a checksum. It is written whole or not at all.
"""

import functools
import glob
import hashlib
import inspect
import io
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

import oraledu
from oraledu.course.fingerprint import fingerprint, source_digest

VARIABLE = "ORALEDU_RUN"
#: Seconds between two saves of one call.
SECONDS_VARIABLE, SECONDS = "ORALEDU_SAVE_SECONDS", 60.0
#: The last save of a call that has lasted less than this share of them is left out.
SHORT = 0.1
FILE, KEPT, PROGRESS = "run.json", "kept", "progress"
#: How long the first line of a file is.
HEADER = 1024
#: How often each call has been made by this process, so that equal ones are told apart.
_calls: Counter[str] = Counter()


class KeepError(RuntimeError):
    """What is kept of a run cannot be read or written; the message says what to do."""


def run_folder() -> Path | None:
    """Return the folder of the run that this process belongs to, or None outside of one."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def versions() -> dict[str, str]:
    """Return what a run must be continued under: the package, its source, and torch."""
    return {"oraledu": oraledu.__version__, "torch": torch.__version__, "source": source_digest()[:16]}


def require_lesson(lesson: str) -> None:
    """Raise unless the folder of this process, if it has one, belongs to a lesson.

    Raises:
        KeepError: It belongs to another one, or cannot be read.
    """
    folder = run_folder()
    if folder is not None and (found := read_description(folder)["lesson"]) != lesson:
        raise KeepError(f"{folder} is the folder of a run of {found}, not of {lesson}")


def read_description(folder: Path) -> dict[str, Any]:
    """Return what a run's folder says of the run.

    Raises:
        KeepError: It says nothing, or what it says is damaged.
    """
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
        return {"lesson": found["lesson"], **found}
    except FileNotFoundError:
        raise KeepError(f"{folder} is no folder of a run: it has no {FILE}") from None
    except (ValueError, KeyError, TypeError):
        raise KeepError(f"{folder / FILE} is damaged; start the run anew") from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file aside, make sure that it is on the disk, and put it in its place.

    Raises:
        KeepError: It cannot be written; what was there before is still there.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        if os.name == "posix":
            place = os.open(path.parent, os.O_RDONLY)
            os.fsync(place)
            os.close(place)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise KeepError(
            f"{path.parent} cannot be written ({error.strerror}); what it holds is whole: make room, then go on"
        ) from error


def store(path: Path, call: str, content: object) -> None:
    """Write what belongs to a call: a state, or a result.

    Raises:
        KeepError: It cannot be written.
    """
    payload = io.BytesIO()
    torch.save(content, payload)
    header = {**_identity(path, call), "sha256": hashlib.sha256(payload.getbuffer()).hexdigest()}
    line = json.dumps(header).encode()
    write_whole(path, line.ljust(HEADER - 1) + b"\n" + payload.getvalue())


def fetch(path: Path, call: str, *, trusted: bool = False) -> Any:
    """Return what was stored, or None if there is no such file.

    Args:
        path: The file.
        call: Whose it must be.
        trusted: Let it hold objects of any class; tensors come back on the device that they were on.

    Raises:
        KeepError: The file is damaged, or belongs to another version, run or call.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    cure = "delete it to do this part of the run again"
    try:
        header = json.loads(content[:HEADER])
        digest = header.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise KeepError(f"{path} is no checkpoint, or a damaged one; {cure}") from None
    for name, value in _identity(path, call).items():
        if header.get(name) != value:
            raise KeepError(f"{path} was made with {name} {header.get(name)!r}, not {value!r}; {cure}")
    payload = memoryview(content)[HEADER:]
    if hashlib.sha256(payload).hexdigest() != digest:
        raise KeepError(f"{path} is damaged; {cure}")
    place = None if trusted else "cpu"
    return torch.load(io.BytesIO(payload), weights_only=not trusted, map_location=place)


class FileKeep:
    """A `Keep` in a file."""

    def __init__(self, path: Path, call: str) -> None:
        """Take the file of a call.

        Args:
            path: The file, which need not be there yet; files of the call's parts lie beside it.
            call: What is called and with what: a file of another call is refused.
        """
        self.path, self.call = path, call
        self._seconds = float(os.environ.get(SECONDS_VARIABLE, SECONDS))
        self._began = self._saved = time.monotonic()
        self._first: float | None = None
        self._told = 0.0

    def load(self) -> dict[str, Any] | None:
        """Return the state of the last save, or None.

        Raises:
            KeepError: The file is damaged, or belongs to another version, run or call.
        """
        self._began = self._saved = time.monotonic()
        state: dict[str, Any] | None = fetch(self.path, self.call)
        return state

    def due(self, done: float, total: float) -> bool:
        """Say whether it is time to save; now and then, leave a note of how far the call is."""
        now = time.monotonic()
        if self._first is None:
            self._first = done
        elif now - self._told >= 1 or done >= total:
            self._tell(done, total, now)
        return now - self._saved >= self._seconds * (SHORT if done >= total else 1)

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the state in the place of the last one; what the call's parts have kept is dropped.

        Raises:
            KeepError: It cannot be written; the last one is still there.
        """
        store(self.path, self.call, dict(state))
        self._saved = time.monotonic()
        for path in self.path.parent.glob(f"{glob.escape(self.path.name)}.*"):
            path.unlink(missing_ok=True)

    def part(self, name: str) -> "FileKeep":
        """Return where a call inside this one keeps its own state."""
        return FileKeep(self.path.with_name(f"{self.path.name}.{name}"), f"{self.call}, {name}")

    def clear(self) -> None:
        """Remove the file, and those of the parts."""
        for path in self.path.parent.glob(f"{glob.escape(self.path.name)}*"):
            path.unlink(missing_ok=True)

    def _tell(self, done: float, total: float, now: float) -> None:
        """Note what share is done and how many seconds are left, for the command that shows it."""
        self._told = now
        first = self._first or 0
        note = _folder_of(self.path) / PROGRESS / f"{os.getpid()}.json"
        left = (now - self._began) / (done - first) * (total - done) if done > first else None
        with suppress(OSError):
            if done >= total:
                note.unlink(missing_ok=True)
                return
            note.parent.mkdir(exist_ok=True)
            beside = note.with_suffix(".part")
            beside.write_text(
                json.dumps({"call": self.call.partition(" ")[0], "share": done / total, "left": left})
            )
            beside.replace(note)


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that goes on where an earlier, killed process of the same run was cut off.

    A call is known by the function, all that is given to it, and how many equal calls came before. Outside of a run,
    and for a function without an argument ``keep``, such as a learner's, it is the function itself.
    """
    inner = getattr(function, "function", function)  # a reference that stands for a learner's function
    if run_folder() is None or "keep" not in inspect.signature(inner).parameters:
        return function

    @functools.wraps(inner)
    def going_on(*args: Any, **kwargs: Any) -> Any:
        digest = fingerprint(inner, args, kwargs)
        _calls[digest] += 1
        call = f"{inner.__qualname__} {digest} {_calls[digest]}"
        return function(*args, **kwargs, keep=_keep(inner.__qualname__, call))

    return going_on


def finished(function: Callable[..., Any], key: str, run: Callable[..., Any]) -> Any:
    """Return the result of a call of settings: as it was stored in the run's folder, or computed and stored there.

    Args:
        function: What is called.
        key: A digest of the settings.
        run: Calls it; takes ``keep`` if the function does.
    """
    name = function.__qualname__
    keep = _keep(name, f"{name} {key}")
    path = keep.path.with_suffix(".result")  # the state's name has another ending
    if (found := fetch(path, keep.call, trusted=True)) is None:
        takes = "keep" in inspect.signature(function).parameters
        found = (run(keep=keep) if takes else run(),)
        store(path, keep.call, found)
        keep.clear()
    return found[0]


def _keep(name: str, call: str) -> FileKeep:
    folder = run_folder()
    if folder is None:
        raise KeepError(f"{VARIABLE} names no folder")
    return FileKeep(folder / KEPT / f"{name}-{hashlib.sha256(call.encode()).hexdigest()[:16]}.state", call)


def _folder_of(path: Path) -> Path:
    return path.parent.parent if path.parent.name == KEPT else path.parent


@functools.lru_cache(maxsize=8)
def _described(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return what of a run's description stands in each of its files; nothing for a file outside of a run."""
    if not (folder / FILE).is_file():
        return ()
    found = read_description(folder)
    return tuple((name, str(found.get(name))) for name in ("lesson", "scale", "device"))


def _identity(path: Path, call: str) -> dict[str, str]:
    return {**versions(), **dict(_described(_folder_of(path))), "call": call}
