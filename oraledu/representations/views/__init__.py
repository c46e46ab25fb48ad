"""The figures and explorers of lesson 2, layer by layer: arrays go in, figures come out. One module a part or two."""

from oraledu.course.tables import results
from oraledu.representations.views.grams import gram_images
from oraledu.representations.views.layers import entropy_conventions, layer_explorer
from oraledu.representations.views.paths import path_explorer
from oraledu.representations.views.sinks import sink_explorer
from oraledu.representations.views.spectra import entropy_orders, rank_against_entropy, spectrum_explorer

__all__ = [
    "entropy_conventions",
    "entropy_orders",
    "gram_images",
    "layer_explorer",
    "path_explorer",
    "rank_against_entropy",
    "results",
    "sink_explorer",
    "spectrum_explorer",
]
