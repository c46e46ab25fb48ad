"""Parts 2 and 5: one prompt through all layers, under every convention, with or without its first token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, matrix_image, panels
from oraledu.course.words_b import BLUE, GREY, ORANGE, PURPLE, redraw_matrix
from oraledu.representations import entropy
from oraledu.representations import gram as grams_module
from oraledu.representations.views.layout import (
    CONVENTIONS,
    IN_A_ROW,
    Curves,
    extremes,
    layer_axis,
    name_ends,
    number,
    shortened,
    tokens_of,
    with_looks,
)

MatrixEntropy = Callable[[Tensor], Tensor]
#: Shares below this are drawn at the bottom of their panel.
FLOOR = 1e-6


@dataclass(frozen=True, eq=False)
class _Sight:
    """One prompt under one convention: (layers, T, T), (layers, T) and (layers,)."""

    grams: Tensor
    shares: Tensor
    entropies: Tensor

    @property
    def scaled(self) -> Tensor:
        """The entropies over their largest value, log T."""
        return self.entropies / np.log(self.grams.shape[-1])


def layer_explorer(
    *,
    grams: Sequence[Tensor],
    prompts: Sequence[str],
    matrix_entropy: MatrixEntropy = entropy.matrix_entropy,
) -> Explorer:
    """Let a learner walk through the layers, drop the first token, and change what is done to the rows.

    Args:
        grams: For each prompt its Gram matrices (layers, T, T), the first token included; a few prompts.
        prompts: Their texts, each another.
        matrix_entropy: The learner's or the reference's ``matrix_entropy(z)``, given tokens with that Gram matrix.

    Raises:
        ValueError: If a prompt, which may be a reader's own, has fewer than 3 tokens.
    """
    if (shortest := min(gram.shape[-1] for gram in grams)) < 3:
        raise ValueError(f"grams has a prompt of {shortest} tokens; each needs 3 or more: write more words.")
    sights = {
        (prompt, first, convention): _sight(gram, convention, first, matrix_entropy)
        for prompt, gram in zip(prompts, grams, strict=True)
        for first in (True, False)
        for convention in CONVENTIONS.values()
    }
    layers = len(grams[0])
    figure, axes = panels([["gram", "spectrum", "curve"]], height=290, width_ratios=[1, 1, 1.25])
    image = matrix_image(axes["gram"], torch.zeros(2, 2), title="", colorbar=False)
    axes["gram"].set(xlabel="token", ylabel="token")
    spectrum = axes["spectrum"]
    (shares,) = spectrum.plot([], [], "o", color=PURPLE, markersize=3)
    longest = max(gram.shape[-1] for gram in grams)
    spectrum.set_yscale("log")
    spectrum.minorticks_off()
    # Formulas in $ would cost a sixth of a redraw.
    spectrum.set_yticks([1e-6, 1e-4, 1e-2, 1], ["10⁻⁶", "10⁻⁴", "10⁻²", "1"])
    spectrum.set(xlim=(0, longest + 1), ylim=(FLOOR / 2, 3), xlabel="direction i", ylabel="share pᵢ")
    right = axes["curve"]
    (plain,) = right.plot([], [], color=GREY, linewidth=1, linestyle="--", label="raw, with first token")
    (curve,) = right.plot([], [], color=BLUE, label="as chosen")
    (dot,) = right.plot([], [], "o", color=ORANGE, markersize=8)
    right.set(ylim=(-0.03, 1.2), yticks=[0, 0.5, 1], title="entropy / log T")
    right.legend(**IN_A_ROW, ncols=2)
    layer_axis(right, layers)
    steps = np.arange(layers)

    def draw(
        layer: int = layers // 2,
        first_token: bool = True,
        convention: str = "raw",
        prompt: str = prompts[0],
    ) -> Figure:
        sight = sights[prompt, first_token, convention]
        k, p = sight.grams[layer], sight.shares[layer]
        largest = redraw_matrix(image, k)
        axes["gram"].set_title(f"Gram matrix, layer {layer}\nlargest entry {number(largest)}")
        shares.set_data(np.arange(1, len(p) + 1), torch.where(p > 0, p.clamp(min=FLOOR), torch.nan))
        count = float(sight.entropies[layer].exp())
        spectrum.set_title(f"its spectrum:\n{count:.1f} directions of {len(p)}")
        curve.set_data(steps, sight.scaled)
        plain.set_data(steps, sights[prompt, True, "raw"].scaled)
        dot.set_data([layer], [sight.scaled[layer]])
        figure.alt = (
            f"“{shortened(prompt)}” at layer {layer}, rows {convention}, {'with' if first_token else 'without'} the "
            f"first token. Left: the {len(k)} by {len(k)} Gram matrix. Middle: its spectrum, of which the first "
            f"direction holds {p[0]:.2f}; {count:.1f} directions count. Right: entropy over log T by layer, "
            f"{sight.scaled[layer]:.2f} here; {extremes(sight.scaled)}."
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
    figure, axes = panels([["curves"]], height=320)
    ax = axes["curves"]
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


def _sight(gram: Tensor, convention: str, first: bool, matrix_entropy: MatrixEntropy) -> _Sight:
    under = grams_module.under(gram, convention, first_token=first)
    return _Sight(under, entropy.spectrum_from_gram(under), matrix_entropy(tokens_of(under)))
