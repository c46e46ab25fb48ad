"""Part 2: what a machine makes that sees only a window around each pixel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore, precompute
from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, ORANGE
from oraledu.diffusion.machines import sample
from oraledu.diffusion.mosaic import nearest_distance
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views.layout import Window, image_rows, picture, show
from oraledu.diffusion.views.sources import SourceMap, at_least, distinct, plural, traced

#: The learner's or the reference's ``local_denoiser(x, images, alpha_bar, patch, padding)``.
LocalDenoiser = Callable[[Tensor, Tensor, float, int, str], Tensor]


def local_samples(samples: Mapping[int, Tensor]) -> Figure:
    """Draw what the local machine makes of the same noises, (B, C, H, W), with windows of each size."""
    sizes = list(samples)
    count = len(samples[sizes[0]])
    rows = {
        f"noise {one + 1}": torch.stack([images[one] for images in samples.values()]) for one in range(count)
    }
    return image_rows(
        rows,
        titles=[f"k = {size}" for size in sizes],
        alt=f"{count} rows of {len(sizes)} images, each row from one noise, with windows of k × k pixels, k from "
        f"{min(sizes)} to {max(sizes)}.",
    )


def locality_explorer(
    images: Tensor,
    denoiser: LocalDenoiser,
    noise: Tensor,
    *,
    patches: Sequence[int] = (1, 3, 5, 7, 9, 13, 27),
    padding: str = "zeros",
) -> Explorer:
    """Let a learner choose how far each pixel sees, and see which training images the result is made of.

    All samples are made beforehand from the noises to choose from, (B, C, H, W), behind a progress bar.
    """

    def made(patch: int) -> _Made:
        path = sample(lambda x, t: denoiser(x, images, alpha_bar(t), patch, padding), noise)
        sources = traced(path, images, machine="local", patch=patch, padding=padding)
        return _Made(path.images, sources, *nearest_distance(path.images, images))

    runs = dict(zip(patches, precompute(made, patches, label="Sampling"), strict=True))
    default, middle = patches[len(patches) // 3], images.shape[-1] // 2
    names = ["sample", "sources", "nearest", "distance"]
    figure, axes = panels([names], height=215, width_ratios=[1, 1, 1, 1.15])
    made_here = show(axes["sample"], images[0], "sample, and a window")
    window = Window(axes["sample"])
    sources = SourceMap(axes["sources"], torch.zeros_like(images[0, 0], dtype=torch.int64))
    nearest = show(axes["nearest"], images[0], "nearest training image")
    ax, places = axes["distance"], range(len(runs))
    (curve,) = ax.plot(places, places, "o-", color=BLUE, markersize=4)
    (dot,) = ax.plot([], [], "o", color=ORANGE, markersize=9)
    highest = max(float(run.distance.max()) for run in runs.values())
    ax.set(ylim=(-0.05 * highest, 1.1 * highest), xlabel="k", title="rms distance to it")
    ax.set_xticks(places, [str(patch) for patch in runs])

    def draw(patch: int = default, seed: int = 0) -> Figure:
        run = runs[patch]
        count, distance = distinct(run.sources[seed]), float(run.distance[seed])
        made_here.set_data(picture(run.samples[seed]))
        window.set(middle, middle, patch)
        sources.set(run.sources[seed])
        axes["sources"].set_title(plural(count))
        nearest.set_data(picture(images[run.nearest[seed]]))
        curve.set_ydata([float(other.distance[seed]) for other in runs.values()])
        dot.set_data([list(runs).index(patch)], [distance])
        figure.alt = (
            f"What the local machine with windows of {patch} × {patch} pixels makes of noise {seed}; beside it a map "
            f"of the training images that its pixels come from ({at_least(count)}), the nearest training image at a "
            f"root mean squared distance of {distance:.1f}, and that distance for each window."
        )
        return figure

    labels = {"patch": "patch size k", "seed": "noise"}
    return explore(draw, labels=labels, patch=list(patches), seed=(0, len(noise) - 1))


@dataclass(frozen=True)
class _Made:
    samples: Tensor  # (B, C, H, W)
    sources: Tensor  # (B, H, W) of their pixels
    distance: Tensor  # (B,) of the nearest training image
    nearest: Tensor  # (B,) its number
