"""Maps of where the pixels of an image come from."""

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import hsv_to_rgb, to_rgb
from numpy.typing import NDArray
from torch import Tensor

from oraledu.course.figures import MISSING
from oraledu.diffusion.machines import Provenance, Trajectory, provenance
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views.layout import bare

#: A pixel has a source if the heaviest patch has at least this weight. Plain background fits thousands equally well.
SOURCED = 0.02

#: The numbers that `at_least` rounds down to.
BOUNDS = (10, 20, 50, 100, 200, 500)


class SourceMap:
    """A map of where an image's pixels come from: a colour for each source, a line where two sources meet."""

    def __init__(self, ax: Axes, sources: Tensor) -> None:
        self._image = ax.imshow(colours(sources), interpolation="nearest")
        self._seams = LineCollection([], colors="white", linewidths=1)
        ax.add_collection(self._seams, autolim=False)
        bare(ax)
        self.set(sources)

    def set(self, sources: Tensor) -> None:
        """Show another map: (H, W), the numbers of training images."""
        self._image.set_data(colours(sources))
        self._seams.set_segments(seams(sources))


def colours(sources: Tensor) -> NDArray[np.floating]:
    """Give each number of a training image, (H, W), a colour of its own, (H, W, 3); a negative one is grey.

    Consecutive numbers differ much in hue and, for those who do not see it, in lightness.
    """
    # Multiples of the inverse plastic number and its square fill the unit square evenly (Roberts's R2 sequence).
    plastic = 1.32471795724475
    number = sources.cpu().numpy().astype(float)
    hue, light = (number / plastic) % 1, (number / plastic**2) % 1
    colour = hsv_to_rgb(np.stack([hue, 0.8 - 0.35 * light, 0.45 + 0.5 * light], axis=-1))
    return np.where(number[..., None] < 0, to_rgb(MISSING), colour)


def seams(sources: Tensor) -> list[list[tuple[float, float]]]:
    """Return the segments [(x, y), (x, y)] between neighbouring pixels of different sources, (H, W)."""
    values = sources.cpu().numpy()
    beside = np.argwhere(values[:, 1:] != values[:, :-1])
    below = np.argwhere(values[1:] != values[:-1])
    across = [[(x + 0.5, y - 0.5), (x + 0.5, y + 0.5)] for y, x in beside.tolist()]
    return across + [[(x - 0.5, y + 0.5), (x + 0.5, y + 0.5)] for y, x in below.tolist()]


def claimed(origin: Provenance, least: float = SOURCED) -> Tensor:
    """Return the training image that each pixel comes from, (B, H, W), and -1 where none has the least weight."""
    return torch.where(origin.weight < least, -1, origin.image)


def traced(path: Trajectory, images: Tensor, **machine: Any) -> Tensor:
    """Return the training image that each pixel of samples comes from, as `claimed` does, by a machine's last step."""
    return claimed(provenance(path.noisy[-2], images, alpha_bar(path.times[-2]), **machine))


def distinct(sources: Tensor) -> int:
    """Return how many training images a map (H, W) shows."""
    return len(sources[sources >= 0].unique())


def plural(count: int, word: str = "source") -> str:
    """Say a number of things."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def at_least(count: int) -> str:
    """Say a number so that one pixel more or less rarely makes a difference."""
    return str(count) if count < BOUNDS[0] else f"at least {max(bound for bound in BOUNDS if bound <= count)}"
