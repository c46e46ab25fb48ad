"""The figures and explorers of the lesson on scaling collapse: arrays go in, figures come out.

The grid is progress, (points,), up to 1; losses and normalised curves are (sizes, seeds, points), parameters (sizes,),
and what has several schedules is a mapping by their names. An offset L₀ lies below every loss.
"""

from oraledu.course.tables import results
from oraledu.scaling.views.choices import normaliser_explorer, offset_explorer
from oraledu.scaling.views.collapse import frontier, raw_shifted_collapsed
from oraledu.scaling.views.fluctuations import end_slopes, fluctuation_explorer
from oraledu.scaling.views.horizons import horizon_explorer, wrong_exponent
from oraledu.scaling.views.measuring import deviation_and_floor, sweep_figure, variance_bars
from oraledu.scaling.views.rival import weight_decay
from oraledu.scaling.views.schedules import prediction, schedule_explorer
from oraledu.scaling.views.tables import paper_and_here
from oraledu.scaling.views.widths import mup_drift, text_ladder
