"""Is everything in place? One line for each thing looked at, and for what is wrong the words that mend it."""

from __future__ import annotations

import ast
import errno
import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import oraledu
from oraledu.app import cures
from oraledu.app.catalogue import PACKAGE
from oraledu.app.hiding import hiding

# All that may be missing or broken is imported where it is looked at.
if TYPE_CHECKING:
    from packaging.requirements import Requirement

KERNEL_SECONDS = 60


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and how to mend it where it is wrong."""

    subject: str
    found: str
    cure: str | None = None

    def __str__(self) -> str:
        line = f"{'ok  ' if self.cure is None else 'MEND'}  {self.subject}: {self.found}"
        return line if self.cure is None else f"{line}\n      {self.cure}"


def main() -> int:
    """Print every finding as soon as it is known; return 1 if something is to be mended."""
    wrong = 0
    for examine in (python_path, room, versions, threads, devices, extensions, kernel, hub, data):
        for finding in examine():
            print(finding, flush=True)
            wrong += finding.cure is not None
    print("All is well." if wrong == 0 else f"To mend: {wrong}.")
    return min(wrong, 1)


def python_path() -> Iterator[Finding]:
    """Look for packages that come before those of the environment."""
    entries = list(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    names = {each.name for each in importlib.metadata.distributions(path=entries)}
    names |= {path.stem for entry in entries for path in hiding(Path(entry))}
    if names:
        said = f"{os.pathsep.join(entries)} comes before the course's own packages"
        found = f"{said}, with {', '.join(sorted(names))}"
        yield Finding("PYTHONPATH", found, "unset PYTHONPATH, then run this again")


def room() -> Iterator[Finding]:
    """Look whether the places that a notebook's kernel writes to can take a file."""
    places = {"this folder": os.getcwd(), "your home": os.path.expanduser("~"), "the temporary folder": None}
    for name, folder in places.items():
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(2**20))
        except OSError as error:  # other errors than these have been seen to do no harm
            if folder is None or error.errno in (errno.ENOSPC, errno.EDQUOT):
                yield Finding(
                    "disk", f"{name} takes no file ({error})", "make room there, then run this again"
                )


def versions() -> Iterator[Finding]:
    """Look at Python, the package, and each of its requirements."""
    yield Finding("Python", f"{platform.python_version()} in {sys.prefix}")
    yield Finding("oraledu", f"{oraledu.__version__} in {PACKAGE}")
    try:
        required = importlib.metadata.requires("oraledu") or []
    except importlib.metadata.PackageNotFoundError:
        found = "the package is not installed, so notebooks cannot import it"
        yield Finding("installation", found, cures.reinstall())
        return
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield Finding("packaging", "missing", cures.reinstall())
        return
    for requirement in map(Requirement, required):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _version(requirement)


def _version(requirement: Requirement) -> Finding:
    try:
        found = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(requirement.name, "missing", cures.install(str(requirement)))
    if requirement.specifier.contains(found, prereleases=True):
        return Finding(requirement.name, found)
    found = f"{found}, but the course needs {requirement.specifier}"
    return Finding(requirement.name, found, cures.install(str(requirement)))


def _otherwise() -> str:
    """Say how to mend what mostly goes with a fault above, whose own cure takes seconds."""
    return f"if nothing above is to be mended: {cures.reinstall()}"


