"""The figures and explorers of the lesson on scaling collapse: arrays go in, figures come out."""

from oraledu.course.tables import results
from oraledu.scaling.views.choices import normaliser_explorer, offset_explorer
from oraledu.scaling.views.fluctuations import end_slopes, fluctuation_explorer
from oraledu.scaling.views.frontier import frontier, raw_shifted_collapsed
from oraledu.scaling.views.horizons import horizon_explorer, wrong_exponent
from oraledu.scaling.views.measuring import deviation_and_floor, variance_bars

__all__ = [
    "deviation_and_floor",
    "end_slopes",
    "fluctuation_explorer",
    "frontier",
    "horizon_explorer",
    "normaliser_explorer",
    "offset_explorer",
    "raw_shifted_collapsed",
    "results",
    "variance_bars",
    "wrong_exponent",
]
