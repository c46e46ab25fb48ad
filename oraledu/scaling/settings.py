"""The sizes of the lesson's experiments: for a laptop, for one GPU and some minutes, and the paper's."""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch

from oraledu.devices import exact
from oraledu.keep import NOWHERE, Keep
from oraledu.presets import pick
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.linear import LinearLadder
from oraledu.scaling.mlp import MLPLadder
from oraledu.scaling.runs import Runs
from oraledu.scaling.training import train
from oraledu.scaling.transformer import TransformerLadder

L = TypeVar("L", LinearLadder, MLPLadder, TransformerLadder)


@dataclass(frozen=True)
class Study(Generic[L]):
    """One experiment: what `ladder.train` takes, with the schedules to go through."""

    ladder: L
    schedules: tuple[str, ...]
    seeds: tuple[int, ...]
    records: int = 60  # equal parts of each run; the loss is recorded where they meet
    trace: bool = False  # record the gradient noise too


@dataclass(frozen=True)
class Preset:
    """The experiments of the lesson at one scale."""

    linear: Study[LinearLadder]  # solvable
    mlp: Study[MLPLadder]  # in muP
    without_mup: Study[MLPLadder]  # the same at one rate for all widths
    # The same at a constant rate with little gradient noise, where a seed decides the start alone.
    shared_data: Study[MLPLadder]
    noise: Study[MLPLadder]  # constant rate, with the gradient noise, to predict other schedules from
    transformer: Study[TransformerLadder]  # on text


def _networks(
    ladder: MLPLadder, seeds: int, noise_width: int
) -> tuple[Study[MLPLadder], Study[MLPLadder], Study[MLPLadder], Study[MLPLadder]]:
    """Return the four studies of one network ladder, in the order of `Preset`."""
    numbers = tuple(range(seeds))
    quiet = replace(ladder, batch=4 * ladder.batch, base_rate=ladder.base_rate / 3)
    return (
        Study(ladder, ("constant", "linear", "cosine"), numbers),
        Study(replace(ladder, rates_of=ladder.widths[0]), ("linear",), numbers),
        Study(replace(quiet, shared_data=True), ("constant",), numbers),
        Study(replace(ladder, widths=(noise_width,)), ("constant",), numbers, trace=True),
    )


#: T = 0.6 p^1.5 steps of 8 examples.
_LINEAR = LinearLadder(widths=(48, 96, 192, 384), horizon=Horizon.through(100, 8 * 600, 1.5))
#: Of weights in float64: what is printed does not hang on how a processor rounds (see `stacked`).
GRID = 2.0**-24
NETWORKS = MLPLadder(
    widths=(8, 12, 16, 24),
    # The horizon at which the curves at a constant rate end about as steep as their frontier.
    horizon=Horizon.through(4192, 9000 * 128, 1.0),
    pool=5103 * 128,  # two steps more than the widest takes
    dtype=torch.float64,
    grid=GRID,
)
_TEXT = TransformerLadder(
    widths=(16, 24, 32, 40),
    horizon=Horizon.through(10_000, 250_000, 1.0),
    context=16,
    batch=16,
    dtype=torch.float64,
    grid=GRID,
)

QUICK = Preset(
    Study(_LINEAR, ("constant", "linear", "cosine"), tuple(range(16))),
    *_networks(NETWORKS, seeds=6, noise_width=24),
    Study(_TEXT, ("constant", "linear"), (0, 1, 2), records=30),
)

MIDDLE = Preset(
    Study(_LINEAR, ("constant", "linear", "cosine"), tuple(range(64))),
    *_networks(
        MLPLadder(
            widths=(64, 96, 128, 192, 256),
            horizon=Horizon.through(100_000, 4_000_000, 1.0),
            dimension=3,
            modes=2000,
            blocks=3,
            batch=512,
            pool=None,
            tests=16 * 1024,
        ),
        seeds=5,
        noise_width=128,
    ),
    Study(_TEXT, ("constant", "linear"), tuple(range(5))),
)

FULL = Preset(
    Study(
        replace(_LINEAR, widths=(48, 96, 192, 384, 768)),
        ("constant", "linear", "cosine", "multi-cosine", "quadratic", "wsd"),
        tuple(range(64)),
    ),
    *_networks(
        MLPLadder(
            widths=(384, 512, 645, 812, 1024, 1290, 1625, 2048),
            horizon=Horizon.from_compute(1346251.612836, 2.040882),
            dimension=8,
            modes=10_000,
            blocks=5,
            batch=4096,
            base_rate=1e-3,
            base_width=128,
            down_gain=6 / 5,  # the authors' code multiplies each of five branches by 6 / 5
            pool=None,
            tests=98 * 1024,
        ),
        seeds=5,
        noise_width=384,
    ),
    Study(replace(_TEXT, widths=(16, 24, 32, 40, 64)), ("constant", "linear", "cosine"), tuple(range(5))),
)


def train_study(study: Study[L], schedule: str, device: str = "cpu", keep: Keep = NOWHERE) -> Runs:
    """Train the ladder of a study on a device, under a schedule that has a name.

    One in float64 is trained on the CPU where the device has no such numbers.
    """
    there = exact(device) if study.ladder.dtype == torch.float64 else device
    ladder = replace(study.ladder, device=str(there))
    return train(ladder, schedule, seeds=study.seeds, records=study.records, trace=study.trace, keep=keep)


def preset(scale: str) -> Preset:
    """Return the preset of a scale; one that is none of these raises a ValueError.

    ``"quick"`` is for a laptop, ``"middle"`` for one GPU and some minutes, ``"full"`` has the paper's widths and
    horizon, of which one schedule takes 9 · 10¹⁸ FLOPs.
    """
    return pick(scale, quick=QUICK, middle=MIDDLE, full=FULL)
