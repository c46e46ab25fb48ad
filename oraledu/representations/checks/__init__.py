"""The exercises of the lesson on layers, each under the name of the function that the learner writes."""

from oraledu.course.quiz import questions_beside
from oraledu.representations.checks.collision_entropy import collision_entropy
from oraledu.representations.checks.curvature import curvature
from oraledu.representations.checks.curvature_from_gram import curvature_from_gram
from oraledu.representations.checks.dime_collision import dime_collision
from oraledu.representations.checks.effective_rank import effective_rank
from oraledu.representations.checks.entropy_bound import entropy_bound
from oraledu.representations.checks.honest_gain import honest_gain
from oraledu.representations.checks.honest_regret import honest_regret
from oraledu.representations.checks.info_nce import info_nce
from oraledu.representations.checks.lidar import lidar
from oraledu.representations.checks.matrix_entropy import matrix_entropy
from oraledu.representations.checks.refute import refute

questions = questions_beside(__file__)
#: In the order of the lesson.
ALL = (
    matrix_entropy,
    collision_entropy,
    effective_rank,
    refute,
    curvature,
    curvature_from_gram,
    info_nce,
    dime_collision,
    lidar,
    honest_gain,
    entropy_bound,
    honest_regret,
)

__all__ = ["ALL", "questions", *(exercise.name for exercise in ALL)]
