"""The exercises of the lesson on layers, each under the name of the function that the learner writes."""

from oraledu.representations.checks.collision_entropy import collision_entropy
from oraledu.representations.checks.curvature import curvature
from oraledu.representations.checks.curvature_from_gram import curvature_from_gram
from oraledu.representations.checks.effective_rank import effective_rank
from oraledu.representations.checks.matrix_entropy import matrix_entropy
from oraledu.representations.checks.refute import refute

#: In the order of the lesson.
ALL = (
    matrix_entropy,
    collision_entropy,
    effective_rank,
    refute,
    curvature,
    curvature_from_gram,
)

__all__ = ["ALL", *(exercise.name for exercise in ALL)]
