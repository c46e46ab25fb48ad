"""Architecture or data: what a fully connected network looks at, and a ResNet that was trained on shuffled images.

    python -m oraledu.diffusion.rival

makes the embedded maps and pictures anew, in about five minutes on one core.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from oraledu.data import embedded
from oraledu.data.embedded import FOLDER
from oraledu.data.store import store
from oraledu.diffusion import experiments
from oraledu.diffusion.calibrate import patch_schedule
from oraledu.diffusion.dense import Dense
from oraledu.diffusion.machines import sample
from oraledu.diffusion.networks import Predictor, ResNet, distances, input_jacobian
from oraledu.diffusion.progress import progress
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.settings import QUICK, odd
from oraledu.diffusion.wiener import wiener_matrix

FILE = "diffusion_rival.npz"
SEEDS = (0, 1, 2, 3, 4)
DENSE, SHUFFLED = KINDS = ("fully connected", "ResNet, shuffled")
RUN = replace(QUICK.fashion, noises=12, calibration_noises=5)
#: Noise levels and pixels of the maps.
TIMES = (1.0, 0.6, 0.2, 0.05)
PIXELS = [(row, column) for row in (4, 7, 10) for column in (4, 7, 10)]


@dataclass(frozen=True)
class Rival:
    """What the networks look at, and what they make.

    Attributes:
        images: For each kind (seeds, noises, 1, 14, 14), from `noises`; kept at one byte a pixel.
        maps: For each kind |∂x̂₀(pixel)/∂x|, the mean over its own trajectories, (seeds, times, pixels, 14, 14), at
            `TIMES` and `PIXELS`; float16 in the file.
        patches: For each kind the calibrated patch sizes of the first seed, in the sampler's order.
        order: (196,) which pixel of an image stands where in a shuffled one.
        recipe: The settings (``"run"``), and the version of ``"torch"``.
    """

    images: Mapping[str, Tensor]
    maps: Mapping[str, Tensor]
    patches: Mapping[str, list[int]]
    order: Tensor
    recipe: Mapping[str, Any]


def training_images() -> Tensor:
    """Return the images of both kinds before any shuffling, (1000, 1, 14, 14)."""
    return experiments.training_images(RUN)


def noises(*, calibration: bool = False) -> Tensor:
    """Return the noises from which pictures are made, or those that calibrate."""
    return experiments.noises(RUN, torch.zeros(1, 1, 14, 14), calibration=calibration)


def shuffled(images: Tensor, order: Tensor) -> Tensor:
    """Return images (…, 1, H, H) with their pixels in another order, (H²,)."""
    return images.flatten(-3)[..., order].view_as(images)


def wiener_maps(images: Tensor) -> Tensor:
    """Return |M| of the Wiener filter of training images (N, 1, H, H) as maps, (times, pixels, H, H)."""
    side = images.shape[-1]
    rows = [row * side + column for row, column in PIXELS]
    return torch.stack(
        [wiener_matrix(images, alpha_bar(t))[rows].abs().view(-1, side, side) for t in TIMES]
    ).float()


def likeness(maps: Tensor, filters: Tensor) -> Tensor:
    """Return for each seed how alike its maps (seeds, times, pixels, H, H) are to the filter's: the mean Pearson's r.

    It is over the pixels that the network can see. A pixel's influence on itself, the largest of both, is left out: it
    would make any two maps look alike.
    """
    others = _others(maps.shape[-1])
    r = []
    for seed in maps:
        for at, there in zip(seed, filters, strict=True):
            for one, both, other in zip(at, there, others, strict=True):
                seen = other & (one > 0)
                r.append(torch.corrcoef(torch.stack([one[seen], both[seen]]))[0, 1])
    return torch.stack(r).view(len(maps), -1).mean(1)


def touching(maps: Tensor) -> Tensor:
    """Return for each seed how many of the eight other pixels that move an estimate most touch it, in the mean."""
    side = maps.shape[-1]
    away = torch.stack([distances(pixel, maps) for pixel in PIXELS]).flatten(1)  # (pixels, H²)
    influence = maps.flatten(-2).masked_fill(~_others(side).flatten(1), -1.0)
    most = influence.topk(8).indices  # (seeds, times, pixels, 8)
    near = away.expand(*influence.shape).gather(-1, most) == 1
    return near.sum(-1).double().mean((1, 2))


def interval(values: Tensor) -> tuple[float, float]:
    """Return the mean of independent numbers, and half the width of its 95 % interval by Student's t."""
    spread = float(values.double().std()) / len(values) ** 0.5
    return float(values.double().mean()), float(stats.t.ppf(0.975, len(values) - 1)) * spread


