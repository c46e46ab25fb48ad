"""Make, complete or repair the checkout's `.venv`. Standard library only.

The install's log marks a `.venv` as made here, and is locked while an install runs. The stamp is written
last: a folder without one was interrupted and is made anew; one whose stamp no longer fits (another lock or
extra) is completed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

if sys.platform != "win32":
    import fcntl

FOLDER = ".venv"
LOCK = "constraints.txt"
LOG = "oraledu-install.log"
STAMP = "oraledu-stamp.json"
#: The user's pip may be set to install elsewhere, or nothing. Its index and its proxy count.
ORDINARY = {"PIP_USER": "0", "PIP_DRY_RUN": "0", "PIP_NO_DEPS": "0"}
ROOM = 3_000_000_000
TAIL = 15
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class InstallError(Exception):
    """What keeps the course from being installed, in words that say what to do."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def python_of(venv: Path) -> Path:
    """Return the path of a virtual environment's Python, whether it is there or not."""
    scripts = sysconfig.get_path("scripts", "venv", {"base": str(venv)})
    return Path(scripts) / ("python.exe" if sys.platform == "win32" else "python")


def made_here(venv: Path) -> bool:
    """Tell whether an install has begun in this folder; any other `.venv` is the user's own."""
    return (venv / LOG).exists()


def ready(root: Path, extras: Sequence[str]) -> bool:
    """Tell whether `.venv` was completed for this checkout, its lock, this Python and these extras."""
    stamp = _read_stamp(root / FOLDER)
    return stamp.items() >= wanted(root).items() and {*extras} <= {*stamp["extras"]}


def wanted(root: Path) -> dict[str, str]:
    """Return what a stamp must hold: the Python, the checkout's place, and a digest of what is installed."""
    inputs = b"\0".join((root / name).read_bytes() for name in ("pyproject.toml", LOCK))
    place = os.fsencode(root).decode("utf-8", "surrogateescape")  # the same under every locale
    return {"python": VERSION, "root": place, "inputs": hashlib.sha256(inputs).hexdigest()}


def _read_stamp(venv: Path) -> dict[str, Any]:
    """Return the stamp; an empty one where it is missing or torn, or where its Python has gone."""
    with contextlib.suppress(OSError, ValueError):
        stamp = json.loads((venv / STAMP).read_text("utf-8"))
        if "extras" in stamp and python_of(venv).exists():
            return stamp
    return {}


def install(root: Path, extras: Sequence[str]) -> None:
    """Bring `.venv` to what this checkout needs, and stamp it. The terminal shows one line; a log the rest.

    Args:
        root: the checkout.
        extras: extras of the package to install; those that `.venv` already has are kept.

    Raises:
        InstallError: the machine lacks something, another install is under way, or this one failed or was
            stopped.
    """
    venv, target = root / FOLDER, wanted(root)
    stamp = _read_stamp(venv)
    fresh = any(stamp.get(name) != target[name] for name in ("python", "root"))
    extras = sorted({*extras, *stamp.get("extras", [])})
    if fresh:
        check_machine(root)
    venv.mkdir(exist_ok=True)
    os.environ.update(ORDINARY)
    label = f"Installing the course into {FOLDER}"
    with _locked_log(venv) as log, _sigterm_interrupts(), _Line(label, log, root) as line:
        (venv / STAMP).unlink(missing_ok=True)
        if fresh:
            _empty(venv)
            without_pip = [] if _has("ensurepip") else ["--without-pip"]
            line.run([_python(venv), "-m", "venv", *without_pip, str(venv)])
        package = f".[{','.join(extras)}]" if extras else "."
        line.run([*pip_command(venv), "install", "--target=", "--no-input", "-c", LOCK, "-e", package])
        _make_relative(venv, root)
        if lacks := lacking(root, python_of(venv), extras):
            raise InstallError(f"pip has not installed {lacks}; see 'pip config list' and {log.name}", 1)
        (venv / STAMP).write_text(json.dumps({**target, "extras": extras}, indent=1) + "\n", "utf-8")


def _make_relative(venv: Path, root: Path) -> None:
    """Name the checkout by its way from the environment: Python before 3.13 reads a path as the locale has it."""
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(venv)}))
    for link in packages.glob("*oraledu*.pth"):
        link.write_text(os.path.relpath(root, packages) + "\n", "ascii")


