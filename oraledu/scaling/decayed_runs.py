"""The network ladder under weight decay, held constant or scaled with the size: loss curves that were made beforehand.

    python -m oraledu.scaling.decayed_runs

trains them anew, in about four minutes on one core.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from oraledu.data import embedded
from oraledu.data.embedded import FOLDER
from oraledu.data.store import store
from oraledu.scaling.mlp import MLPLadder
from oraledu.scaling.runs import Runs
from oraledu.scaling.schedules import step_rates, training_time
from oraledu.scaling.settings import NETWORKS
from oraledu.scaling.training import record_steps, train, train_steps

FILE = "scaling_decayed.npz"
SCHEDULE = "linear"
SEEDS = tuple(range(12))
RECORDS = 60
#: θ of every layer at the narrowest width, where both ways to go on are one.
TIMESCALES = (0.3, 1.0, 3.0)


@dataclass(frozen=True)
class Decayed:
    """What the networks left behind, under a linear decay of the rate.

    Attributes:
        none: Without weight decay.
        scaled: By θ, with the decays of each width such that every layer has this θ.
        constant: By θ, with the decays of the narrowest width at all widths.
        recipe: The settings of all ladders, and the version of ``"torch"``.
    """

    none: Runs
    scaled: Mapping[float, Runs]
    constant: Mapping[float, Runs]
    recipe: Mapping[str, Any]


def ladders() -> list[MLPLadder]:
    """Return the ladders in the order of the file: without decay, then scaled and constant for each θ."""
    scaled = [replace(NETWORKS, timescale=timescale) for timescale in TIMESCALES]
    return [NETWORKS, *scaled, *(replace(each, decays_of=NETWORKS.widths[0]) for each in scaled)]


def recipe() -> dict[str, Any]:
    """Return what decides the losses."""
    return {"ladders": [repr(each) for each in ladders()], "schedule": SCHEDULE, "torch": torch.__version__}


def load(folder: Path = FOLDER) -> Decayed:
    """Load the embedded runs; errors are those of `embedded.packed`."""
    with embedded.packed(FILE, folder) as (arrays, made):
        losses = torch.from_numpy(arrays["losses"]).double()  # (ladders, sizes, seeds, points)
        runs = [_runs(ladder, loss) for ladder, loss in zip(ladders(), losses, strict=True)]
    count = len(TIMESCALES)
    scaled, constant = (
        dict(zip(TIMESCALES, each, strict=True)) for each in (runs[1 : count + 1], runs[count + 1 :])
    )
    return Decayed(runs[0], scaled, constant, made)


def pack(losses: torch.Tensor, made: Mapping[str, Any]) -> bytes:
    """Return the content of the file; the same losses (ladders, sizes, seeds, points) give the same bytes."""
    return embedded.pack(made, losses=losses.float().numpy())


def main() -> None:
    """Train all ladders, and write what they leave behind."""
    torch.set_num_threads(1)
    found = [train(ladder, SCHEDULE, seeds=SEEDS, records=RECORDS).loss for ladder in ladders()]
    store({FILE: pack(torch.stack(found), recipe())})


def _runs(ladder: MLPLadder, loss: torch.Tensor) -> Runs:
    counts = [train_steps(ladder, width) for width in ladder.widths]
    steps = torch.tensor([record_steps(count, RECORDS) for count in counts])
    times = [training_time(step_rates(SCHEDULE, count)) for count in counts]
    return Runs(
        widths=ladder.widths,
        seeds=SEEDS,
        parameters=torch.tensor([ladder.parameters(width) for width in ladder.widths], dtype=torch.float64),
        steps=steps,
        tau=torch.stack([time[row] for time, row in zip(times, steps, strict=True)]),
        tokens=steps.double() * ladder.tokens_per_step,
        loss=loss,
    )


if __name__ == "__main__":
    main()
