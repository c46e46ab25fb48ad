"""Part 3: from one training image to many, from memory to mosaic."""

from collections.abc import Sequence

import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore, precompute
from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, ORANGE
from oraledu.diffusion.machines import Machine, sample
from oraledu.diffusion.views.layout import picture, show
from oraledu.diffusion.views.sources import SourceMap, at_least, distinct, plural, traced

#: Line style and colour of the two machines that are compared.
STYLES = {"ideal": ("s--", ORANGE), "equivariant-local": ("o-", BLUE)}


def count_explorer(
    images: Tensor,
    patches: int | list[int],
    noise: Tensor,
    *,
    padding: str = "zeros",
    counts: Sequence[int] = (1, 2, 5, 10, 30, 100, 300, 1000),
) -> Explorer:
    """Let a learner see what the ideal and the equivariant-local machine make of few and of many training images.

    All samples are made beforehand, behind a progress bar. Each of the rising counts takes the first images alone,
    (N, C, H, W); the equivariant-local machine has one patch size, or one for each of the sampler's steps.
    """

    def made(count: int) -> dict[str, _Made]:
        few = images[:count]
        return {
            "ideal": _Made(Machine(few, "ideal"), noise),
            "equivariant-local": _Made(Machine(few, "equivariant-local", patches, padding), noise),
        }

    runs = dict(zip(counts, precompute(made, counts, label="Sampling"), strict=True))
    names = [[name, f"{name}, sources", "curve"] for name in STYLES]
    figure, axes = panels(names, height=420, width_ratios=[1, 1, 1.3])
    samples = {name: show(axes[name], noise[0], name) for name in STYLES}
    blank = torch.zeros_like(noise[0, 0], dtype=torch.int64)
    maps = {name: SourceMap(axes[f"{name}, sources"], blank) for name in STYLES}
    ax = axes["curve"]
    lines = {
        name: ax.plot(counts, counts, style, color=colour, markersize=5, label=name)[0]
        for name, (style, colour) in STYLES.items()
    }
    cursor = ax.axvline(1, color="black", linewidth=0.8, linestyle=":")
    most = max(count for both in runs.values() for run in both.values() for count in run.counts)
    ax.set(xscale="log", ylim=(-0.02 * most, 1.1 * most + 1), xlabel="training images", title="sources")
    ax.set_xticks(counts, [str(count) for count in counts])
    ax.minorticks_off()
    ax.legend(loc="upper left")

    def draw(count: int = 100, seed: int = 0) -> Figure:
        words = []
        for name in STYLES:
            run = runs[count][name]
            samples[name].set_data(picture(run.samples[seed]))
            maps[name].set(run.sources[seed])
            axes[f"{name}, sources"].set_title(plural(run.counts[seed]))
            lines[name].set_ydata([both[name].counts[seed] for both in runs.values()])
            words.append(f"{name} {at_least(run.counts[seed])}")
        cursor.set_xdata([count, count])
        figure.alt = (
            f"What the ideal and the equivariant-local machine make of noise {seed}, each beside a map of the training "
            f"images that its pixels come from. Sources out of {count} images: {', '.join(words)}."
        )
        return figure

    labels = {"count": "training images", "seed": "noise"}
    return explore(draw, labels=labels, count=list(counts), seed=(0, len(noise) - 1))


class _Made:
    """Samples (B, C, H, W), the training image of each of their pixels (B, H, W), and how many there are."""

    def __init__(self, machine: Machine, noise: Tensor) -> None:
        path = sample(machine, noise)
        seen = {"patch": machine.patch(path.times[-2]), "padding": machine.padding}
        self.samples = path.images
        self.sources = traced(path, machine.images, machine=machine.machine, **seen)
        self.counts = [distinct(one) for one in self.sources]