def lacking(root: Path, python: Path, extras: Sequence[str]) -> str:
    """Return what a Python's environment lacks to run the checkout; nothing where it lacks nothing."""
    question = (
        "import sys; from oraledu.app import launch as l; print(*l.unmet(l.checkout(), sys.argv[1:])[:1])"
    )
    asked = subprocess.run([python, "-c", question, *extras], cwd=root, capture_output=True, text=True)
    return asked.stdout.strip() or ("a Python that runs the course" if asked.returncode else "")


def check_machine(root: Path) -> None:
    """Refuse what cannot end well: too little disk, or a Python that can make no virtual environment.

    Raises:
        InstallError: one line that says what to do.
    """
    free = shutil.disk_usage(root).free
    if free < ROOM:
        found = f"{root} has {free / 1e9:.1f} GB left"
        raise InstallError(
            f"the install needs {ROOM / 1e9:.0f} GB of disk and {found}; make room, then run this again"
        )
    if not _has("venv") or not (_has("ensurepip") or _has("pip")):
        cure = f"on Debian and Ubuntu: sudo apt install python{VERSION}-venv"
        raise InstallError(f"this Python has no working 'venv' module; {cure}, then run this again")


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _python(venv: Path) -> str:
    """Return the Python that makes the environment: this one, unless it lies in the folder to be emptied."""
    inside = Path(sys.prefix).resolve() == venv.resolve()
    return getattr(sys, "_base_executable", sys.executable) if inside else sys.executable


def pip_command(venv: Path) -> list[str]:
    """Return the command for a pip that installs into `.venv`: its own, or else this Python's."""
    own = Path(sysconfig.get_path("purelib", "venv", {"base": str(venv)})) / "pip"
    if own.exists():
        return [str(python_of(venv)), "-m", "pip"]
    return [_python(venv), "-m", "pip", "--python", str(python_of(venv))]


def _empty(venv: Path) -> None:
    """Remove all but the log, which marks the folder as ours even if this is interrupted."""
    for path in venv.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOG:
            path.unlink()


@contextlib.contextmanager
def _locked_log(venv: Path) -> Iterator[IO[bytes]]:
    """Open the log, emptied and locked; a step holds the lock too, even if its parent is killed."""
    with (venv / LOG).open("a+b") as log:
        if sys.platform != "win32":
            try:
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InstallError(
                    f"another install into {venv} is under way; run this again when it is done"
                ) from None
            except OSError:
                pass  # a network file system without locks: go on without
        log.truncate(0)
        yield log


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Treat a request to stop as Ctrl-C, so that the step that runs is stopped as well."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Line:
    """The one line on the terminal: what is done, since when, and how it ended."""

    def __init__(self, label: str, log: IO[bytes], folder: Path) -> None:
        self.label, self.log, self.folder, self.began = label, log, folder, time.monotonic()
        self.live = sys.stdout.isatty()

    def __enter__(self) -> _Line:
        print(f"{self.label} (once, a few minutes) ...", end="", flush=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        ending = "stopped" if kind else "done"
        self._show(f"{ending} after {time.monotonic() - self.began:.0f} s", always=True)
        print()
        if kind is KeyboardInterrupt:
            raise InstallError("interrupted; the same command takes it up again", 130) from None

    def _show(self, text: str, *, always: bool = False) -> None:
        """Rewrite the line in a terminal; elsewhere append what must be said."""
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            print("\r" + f"{self.label}: {text}"[:width].ljust(width), end="", flush=True)
        elif always:
            print(f" {text}", end="", flush=True)

    def run(self, command: Sequence[str]) -> None:
        """Run one step of the install in the checkout, its output in the log.

        Raises:
            InstallError: the step failed; the message ends with the tail of the log.
        """
        child = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT
        )
        try:
            while child.poll() is None:
                self._show(f"{self._stage()}, {time.monotonic() - self.began:.0f} s")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(timeout=0.5)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
        if child.returncode != 0:
            tail = "\n".join(f"  {text}" for text in self._log_lines()[-TAIL:])
            said = f"the install failed; its log, {self.log.name}, ends with\n{tail}"
            raise InstallError(f"{said}\nMend that, then run this again.", 1)

    def _log_lines(self) -> list[str]:
        return Path(self.log.name).read_text("utf-8", errors="replace").splitlines()

    def _stage(self) -> str:
        """Say in a few words what pip is doing, from its log."""
        lines = self._log_lines()
        if any(text.startswith("Installing collected") for text in lines):
            return "unpacking"
        found = [text.split()[1] for text in lines if text.startswith("Collecting ")]
        return f"fetching {found[-1]} ({len(found)} so far)" if found else "making the environment"
