"""The figures and explorers of the lesson on creativity: arrays go in, figures come out. One module a part or two.

Images are (N, C, H, W) or (B, C, H, W) with values in [-1, 1], noise is standard normal, patch sizes are odd,
padding is ``"zeros"`` or ``"circular"``, and what has several machines or networks is a mapping by their names.
"""

from oraledu.course.tables import results
from oraledu.diffusion.views.beliefs import belief_explorer
from oraledu.diffusion.views.border import dictionary_sizes, padding_explorer
from oraledu.diffusion.views.counts import count_explorer
from oraledu.diffusion.views.equivariance import machines_explorer, translation_test
from oraledu.diffusion.views.layout import image_rows
from oraledu.diffusion.views.limits import architectures, paper_and_here, studied
from oraledu.diffusion.views.locality import local_samples, locality_explorer
from oraledu.diffusion.views.memory import copies, denoised, ideal_explorer, noising
from oraledu.diffusion.views.mosaic import consistency, creativity, mosaic_explorer, source_maps
from oraledu.diffusion.views.prediction import agreement_scatter, agreement_table, losses, strip, trajectories
from oraledu.diffusion.views.rival import sensitivity
from oraledu.diffusion.views.schedules import schedule_explorer, staircase, sweep_figure
from oraledu.diffusion.views.toy import majority, toy_explorer
