"""The sizes of the lesson's experiments: a quick preset for a laptop, a full one at the paper's sizes.

The full one takes minutes of a GPU, so it is the middle one too.
"""

from dataclasses import dataclass

import torch

from oraledu.presets import pick


@dataclass(frozen=True)
class KernelRun:
    """One RFM run: the modulus, the share of the table that trains, and the arguments of `rfm.fit`."""

    p: int
    fraction: float
    iterations: int
    kernel: str = "quadratic"
    dtype: torch.dtype = torch.float64


@dataclass(frozen=True)
class NetworkRun:
    """One network: the task, its width, and the arguments of `networks.train`."""

    p: int
    fraction: float
    width: int
    epochs: int
    record_every: int
    learning_rate: float
    batch_size: int | None = None
    weight_decay: float = 1.0
    dtype: torch.dtype = torch.float64


@dataclass(frozen=True)
class PhaseMap:
    """A sweep over the share of the table that trains: one RFM run for each fraction and seed."""

    p: int
    fractions: tuple[float, ...]
    iterations: int
    seeds: int
    kernel: str = "quadratic"
    dtype: torch.dtype = torch.float64


@dataclass(frozen=True)
class CirculantDraws:
    """Random circulant features: one solve for each fraction and draw."""

    p: int
    fractions: tuple[float, ...]
    draws: int


@dataclass(frozen=True)
class Preset:
    """The experiments of the lesson at one scale."""

    widget: KernelRun  # behind sliders and exercises, small at every scale
    paper: KernelRun  # that of the paper's figure
    large: tuple[KernelRun, ...]  # further runs, beyond a laptop's patience
    operations: KernelRun  # repeated for each of the four operations
    phase_map: PhaseMap  # training fraction by iteration
    random_circulants: CirculantDraws  # random features by training fraction
    network: NetworkRun  # learns the same task
    repeats: int  # splits on which a verdict is repeated
    circulant_network: NetworkRun  # on circulant-transformed inputs, and on plain ones for comparison
    rival: KernelRun  # on symmetric splits, for each of the four operations and both kernels


QUICK = Preset(
    widget=KernelRun(p=31, fraction=0.65, iterations=25),
    paper=KernelRun(p=61, fraction=0.5, iterations=30),
    large=(),
    operations=KernelRun(p=31, fraction=0.75, iterations=20, kernel="gaussian"),
    phase_map=PhaseMap(p=31, fractions=(0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8), iterations=25, seeds=3),
    random_circulants=CirculantDraws(p=31, fractions=(0.1, 0.175, 0.25, 0.35, 0.5), draws=5),
    network=NetworkRun(p=31, fraction=0.65, width=256, epochs=200, record_every=5, learning_rate=1e-2),
    circulant_network=NetworkRun(
        p=31, fraction=0.3, width=256, epochs=600, record_every=20, learning_rate=1e-2
    ),
    repeats=3,
    rival=KernelRun(p=19, fraction=0.9, iterations=15),
)

FULL = Preset(
    widget=QUICK.widget,
    paper=KernelRun(p=97, fraction=0.5, iterations=30),
    large=(
        KernelRun(p=97, fraction=0.5, iterations=30, kernel="gaussian"),
        KernelRun(p=113, fraction=0.5, iterations=30, dtype=torch.float32),
    ),
    operations=KernelRun(p=61, fraction=0.5, iterations=30, kernel="gaussian"),
    phase_map=PhaseMap(
        p=61, fractions=(0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7), iterations=40, seeds=3
    ),
    random_circulants=CirculantDraws(p=61, fractions=(0.1, 0.175, 0.25, 0.35, 0.5), draws=5),
    network=NetworkRun(
        p=61, fraction=0.5, width=1024, epochs=500, record_every=2, learning_rate=1e-3, batch_size=32
    ),
    circulant_network=NetworkRun(
        p=61, fraction=0.175, width=1024, epochs=3000, record_every=50, learning_rate=1e-3, batch_size=32
    ),
    repeats=1,
    rival=KernelRun(p=31, fraction=0.9, iterations=25),
)


def preset(scale: str) -> Preset:
    """Return the preset of a scale, `"quick"`, `"middle"` or `"full"`; another raises a ValueError."""
    return pick(scale, quick=QUICK, middle=FULL, full=FULL)
