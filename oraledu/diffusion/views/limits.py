"""Part 7 and after it: networks that see further than a patch, and the results beside the paper's."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREEN, ORANGE, PURPLE, RED
from oraledu.course.tables import Table, beside_the_paper, results
from oraledu.course.words import above
from oraledu.diffusion.study import Entry, Study
from oraledu.diffusion.views.summaries import rounded

#: How machines look beside each other, and how networks do.
MARKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"))
NETWORK_MARKS = (("black", "D"), (RED, "v"), (PURPLE, "P"))
#: The machines whose agreement the paper tabulates, in its order.
MACHINES = ("equivariant-local", "local", "ideal")
#: What an architecture is called where its name is not enough.
NAMES = {"AttentionUNet": "UNet with self-attention"}


def architectures(study: Study) -> Figure:
    """Draw how well machines predict networks of several kinds, trained from several seeds, and how far these look."""
    tables = {
        NAMES.get(name, name): {machine: table[machine] for machine in MACHINES}
        for name, table in study.agreements().items()
    }
    words = "; ".join(
        f"{name}: {', '.join(f'{machine} {above(_middle(r.square()))}' for machine, r in table.items())}"
        for name, table in tables.items()
    )
    figure, axes = panels([["agreement", "sight"]], height=330, width_ratios=[1.6, 1])
    figure.alt = (
        "Left: for each kind of network and each training seed the median r² of the machines, with a line from the "
        f"10 % to the 90 % quantile of the noises. The middle seed's median r²: {words}. Right: how wide a window "
        "holds nine tenths of the central pixel's input Jacobian, over the noise level, a line for each network."
    )
    _agreement(axes["agreement"], tables)
    _sight(axes["sight"], study.entries)
    return figure


def studied(study: Study) -> Table:
    """Tabulate the networks of a study: size, loss, windows at t = 1, and how well machines predict them.

    Ranges are over the training seeds, of medians over the noises. The last column is how often the equivariant-local
    machine is better than the ideal one, for the seed where that is rarest.
    """
    rows = []
    for name, table in study.agreements().items():
        entries = [entry for entry in study.entries if entry.architecture == name]
        better = (table["equivariant-local"] > table["ideal"]).double().mean(1)
        middles = {machine: table[machine].square().median(-1).values for machine in MACHINES}
        losses = [entry.loss for entry in entries]
        rows.append(
            [
                NAMES.get(name, name),
                entries[0].parameters,
                f"{min(losses):.2f} to {max(losses):.2f}",
                ", ".join(str(size) for size in sorted(entry.patches[0] for entry in entries)),
                *(f"{r.min():.2f} to {r.max():.2f}" for r in middles.values()),
                f"{better.min():.0%}",
            ]
        )
    machines = [f"median r², {machine}" for machine in MACHINES]
    return results(
        ["network", "parameters", "loss", "k at t = 1", *machines, "first beats last, at least"], rows
    )


def paper_and_here(
    *,
    images: Tensor,
    zeros: Mapping[str, Tensor],
    circular: Mapping[str, Tensor],
    zeros_patches: Sequence[int],
    circular_patches: Sequence[int],
    study: Study,
) -> Table:
    """Set this run's numbers beside the paper's (tables 2 and 1), with the reason for each difference.

    For the zero-padded ResNet on Fashion-MNIST and the circular one on MNIST: Pearson's r of each of `MACHINES`, (B,),
    and the calibrated patch sizes from t = 1 on. The images are the training set of the first; the study has UNets.
    """
    side, further = images.shape[-1], study.agreements()
    return beside_the_paper(
        __file__,
        count=len(images),
        side=side,
        zeros=_three(zeros),
        circular=_three(circular),
        zeros_squared=_three(zeros, power=2),
        circular_squared=_three(circular, power=2),
        better=100 * float((zeros["equivariant-local"] > zeros["ideal"]).double().mean()),
        zeros_stairs=_stairs(zeros_patches),
        circular_stairs=_stairs(circular_patches),
        widest=max(zeros_patches),
        share=max(zeros_patches) / side,
        unet=_three(further["UNet"]),
        attention=_three(further["AttentionUNet"]),
    )


def _agreement(ax: Axes, tables: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Draw r² (seeds, noises) of each machine with each kind of network."""
    for place, table in enumerate(tables.values()):
        for machine, ((name, r), (colour, marker)) in enumerate(zip(table.items(), MARKS, strict=False)):
            squares = r.square()
            x = place + (machine - (len(table) - 1) / 2) * 0.28 + _beside(len(squares))
            low, middle, high = squares.quantile(squares.new_tensor([0.1, 0.5, 0.9]), dim=1)
            ax.vlines(x, low, high, color=colour, alpha=0.5, linewidth=2)
            label = None if place else name
            ax.plot(x, middle, marker, color=colour, markeredgecolor="white", markersize=7, label=label)
    ax.set_xticks(range(len(tables)), [name.replace(" with ", "\nwith ") for name in tables])
    ax.set(xlim=(-0.5, len(tables) - 0.5), ylim=(0, 1.03), title="r² of the machines with the network")
    ax.legend(loc="lower center", ncols=len(MARKS), fontsize="small", columnspacing=1.2, handletextpad=0.3)


def _sight(ax: Axes, entries: Sequence[Entry]) -> None:
    """Draw the window that each network looks at over the noise level, noise on the left."""
    kinds = list(dict.fromkeys(entry.architecture for entry in entries))
    for kind, aside, (colour, marker) in zip(kinds, _beside(len(kinds)), NETWORK_MARKS, strict=False):
        for number, entry in enumerate(entry for entry in entries if entry.architecture == kind):
            label = None if number else NAMES.get(kind, kind).replace(" with ", "\nwith ")
            x = np.array(entry.sight.times) + 0.3 * aside  # beside each other, for many are equal
            ax.plot(x, entry.sight.window, f"{marker}-", color=colour, markersize=4, alpha=0.7, label=label)
    ax.set(xlim=(1.04, 0), ylim=(0, None), xlabel="noise level t")
    ax.set_title("side of the window that holds\n90 % of the input Jacobian")
    ax.legend(fontsize="small")


def _three(agreements: Mapping[str, Tensor], *, power: int = 1) -> str:
    """Write the median of each machine, in the paper's order."""
    return " / ".join(rounded(_middle(agreements[name] ** power), 0.01) for name in MACHINES)


def _middle(values: Tensor) -> float:
    """Return the median over noises (..., B), and of the training seeds the middle one's."""
    return float(values.median(-1).values.median())


def _stairs(patches: Sequence[int]) -> str:
    return ", ".join(str(size) for size, _ in groupby(patches))


def _beside(count: int) -> np.ndarray:
    """Return places for dots that stand side by side."""
    return (np.arange(count) - (count - 1) / 2) * 0.06
