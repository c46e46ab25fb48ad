"""A submitted function, as the examining process sees it: it looks like a function, and runs in another process.

`examine` asks it what it asks every function; the arguments go over a socket, and the results come back. What the
course knows, the expected values above all, stays here.
"""

import builtins
import functools
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, Self

import torch
from torch import Tensor

from oraledu.course.forms import tensors
from oraledu.course.guard import Borrowed, lend, outside, science
from oraledu.course.limits import TimeUp, run_within
from oraledu.course.sandbox import Todo
from oraledu.course.specification import Specification
from oraledu.course.verdict import Complaint
from oraledu.teach import confine, wire

HERE = Path(__file__).resolve().parent
COURSE = HERE.parent / "course"
#: What the other process's environment keeps of ours: where libraries lie, and how those of linear algebra compute.
KEPT = ("LD_LIBRARY_PATH", "OPENBLAS_", "MKL_", "ATEN_", "GOTO_")
REMEMBERED = 64
#: What is told of an exception, in letters.
_WORDS = 2000
#: In the number of a process's clock, what makes it count processor time (clock_getcpuclockid).
_ALL_THREADS = 2
#: A decomposition that the other process reports is repeated here for whoever watches; no larger than this.
REPEATED = 64


#: Names of the course, with this folder and the one of `decompositions` and `forms` alone behind them.
_START = """
import sys, types
for name in ("oraledu", "oraledu.teach", "oraledu.course"):
    sys.modules[name] = module = types.ModuleType(name)
    module.__path__ = [{folder!r} if name != "oraledu.course" else {course!r}]
from oraledu.teach import {module}
{module}.main()
"""


@dataclass(frozen=True)
class Limits:
    """What one function may take in all its calls together.

    Attributes:
        seconds: processor time, and twice that on the clock; each call has the exercise's own limit besides.
        memory: GiB beyond what Python and torch take.
        bytes: what it may write into a file.
        processes: at once, threads counted.
    """

    seconds: int = 300
    memory: float = 4.0
    bytes: int = 0
    processes: int = 64


class Prison:
    """A process that has loaded torch, and forks for each submitted function.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        environment = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
        environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "LANG": "C.UTF-8"}
        start = _START.format(folder=str(HERE), course=str(COURSE), module="cell")
        confine.hide_memory()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", start, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        if self._control.recv(1) != b"!":
            raise OSError("the process for submitted functions does not start")

    def cell(self, limits: dict[str, Any]) -> tuple[socket.socket, int]:
        """Fork; return the socket to the new process, and the number of that process, 0 where there is none."""
        mine, theirs = socket.socketpair()
        number = b""
        with theirs, suppress(OSError):  # it has ended
            socket.send_fds(self._control, [json.dumps(limits).encode()], [theirs.fileno()])
            number = self._control.recv(8)
        return mine, int.from_bytes(number, "big")

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process, and all that it has forked."""
        self._control.close()
        self._process.wait()


