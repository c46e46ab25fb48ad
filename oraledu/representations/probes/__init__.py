"""Probes: how well a simple reader does a task from the states of one layer, all of whose weights are fixed.

Each takes states (..., N, D) with any leading dimensions, usually the layers, and returns an `Outcome`: what it
found item by item, so that its score can be taken over any part of the items.
"""

from oraledu.representations.probes.classification import few_shot, halves, linear, nearest_neighbours
from oraledu.representations.probes.clustering import clustering
from oraledu.representations.probes.outcome import Outcome
from oraledu.representations.probes.similarity import retrieval, similarity
