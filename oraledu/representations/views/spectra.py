"""Part 2: spectra, their entropies of every order, and how many directions they count."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure
from oraledu.course.style import BLUE, GREEN, GREY, ORANGE, PURPLE, RED
from oraledu.representations import entropy
from oraledu.representations.views.layout import log_axis, name_ends, row

MatrixEntropy = Callable[[Tensor, float], Tensor]

#: The orders that a learner can choose, and those of a curve over the order.
ORDERS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
FINE_ORDERS = tuple(round(float(order), 6) for order in np.geomspace(0.1, 10, 25))  # the middle is exactly 1
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED)


def spectrum_explorer(
    *, matrix_entropy: MatrixEntropy = entropy.matrix_entropy, directions: int = 24
) -> Explorer:
    """Let a learner tilt a power-law spectrum i^-β and choose the order α: exp(S_α) says how many directions count.

    The learner's or the reference's matrix entropy is given a diagonal z with so many directions.
    """
    ranks = np.arange(1, directions + 1)
    figure, (left, right) = row(2, height=300, width_ratios=[1.5, 1])
    bars = left.bar(ranks, np.ones(directions), color=BLUE, width=0.8, label="shares pᵢ")
    (box,) = left.plot([], [], color=ORANGE, linewidth=2, label="equal shares of the same entropy")
    left.set(xlim=(0.3, directions + 0.7), ylim=(0, 1.05), xlabel="direction i", ylabel="share pᵢ")
    left.legend(loc="upper right")
    (curve,) = right.plot(FINE_ORDERS, np.zeros(len(FINE_ORDERS)), color=PURPLE)
    (dot,) = right.plot([], [], "o", color=ORANGE, markersize=7)
    right.axhline(np.log(directions), color=GREY, linestyle=":")
    right.text(10, np.log(directions) + 0.06, f"log {directions}", color=GREY, ha="right", va="bottom")
    log_axis(right, [0.1, 1, 10])
    right.set(ylim=(-0.1, np.log(directions) + 0.45), xlabel="order α", ylabel="entropy S of order α (nats)")

    @cache
    def over_orders(beta: float) -> list[float]:
        z = power_law(directions, beta).sqrt().diag()
        return [float(matrix_entropy(z, order)) for order in FINE_ORDERS]

    def draw(beta: float = 1.0, alpha: float = 1.0) -> Figure:
        shares, values = power_law(directions, beta), over_orders(beta)
        for bar, share in zip(bars, shares, strict=True):
            bar.set_height(float(share))
        found = float(matrix_entropy(shares.sqrt().diag(), alpha))
        count = np.exp(found)
        box.set_data([0.5, 0.5, 0.5 + count, 0.5 + count], [0, 1 / count, 1 / count, 0])
        left.set_ylim(0, 0.42 if shares[0] < 0.36 else 1.05)
        curve.set_ydata(values)
        dot.set_data([alpha], [found])
        left.set_title(f"shares ∝ 1 / i^{beta:g}: exp S = {count:.1f} of {directions} directions")
        right.set_title(f"S = {found:.2f} nats at order α = {alpha:g}")
        figure.alt = (
            f"Left: bars of {directions} shares that fall as 1 over the rank to the power {beta:g}, the first "
            f"{shares[0]:.2f}, with a box as wide as {count:.1f} equal shares. Right: the entropy over its order "
            f"goes from {values[0]:.2f} nats at 0.1 to {values[-1]:.2f} at 10; at order {alpha:g} it is {found:.2f}."
        )
        return figure

    return explore(
        draw,
        labels={"beta": "steepness β of the spectrum", "alpha": "order α of the entropy"},
        beta=[float(beta) for beta in np.arange(0, 3.01, 0.25)],
        alpha=list(ORDERS),
    )


def power_law(directions: int, beta: float) -> Tensor:
    """Return shares proportional to i^-beta for i = 1, …, n: (n,) float64, with sum one."""
    weights = torch.arange(1, directions + 1, dtype=torch.float64) ** -beta
    return weights / weights.sum()


def entropy_orders(
    *, spectra: Mapping[str, Tensor], matrix_entropy: MatrixEntropy = entropy.matrix_entropy
) -> Figure:
    """Draw the entropy of up to five spectra, eigenvalues or shares (n,), over its order: no curve rises."""
    found = {
        name: [float(matrix_entropy(values.double().sqrt().diag(), order)) for order in FINE_ORDERS]
        for name, values in spectra.items()
    }
    figure, (ax,) = row(1, height=300, width=600)
    ends = []
    for (name, values), colour in zip(found.items(), COLOURS, strict=False):
        ax.plot(FINE_ORDERS, values, color=colour)
        ends.append((values[-1], name, colour))
    log_axis(ax, [0.1, 0.5, 1, 2, 10])
    top = max(values[0] for values in found.values())
    ax.set(xlim=(0.1, 10), ylim=(-0.05 * top - 0.02, 1.08 * top + 0.05))
    ax.set(xlabel="order α", ylabel="entropy S of order α (nats)")
    for order in (1, 2):
        ax.axvline(order, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
    name_ends(ax, ends)
    one = len(FINE_ORDERS) // 2  # order 1, the middle of a geometric row
    figure.alt = "Entropy in nats over its order from 0.1 to 10. " + " ".join(
        f"{name}: from {values[0]:.2f} over {values[one]:.2f} at order 1 to {values[-1]:.2f}."
        for name, values in found.items()
    )
    return figure


def rank_against_entropy(*, entropies: Tensor, ranks: Tensor) -> Figure:
    """Draw the effective ranks of many matrices against exp(S_1), from nats: no dot lies below the diagonal."""
    counts = entropies.exp()
    above = int((ranks > counts).sum())
    figure, (ax,) = row(1, height=320, width=400)
    top = 1.05 * float(ranks.max())
    ax.plot([1, top], [1, top], color="black", linewidth=1)
    ax.plot(counts, ranks, "o", color=BLUE, markersize=3, alpha=0.5, markeredgewidth=0)
    ax.set(xlim=(0.95, top), ylim=(0.95, top))
    ax.set(xlabel="exp S₁ (σ² as shares)", ylabel="effective rank (σ as shares)")
    words = "here the printed\ntheorem would hold"
    ax.text(0.97, 0.05, words, transform=ax.transAxes, ha="right", color=GREY)
    ax.set_title(f"above the diagonal: {above} of {len(ranks)}")
    figure.alt = (
        f"Effective rank over exp of the entropy for {len(ranks)} matrices; {above} lie above the diagonal, "
        f"{int((ranks < counts).sum())} below, where the printed theorem would have them."
    )
    return figure
