"""Part 7 and after it: networks that see further than a patch, and the results beside the paper's."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, GREEN, ORANGE, PURPLE, RED
from oraledu.course.tables import Table, results
from oraledu.course.words import above
from oraledu.diffusion.study import Entry, Study
from oraledu.diffusion.views.summaries import rounded

#: How machines look beside each other, and how networks do.
MARKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"))
NETWORK_MARKS = (("black", "D"), (RED, "v"), (PURPLE, "P"))
#: The machines whose agreement the paper tabulates, in its order.
MACHINES = ("equivariant-local", "local", "ideal")
#: Beside a result of the paper that has no counterpart here.
UNTRIED = "not run"
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
    count, side, further = len(images), images.shape[-1], study.agreements()
    better = float((zeros["equivariant-local"] > zeros["ideal"]).double().mean())
    rows = [
        (
            "ResNet, Fashion-MNIST, zero padding",
            "0.90 / 0.88 / 0.74; 0.94 / 0.88 / 0.68",
            _three(zeros, 0.01),
            "there 60,000 images of 32 × 32 pixels and a network that knows the class; "
            f"here {count:,} of {side} × {side}, without",
        ),
        (
            "from how many noises the first is better than the last",
            "97 %; 100 %",
            f"{100 * better:.0f} %",
            "none",
        ),
        ("ResNet, MNIST, zero padding", "0.94 / 0.84 / 0.62; 0.94 / 0.82 / 0.61", None, UNTRIED),
        ("ResNet, CIFAR-10, zero padding", "0.90 / 0.86 / 0.43; 0.95 / 0.90 / 0.42", None, UNTRIED),
        ("ResNet, CelebA, zero padding", "0.92 / 0.88 / 0.48; 0.96 / 0.90 / 0.47", None, UNTRIED),
        (
            "ResNet, MNIST, circular padding",
            "0.73 / 0.33 / 0.14; 0.77 / 0.36 / 0.15",
            _three(circular, 0.01),
            "smaller images; and our dictionary has all wrapped patches, the authors' those that do not cross the edge",
        ),
        ("ResNet, CIFAR-10, circular padding", "0.90 / 0.80 / 0.36; 0.94 / 0.83 / 0.35", None, UNTRIED),
        (
            "squared: r², Fashion-MNIST; MNIST",
            "not given; what is called r² there is r",
            f"{_three(zeros, 0.01, power=2)}; {_three(circular, 0.01, power=2)}",
            "a name",
        ),
        (
            "patch sizes from t = 1 on, Fashion-MNIST",
            "17, 15, 13, 11, 9, 7, 5, 3 of 32 pixels",
            f"{_stairs(zeros_patches)} of {side} pixels",
            f"smaller images and fields: 17 is 53% of the side and the whole field, {max(zeros_patches)} is "
            f"{max(zeros_patches) / side:.0%}, and the field is 11",
        ),
        (
            "patch sizes from t = 1 on, circular MNIST",
            "3, 7, 9, 11, 9, 7, 5, 3 of 32 pixels",
            f"{_stairs(circular_patches)} of {side} pixels",
            "perhaps their dictionary: see the next section",
        ),
        (
            "UNet, Fashion-MNIST",
            "0.91 / 0.91 / 0.80; 0.93 / 0.93 / 0.80",
            _three(further["UNet"], 0.01),
            "a much smaller network; the middle one of our training seeds",
        ),
        ("UNet, MNIST", "0.84 / 0.83 / 0.69; 0.89 / 0.88 / 0.70", None, UNTRIED),
        ("UNet, CIFAR-10", "0.82 / 0.80 / 0.39; 0.90 / 0.87 / 0.41", None, UNTRIED),
        (
            "UNet, CelebA",
            "0.75 / 0.81 / 0.51; 0.85 / 0.90 / 0.55",
            None,
            "not run; here the local machine is ahead",
        ),
        (
            "UNet with self-attention",
            "CIFAR-10 0.75 / 0.74 / 0.47; 0.77 / 0.77 / 0.48",
            _three(further["AttentionUNet"], 0.01),
            "ours on Fashion-MNIST; theirs is large, trained by others, and gets the ResNet's patch sizes",
        ),
    ]
    header = [
        "r: equivariant-local / local / ideal",
        "paper, 20 steps of the network; 150 steps",
        "here, 20 steps",
        "reason for the difference",
    ]
    return results(header, rows)


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


def _three(agreements: Mapping[str, Tensor], step: float, *, power: int = 1) -> str:
    """Write the median of each machine, in the paper's order."""
    return " / ".join(rounded(_middle(agreements[name] ** power), step) for name in MACHINES)


def _middle(values: Tensor) -> float:
    """Return the median over noises (..., B), and of the training seeds the middle one's."""
    return float(values.median(-1).values.median())


def _stairs(patches: Sequence[int]) -> str:
    return ", ".join(str(size) for size, _ in groupby(patches))


def _beside(count: int) -> np.ndarray:
    """Return places for dots that stand side by side."""
    return (np.arange(count) - (count - 1) / 2) * 0.06
