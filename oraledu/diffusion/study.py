"""Networks that see further, and how well the machines predict them: three architectures, three training seeds.

    python -m oraledu.diffusion.study

makes the embedded figures anew, in about twenty minutes on one core.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from oraledu.data.embedded import CURE, FOLDER, read_checked
from oraledu.data.store import store
from oraledu.diffusion.experiments import Result, experiment, noises, training_images
from oraledu.diffusion.machines import sample
from oraledu.diffusion.networks import Predictor, distances, input_jacobian, seen
from oraledu.diffusion.progress import progress
from oraledu.diffusion.settings import QUICK, NetworkRun, odd

FILE = "diffusion_study.json"
SEEDS = (0, 1, 2)
_UNET = replace(QUICK.unet, steps=1500, candidates=odd(27), calibration_noises=9, noises=24)
RUNS = {
    "ResNet": replace(_UNET, architecture="ResNet", widths=(32,), depth=4),
    "UNet": _UNET,
    "AttentionUNet": replace(_UNET, architecture="AttentionUNet"),
}
#: Steps of the sampler at whose noisy images the Jacobians are taken.
LOOKED_AT = (0, 4, 8, 12, 16, 19)


@dataclass(frozen=True)
class Sight:
    """How far a network looks along its own trajectories.

    Attributes:
        times: (s,) noise levels, from 1 down.
        reach: How many pixels away from a corner the furthest pixel is that has any influence on the estimate there;
            one less than the image's side if the network sees all of it.
        window: (s,) the side of the smallest centred window with nine tenths of |∂x̂₀(centre)/∂x| at those times.
    """

    times: list[float]
    reach: int
    window: list[int]


@dataclass(frozen=True)
class Entry:
    """One network of the study.

    Attributes:
        architecture: ``"ResNet"``, ``"UNet"`` or ``"AttentionUNet"``.
        seed: Of its weights and its training.
        parameters: How many numbers training set.
        loss: Mean over the last hundred steps.
        patches: Calibrated patch sizes, in the sampler's order.
        agreement: For each machine Pearson's r with the network, (noises,).
        sight: How far it looks.
    """

    architecture: str
    seed: int
    parameters: int
    loss: float
    patches: list[int]
    agreement: Mapping[str, Tensor]
    sight: Sight


@dataclass(frozen=True)
class Study:
    """All networks of the study, architecture by architecture, and how they were made.

    Attributes:
        entries: Seeds in order within each architecture.
        recipe: For each architecture its settings (``"runs"``), and the version of ``"torch"``.
    """

    entries: list[Entry]
    recipe: Mapping[str, Any]

    def agreements(self) -> dict[str, dict[str, Tensor]]:
        """Return for each architecture and machine Pearson's r, (seeds, noises)."""
        tables: dict[str, dict[str, list[Tensor]]] = {}
        for entry in self.entries:
            table = tables.setdefault(entry.architecture, {})
            for machine, r in entry.agreement.items():
                table.setdefault(machine, []).append(r)
        return {
            architecture: {machine: torch.stack(rows) for machine, rows in table.items()}
            for architecture, table in tables.items()
        }


def load(folder: Path = FOLDER) -> Study:
    """Load the embedded study; errors are those of `embedded.read_checked`."""
    content = read_checked(FILE, folder)
    try:
        study = json.loads(content)
        return Study([_entry(**each) for each in study["entries"]], study["recipe"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / FILE} does not fit this version ({error}): {CURE}") from error


def main() -> None:
    """Train, calibrate and compare all networks, and write what came out."""
    torch.set_num_threads(1)
    jobs = [(name, run, seed) for name, run in RUNS.items() for seed in SEEDS]
    entries = [examine(name, run, seed) for name, run, seed in progress(jobs, "networks")]
    recipe = {"runs": {name: asdict(run) for name, run in RUNS.items()}, "torch": torch.__version__}
    store({FILE: pack(Study(entries, recipe))})


def examine(architecture: str, run: NetworkRun, seed: int) -> Entry:
    """Train one network and measure it."""
    images = training_images(run)
    result: Result = experiment(run, images, seed)
    return Entry(
        architecture=architecture,
        seed=seed,
        parameters=result.network.parameter_count(),
        loss=result.losses[-100:].mean().item(),
        patches=result.patches,
        agreement=result.agreement,
        sight=sight(result.network, noises(run, images, calibration=False)),
    )


def sight(network: Predictor, noise: Tensor) -> Sight:
    """Measure how far a network looks, along its own trajectories from some noises."""
    trajectory = sample(network.denoise, noise)
    looked_at = [(trajectory.noisy[step], trajectory.times[step]) for step in LOOKED_AT]
    corner = distances((0, 0), noise)
    reach, window = 0, []
    for x, t in looked_at:
        reach = max(reach, int(corner[input_jacobian(network.denoise, x, t, pixel=(0, 0)) > 0].max()))
        window.append(seen(input_jacobian(network.denoise, x, t)))
    return Sight([t for _, t in looked_at], reach, window)


def pack(study: Study) -> bytes:
    """Return the content of the study's file; the same study gives the same bytes."""

    def plain(entry: Entry) -> dict[str, Any]:
        agreement = {name: [round(r, 4) for r in each.tolist()] for name, each in entry.agreement.items()}
        return {**asdict(entry), "loss": round(entry.loss, 4), "agreement": agreement}

    content = {"recipe": study.recipe, "entries": [plain(entry) for entry in study.entries]}
    return (json.dumps(content, sort_keys=True, indent=1) + "\n").encode()


def _entry(agreement: dict[str, list[float]], sight: dict[str, Any], **rest: Any) -> Entry:
    tensors = {name: torch.tensor(each) for name, each in agreement.items()}
    return Entry(agreement=tensors, sight=Sight(**sight), **rest)


if __name__ == "__main__":
    main()
