"""The exercises of the lesson on scaling collapse, each under the name of the function that the learner writes."""

from oraledu.course.quiz import questions_beside
from oraledu.scaling.checks.collapse_deviation import collapse_deviation
from oraledu.scaling.checks.end_slope import end_slope
from oraledu.scaling.checks.find_offset import find_offset
from oraledu.scaling.checks.fit_line import fit_line
from oraledu.scaling.checks.layer_decays import layer_decays
from oraledu.scaling.checks.layer_rates import layer_rates
from oraledu.scaling.checks.mean_step import mean_step
from oraledu.scaling.checks.noise_floor import noise_floor
from oraledu.scaling.checks.normalize import normalize
from oraledu.scaling.checks.optimal_tokens import optimal_tokens
from oraledu.scaling.checks.predict_loss import predict_loss
from oraledu.scaling.checks.universal_curve import universal_curve
from oraledu.scaling.checks.variance_parts import variance_parts

questions = questions_beside(__file__)
#: In the order of the lesson.
ALL = (
    fit_line,
    find_offset,
    optimal_tokens,
    universal_curve,
    normalize,
    collapse_deviation,
    variance_parts,
    noise_floor,
    mean_step,
    predict_loss,
    end_slope,
    layer_rates,
    layer_decays,
)

__all__ = ["ALL", "questions", *(exercise.name for exercise in ALL)]
