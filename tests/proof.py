"""Proof that a check tells right from wrong."""

from __future__ import annotations

import dataclasses

from oraledu.course.examine import examine
from oraledu.course.exercise import Exercise


def rejections(exercise: Exercise, *, attempts: int = 3) -> dict[str, str]:
    """Return the line that each wrong answer gets, by its mistake.

    The reference is open here, so that a wrong answer may be the right one with a twist.

    Args:
        exercise: the exercise whose check is tried.
        attempts: on how many sets of random inputs.

    Raises:
        AssertionError: the reference is not accepted, or a wrong answer is not "wrong", on one of these sets.
    """
    lines = {}
    # To find the name of a mistake takes longer than to find the mistake, and the first attempt's is returned.
    nameless = dataclasses.replace(exercise, wrong_answers=())
    for attempt in range(attempts, 0, -1):
        asked = exercise if attempt == 1 else nameless
        right = examine(asked, exercise.reference, attempt=attempt, guard=False)
        if right.status != "correct":
            raise AssertionError(f"the reference does not pass its own check: {right.line}")
        for wrong in exercise.wrong_answers:
            outcome = examine(asked, wrong.function, attempt=attempt, guard=False)
            if outcome.status != "wrong":
                raise AssertionError(
                    f"this wrong answer is not rejected: {wrong.mistake} The check says: {outcome.line}"
                )
            lines[wrong.mistake] = outcome.line
    return lines
