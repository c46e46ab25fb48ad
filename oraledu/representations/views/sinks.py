"""Part 5: one massive token, the bound that it sets to the entropy of all, and how close real prompts come to it."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure
from oraledu.course.style import BLUE, GREY, ORANGE
from oraledu.representations import entropy, sink
from oraledu.representations.views.layout import log_axis, row, tokens_of

MatrixEntropy = Callable[[Tensor], Tensor]
EntropyBound = Callable[[Tensor, int], Tensor]

#: How many times as long as the others the massive token can be.
STRENGTHS = (1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000)
TOKENS = (4, 8, 16, 24, 48, 96)


def sink_explorer(
    *,
    grams: Sequence[Tensor],
    matrix_entropy: MatrixEntropy = entropy.matrix_entropy,
    entropy_bound: EntropyBound = sink.entropy_bound,
) -> Explorer:
    """Let a learner lengthen one token of a toy, and see beside it where the first token holds embedded prompts.

    In the toy the first token is orthogonal to the others, which share a direction as far as one wants; at 0 they
    are orthogonal, and the bound is met.

    The Gram matrices of a prompt, (layers, T, T), include the first token. Both functions are the learner's or the
    reference's.
    """
    real, bound = _measured(grams, matrix_entropy, entropy_bound)
    figure, (left, right) = row(2, height=320, width_ratios=[1.15, 1])
    fine = torch.from_numpy(np.geomspace(1, 1000, 61))
    (curve,) = left.plot(fine, np.zeros(61), color=BLUE, label="bound")
    (dot,) = left.plot([], [], "o", color=ORANGE, markersize=8, label="entropy of the toy")
    log_axis(left, [1, 10, 100, 1000])
    left.set(ylim=(-0.03, 1.08), ylabel="entropy / log T")
    left.set_xlabel("length of one token / length of the others")
    left.legend(loc="upper right")
    here = _diagonal(right, bound, real)
    most = float((real - bound).max())
    excess = "none" if most < 1e-4 else f"{most:.2g}"  # rounding is none

    def draw(strength: float = 10.0, tokens: int = 24, likeness: float = 0.0, layer: int = 0) -> Figure:
        top = np.log(tokens)
        limits = entropy_bound(fine.square() / (fine.square() + tokens - 1), tokens) / top
        found = float(matrix_entropy(toy(strength, tokens, likeness))) / top
        share = strength**2 / (strength**2 + tokens - 1)
        limit = float(entropy_bound(torch.tensor(share, dtype=torch.float64), tokens)) / top
        curve.set_ydata(limits)
        dot.set_data([strength], [found])
        left.set_title(f"toy: it holds {share:.0%} of the trace\nentropy {found:.2f}, bound {limit:.2f}")
        here.set_data(bound[:, layer], real[:, layer])
        mean = float(real[:, layer].mean())
        right.set_title(f"{len(grams)} prompts, layer {layer}\nmean entropy {mean:.2f}")
        figure.alt = (
            f"Left: the bound on entropy over log T for {tokens} tokens falls as one token grows. It is {limit:.2f} at "
            f"{strength:g} times the length of the others; the entropy there, with others of cosine {likeness:g}, is "
            f"{found:.2f}. Right: entropy against the bound of the first token's share for {len(grams)} prompts; at "
            f"layer {layer} the mean entropy is {mean:.2f}, the mean bound {float(bound[:, layer].mean()):.2f}, and "
            f"the largest excess over the bound {excess}."
        )
        return figure

    return explore(
        draw,
        labels={
            "strength": "toy: length of one token",
            "tokens": "toy: number of tokens T",
            "likeness": "toy: cosine of the others",
            "layer": "prompts: layer",
        },
        strength=[float(strength) for strength in STRENGTHS],
        tokens=list(TOKENS),
        likeness=[0.0, 0.25, 0.5, 0.75, 1.0],
        layer=(0, real.shape[1] - 1),
    )


def toy(strength: float, tokens: int, likeness: float) -> Tensor:
    """Return tokens (T, T) float64: a strong first one, orthogonal to the others, of length 1 and this cosine."""
    k = torch.full((tokens, tokens), likeness, dtype=torch.float64)
    k.fill_diagonal_(1)
    k[0], k[:, 0] = 0, 0
    k[0, 0] = strength**2
    return tokens_of(k)


def _measured(
    grams: Sequence[Tensor], matrix_entropy: MatrixEntropy, entropy_bound: EntropyBound
) -> tuple[Tensor, Tensor]:
    """Return the entropy and its bound over log T of each prompt at each layer: (prompts, layers) both."""
    real, bound = [], []
    for gram in grams:
        tokens = gram.shape[-1]
        real.append(matrix_entropy(tokens_of(gram)) / np.log(tokens))
        bound.append(entropy_bound(sink.share(gram).double(), tokens) / np.log(tokens))
    return torch.stack(real), torch.stack(bound)


def _diagonal(ax: Axes, bound: Tensor, real: Tensor) -> Line2D:
    """Draw all layers of all prompts in grey under the diagonal; return the dots of one layer, still empty."""
    ax.plot([0, 1], [0, 1], color="black", linewidth=1)
    ax.plot(bound.flatten(), real.flatten(), ".", color=GREY, markersize=4, alpha=0.5, markeredgewidth=0)
    (here,) = ax.plot([], [], "o", color=ORANGE, markersize=4, markeredgecolor="white", markeredgewidth=0.5)
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.08), ylabel="entropy / log T", aspect="equal")
    ax.set_xlabel("bound of the first token / log T")
    ax.text(0.97, 0.03, "grey: all layers", transform=ax.transAxes, ha="right", color=GREY)
    return here
