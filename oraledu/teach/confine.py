"""What a process that runs a submission gives up, as far as the system lets it: network, processes, files, memory.

Linux has all of it; where a system refuses a part, that part is missing from what `run` hands to the work. None of
this holds against somebody who knows a hole in the kernel: for that there are containers and virtual machines.
"""

import contextlib
import ctypes
import os
import resource
import signal
import site
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_CLONE = {"users": 0x10000000, "processes": 0x20000000, "network": 0x40000000, "messages": 0x08000000}
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _READ_FILE, _READ_DIR = 2, 4, 8
#: By the version of the kernel's interface: every right over files that it knows.
_RIGHTS = {1: 2**13 - 1, 2: 2**14 - 1, 3: 2**15 - 1, 5: 2**16 - 1}
_O_PATH = 0o10000000
_NOBODY = 65534
#: What a process needs besides Python: the system's libraries, its time zone, its random numbers.
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/fonts",
    "/opt",
    "/dev/urandom",
    "/dev/null",
    "/proc/cpuinfo",
    "/sys/devices/system/cpu",
)
_HIDDEN = "oraledu"
_rulesets: list[int] = []  # one at most
#: The folder that the course lies in: one of packages, or a checkout.
_COURSE = Path(__file__).resolve().parents[2]
#: What a submitted function is kept from, or within, where a system lets us.
PARTS = (
    "no network",
    "no other process",
    "no files but Python's and the system's",
    "a limit of time",
    "a limit of memory",
)


def run(work: Callable[[set[str]], None], limits: dict[str, Any], announce: socket.socket) -> None:
    """Give up what can be given up, and work; never returns.

    Args:
        work: what to do; is told which `PARTS` hold.
        limits: `folder`, where it works; `seconds` of processor time; `memory` in GiB more
            than now; `bytes` of a file; `processes`.
        announce: gets the number of the process that works, as the other processes know it, in 8 bytes.
    """
    code = 1
    try:
        libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        os.setsid()
        os.chdir(limits["folder"])
        null = os.open(os.devnull, os.O_RDWR)
        for each in (0, 1, 2):
            os.dup2(null, each)
        held = set(PARTS[:2]) if _alone(libc, announce) else set()
        announce.close()
        held |= _limit(limits)
        if libc:
            libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            held |= {PARTS[2]} if _only_these_files(libc) else set()
        work(held)
        code = 0
    except BaseException:
        code = 1
    finally:
        os._exit(code)


def hide_memory() -> None:
    """Forbid other processes of this user to look into this one's memory (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def reap() -> None:
    """Collect the processes that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _alone(libc: Any, announce: socket.socket) -> bool:
    """Move into namespaces without network and other processes, and tell whether that is allowed.

    That takes a fork, because the first process stays outside.
    """
    apart = sum(_CLONE.values())
    if libc is not None and os.getuid() == 0:
        # The system counts no processes of root's. The files stay readable: for them the other identity decides.
        os.setreuid(_NOBODY, 0)
    if libc is None or (libc.unshare(apart) and libc.unshare(apart - _CLONE["users"])):
        announce.sendall(os.getpid().to_bytes(8, "big"))
        return False
    child = os.fork()
    if child:
        announce.sendall(child.to_bytes(8, "big"))
        announce.close()
        # When this process is killed, so is the other: the first in its namespace takes all others with it.
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 255)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return True


def prepare() -> None:
    """Do once what is the same for every process that is forked from this one."""
    if sys.platform == "linux":
        _ruleset(ctypes.CDLL(None))


def _only_these_files(libc: Any) -> bool:
    """Leave Python and the system to be read, and tell whether that is allowed.

    Nothing may be written; no program, no home, nothing of the course.
    """
    ruleset = _ruleset(libc)
    held = ruleset >= 0 and not libc.syscall(_RESTRICT_SELF, ruleset, 0)
    if ruleset >= 0:
        os.close(ruleset)
    return held


def _ruleset(libc: Any) -> int:
    """Return the number of an open file that holds the rules of Landlock; -1 where there is none."""
    if not _rulesets:
        version = libc.syscall(_CREATE_RULESET, None, 0, 1)
        rights = _RIGHTS[max(known for known in _RIGHTS if known <= max(version, 1))]
        _rulesets.append(libc.syscall(_CREATE_RULESET, ctypes.byref(ctypes.c_uint64(rights)), 8, 0))
        if _rulesets[0] >= 0:
            for path in _readable():
                _allow(libc, _rulesets[0], path, _READ_FILE | _READ_DIR)
        _allow(libc, _rulesets[0], Path("/dev/null"), _READ_FILE | _WRITE_FILE)
    return _rulesets[0]


def _allow(libc: Any, ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, _O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not path.is_dir():
        rights &= ~_READ_DIR
    rule = (ctypes.c_char * 12)()
    ctypes.c_uint64.from_buffer(rule).value = rights
    ctypes.c_int32.from_buffer(rule, 8).value = place
    libc.syscall(_ADD_RULE, ruleset, 1, rule, 0)
    os.close(place)


def _readable() -> Iterable[Path]:
    """Yield what Python and its packages need, each package by itself, so that one can be left out."""
    packages = {Path(path).resolve() for path in (*site.getsitepackages(), *sys.path, str(_COURSE))}
    roots = {Path(path).resolve() for path in (*_SYSTEM, sys.prefix, sys.base_prefix)} | packages
    yield from without_course((path for path in roots if path.exists()), packages)


def without_course(roots: Iterable[Path], packages: set[Path]) -> Iterable[Path]:
    """Yield the largest folders below some roots that hold nothing of the course.

    Args:
        roots: files and folders.
        packages: the folders in which Python looks for packages.
    """
    for root in roots:
        if (root / _HIDDEN / "teach").is_dir() and (root / "pyproject.toml").is_file():
            continue  # a checkout
        if not root.is_dir() or not any(each.is_relative_to(root) for each in packages):
            yield root
        elif root in packages:
            yield from without_course([each for each in root.iterdir() if _HIDDEN not in each.name], packages)
        else:
            yield from without_course([each for each in root.iterdir() if not each.is_symlink()], packages)


def _limit(limits: dict[str, Any]) -> set[str]:
    """Set the limits; return those of `PARTS` that hold."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    wanted = {
        "RLIMIT_CPU": limits["seconds"],
        "RLIMIT_FSIZE": limits["bytes"],
        "RLIMIT_NPROC": limits["processes"],
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 64,
    }
    if pages:
        wanted["RLIMIT_AS"] = pages * resource.getpagesize() + int(limits["memory"] * 2**30)
    held = set()
    for name, value in wanted.items():
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))
            held.add(name)
    return {part for name, part in (("RLIMIT_CPU", PARTS[3]), ("RLIMIT_AS", PARTS[4])) if name in held}


def main() -> None:
    """Tell the other side of a socket which `PARTS` hold here; `remote.missing` asks for it."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    told = channel.dup()
    limits = {"folder": "/", "seconds": 60, "memory": 1.0, "bytes": 0, "processes": 64}
    run(lambda held: told.sendall(", ".join(held).encode()), limits, channel)
