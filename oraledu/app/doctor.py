"""Is everything in place? One line for each thing looked at, and for what is wrong the words that mend it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import KernelManager
from packaging.requirements import Requirement

import oraledu
from oraledu.app.catalogue import PACKAGE
from oraledu.app.kernels import manager_options

#: Lines "digest  name", as `sha256sum` writes them, for the data sets that lie beside it.
CHECKSUMS = "SHA256SUMS"
KERNEL_SECONDS = 60
REINSTALL = "run 'python3 -m oraledu lab' in the checkout, or install the package anew"


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
    for examine in (versions, threads, devices, kernel, data):
        for finding in examine():
            print(finding, flush=True)
            wrong += finding.cure is not None
    print("All is well." if wrong == 0 else f"To mend: {wrong}.")
    return min(wrong, 1)


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
    cure = f"pip install '{requirement}'"
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
    """Start the kernel that the notebooks ask for, and see whether it finds the course."""
    try:
        KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        yield Finding("kernel", "there is none of the name python3", REINSTALL)
        return
    try:
        prefix, package = _ask_kernel(
            "import json, sys, oraledu; print(json.dumps([sys.prefix, oraledu.__file__]))"
        )
    except (OSError, RuntimeError, TimeoutError, ValueError) as error:
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
    sums = folder / CHECKSUMS
    if not sums.exists():
        yield Finding("data", "none; the lessons here make their own")
        return
    for line in sums.read_text("utf-8").splitlines():
        digest, name = line.split(maxsplit=1)
        path = folder / name
        if not path.is_file():
            yield Finding(f"data {name}", "missing", REINSTALL)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield Finding(f"data {name}", "damaged: its checksum is another", REINSTALL)
        else:
            yield Finding(f"data {name}", f"sha256 {digest[:12]}")
