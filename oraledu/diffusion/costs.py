"""What the lesson's runs take: see `oraledu.costs`."""

from dataclasses import replace

import torch

from oraledu import costs
from oraledu.costs import Part
from oraledu.data.complete import Need, complete_images
from oraledu.diffusion.banks import BUDGET, EXTRA
from oraledu.diffusion.experiments import build
from oraledu.diffusion.settings import NetworkRun, Preset, preset
from oraledu.diffusion.tiles import GPU_TILE
from oraledu.diffusion.windows import regions

#: Images, channels and side of the complete sets.
COMPLETE = {"fashion_mnist": (60_000, 1, 28), "mnist": (60_000, 1, 28), "cifar10": (50_000, 3, 32)}
STEPS = 20


def shape(run: NetworkRun) -> tuple[int, int, int]:
    """Return how many training images a run has, their channels and their side."""
    count, channels, side = COMPLETE[run.data]
    return run.count or count, channels, side // run.pool


def training(run: NetworkRun) -> tuple[float, float]:
    """Return operations and bytes of the training: three times those of a forward pass for each image of each step."""
    _, channels, side = shape(run)
    network = build(run, channels, torch.Generator()).to("meta")
    x = torch.zeros(1, channels, side, side, device="meta")
    level = torch.zeros(1, dtype=torch.int64, device="meta")
    operations, made = costs.forward(lambda x, level: network.velocity(x, level, None), x, level)
    weights = sum(weight.nbytes for weight in network.parameters())
    return 3.0 * operations * run.batch_size * run.steps, 4.0 * weights + costs.ALIVE * made * run.batch_size


def denoising(count: int, channels: int, side: int, patch: int, padding: str) -> float:
    """Return the operations of the equivariant-local machine on one image: its windows times those alike."""
    places = ((part.places, part.window) for part in regions(side, patch, padding))
    return sum(2.0 * own**2 * count * (EXTRA + channels * window) for own, window in places if own > 1)


def calibration(run: NetworkRun) -> float:
    """Return the operations of a calibration: each candidate at each step along each trajectory."""
    count, channels, side = shape(run)
    seen = min(run.calibration_count or count, count)
    each = sum(denoising(seen, channels, side, patch, run.padding) for patch in run.candidates)
    return STEPS * run.calibration_noises * each


def prediction(run: NetworkRun) -> float:
    """Return the operations of the machine's images, for the candidates' mean: the schedule is not known yet."""
    each = sum(denoising(*shape(run), patch, run.padding) for patch in run.candidates) / len(run.candidates)
    return STEPS * run.noises * each


def parts(scale: str) -> list[Part]:
    """Return what the long runs of a scale take."""
    sizes: Preset = preset(scale)
    found: list[Part] = []
    runs = {"fashion": sizes.fashion, "mnist": sizes.mnist}
    runs |= {f"{run.data}, {run.padding}": run for run in sizes.large}
    for name, run in runs.items():
        found += _experiment(name, run, trained=scale != "quick" or run is sizes.fashion)
    others = replace(sizes.fashion, noises=48)  # four other schedules, twelve noises each
    found.append(replace(_experiment("fashion", others)[-1], name="fashion: other schedules"))
    if scale == "quick":
        found += _experiment("young unet", replace(sizes.unet, candidates=(3,), noises=8))[:1]
    return found


def needs(scale: str) -> list[Need]:
    """Return the files that a scale needs beyond the embedded ones, and whether they are there."""
    runs = (preset(scale).fashion, preset(scale).mnist, *preset(scale).large)
    return [complete_images(name) for name in dict.fromkeys(run.data for run in runs if run.count is None)]


def _experiment(name: str, run: NetworkRun, trained: bool = True) -> list[Part]:
    count, channels, side = shape(run)
    images = 4.0 * count * channels * side**2
    memory = images + BUDGET + 4 * GPU_TILE
    widths = "-".join(map(str, run.widths))
    learning = f"{run.architecture} {widths}, {run.steps:,} steps of {run.batch_size}"
    chosen = f"{len(run.candidates)} patch sizes, {min(run.calibration_count or count, count):,} images"
    operations, held = training(run)
    return [
        *([Part(f"{name}: training", learning, 1, operations, images + held)] if trained else []),
        *(
            [Part(f"{name}: calibration", chosen, run.calibration_noises, calibration(run), memory)]
            if trained
            else []
        ),
        Part(f"{name}: prediction", f"{count:,} images of side {side}", run.noises, prediction(run), memory),
    ]
