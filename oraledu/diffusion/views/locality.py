"""Part 2: what a machine makes that sees only a window around each pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore, precompute
from oraledu.course.figures import Figure, panels
from oraledu.diffusion.machines import provenance, sample
from oraledu.diffusion.mosaic import nearest_distance
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views.layout import BLUE, ORANGE, Window, image_rows, picture, show
from oraledu.diffusion.views.sources import SourceMap, at_least, claimed, distinct, plural

LocalDenoiser = Callable[[Tensor, Tensor, float, int, str], Tensor]


def local_samples(samples: Mapping[int, Tensor]) -> Figure:
    """Draw what the local machine makes of the same noises with windows of different sizes.

    Args:
        samples: For each patch size k the images made, (B, C, H, W); the same noise is at the same place in each.
    """
    sizes = list(samples)
    count = len(samples[sizes[0]])
    rows = {
        f"noise {one + 1}": torch.stack([images[one] for images in samples.values()]) for one in range(count)
    }
    return image_rows(
        rows,
        titles=[f"k = {size}" for size in sizes],
        alt=f"{count} rows of {len(sizes)} images, each row from one noise, with windows of k × k pixels, k from "
        f"{min(sizes)} to {max(sizes)}. The larger the window, the more of one object a picture shows.",
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

    All samples are made beforehand, behind a progress bar.

    Args:
        images: (N, C, H, W) the training set.
        denoiser: The learner's or the reference's ``local_denoiser(x, images, alpha_bar, patch, padding)``.
        noise: (B, C, H, W) where the samples start, the noises to choose from.
        patches: The patch sizes to choose from; odd.
        padding: ``"zeros"`` or ``"circular"``.
    """

    def made(patch: int) -> _Made:
        path = sample(lambda x, t: denoiser(x, images, alpha_bar(t), patch, padding), noise)
        origin = provenance(
            path.noisy[-2], images, alpha_bar(path.times[-2]), machine="local", patch=patch, padding=padding
        )
        return _Made(path.images, claimed(origin), *nearest_distance(path.images, images))

    runs = dict(zip(patches, precompute(made, patches, label="Sampling"), strict=True))
    view = _LocalityView(images, runs)
    default = patches[len(patches) // 3]

    def draw(patch: int = default, seed: int = 0) -> Figure:
        return view.show(patch, seed)

    return explore(
        draw, labels={"patch": "patch size k", "seed": "noise"}, patch=list(patches), seed=(0, len(noise) - 1)
    )


@dataclass(frozen=True)
class _Made:
    """Samples (B, C, H, W), the sources of their pixels (B, H, W), distance and number of the nearest image (B,)."""

    samples: Tensor
    sources: Tensor
    distance: Tensor
    nearest: Tensor


class _LocalityView:
    """A sample, its sources, the nearest training image, and how far that is for each window."""

    def __init__(self, images: Tensor, runs: Mapping[int, _Made]) -> None:
        self.images, self.runs, self.middle = images, runs, images.shape[-1] // 2
        self.figure, self.axes = panels(
            [["sample", "sources", "nearest", "distance"]], height=215, width_ratios=[1, 1, 1, 1.15]
        )
        self.sample = show(self.axes["sample"], images[0], "sample, and a window")
        self.window = Window(self.axes["sample"])
        self.sources = SourceMap(self.axes["sources"], torch.zeros_like(images[0, 0], dtype=torch.int64))
        self.nearest = show(self.axes["nearest"], images[0], "nearest training image")
        ax, places = self.axes["distance"], range(len(runs))
        (self.curve,) = ax.plot(places, places, "o-", color=BLUE, markersize=4)
        (self.dot,) = ax.plot([], [], "o", color=ORANGE, markersize=9)
        highest = max(float(run.distance.max()) for run in runs.values())
        ax.set(ylim=(-0.05 * highest, 1.1 * highest), xlabel="k", title="rms distance to it")
        ax.set_xticks(places, [str(patch) for patch in runs])

    def show(self, patch: int, seed: int) -> Figure:
        """Show the sample that windows of one size make of one noise."""
        run = self.runs[patch]
        count, distance = distinct(run.sources[seed]), float(run.distance[seed])
        self.sample.set_data(picture(run.samples[seed]))
        self.window.set(self.middle, self.middle, patch)
        self.sources.set(run.sources[seed])
        self.axes["sources"].set_title(plural(count))
        self.nearest.set_data(picture(self.images[run.nearest[seed]]))
        self.curve.set_ydata([float(other.distance[seed]) for other in self.runs.values()])
        self.dot.set_data([list(self.runs).index(patch)], [distance])
        self.figure.alt = (
            f"What the local machine with windows of {patch} × {patch} pixels makes of noise {seed}; beside it a map "
            f"of the training images that its pixels come from ({at_least(count)}), the nearest training image at a "
            f"root mean squared distance of {distance:.1f}, and that distance for each window."
        )
        return self.figure
