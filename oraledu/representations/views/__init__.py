"""The figures and explorers of lesson 2, layer by layer: arrays go in, figures come out. One module a part or two."""

from oraledu.course.tables import results
from oraledu.representations.views.choices import (
    gains,
    honest_selection,
    metric_against_score,
    regret_explorer,
)
from oraledu.representations.views.curves import metric_curves, score_curves, sweep_figure, vision_curves
from oraledu.representations.views.grams import gram_images
from oraledu.representations.views.layers import entropy_conventions, layer_explorer
from oraledu.representations.views.paths import path_explorer
from oraledu.representations.views.projections import Task, task_explorer
from oraledu.representations.views.published import published_models, published_training
from oraledu.representations.views.rivals import rule_gains
from oraledu.representations.views.scores import by_name, mean_score, score_heatmap, score_table
from oraledu.representations.views.sinks import sink_explorer
from oraledu.representations.views.spectra import entropy_orders, rank_against_entropy, spectrum_explorer
from oraledu.representations.views.tables import augmentation_table, paper_and_here
