"""What an exercise asks for, as data: the reference, the inputs, the properties, the wrong answers, the limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from oraledu.course.guard import Guard, closable
from oraledu.course.sandbox import Function
from oraledu.course.slips import WrongAnswer


@dataclass(frozen=True)
class Case:
    """One input on which the learner's function is compared with the reference.

    Attributes:
        name: how a complaint refers to it: "On 'a random metric' the result …".
        arguments: the positional arguments; both functions get copies.
        keywords: the keyword arguments, copied too.
        probe: where the answer is itself a function, the arguments on which the two answers are compared.
    """

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any] = field(default_factory=dict)
    probe: tuple[Any, ...] | None = None


@dataclass(kw_only=True, eq=False)
class Specification:
    """An exercise as data; `exercise.Exercise` adds what happens to it in a session.

    Attributes:
        id: topic and function, "grokking.agop".
        title: what a reader sees in a list.
        reference: the right function: plain, and leaving its arguments as they are.
        cases: makes the inputs from a generator. The seed comes from `id` and the number of the check in this
            session: fresh inputs for each check, and the same when a notebook is run again from the start.
        properties: what must hold besides. Each takes a function that calls the learner's on copies, and a
            generator, and returns None, or the sentence that says what fails (without a full stop). Its own name
            says to the learner what was asked.
        wrong_answers: what must be rejected; also the source of the likely slip in a complaint.
        hints: markdown, from a nudge to nearly everything.
        core: whether it belongs to the two-hour path.
        tolerance: the error allowed, relative to the largest entry of the reference's result; rounding in
            float32 is allowed for by itself.
        full_size: makes the input on which the function is timed, at the size that the lesson uses later.
        slow_factor: how many times slower than the reference the function may be there.
        time_limit: seconds that one call may take.
        guarded: further functions that are closed, even where another exercise's text opens them.
        opens: functions and classes of the topic's science that the exercise's text names, and that the learner's
            function may call. All others are closed while it runs.
        float32: whether the lesson hands float32 tensors to the function too, which then has to return float32.
        number: whether the text asks for "one number", so that a float and a tensor without dimensions both serve.
        memory_limit: GiB that one call may take.
    """

    id: str
    title: str
    reference: Function
    cases: Callable[[torch.Generator], Sequence[Case]]
    properties: Sequence[Callable[[Function, torch.Generator], str | None]] = ()
    wrong_answers: Sequence[WrongAnswer] = ()
    hints: Sequence[str] = ()
    core: bool = True
    tolerance: float = 1e-9
    full_size: Callable[[torch.Generator], Case] | None = None
    slow_factor: float = 30.0
    time_limit: float = 20.0
    guarded: Sequence[Function] = ()
    opens: Sequence[Function] = ()
    float32: bool = True
    number: bool = False
    memory_limit: float = 4.0

    def __post_init__(self) -> None:
        if "." not in self.id.strip("."):
            raise ValueError(f"id must name topic and function, as in 'grokking.agop'; got {self.id!r}")
        limits = {"tolerance": 0.0, "slow_factor": 1.0, "time_limit": 0.0, "memory_limit": 0.0}
        for name, least in limits.items():
            if not getattr(self, name) > least:
                raise ValueError(f"{name} must be greater than {least:g}; got {getattr(self, name)!r}")
        for function in (self.reference, *self.guarded):
            closable(function)
        _all.append(self)

    @property
    def topic(self) -> str:
        """The topic that the exercise belongs to, which is the package with its science."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """The name of the function to write."""
        return self.id.rpartition(".")[2]

    def guard(self) -> Guard:
        """Return what is closed while a learner's function runs: the topic's science, but for what texts name.

        What the text of another exercise names stays open as well, because a function that has solved it may be
        called in this one.
        """
        opens = [each for other in _all if other.topic == self.topic for each in other.opens]
        own = [closable(each) for each in (self.reference, *self.guarded)]
        return Guard(own, f"oraledu.{self.topic}", opens)


_all: list[Specification] = []