def _others(side: int) -> Tensor:
    """Return for each of `PIXELS` which pixels are not itself, (pixels, H, H)."""
    others = torch.ones(len(PIXELS), side, side, dtype=torch.bool)
    for number, (row, column) in enumerate(PIXELS):
        others[number, row, column] = False
    return others


def load(folder: Path = FOLDER) -> Rival:
    """Load the embedded maps and pictures; errors are those of `embedded.packed`."""
    with embedded.packed(FILE, folder) as (arrays, recipe):
        images = torch.from_numpy(arrays["images"]).float()[:, :, :, None] / 127.5 - 1
        maps = torch.from_numpy(arrays["maps"]).float()
        patches, order = arrays["patches"].tolist(), torch.from_numpy(arrays["order"]).long()
        made, seen, sizes = (
            dict(zip(recipe["kinds"], part, strict=True)) for part in (images, maps, patches)
        )
        return Rival(made, seen, sizes, order, recipe)


def pack(made: Rival) -> bytes:
    """Return the content of the file; the same networks give the same bytes."""
    pixels = torch.stack(list(made.images.values()))[:, :, :, 0]
    return embedded.pack(
        made.recipe,
        images=((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().numpy(),
        maps=torch.stack(list(made.maps.values())).half().numpy(),
        patches=np.array(list(made.patches.values()), np.uint8),
        order=made.order.byte().numpy(),
    )


def learned(kind: str, images: Tensor, seed: int) -> Predictor:
    """Train a network of a kind on images that are shuffled already, where the kind asks for it."""
    generator = torch.Generator().manual_seed(seed)
    network: Predictor
    if kind == DENSE:
        network = Dense(side=images.shape[-1], generator=generator)
    else:
        network = ResNet(width=RUN.widths[0], depth=RUN.depth, padding=RUN.padding, generator=generator)
    experiments.fit(RUN, network, images, generator)
    return network


def looked_at(network: Predictor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a network makes from noises, (B, 1, H, H), and its maps, (times, pixels, H, H)."""
    path = sample(network.denoise, noise)
    steps = {t: path.noisy[round((1 - t) * (len(path.times) - 1))] for t in TIMES}
    maps = [[input_jacobian(network.denoise, x, t, pixel=each) for each in PIXELS] for t, x in steps.items()]
    return path.images, torch.stack([torch.stack(each) for each in maps])


def main() -> None:
    """Train all networks, look at what they look at and make, and write it."""
    torch.set_num_threads(1)
    plain = training_images()
    order = torch.randperm(plain[0].numel(), generator=torch.Generator().manual_seed(0))
    images, maps, patches = {}, {}, {}
    for kind in progress(KINDS, "kinds"):
        training, noise, calibrating = (
            shuffled(each, order) if kind == SHUFFLED else each
            for each in (plain, noises(), noises(calibration=True))
        )
        networks = [learned(kind, training, seed) for seed in progress(SEEDS, "seeds")]
        seen = [looked_at(network, noise) for network in networks]
        images[kind], maps[kind] = (torch.stack(part) for part in zip(*seen, strict=True))
        candidates = odd(27) if kind == DENSE else RUN.candidates
        patches[kind] = patch_schedule(networks[0].denoise, training, candidates, noise=calibrating)
    recipe = {"kinds": KINDS, "run": asdict(RUN), "seeds": SEEDS, "torch": torch.__version__}
    store({FILE: pack(Rival(images, maps, patches, order, recipe))})


if __name__ == "__main__":
    main()
