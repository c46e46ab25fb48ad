"""Scaling laws: the frontier, the compute-optimal horizon, and the model that explains both."""

from oraledu.scaling.frontier import PowerLaw, fit_frontier
from oraledu.scaling.horizon import Envelope, Horizon, envelope, optimal_horizon
from oraledu.scaling.two_term import TwoTerm
