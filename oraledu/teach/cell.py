"""The other process: where submitted functions run, each in a fork of its own, and where there is no course.

`remote` starts it with a socket as its only argument. The process loads torch once and then forks for each order: the
fork gives up what it can (network, other processes, files, memory), runs the statements that define the function, and
answers calls. It never sees an expected value: it is given arguments, and returns results.
"""

# It holds for what is compiled here too: a submission's annotations are not looked up.
from __future__ import annotations

import builtins
import contextlib
import dis
import importlib.abc
import importlib.machinery
import inspect
import json
import linecache
import os
import random
import socket
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

# `remote` makes these folders known here as long as this file is loaded, and `main` forgets them.
from oraledu.course.decompositions import Decompositions
from oraledu.course.forms import tensors
from oraledu.teach import confine, wire

#: How many results are remembered, and up to how many bytes each, to see whether a later call changes them.
REMEMBERED, SMALL = 64, 2**20


class Todo(Exception):
    """Stands in the body of a function that is still to be written."""


class Cell:
    """One submitted function in its process, at the end of a socket."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.functions: dict[int, Callable[..., Any]] = {}
        self.tensors: dict[int, Tensor] = {}
        self.returned: dict[str, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}
        self.graphs: dict[int, tuple[Tensor, list[Tensor]]] = {}
        self.made = 0
        self.code: Any = None
        sys.meta_path.insert(0, _Course(self))

    def serve(self, held: set[str]) -> None:
        """Answer until the other side ends, whatever this process is kept from."""
        while True:
            order, blocks = wire.receive(self.channel)
            {"load": self._load, "call": self._call, "gradient": self._gradient}[order["do"]](order, blocks)

    def _load(self, order: dict[str, Any], blocks: dict[str, torch.UntypedStorage]) -> None:
        """Run the statements that define the function, and what it needs."""
        random.seed(order["seed"])
        np.random.seed(order["seed"] % 2**32)
        torch.manual_seed(order["seed"])
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        names = vars(main)
        names["Todo"] = Todo
        names |= {name: _Elsewhere(self, ["lent", name]) for name in order["lent"]}
        for cell in order["before"]:
            with contextlib.suppress(Exception):
                exec(compile(cell, "<cell>", "exec"), names)
        try:
            for number, statement in enumerate(order["statements"]):
                file = f"<statement {number}>"
                linecache.cache[file] = (len(statement), None, statement.splitlines(keepends=True), file)
                exec(compile(statement, file, "exec"), names)
            function = names[order["name"]]
            self.functions[0] = function
            self.code = getattr(inspect.unwrap(function), "__code__", None)
        except BaseException as error:
            self._say({"do": "raise", **self._told(error)})
        else:
            self._say(
                {
                    "do": "return",
                    "value": None,
                    "callable": callable(function),
                    "type": type(function).__name__,
                }
            )

    def _call(self, order: dict[str, Any], blocks: dict[str, torch.UntypedStorage]) -> None:
        """Call a function, and say what it returns and what it has changed."""
        torch.set_rng_state(wire.numbers(blocks.pop("random")))
        arguments, keywords = self._reader(blocks).value(order["value"])
        before = {name: block.clone() for name, block in blocks.items()}
        seen = Decompositions()
        with (
            seen if order["watch"] else contextlib.nullcontext(),
            torch.set_grad_enabled(order["grad"]),
        ):
            try:
                result = self.functions[order["function"]](*arguments, **keywords)
            except BaseException as error:
                self._say({"do": "raise", **self._told(error)})
                return
        earlier = blocks | {name: block for name, (block, _) in self.returned.items()}
        known = {block.data_ptr(): name for name, block in earlier.items() if block.nbytes()}
        writer = wire.Writer(known, self._name, prefix="theirs", first=self.made)
        answer = {"do": "return", "value": writer.tree(result), "sizes": seen.sizes}
        answer["graph"] = self._graph(result, (arguments, keywords))
        copies = before | {name: copy for name, (_, copy) in self.returned.items()}
        changed = {name: block for name, block in earlier.items() if not _same(block, copies[name])}
        state = {"random": torch.get_rng_state().untyped_storage()}
        wire.send(self.channel, answer, writer.blocks | changed | state)
        self._remember(writer.blocks | changed)

    def _graph(self, result: Any, inputs: Any) -> int | None:
        """Keep what a gradient is taken of, and give it a name."""
        leaves = [each for each in tensors(inputs) if each.requires_grad]
        if not (leaves and isinstance(result, Tensor) and result.requires_grad):
            return None
        self.graphs[len(self.graphs)] = (result, leaves)
        return len(self.graphs) - 1

    def _gradient(self, order: dict[str, Any], blocks: dict[str, torch.UntypedStorage]) -> None:
        result, leaves = self.graphs[order["graph"]]
        try:
            gradients = torch.autograd.grad(
                result,
                leaves,
                self._reader(blocks).value(order["value"]),
                retain_graph=True,
                allow_unused=True,
            )
        except BaseException as error:
            self._say({"do": "raise", **self._told(error)})
            return
        writer = wire.Writer()
        self._say({"do": "return", "value": writer.tree(list(gradients))}, writer.blocks)

    def ask(self, question: dict[str, Any], value: Any = None) -> Any:
        """Ask the examining process to call something of its own, or what it is."""
        writer = wire.Writer(function=self._name)
        self._say({"do": "ask", **question, "value": writer.tree(value)}, writer.blocks)
        answer, blocks = wire.receive(self.channel)
        while answer["do"] == "call":  # what was asked for calls a function that it was given
            self._call(answer, blocks)
            answer, blocks = wire.receive(self.channel)
        if answer["do"] == "raise":
            kind = getattr(builtins, answer["kind"], RuntimeError)
            raise kind(answer["message"])
        return self._reader(blocks).value(answer["value"])

    def _reader(self, named: dict[str, torch.UntypedStorage]) -> wire.Reader:
        def again(tensor: Tensor, name: Any) -> Tensor:
            if name is None or tensor.requires_grad:
                return tensor
            here = self.tensors.get(name)
            if here is None or _form(here) != _form(tensor):
                self.tensors[name] = here = tensor
                if len(self.tensors) > REMEMBERED:
                    del self.tensors[next(iter(self.tensors))]
                return tensor
            fresh, kept = tensor.untyped_storage(), here.untyped_storage()
            kept.copy_(fresh)
            for each, block in named.items():
                if block.data_ptr() == fresh.data_ptr():
                    named[each] = kept
            return here

        return wire.Reader(named, lambda name: _Elsewhere(self, name), again)

    def _name(self, function: Callable[..., Any]) -> Any:
        if isinstance(function, _Elsewhere):
            return function.place
        self.functions[number := len(self.functions)] = function
        return number

    def _remember(self, blocks: dict[str, torch.UntypedStorage]) -> None:
        """Keep small results, to say so where a later call changes them."""
        for name, block in blocks.items():
            if name.startswith("theirs"):
                self.made = max(self.made, int(name.split()[1]) + 1)
                if block.nbytes() <= SMALL:
                    self.returned[name] = (block, block.clone())
        while len(self.returned) > REMEMBERED:
            del self.returned[next(iter(self.returned))]

    def _say(self, tree: Any, blocks: dict[str, torch.UntypedStorage] | None = None) -> None:
        wire.send(self.channel, tree, blocks)

    def _told(self, error: BaseException) -> dict[str, Any]:
        """Return what was raised, and in which line of the function."""
        frames = list(traceback.walk_tb(error.__traceback__))
        own = [(frame, line) for frame, line in frames if frame.f_code is self.code]
        place = None
        if own and self.code:
            source = linecache.getline(self.code.co_filename, own[-1][1]).strip()
            place = [own[-1][1] - self.code.co_firstlineno + 1, source]
        last = frames[-1][0] if frames else None
        raised = bool(last and last.f_code is self.code and _is_raise(last))
        try:
            message = str(error)[:2000]
        except BaseException:
            message = "its message cannot be read"
        todo = isinstance(error, Todo) or (isinstance(error, NotImplementedError) and raised)
        return {"kind": type(error).__name__, "message": message, "place": place, "todo": todo}


class _Elsewhere:
    """A function of the examining process, or a part of the course, which is there and not here."""

    def __init__(self, cell: Cell, place: Any) -> None:
        self.cell, self.place = cell, place

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.cell.ask({"what": "call", "place": self.place}, (args, kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.cell.ask({"what": "attribute", "place": ["within", *self.place]})


class _Course(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes modules of the course's names; what is in them is asked for when it is used."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name.partition(".")[0] != "oraledu":
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        cell = self.cell

        class Part(types.ModuleType):
            def __getattr__(self, name: str) -> Any:
                if name.startswith("__"):
                    raise AttributeError(name)
                if name == "Todo":
                    return Todo
                path = f"{self.__name__}.{name}"
                found = cell.ask({"what": "attribute", "place": ["course", path]})
                return importlib.import_module(path) if found == ("module",) else found

        return Part(spec.name)

    def exec_module(self, module: Any) -> None:
        """Do nothing: a part of the course is empty here."""


def _is_raise(frame: Any) -> bool:
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "RAISE_VARARGS"


def _form(tensor: Tensor) -> tuple[Any, ...]:
    memory = tensor.untyped_storage().nbytes()
    return tensor.dtype, tensor.shape, tensor.stride(), tensor.storage_offset(), memory


def _same(one: torch.UntypedStorage, other: torch.UntypedStorage) -> bool:
    return one.nbytes() == other.nbytes() and torch.equal(wire.numbers(one), wire.numbers(other))


def main() -> None:
    """Fork a cell for each order that comes with a socket of its own, until the other side ends."""
    control = socket.socket(fileno=int(sys.argv[1]))
    import scipy.linalg  # noqa: F401  what nearly every submission needs is loaded once, before the forks

    for name in [name for name in sys.modules if name.partition(".")[0] == "oraledu"]:
        del sys.modules[name]
    torch.set_num_threads(1)
    confine.prepare()
    control.sendall(b"!")
    while True:
        order, channels, _, _ = socket.recv_fds(control, 65536, 1)
        if not order:
            return
        limits = json.loads(order)
        channel = socket.socket(fileno=channels[0])
        if not os.fork():
            confine.run(Cell(channel).serve, limits, control)
        channel.close()
        confine.reap()
