"""The exercises of the lesson on scaling collapse, each under the name of the function that the learner writes."""

from oraledu.scaling.checks.collapse_deviation import collapse_deviation
from oraledu.scaling.checks.find_offset import find_offset
from oraledu.scaling.checks.fit_line import fit_line
from oraledu.scaling.checks.normalize import normalize
from oraledu.scaling.checks.optimal_tokens import optimal_tokens
from oraledu.scaling.checks.universal_curve import universal_curve

#: In the order of the lesson.
ALL = (
    fit_line,
    find_offset,
    optimal_tokens,
    universal_curve,
    normalize,
    collapse_deviation,
)

__all__ = ["ALL", *(exercise.name for exercise in ALL)]
