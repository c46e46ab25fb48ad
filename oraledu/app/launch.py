"""Which Python runs a command: this one, or that of the checkout's `.venv`. Standard library only.

An environment that satisfies the package is used as it is. Where there is none, `lab` and `test` make one
(see `install`) and go on in it; any other command says what to run first.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from oraledu.app import install
from oraledu.app.install import InstallError

#: The commands that install what is missing, and the extras that each of them needs.
EXTRAS: dict[str, tuple[str, ...]] = {"lab": (), "test": ("dev",)}
USAGE = """a course in Jupyter notebooks; it is not installed here yet.

  python3 -m oraledu lab     install it into .venv, then open the lessons in JupyterLab
  python3 -m oraledu test    install it into .venv with what the tests need, then run them

The other commands, and the --help of each, are there after one of these."""


def launch(arguments: Sequence[str]) -> int:
    """Run a command of the course in an environment that satisfies it; return the exit code."""
    # Two processes with two threads each are many times slower on two cores than with one thread each.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    root = checkout()
    # Whoever has the package itself from PYTHONPATH means it; for all others its packages are in the way.
    found = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if any(found) and str(root) not in found and install.made_here(Path(sys.prefix)):
        return hand_over([sys.executable, "-m", "oraledu", *arguments])
    try:
        python = None if root is None else choose(root, arguments)
    except InstallError as error:
        print(f"oraledu: {error}", file=sys.stderr if error.exit_code else sys.stdout)
        return error.exit_code
    except OSError as error:
        print(
            f"oraledu: cannot install into {root} ({error}); use a checkout that you may write to",
            file=sys.stderr,
        )
        return 2
    if python is not None:
        return hand_over([str(python), "-m", "oraledu", *arguments])
    try:
        from oraledu.app.cli import main
    except ImportError as error:
        from oraledu.app import doctor

        print(f"oraledu: the environment is broken ({error}); what there is:", file=sys.stderr)
        return doctor.main()
    return main(arguments)


def checkout() -> Path | None:
    """Return the root of the checkout that this file lies in; None in an installed wheel."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / install.LOCK).is_file() else None


def choose(root: Path, arguments: Sequence[str]) -> Path | None:
    """Return the Python of `.venv`, made where need be; None means the Python that runs this.

    Raises:
        InstallError: there is no environment, and none could be made, or should be for these arguments.
    """
    extras = EXTRAS.get(arguments[0], ()) if arguments else ()
    venv = root / install.FOLDER
    ours, inside = install.made_here(venv), Path(sys.prefix).resolve() == venv.resolve()
    lacking: list[str] = []
    if not (ours and inside):
        lacking = unmet(root, extras)
        if not lacking:
            return None
    if install.ready(root, extras):
        return None if inside else install.python_of(venv)
    if not ours and install.python_of(venv).exists():
        return users_own(root, extras)
    if not arguments or "--help" in arguments:
        raise InstallError(USAGE, 0)
    if arguments[0] == "doctor" and lacking and _installed_from(root):
        return None  # an environment of the user's own, to be mended and not replaced
    if arguments[0] not in EXTRAS:
        raise InstallError("the course is not installed here yet; run 'python3 -m oraledu lab' first")
    if lacking and (os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX")):
        print(f"The active environment lacks {lacking[0]}; {install.FOLDER} is used instead.")
    install.install(root, extras)
    return install.python_of(venv)


def unmet(root: Path, extras: Sequence[str]) -> list[str]:
    """Return what this Python's environment lacks to run the checkout: the package, or requirements of it."""
    if not _installed_from(root):
        return ["oraledu, installed from this checkout"]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    further = [text for extra in extras for text in project["optional-dependencies"][extra]]
    return [text for text in [*project["dependencies"], *further] if not _met(text)]


def _installed_from(root: Path) -> bool:
    """Tell whether kernels of this Python import the package from this checkout."""
    try:
        origin = importlib.metadata.distribution("oraledu").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return False
    source = json.loads(origin or "{}")
    if not source.get("dir_info", {}).get("editable"):
        return False
    path = Path(url2pathname(urlsplit(source["url"]).path))
    return source["url"] == root.as_uri() or path.resolve() == root


def _met(text: str) -> bool:
    if importlib.util.find_spec("packaging") is None:
        return False  # JupyterLab requires it, so this is no environment of the course
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    try:
        found = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(found, prereleases=True)


def users_own(root: Path, extras: Sequence[str]) -> Path:
    """Return the Python of a `.venv` that was not made here, if it satisfies the package.

    Raises:
        InstallError: it does not; nothing in it is touched.
    """
    python = install.python_of(root / install.FOLDER)
    lacking = install.lacking(root, python, extras)
    if not lacking:
        return python
    from oraledu.app import cures

    package = f"{root}[{','.join(extras)}]" if extras else str(root)
    raise InstallError(
        f"{install.FOLDER} was not made by this command and lacks {lacking}; move it away, or run: "
        f"{cures.install('-e', package, venv=root / install.FOLDER)}"
    )


def hand_over(command: list[str]) -> int:
    """Go on as another process: in this one's place where the system can, so that signals reach it."""
    os.environ.pop("PYTHONPATH", None)
    if sys.platform == "win32":
        return subprocess.call(command)
    sys.stdout.flush()
    return os.execv(command[0], command)
