"""Which lessons there are, where their files lie, and which exercises each of them holds."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from oraledu.course.exercise import Exercise

PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Lesson:
    """One lesson: its number, the stem of its files, its topic package, its title, and its result.

    The result is how the call begins that draws the figure to show first, in README and on the site.
    """

    number: str
    name: str
    topic: str
    title: str
    result: str = ""


LESSONS = (
    Lesson("01", "01_creativity", "diffusion", "Creativity in diffusion models", "views.agreement_scatter("),
    Lesson("02", "02_layer_by_layer", "representations", "Layer by layer", "views.score_heatmap("),
    Lesson(
        "03",
        "03_scaling_collapse",
        "scaling",
        "Scaling collapse",
        "views.deviation_and_floor(grid=grid, deviation=net_deviations",
    ),
    Lesson("04", "04_grokking", "grokking", "Grokking without neural nets", "views.accuracy_curves("),
)


def lesson(number_or_name: str) -> Lesson:
    """Find a lesson by its number ("4" or "04") or by its name ("04_grokking").

    Raises:
        ValueError: there is no such lesson; the message lists those that there are.
    """
    for candidate in LESSONS:
        if number_or_name in (candidate.name, candidate.number, candidate.number.lstrip("0")):
            return candidate
    known = ", ".join(candidate.number for candidate in LESSONS)
    raise ValueError(f"there is no lesson {number_or_name!r}; choose one of: {known}")


def source_folder(kind: Literal["lessons", "solutions", "teach"]) -> Path:
    """Return a folder of notebooks, or that of a teacher's texts: the checkout's own, or the one in a wheel."""
    checkout = PACKAGE.parent / kind
    return checkout if checkout.is_dir() else PACKAGE / "_course" / kind


def exercises(lesson: Lesson) -> tuple[Exercise, ...]:
    """Return the exercises of a lesson in the order in which they are met."""
    checks = importlib.import_module(f"oraledu.{lesson.topic}.checks")
    return tuple(checks.ALL)
