"""Part 6: which training image each pixel comes from, and how far the result is from all of them."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.image import AxesImage
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels, subplots
from oraledu.course.style import ORANGE
from oraledu.diffusion.machines import Provenance, Trajectory
from oraledu.diffusion.views.layout import Window, picture, show
from oraledu.diffusion.views.sources import SOURCED, SourceMap, at_least, claimed, distinct, plural
from oraledu.diffusion.views.summaries import dot_rows
from oraledu.diffusion.windows import windows


def source_maps(
    samples: Mapping[str, Tensor],
    origins: Mapping[str, Provenance],
    *,
    index: int = 0,
    least: float = SOURCED,
) -> Figure:
    """Draw what machines made of one noise, above maps with a colour for each training image a pixel comes from.

    Pixels whose heaviest patch has less than the least weight are grey: no training image can claim them. The index
    says which of the images (B, C, H, W). The names may also be those of moments of one machine.
    """
    names = list(samples)
    maps = {name: claimed(origins[name], least)[index] for name in names}
    counts = {name: distinct(sources) for name, sources in maps.items()}
    side = min(230, 720 // len(names))
    figure, axes = panels(
        [[f"{name}, {what}" for name in names] for what in ("sample", "map")],
        width=side * len(names),
        height=2 * side + 24,
    )
    figure.alt = (
        f"Upper row: images from one noise ({', '.join(names)}). Lower row: a map of each with one colour for each "
        f"training image that has the most weight at one of its {maps[names[0]].numel()} pixels"
        f"{f', and grey where that is less than {least:g}' if least else ''}. "
        f"Colours: {', '.join(f'{name}: {at_least(count)}' for name, count in counts.items())}."
    )
    for name in names:
        show(axes[f"{name}, sample"], samples[name][index], name)
        SourceMap(axes[f"{name}, map"], maps[name])
        axes[f"{name}, map"].set_xlabel(plural(counts[name]))
    return figure


def mosaic_explorer(
    runs: Mapping[str, Trajectory],
    origins: Mapping[str, Provenance],
    images: Tensor,
    patches: Mapping[str, int | None],
    *,
    padding: str = "zeros",
) -> Explorer:
    """Let a learner point at a pixel of an image, and see the training image that it comes from.

    Pixels come from where the provenance of `noisy[-2]` says. Patches are the sizes of each machine's last step; None
    is a machine that sees the whole image.
    """
    first = next(iter(runs.values())).images
    size = first.shape[-1]
    layout = [["sample", "map", "source", "seen"], ["sample", "map", "source", "found"]]
    figure, axes = panels(layout, height=265, width_ratios=[1, 1, 1, 0.5])
    titles = {"sample": "what the machine made", "seen": "it sees", "found": "it finds"}
    drawn = {name: show(axes[name], first[0]) for name in (*titles, "source")}
    maps = {name: claimed(origin) for name, origin in origins.items()}
    sources = SourceMap(axes["map"], next(iter(maps.values()))[0])
    axes["map"].set_xlabel("grey: many fit equally well", fontsize="small")
    here, there = Window(axes["sample"]), Window(axes["source"])
    (dot,) = axes["map"].plot([], [], "s", color=ORANGE, markersize=5, markeredgecolor="white")

    def draw(machine: str, seed: int = 0, row: int = size // 2, column: int = size // 2) -> Figure:
        run, origin, patch = runs[machine], origins[machine], patches[machine]
        image, r, c = (int(part[seed, row, column]) for part in (origin.image, origin.row, origin.column))
        weight, known = float(origin.weight[seed, row, column]), maps[machine][seed]
        drawn["sample"].set_data(picture(run.images[seed]))
        drawn["source"].set_data(picture(images[image]))
        _set_patch(drawn["seen"], run.noisy[-2, seed], (row, column), patch, padding)
        _set_patch(drawn["found"], images[image], (r, c), patch, padding)
        sources.set(known)
        here.set(row, column, patch or 1)
        there.set(r, c, patch or 1)
        dot.set_data([column], [row])
        for name, title in titles.items():
            axes[name].set_title(title)
        axes["map"].set_title(f"from {plural(distinct(known), 'training image')}")
        one = f"training image {image}" if known[row, column] >= 0 else "one of many that fit"
        axes["source"].set_title(one)
        axes["found"].set_xlabel(f"weight {weight:.2f}" if weight >= 0.01 else "weight < 0.01")
        seen = f"the {patch} × {patch} window" if patch else "the whole image"
        origin_in_words = f"row {r}, column {c} of {one}" if known[row, column] >= 0 else one
        figure.alt = (
            f"An image by the {machine} machine from noise {seed}, and a map of where its pixels come from: "
            f"{at_least(distinct(known))} of the training images. The pixel in row {row}, column {column} comes from "
            f"{origin_in_words}; the training image is shown, and beside it {seen} around the pixel and what was "
            "found there."
        )
        return figure

    machines, seeds, places = list(runs), (0, len(first) - 1), (0, size - 1)
    return explore(draw, labels={"seed": "noise"}, machine=machines, seed=seeds, row=places, column=places)


def consistency(steps: Sequence[int], shares: Mapping[str, Sequence[float]]) -> Figure:
    """Draw which share of the pixels equals the centre of the nearest training patch, by the steps of the sampler.

    There is one share for each number of steps, under each tolerance in words.
    """
    words = "; ".join(f"{name}: {', '.join(f'{x:.1f}' for x in values)}" for name, values in shares.items())
    figure, ax = subplots(
        alt=f"The share of pixels that agree with the nearest training patch, for {', '.join(map(str, steps))} steps "
        f"of the sampler. {words}.",
        width=480,
        height=260,
    )
    for (name, values), marker in zip(shares.items(), "os^D", strict=False):
        ax.plot(steps, values, marker=marker, label=name)
    ax.axhline(1, color="black", linewidth=0.8, linestyle=":")
    ax.set(xscale="log", ylim=(0, 1.05), xlabel="steps of the sampler", ylabel="share of pixels")
    ax.set_xticks(steps, list(map(str, steps)))
    ax.minorticks_off()
    ax.legend(title="equal to the nearest patch's centre", loc="lower right")
    return figure


def creativity(distances: Mapping[str, Tensor]) -> Figure:
    """Draw how far images are from the nearest training image: (B,) distances per pixel for each source in words."""
    medians = {name: math.floor(10 * float(values.median())) / 10 for name, values in distances.items()}
    least = ", ".join(f"{name} {median:.1f}" for name, median in medians.items())
    figure, ax = subplots(
        alt=f"Distances to the nearest training image, a row of dots for each source, with a bar at the median, "
        f"which is at least: {least}.",
        width=640,
        height=70 + 42 * len(distances),
    )
    dot_rows(ax, distances)
    ax.set_xlabel("rms distance of a pixel to the nearest training image")
    ax.set_xlim(min(0, *ax.get_xlim()), None)
    return figure


def _set_patch(
    drawn: AxesImage, image: Tensor, pixel: tuple[int, int], patch: int | None, padding: str
) -> None:
    """Show the window around a pixel of an image (C, H, W), or the whole image."""
    seen = windows(image[None], patch, padding)[0, *pixel].view(-1, patch, patch) if patch else image
    side = seen.shape[-1]
    drawn.set(data=picture(seen), extent=(-0.5, side - 0.5, side - 0.5, -0.5))