def threads() -> Iterator[Finding]:
    """Look at the processors and at the threads that a calculation may start."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    found = f"{os.cpu_count()} processors, OMP_NUM_THREADS={wanted or 'not set'}"
    if wanted.isdecimal() and int(wanted) > (os.cpu_count() or 1):
        yield Finding("threads", found, "more threads than processors are much slower; set OMP_NUM_THREADS=1")
    else:
        yield Finding("threads", found)


def devices() -> Iterator[Finding]:
    """Look at what PyTorch can compute on."""
    try:
        import torch
    except Exception as error:  # a broken build of torch fails in many ways, and each is worth a line
        yield Finding("devices", f"PyTorch does not start ({error})", _otherwise())
        return
    found = ["cpu"]
    found += [f"cuda ({torch.cuda.get_device_name(k)})" for k in range(torch.cuda.device_count())]
    found += ["mps"] if torch.backends.mps.is_available() else []
    yield Finding("devices", ", ".join(found))


def extensions() -> Iterator[Finding]:
    """Look for the files by which JupyterLab and its server find what the lessons need."""
    try:
        from jupyter_core.paths import jupyter_config_path, jupyter_path
    except Exception as error:  # as above
        yield Finding("JupyterLab", f"it cannot be asked ({error})", _otherwise())
        return
    wanted = {
        "jupyterlab_widgets": jupyter_path("labextensions", "@jupyter-widgets", "jupyterlab-manager"),
        "jupytext": [
            str(Path(each, "jupyter_server_config.d/jupytext.json")) for each in jupyter_config_path()
        ],
    }
    for package, places in wanted.items():
        if any(Path(place).exists() for place in places):
            yield Finding("JupyterLab", f"has {package}")
        else:
            cure = cures.install("--force-reinstall", "--no-deps", package)
            yield Finding("JupyterLab", f"does not find its extension {package}", cure)


def kernel() -> Iterator[Finding]:
    """Start the kernel that runs the notebooks, in their place, and see whether it finds the course."""
    try:
        from oraledu.app import workspace

        folder = workspace.default_folder()
        for path in hiding(folder / "lessons"):
            yield Finding(
                "kernel", f"{path} hides the package of that name", "rename it, then run this again"
            )
        prefix, module = _ask_kernel(
            "import sys, oraledu.course.explorer as e; answer = [sys.prefix, e.__file__]", folder / "lessons"
        )
    except Exception as error:  # what is in the way may fail in any way
        yield Finding("kernel", f"it does not run the course ({error or 'no answer'})", _otherwise())
        return
    if Path(module).resolve().parents[1] != PACKAGE:
        yield Finding("kernel", f"it imports another oraledu, {module}", _otherwise())
    else:
        yield Finding("kernel", f"python3 runs in {prefix}")


def hub() -> Iterator[Finding]:
    """Look at what a JupyterHub adds, where there is one."""
    try:
        from oraledu.app import hub
    except Exception:  # named above already, and packages in the way may fail in any way
        return
    yield from hub.findings()


def _ask_kernel(code: str, folder: Path) -> list[str]:
    """Return what code binds to `answer` in a new kernel, which runs in a folder where there is one.

    It comes with the reply: what a kernel prints can hold others' warnings, as in a home that cannot be written.

    Raises:
        RuntimeError: the kernel does not start, or the code fails in it.
        TimeoutError: it does not answer.
    """
    # Imported here, so that this command can name a package in their way.
    from jupyter_client.manager import KernelManager

    from oraledu.app.kernels import manager_options, prepare_environment

    prepare_environment()
    manager = KernelManager(kernel_name="python3", **manager_options())
    manager.start_kernel(cwd=str(folder if folder.is_dir() else PACKAGE.parent))
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=KERNEL_SECONDS)
        asked = {"answer": "answer"}
        reply = client.execute(code, user_expressions=asked, reply=True, timeout=KERNEL_SECONDS)["content"]
        if reply["status"] != "ok":
            raise RuntimeError(reply["evalue"])
        return ast.literal_eval(reply["user_expressions"]["answer"]["data"]["text/plain"])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def data(folder: Path = PACKAGE / "data") -> Iterator[Finding]:
    """Compare each data set of the course with its checksum."""
    try:
        from oraledu.data import embedded

        checksums = embedded.read_checksums(folder)
    except FileNotFoundError:
        checksums = {embedded.CHECKSUMS: ""}
    except Exception as error:  # as above
        yield Finding("data", f"they cannot be read ({error})", _otherwise())
        return
    for name, digest in checksums.items():
        try:
            embedded.read_checked(name, folder)
        except (OSError, ValueError) as error:
            found = str(error).removesuffix(embedded.DOCTOR)
            yield Finding(f"data {name}", found, cures.restore(folder / name))
        else:
            yield Finding(f"data {name}", f"sha256 {digest[:12]}")
