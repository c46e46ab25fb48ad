"""Parts 2 and 5: one prompt through all layers, under every convention, with or without its first token."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, matrix_image, redraw_matrix
from oraledu.course.style import BLUE, GREY, ORANGE, PURPLE
from oraledu.representations import entropy
from oraledu.representations import gram as grams_module
from oraledu.representations.views.layout import (
    CONVENTIONS,
    IN_A_ROW,
    layer_axis,
    name_ends,
    row,
    tokens_of,
    with_looks,
)
from oraledu.representations.views.words import Curves, extremes, number, shortened

MatrixEntropy = Callable[[Tensor], Tensor]
#: Shares below this are drawn at the bottom of their panel.
FLOOR = 1e-6


def layer_explorer(
    *, grams: Sequence[Tensor], prompts: Sequence[str], matrix_entropy: MatrixEntropy = entropy.matrix_entropy
) -> Explorer:
    """Let a learner walk through the layers, drop the first token, and change what is done to the rows.

    The Gram matrices of a prompt, (layers, T, T), include the first token. The learner's or the reference's matrix
    entropy is given tokens that have them.

    Raises:
        ValueError: If a prompt, which may be a reader's own, has fewer than 3 tokens.
    """
    if (shortest := min(gram.shape[-1] for gram in grams)) < 3:
        raise ValueError(f"grams has a prompt of {shortest} tokens; each needs 3 or more: write more words.")
    sights = {}
    choices = itertools.product(zip(prompts, grams, strict=True), (True, False), CONVENTIONS.values())
    for (prompt, gram), first, convention in choices:
        under = grams_module.under(gram, convention, first_token=first)  # (layers, T, T)
        entropies = matrix_entropy(tokens_of(under))  # (layers,)
        sights[prompt, first, convention] = under, entropy.spectrum_from_gram(under), entropies
    layers = len(grams[0])
    figure, (left, spectrum, right) = row(3, height=290, width_ratios=[1, 1, 1.25])
    image = matrix_image(left, torch.zeros(2, 2), title="", colorbar=False)
    left.set(xlabel="token", ylabel="token")
    (shares,) = spectrum.plot([], [], "o", color=PURPLE, markersize=3)
    longest = max(gram.shape[-1] for gram in grams)
    spectrum.set_yscale("log")
    spectrum.minorticks_off()
    # Formulas in $ would cost a sixth of a redraw.
    spectrum.set_yticks([1e-6, 1e-4, 1e-2, 1], ["10⁻⁶", "10⁻⁴", "10⁻²", "1"])
    spectrum.set(xlim=(0, longest + 1), ylim=(FLOOR / 2, 3), xlabel="direction i", ylabel="share pᵢ")
    (plain,) = right.plot([], [], color=GREY, linewidth=1, linestyle="--", label="raw, with first token")
    (curve,) = right.plot([], [], color=BLUE, label="as chosen")
    (dot,) = right.plot([], [], "o", color=ORANGE, markersize=8)
    right.set(ylim=(-0.03, 1.2), yticks=[0, 0.5, 1], title="entropy / log T")
    right.legend(**IN_A_ROW, ncols=2)
    layer_axis(right, layers)
    steps = np.arange(layers)

    def draw(
        layer: int = layers // 2, first_token: bool = True, convention: str = "raw", prompt: str = prompts[0]
    ) -> Figure:
        under, spectra, entropies = sights[prompt, first_token, convention]
        k, p, scaled = under[layer], spectra[layer], entropies / np.log(under.shape[-1])
        whole, _, raw = sights[prompt, True, "raw"]
        largest = redraw_matrix(image, k)
        left.set_title(f"Gram matrix, layer {layer}\nlargest entry {number(largest)}")
        shares.set_data(np.arange(1, len(p) + 1), torch.where(p > 0, p.clamp(min=FLOOR), torch.nan))
        count = float(entropies[layer].exp())
        spectrum.set_title(f"its spectrum:\n{count:.1f} directions of {len(p)}")
        curve.set_data(steps, scaled)
        plain.set_data(steps, raw / np.log(whole.shape[-1]))
        dot.set_data([layer], [scaled[layer]])
        figure.alt = (
            f"“{shortened(prompt)}” at layer {layer}, rows {convention}, {'with' if first_token else 'without'} the "
            f"first token. Left: the {len(k)} by {len(k)} Gram matrix. Middle: its spectrum, of which the first "
            f"direction holds {p[0]:.2f}; {count:.1f} directions count. Right: entropy over log T by layer, "
            f"{scaled[layer]:.2f} here; {extremes(scaled)}."
        )
        return figure

    return explore(
        draw,
        labels={"first_token": "with the first token", "convention": "rows"},
        layer=(0, layers - 1),
        first_token=True,
        convention=CONVENTIONS,
        prompt={shortened(prompt): prompt for prompt in prompts},
    )


def entropy_conventions(*, curves: Curves) -> Figure:
    """Draw the same entropy over log T under up to five conventions, (layers,) each, with their names beside them."""
    figure, (ax,) = row(1, height=320)
    ends = []
    for name, values, look in with_looks(curves):
        ax.plot(values, **look, markersize=3.5, linewidth=1.5)
        ends.append((float(values[-1]), name, look["color"]))
    ax.set(ylim=(-0.03, 1.05), ylabel="entropy / log T", yticks=[0, 0.25, 0.5, 0.75, 1])
    layer_axis(ax, len(values))
    name_ends(ax, ends)
    figure.alt = "Entropy over log T by layer. " + " ".join(
        f"{name}: {extremes(values)}." for name, values in curves.items()
    )
    return figure
