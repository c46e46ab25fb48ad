"""Is everything in place? One line for each thing looked at, and for what is wrong the words that mend it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

import oraledu
from oraledu.app import install, launch
from oraledu.app.catalogue import PACKAGE
from oraledu.data import embedded

KERNEL_SECONDS = 60
REINSTALL = "remove the folder .venv in the checkout, then run there 'python3 -m oraledu lab'"
if not install.made_here(Path(sys.prefix)):
    REINSTALL = f"{sys.executable} -m pip install --force-reinstall -e {launch.checkout() or 'oraledu'}"


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
    for examine in (python_path, versions, threads, devices, kernel, data):
        for finding in examine():
            print(finding, flush=True)
            wrong += finding.cure is not None
    print("All is well." if wrong == 0 else f"To mend: {wrong}.")
    return min(wrong, 1)


def python_path() -> Iterator[Finding]:
    """Look for packages that come before those of the environment."""
    entries = list(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    names = sorted(each.name for each in importlib.metadata.distributions(path=entries))
    if names:
        found = f"{os.pathsep.join(entries)} comes before the course's own packages, with {', '.join(names)}"
        yield Finding("PYTHONPATH", found, "unset PYTHONPATH, then run this again")


def versions() -> Iterator[Finding]:
    """Look at Python, the package, and each of its requirements."""
    yield Finding("Python", f"{platform.python_version()} in {sys.prefix}")
    yield Finding("oraledu", f"{oraledu.__version__} in {PACKAGE}")
    try:
        required = importlib.metadata.requires("oraledu") or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(
            "installation", "the package is not installed, so notebooks cannot import it", REINSTALL
        )
        return
    for requirement in map(Requirement, required):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _version(requirement)


def _version(requirement: Requirement) -> Finding:
    cure = " ".join([*install._pip(Path(sys.prefix)), "install", f"'{requirement}'"])
    try:
        found = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(requirement.name, "missing", cure)
    if requirement.specifier.contains(found, prereleases=True):
        return Finding(requirement.name, found)
    return Finding(requirement.name, f"{found}, but the course needs {requirement.specifier}", cure)


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
        yield Finding("devices", f"PyTorch does not start ({error})", REINSTALL)
        return
    found = ["cpu"]
    found += [f"cuda ({torch.cuda.get_device_name(k)})" for k in range(torch.cuda.device_count())]
    found += ["mps"] if torch.backends.mps.is_available() else []
    yield Finding("devices", ", ".join(found))


def kernel() -> Iterator[Finding]:
    """Start the kernel that runs the notebooks, and see whether it finds the course."""
    try:
        prefix, package = _ask_kernel(
            "import json, sys, oraledu; print(json.dumps([sys.prefix, oraledu.__file__]))"
        )
    except Exception as error:  # what is in the way may fail in any way
        yield Finding("kernel", f"it does not run the course ({error or 'no answer'})", REINSTALL)
        return
    if Path(package).resolve().parent != PACKAGE:
        yield Finding("kernel", f"it imports another oraledu, {package}", REINSTALL)
    else:
        yield Finding("kernel", f"python3 runs in {prefix}")


def _ask_kernel(code: str) -> list[str]:
    """Return what a new kernel prints, as JSON.

    Raises:
        RuntimeError: the kernel does not start, or the code fails in it.
        TimeoutError: it does not answer.
    """
    # Imported here, so that this command can name a package in their way.
    from jupyter_client.manager import KernelManager

    from oraledu.app.kernels import manager_options, prepare_environment

    prepare_environment()
    manager = KernelManager(kernel_name="python3", **manager_options())
    manager.start_kernel()
    client = manager.blocking_client()
    printed: list[str] = []

    def keep(message: dict) -> None:
        printed.append(message["content"].get("text", ""))

    try:
        client.start_channels()
        client.wait_for_ready(timeout=KERNEL_SECONDS)
        reply = client.execute_interactive(code, timeout=KERNEL_SECONDS, output_hook=keep)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(reply["content"]["evalue"])
        return json.loads("".join(printed))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def data(folder: Path = PACKAGE / "data") -> Iterator[Finding]:
    """Compare each data set of the course with its checksum."""
    cure = f"in the checkout: git checkout -- {folder}" if launch.checkout() else REINSTALL
    for name, digest in embedded.read_checksums(folder).items():
        try:
            embedded.read_checked(name, folder)
        except (OSError, ValueError) as error:
            yield Finding(f"data {name}", str(error), cure)
        else:
            yield Finding(f"data {name}", f"sha256 {digest[:12]}")
