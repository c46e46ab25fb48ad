"""The figures and explorers of the lesson on grokking: arrays go in, figures come out. One module a part or two."""

from oraledu.course.tables import results
from oraledu.grokking.views.circulants import circulant_explorer, random_and_learned
from oraledu.grokking.views.features import blocks, logarithm_explorer
from oraledu.grokking.views.fourier import fourier_explorer
from oraledu.grokking.views.layout import at_least
from oraledu.grokking.views.machine import (
    accuracy_curves,
    first_machine_explorer,
    iteration_explorer,
    scores_by_occurrence,
    table,
)
from oraledu.grokking.views.networks import circulant_inputs, comparison_explorer
from oraledu.grokking.views.progress import phase_explorer, progress_curves, sweep_figure
from oraledu.grokking.views.rival import breaking_curve, symmetric_blocks
from oraledu.grokking.views.tables import paper_and_here
