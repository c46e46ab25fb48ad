"""Ladders: one kind of model in several widths, each trained for its compute-optimal horizon."""

from oraledu.scaling.linear import LinearLadder
from oraledu.scaling.mlp import MLPLadder
from oraledu.scaling.mup import CoordinateCheck, coordinate_check
from oraledu.scaling.runs import Divergence, Record, Runs
from oraledu.scaling.training import Ladder, collect, iterate, train, train_steps
from oraledu.scaling.transformer import TransformerLadder
