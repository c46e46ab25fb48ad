"""The exercises of the lesson on grokking, each under the name of the function that the learner writes."""

from oraledu.course.quiz import questions_beside
from oraledu.grokking.checks.deviation import deviation
from oraledu.grokking.checks.discrete_log_order import discrete_log_order
from oraledu.grokking.checks.gaussian_agop import gaussian_agop
from oraledu.grokking.checks.multiplication import multiplication
from oraledu.grokking.checks.network_agop import network_agop
from oraledu.grokking.checks.psd_power import psd_power
from oraledu.grokking.checks.quadratic_agop import quadratic_agop
from oraledu.grokking.checks.quadratic_gram import quadratic_gram
from oraledu.grokking.checks.random_metric import random_metric
from oraledu.grokking.checks.symmetric_split import symmetric_split

questions = questions_beside(__file__)
#: In the order of the lesson.
ALL = (
    quadratic_gram,
    quadratic_agop,
    psd_power,
    deviation,
    discrete_log_order,
    gaussian_agop,
    multiplication,
    random_metric,
    network_agop,
    symmetric_split,
)

__all__ = ["ALL", "questions", *(exercise.name for exercise in ALL)]