class RemoteFunction:
    """A submitted function in a process of its own.

    Args:
        prison: forks the process.
        exercise: what the function is examined on; says which parts of the course it may use.
        statements: what defines it, in order, with all that it needs.
        lent: names of other exercises that stand for the reference.
        limits: see `Limits`.
        seed: where the other process's random states begin.
        before: cells of the student's own, which run first, and may fail.
    """

    def __init__(
        self,
        prison: Prison,
        exercise: Specification,
        statements: Sequence[str],
        *,
        lent: dict[str, Callable[..., Any]] | None = None,
        limits: Limits | None = None,
        seed: int = 0,
        before: Sequence[str] = (),
    ) -> None:
        self.__name__ = exercise.name
        self._prison, self._exercise, self._statements = prison, exercise, list(statements)
        self._lent, self._limits, self._seed = dict(lent or {}), limits or Limits(), seed
        self._before = list(before)
        self.fate: str | None = None
        self._left = 2.0 * self._limits.seconds
        self._folder = tempfile.TemporaryDirectory(prefix="submission-")
        os.chmod(self._folder.name, 0o777)
        self._channel: socket.socket | None = None
        self._handle: int | None = None
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()
        self._folder.cleanup()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(0, args, kwargs)

    def clock(self) -> float:
        """Return the processor seconds of the other process, of ended threads and awaited children too."""
        if sys.platform != "linux" or not self._number:
            return float("inf")  # the clock on the wall decides
        try:
            children = Path(f"/proc/{self._number}/stat").read_text().rpartition(")")[2].split()[13:15]
            of_children = sum(map(int, children)) / os.sysconf("SC_CLK_TCK")
            return time.clock_gettime(~self._number << 3 | _ALL_THREADS) + of_children
        except OSError:
            return float("inf")

    def load(self) -> None:
        """Start the process, and run what defines the function.

        Raises:
            Complaint: that raises, or defines no function.
        """
        limits = vars(self._limits) | {"folder": self._folder.name}
        channel, self._number = self._prison.cell(limits)
        if not self._number:
            channel.close()
            self.fate = "broken"
            raise Complaint("there is no process for it: the system has run out of memory or processes")
        self._channel, self._handle = channel, None
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):
                self._handle = os.pidfd_open(self._number)
        self._functions: list[Callable[..., Any]] = []
        self._kept: dict[int, Tensor] = {}
        self._returned: dict[str, torch.UntypedStorage] = {}
        order = {"do": "load", "statements": self._statements, "name": self.__name__}
        order["before"] = self._before
        try:
            answer, _ = self._ask(order | {"lent": list(self._lent), "seed": self._seed}, {})
        except Exception as error:
            if isinstance(error, Complaint | Todo | Borrowed):
                raise
            self.fate = "broken"
            raise Complaint(f"what it needs does not run: {type(error).__name__}: {error}") from error
        if not answer["callable"]:
            raise Complaint(f"the check takes a function, and got an object of type `{answer['type']}`")

    def end(self) -> None:
        """Kill the process, if there is one."""
        if self._channel is None:
            return
        self._channel.close()
        self._channel = None
        with suppress(OSError):
            if self._handle is not None:
                # Unlike a number, this never stands for another process.
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
                os.close(self._handle)
            else:
                os.killpg(self._number, signal.SIGKILL)

    def _call(self, function: int, args: Any, kwargs: Any) -> Any:
        """Call a function over there: the submitted one is number 0, those that it has returned follow."""
        if self._channel is None:
            if function:
                raise Complaint("its process has ended")
            self.load()
        writer = wire.Writer(function=self._named, tensor=self._known)
        order = {"do": "call", "function": function, "value": writer.tree((args, kwargs))}
        order |= {"grad": torch.is_grad_enabled(), "watch": torch._C._len_torch_function_stack() > 0}
        random = {"random": torch.get_rng_state().untyped_storage()}
        answer, blocks = self._ask(order, writer.blocks | random)
        torch.set_rng_state(wire.numbers(blocks.pop("random")).clone())
        for name, block in blocks.items():
            if name.startswith("theirs") and name not in self._returned:
                self._returned[name] = block
            else:  # it was there before, and has been changed
                wire.numbers((self._returned | writer.blocks)[name]).copy_(wire.numbers(block))
        while len(self._returned) > REMEMBERED:
            del self._returned[next(iter(self._returned))]
        for size in answer["sizes"][:REPEATED]:
            torch.linalg.eigvalsh(torch.eye(min(int(size), REPEATED)))
        result = self._reader(writer.blocks | self._returned | blocks).value(answer["value"])
        if answer["graph"] is not None and isinstance(result, Tensor):
            leaves = [each for each in tensors((args, kwargs)) if each.requires_grad]
            return _Elsewhere.apply(self, answer["graph"], result.detach(), *leaves)
        return result

    def _ask(self, order: dict[str, Any], blocks: dict[str, torch.UntypedStorage]) -> Any:
        """Send an order, serve what it asks meanwhile, and return what it answers."""
        begun = time.monotonic()
        try:
            answer, blocks = self._exchange(order, blocks)
            raised = _raised(answer) if answer["do"] == "raise" else None
        except Borrowed:
            self.end()
            raise
        except Exception as error:  # what it sends is torn, makes no sense, or is too large
            self.fate = "broken"
            self.end()
            told = str(error) if isinstance(error, wire.Torn) else f"it says what has no sense: {error!r}"
            raise Complaint(f"it ends its process ({told[:200]})") from error
        except BaseException:  # the time is up
            self.fate = "timed out"
            self.end()
            raise
        self._left -= time.monotonic() - begun
        if self._left < 0:
            self.fate = "timed out"
            self.end()
            raise Complaint(f"its calls take more than {2 * self._limits.seconds} seconds together")
        if raised is not None:
            raise raised
        return answer, blocks

    def _exchange(self, order: dict[str, Any], blocks: dict[str, torch.UntypedStorage]) -> Any:
        assert self._channel is not None
        wire.send(self._channel, order, blocks)
        while True:
            answer, blocks = wire.receive(self._channel)
            if answer["do"] != "ask":
                return answer, blocks
            reply, blocks = self._served(answer, blocks)
            wire.send(self._channel, reply, blocks)

    def _served(self, question: dict[str, Any], blocks: dict[str, torch.UntypedStorage]) -> Any:
        """Call something of this process for the function, or say what a name of the course is."""
        writer = wire.Writer(function=self._named)
        try:
            with outside():
                if question["what"] == "attribute":
                    if question["place"][0] != "course":
                        raise Borrowed  # it looks into a function or an object of the course
                    found = self._attribute(question["place"][1], writer)
                    return {"do": "answer", "value": found}, writer.blocks
                args, kwargs = self._reader(blocks).value(question["value"])
                found = self._here(question["place"])(*args, **kwargs)
        except (wire.Torn, Borrowed):
            raise
        except Exception as error:  # what it called may refuse its arguments
            return {"do": "raise", "kind": type(error).__name__, "message": str(error)}, {}
        return {"do": "answer", "value": writer.tree(found)}, writer.blocks

    def _here(self, place: Any) -> Callable[..., Any]:
        """Return what a function over there may call; the doors of the examination decide about the course's."""
        kind, name = place
        if kind == "here":
            return self._functions[name]
        if kind == "lent":
            return lambda *args, **kwargs: lend(self._lent[name], *args, **kwargs)
        found = _found(name)
        package = f"oraledu.{self._exercise.topic}"
        if not isinstance(found, FunctionType) or inspect.unwrap(found) not in science(package):
            raise Borrowed  # it has no door that could decide
        return found

    def _attribute(self, path: str, writer: wire.Writer) -> Any:
        """Return what the other process gets for a name of the course: a module, plain data, or what may be called."""
        found = _found(path)
        if isinstance(found, ModuleType):
            return ["tuple", "module"]
        parts = path.split(".")
        if callable(found) or parts[1] != self._exercise.topic or {"checks", "views"} & set(parts):
            return ["function", ["course", path]]
        return writer.tree(found)

    def _reader(self, blocks: dict[str, torch.UntypedStorage]) -> wire.Reader:
        def function(name: Any) -> Callable[..., Any]:
            if type(name) is int:
                return lambda *args, **kwargs: self._call(name, args, kwargs)
            found = self._here(name)
            return _closed(found) if isinstance(found, FunctionType | MethodType) else found

        return wire.Reader(blocks, function)

    def _named(self, function: Callable[..., Any]) -> list[Any]:
        self._functions.append(function)
        return ["here", len(self._functions) - 1]

    def _known(self, tensor: Tensor) -> int:
        """Name a tensor, so that the same one here is the same one there."""
        self._kept[id(tensor)] = tensor
        while len(self._kept) > REMEMBERED:
            del self._kept[next(iter(self._kept))]
        return id(tensor)

    def gradient(self, graph: int, gradient: Tensor) -> list[Tensor | None]:
        """Return the gradients of an earlier result with respect to the inputs that had wanted one."""
        writer = wire.Writer()
        order = {"do": "gradient", "graph": graph, "value": writer.tree(gradient)}
        try:
            answer, blocks = run_within(self._exercise.time_limit, lambda: self._ask(order, writer.blocks))
        except TimeUp:
            raise Complaint(f"its gradient takes more than {self._exercise.time_limit:g} seconds") from None
        return self._reader(blocks).value(answer["value"])


