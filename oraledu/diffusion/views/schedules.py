"""Part 5: the patch size over the noise levels, and what another choice of it would have predicted."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import MISSING, Figure, matrix_image, panels
from oraledu.course.style import BLUE
from oraledu.course.words import above
from oraledu.diffusion.calibrate import pearson_r
from oraledu.diffusion.networks import seen
from oraledu.diffusion.schedule import times
from oraledu.diffusion.views.layout import Window, bare, picture, show

#: What is less than this share of the largest entry of a Jacobian is black.
FAINTEST = 1e-2


def staircase(patches: Sequence[int], jacobians: Mapping[float, Tensor]) -> Figure:
    """Draw the patch size at each step of the sampler beside the part of its input that the network uses.

    For some times that is (H, W), the size of the derivatives of the central pixel's estimate.
    """
    moments = times(len(patches))[:-1]
    names = [f"map {t}" for t in jacobians]
    sides = [seen(jacobian) for jacobian in jacobians.values()]
    figure, axes = panels([["steps", *names]], height=215, width_ratios=[2.2] + [1] * len(names))
    figure.alt = (
        f"Left: the patch size over the noise level, {patches[0]} at t = 1 and {patches[-1]} at t = "
        f"{moments[-1]:g}. Beside it, how much each pixel of the input moves the estimate at the centre, at t = "
        f"{', '.join(f'{t:g}' for t in jacobians)}, with the patch of that time as a frame: a spot around the centre. "
        f"Nine tenths of it lie in windows of at most {max(sides)} pixels a side, the last time of {sides[-1]}."
    )
    steps = axes["steps"]
    steps.step(moments, patches, where="mid", color=BLUE)
    steps.plot(moments, patches, "o", color=BLUE, markersize=4)
    _axes_of_steps(steps, patches)
    steps.set_title("patch size of the machine")
    for name, side, (t, jacobian) in zip(names, sides, jacobians.items(), strict=True):
        share = (jacobian / jacobian.max()).clamp(min=FAINTEST)
        values, lowest = share.log10().cpu().numpy(), np.log10(FAINTEST)
        axes[name].imshow(values, cmap="viridis", vmin=lowest, vmax=0, interpolation="nearest")
        bare(axes[name], f"t = {t:g}")
        patch = patches[min(range(len(patches)), key=lambda j: abs(moments[j] - t))]
        Window(axes[name]).set(jacobian.shape[0] // 2, jacobian.shape[1] // 2, patch)
        axes[name].set_xlabel(f"frame {patch} × {patch}\n90 % in {side} × {side}")
    axes[names[0]].set_ylabel("input Jacobian")
    return figure


def schedule_explorer(
    network: Tensor, samples: Mapping[str, Tensor], schedules: Mapping[str, Sequence[int]]
) -> Explorer:
    """Let a learner choose the machine's patch sizes, and see how well its images then predict the network's.

    Network and machine have images (B, C, H, W) from the same noises; a schedule has a patch size for each step of the
    sampler, the first at t = 1.
    """
    agreement = {name: pearson_r(network, images) for name, images in samples.items()}
    moments = times(len(next(iter(schedules.values()))))[:-1]
    names = ["network", "machine", "steps", "agreement"]
    figure, axes = panels([names], height=235, width_ratios=[1.25, 1.25, 1.1, 1])
    theirs, ours = (show(axes[name], network[0]) for name in ("network", "machine"))
    titles = "network", "machine", "patch size", "r from this noise"
    for patches in schedules.values():
        axes["steps"].step(moments, patches, where="mid", color=MISSING, linewidth=1)
    (chosen,) = axes["steps"].step(moments, moments, where="mid", color=BLUE, linewidth=2)
    _axes_of_steps(axes["steps"], [patch for patches in schedules.values() for patch in patches])
    bars = axes["agreement"].barh(list(samples), [0.0] * len(samples), color=MISSING, height=0.6)
    values = [axes["agreement"].text(0, place, "", va="center") for place in range(len(samples))]
    low = min(0.0, float(torch.stack(list(agreement.values())).min()))
    axes["agreement"].set(xlim=(low, 1.3), xticks=[])
    axes["agreement"].invert_yaxis()
    axes["agreement"].spines["bottom"].set_visible(False)

    def draw(schedule: str, seed: int = 0) -> Figure:
        r = float(agreement[schedule][seed])
        theirs.set_data(picture(network[seed]))
        ours.set_data(picture(samples[schedule][seed]))
        axes["machine"].set_xlabel(f"r = {r:.2f},  r² = {r * r:.2f}")
        for name, title in zip(names, titles, strict=True):
            axes[name].set_title(title)
        chosen.set_ydata(schedules[schedule])
        for name, bar, value in zip(samples, bars, values, strict=True):
            length = float(agreement[name][seed])
            bar.set(width=length, color=BLUE if name == schedule else MISSING)
            value.set(x=max(length, 0) + 0.03, text=f"{length:.2f}")
        figure.alt = (
            f"From noise {seed}: the network's image, the machine's with the patch sizes called {schedule} "
            f"({_in_words(schedules[schedule])}), and r, which is {above(r)} (its square {above(r * r)}) for this "
            "choice, as bars for all."
        )
        return figure

    labels = {"schedule": "patch sizes", "seed": "noise"}
    return explore(draw, labels=labels, schedule=list(samples), seed=(0, len(network) - 1))


def sweep_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw r of network and machine in a sweep over noise level and patch size: its mean over the networks."""
    levels, patches = (sorted({row[axis] for row in rows}) for axis in ("noise", "patch"))
    levels.reverse()  # as a sampler meets them
    found = [
        [[row["r"] for row in rows if (row["patch"], row["noise"]) == (k, t)] for t in levels]
        for k in patches
    ]
    r = torch.tensor([[np.mean(each) if each else np.nan for each in line] for line in found])
    best = r.nan_to_num(-1).argmax(dim=0).tolist()
    count = len({row["seed"] for row in rows})
    of = f"mean of {count} networks" if count > 1 else "one network"
    figure, axes = panels([["r"]], height=280, width=560)
    image = matrix_image(axes["r"], r, title=f"r, {of}; a dot at the best k", symmetric=False)
    image.axes.plot(range(len(levels)), best, "o", color="white", markeredgecolor="black")
    image.axes.set(aspect="auto", xlabel="noise level t", ylabel="patch size k")
    ticks = range(0, len(levels), 1 + len(levels) // 11)
    image.axes.set_xticks(ticks, [f"{levels[tick]:g}" for tick in ticks])
    image.axes.set_yticks(range(len(patches)), [str(patch) for patch in patches])
    image.axes.invert_yaxis()
    told = (
        f"t = {t:g}: {patches[k]}, {r[k, j]:.3f}" for j, (t, k) in enumerate(zip(levels, best, strict=True))
    )
    figure.alt = (
        "Pearson's r of the clean images that network and machine estimate, as colours over noise level and patch "
        f"size, {of}. The best patch size and its r at {'; '.join(told)}."
    )
    return figure


def _axes_of_steps(ax: Axes, patches: Sequence[int]) -> None:
    """Label the axes of patch sizes over the noise level, in the sampler's order from left to right."""
    ax.set(xlim=(1.04, 0), ylim=(min(patches) - 1, max(patches) + 1), xlabel="noise level t")
    ax.set_yticks(sorted(set(patches)))


def _in_words(patches: Sequence[int]) -> str:
    if len(set(patches)) == 1:
        return f"{patches[0]} throughout"
    return f"{patches[0]} at t = 1, {patches[-1]} at the end"
