"""Small exercises for the tests, made of functions that no lesson has."""

import time
from collections.abc import Sequence
from typing import Any

import torch

from oraledu.course.exercise import Case, Exercise, WrongAnswer


def softmax(scores: torch.Tensor) -> torch.Tensor:
    """The reference: each row becomes a distribution."""
    powers = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
    return powers / powers.sum(dim=1, keepdim=True)


def good_softmax(scores: torch.Tensor) -> torch.Tensor:
    """A learner's right answer."""
    return torch.nn.functional.softmax(scores, dim=1)


def columns_softmax(scores: torch.Tensor) -> torch.Tensor:
    """A learner's wrong answer."""
    return torch.nn.functional.softmax(scores, dim=0)


def unstable_softmax(scores: torch.Tensor) -> torch.Tensor:
    """Another one."""
    return torch.exp(scores) / torch.exp(scores).sum(dim=1, keepdim=True)


COLUMNS = "You normalised the columns: the classes lie along the rows."
UNSTABLE = "You took the exponential of large scores: subtract the largest one first."


def softmax_cases(generator: torch.Generator) -> Sequence[Case]:
    """A tall input in float64, and a wide one in float32 with large entries."""
    return [
        Case("a tall input", (torch.randn(5, 3, generator=generator, dtype=torch.float64),)),
        Case("large scores", (1e4 * torch.randn(2, 4, generator=generator),)),
    ]


def shift_changes_nothing(function: Any, generator: torch.Generator) -> str | None:
    """A property that calls the learner's function twice."""
    scores = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    if torch.allclose(function(scores), function(scores + 1.0)):
        return None
    return "adding one number to all scores changes the result"


def softmax_exercise(**settings: Any) -> Exercise:
    """The exercise of this module, with settings changed."""
    usual: dict[str, Any] = {
        "id": "test.softmax",
        "title": "Softmax",
        "reference": softmax,
        "cases": softmax_cases,
        "properties": [shift_changes_nothing],
        "wrong_answers": [WrongAnswer(columns_softmax, COLUMNS), WrongAnswer(unstable_softmax, UNSTABLE)],
    }
    return Exercise(**(usual | settings))


def exercise_of(reference: Any, *arguments: Any, **settings: Any) -> Exercise:
    """An exercise with one case, for a reference that a test defines."""
    probe = settings.pop("probe", None)
    return Exercise(
        id=f"test.{reference.__name__}",
        title="A test",
        reference=reference,
        cases=lambda generator: [Case("the only case", arguments, probe=probe)],
        **settings,
    )


def compute_for(seconds: float) -> None:
    """Keep the processor busy for so long."""
    begun = time.process_time()
    while time.process_time() < begun + seconds:
        pass
