"""Part 5: a network's images beside those that the machines predict from the same noise."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oraledu.course.figures import Figure, panels, subplots
from oraledu.course.style import BLUE, FAINT, GREY
from oraledu.course.tables import Table, results
from oraledu.course.words import above
from oraledu.diffusion.calibrate import pearson_r
from oraledu.diffusion.sampling import Trajectory
from oraledu.diffusion.views.layout import LINE, image_rows
from oraledu.diffusion.views.summaries import dot_rows, rounded

#: Where `trajectories` looks unless told.
MOMENTS = (1.0, 0.8, 0.6, 0.4, 0.2, 0.05)


def losses(values: Tensor) -> Figure:
    """Draw the losses of a training run, (steps,), batch by batch, and their running mean."""
    width = max(1, len(values) // 30)
    loss = values.cpu().double().numpy()
    smooth = np.convolve(loss, np.full(width, 1 / width), mode="valid")
    figure, ax = subplots(
        alt=f"The training loss over {len(loss)} steps. Its running mean falls from {smooth[0]:.1f} to "
        f"{smooth[-1]:.1f}; after a third of the steps it is {smooth[len(smooth) // 3]:.1f}.",
        width=480,
        height=240,
    )
    ax.plot(loss, color=BLUE, alpha=0.25, linewidth=0.8, label="one batch")
    ax.plot(np.arange(len(smooth)) + (width - 1) / 2, smooth, color=BLUE, label=f"mean of {width} batches")
    ax.set(ylim=(0, None), xlabel="step", ylabel="squared error of v")
    ax.legend(loc="upper right")
    return figure


def strip(rows: Mapping[str, Tensor]) -> Figure:
    """Draw images of a network above those of machines from the same noise, each with its r to the network's.

    A row is (B, C, H, W), one column to a noise; the first row is the network's.
    """
    (network, made), *machines = rows.items()
    agreement = {name: pearson_r(made, images) for name, images in machines}
    medians = ", ".join(f"{name} {above(float(r.median()))}" for name, r in agreement.items())
    return _with_agreement(
        rows,
        agreement,
        alt=f"{len(rows)} rows of {len(made)} pictures, one column to a noise: {', '.join(rows)}. Pearson's r with "
        f"the row {network}, in the median of the {len(made)} shown: {medians}.",
    )


def trajectories(
    runs: Mapping[str, Trajectory], *, index: int = 0, moments: Sequence[float] = MOMENTS
) -> Figure:
    """Draw what a network, which comes first, and machines take for the clean image on their ways from one noise.

    At each moment in (0, 1] the sampler's nearest step is drawn.
    """
    (network, first), *machines = runs.items()
    steps = [min(range(len(first.denoised)), key=lambda j: abs(first.times[j] - t)) for t in moments]
    rows = {name: run.denoised[:, index].cpu()[steps] for name, run in runs.items()}
    agreement = {name: pearson_r(rows[network], rows[name]) for name, _ in machines}
    titles = [f"t = {first.times[step]:g}" for step in steps]
    return _with_agreement(
        rows,
        agreement,
        titles=titles,
        alt=f"{len(rows)} rows of {len(steps)} estimates x̂₀ of the clean image, from {titles[0]} to {titles[-1]}: "
        f"{', '.join(rows)}. A blur without features turns into an image. Smallest r with the row {network}: "
        f"{', '.join(f'{name} {above(float(r.min()))}' for name, r in agreement.items())}.",
    )


def agreement_scatter(agreements: Mapping[str, Tensor]) -> Figure:
    """Draw how well machines predict the network's image: for each Pearson's r, (B,), one for each noise.

    The first machine is compared with the last, which should be the ideal one.
    """
    agreements = {name: r.cpu() for name, r in agreements.items()}
    (best, *_, worst), values = agreements, list(agreements.values())
    better = int((values[0] > values[-1]).sum())
    medians = ", ".join(f"{name} {above(float(r.median()))}" for name, r in agreements.items())
    figure, axes = panels([["pairs", "rows"]], height=300, width_ratios=[1, 1.05])
    figure.alt = (
        f"Left: a dot for each of {len(values[0])} noises, across its r for the {worst} machine, up its r for the "
        f"{best} machine; {better} lie above the diagonal. Right: a row of dots for each machine. Median r: {medians}."
    )
    low = math.floor(float(torch.cat([values[0], values[-1]]).min()) * 10) / 10
    pairs = axes["pairs"]
    pairs.axline((0, 0), slope=1, color=GREY, linewidth=1, linestyle="--")
    words: dict[str, Any] = {"ha": "right", "va": "top", "rotation": 45, "rotation_mode": "anchor"}
    pairs.text(0.99, 0.97, "equally good", color=FAINT, **words)
    pairs.plot(values[-1], values[0], "o", color=BLUE, alpha=0.7, markeredgecolor="white")
    pairs.set(xlim=(low, 1.03), ylim=(low, 1.03), aspect="equal")
    pairs.set(xlabel=f"r of the {worst} machine", ylabel=f"r of the {best} machine")
    rows = {
        f"{name}\nmedian r {r.median():.2f}, r² {r.square().median():.2f}": r
        for name, r in agreements.items()
    }
    dot_rows(axes["rows"], rows)
    axes["rows"].set(xlabel="r with the network's image", xlim=(None, 1.03))
    return figure


def agreement_table(
    agreements: Mapping[str, Tensor], *, step: float = 0.01, quantile_step: float = 0.05
) -> Table:
    """Tabulate how well machines predict a network's images, by Pearson's r, (B,), and by its square.

    Medians are rounded to multiples of the step. Quantiles hang on a few images, and those of a network that has just
    been trained differ between processors, so that they take a coarser one.
    """
    rows = []
    for name, r in agreements.items():
        numbers = []
        for values in (r, r.square()):
            numbers += [rounded(float(values.median()), step)]
            numbers += [rounded(float(values.quantile(0.1)), quantile_step)]
        rows.append([name, *numbers])
    return results(["machine", "r, median", "r, 10 % quantile", "r², median", "r², 10 % quantile"], rows)


def _with_agreement(rows: Mapping[str, Tensor], agreement: Mapping[str, Tensor], **words: Any) -> Figure:
    """Draw rows of images, and below each image of all rows but the first its r."""
    figure = image_rows({name.replace("-", "-\n"): images for name, images in rows.items()}, **words)
    figure.set_figheight(figure.get_figheight() + len(agreement) * LINE / figure.dpi)
    columns = len(next(iter(rows.values())))
    for ax, r in zip(figure.axes[columns:], torch.cat(list(agreement.values())).tolist(), strict=True):
        ax.set_xlabel(f"r = {r:.2f}", fontsize="small", labelpad=2)
    return figure