@functools.cache
def protection() -> str:
    """Return a sentence that says which `confine.PARTS` hold on this system."""
    if lacking := missing():
        return (
            f"What does not hold on this system: {', '.join(lacking)}. "
            "Grade what may be hostile in a container or a virtual machine."
        )
    return f"What held for each function: {', '.join(confine.PARTS)}."


def missing() -> list[str]:
    """Return which `confine.PARTS` this system does not grant."""
    mine, theirs = socket.socketpair()
    start = _START.format(folder=str(HERE), course=str(COURSE), module="confine")
    with mine, theirs:
        subprocess.run([sys.executable, "-I", "-c", start, str(theirs.fileno())], pass_fds=[theirs.fileno()])
        theirs.close()
        told = b"".join(iter(lambda: mine.recv(4096), b""))  # the number of a process too
    return [part for part in confine.PARTS if part.encode() not in told]


def _closed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function for which the doors decide anew, also where an open function calls it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        with outside():
            return function(*args, **kwargs)

    return call


def _found(path: str) -> Any:
    """Find a name of the course in what is loaded of it.

    Raises:
        AttributeError: there is none of this name.
    """
    first, *names = path.split(".")
    found: Any = sys.modules["oraledu"] if first == "oraledu" else None
    for name in names:
        own = isinstance(found, ModuleType) and f"{found.__name__}.".startswith("oraledu.")
        if not own or name not in vars(found):
            raise AttributeError(f"the course has no {path}")
        found = vars(found)[name]
    return found


class _Elsewhere(torch.autograd.Function):
    """A result whose gradient the other process knows."""

    @staticmethod
    def forward(ctx: Any, remote: RemoteFunction, graph: int, result: Tensor, *leaves: Tensor) -> Tensor:
        ctx.remote, ctx.graph = remote, graph
        return result.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return None, None, None, *ctx.remote.gradient(ctx.graph, gradient)


def _raised(answer: dict[str, Any]) -> Exception:
    """Return an exception of the kind that was raised over there; of Python's own kinds, the same."""
    if answer["todo"]:
        return Todo()
    kind = str(answer["kind"])
    base = getattr(builtins, kind, Exception)
    if not (isinstance(base, type) and issubclass(base, Exception)):
        base = Exception
    message = str(answer["message"])[:_WORDS]
    words = {"__str__": lambda self: message}
    try:
        error = type(kind, (base,), words)()
    except TypeError:  # one of Python's that is not made of nothing
        error = type(kind, (Exception,), words)()
    if answer["place"]:
        error.place = int(answer["place"][0]), str(answer["place"][1])[:_WORDS]
    return error
