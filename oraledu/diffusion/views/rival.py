"""The rival's part: what moves the estimate of a pixel, in networks and in the Wiener filter."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from oraledu.course.figures import Figure, subplots
from oraledu.diffusion.networks import seen
from oraledu.diffusion.views.layout import bare
from oraledu.diffusion.views.schedules import FAINTEST


def sensitivity(maps: Mapping[str, Tensor], times: Sequence[float]) -> Figure:
    """Draw how much each pixel moves the estimate in the middle, a column for each denoiser and a row for each time.

    Maps are (times, H, H), at least 0, of the pixel (H // 2, H // 2); drawn on a logarithmic scale.
    """
    sides = {name: [seen(each) for each in column] for name, column in maps.items()}
    told = "; ".join(
        f"{name.replace(chr(10), ' ')}: {', '.join(map(str, row))}" for name, row in sides.items()
    )
    figure, axes = subplots(
        len(times), len(maps), alt="not drawn yet", height=118 * len(times), squeeze=False
    )
    figure.alt = (
        "How much each pixel of the input moves the estimate in the middle, as pictures, for each denoiser at t = "
        f"{', '.join(f'{t:g}' for t in times)}. The side of the centred window that holds nine tenths of it: {told}."
    )
    for column, (name, each) in zip(axes.T, maps.items(), strict=True):
        for ax, values in zip(column, each, strict=True):
            share = (values / values.max()).clamp(min=FAINTEST).log10().cpu().numpy()
            ax.imshow(share, cmap="viridis", vmin=np.log10(FAINTEST), vmax=0, interpolation="nearest")
            bare(ax, name if ax is column[0] else "")
    for ax, t in zip(axes[:, 0], times, strict=True):
        ax.set_ylabel(f"t = {t:g}")
    return figure
