"""Part 1: what a layer says of a prompt, as pictures of its Gram matrix."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from oraledu.course.figures import WIDTH, Figure, matrix_image, panels
from oraledu.representations import gram as grams
from oraledu.representations.views.layout import number, plain


def gram_images(
    *,
    gram: Tensor,
    layers: Sequence[int],
    words: Sequence[str] = (),
    convention: str = "unit",
    first_token: bool = True,
) -> Figure:
    """Draw the Gram matrix of one prompt at a few layers, each with its own scale of colours.

    Args:
        gram: (layers, T, T) the prompt's Gram matrix at every layer, the first token included.
        layers: Which layers to draw, one to four.
        words: The T tokens as text, to stand beside the first picture; none if they are not known.
        convention: As in `gram.under`; ``"unit"`` draws the cosines of the tokens.
        first_token: Keep the first token.

    Raises:
        ValueError: If a layer does not exist, none or more than four are asked for, or the words are not one a token.
    """
    if not 1 <= len(layers) <= 4 or not all(0 <= layer < len(gram) for layer in layers):
        raise ValueError(f"layers is {list(layers)}; give one to four of the layers 0 to {len(gram) - 1}.")
    if words and len(words) != gram.shape[-1]:
        raise ValueError(
            f"words has {len(words)} entries for {gram.shape[-1]} tokens; give one each, or none."
        )
    shown = grams.under(gram[list(layers)], convention, first_token=first_token)
    side = min(230, (WIDTH - 90 * bool(words)) // len(layers))
    figure, axes = panels(
        [[str(place) for place in range(len(layers))]],
        width=side * len(layers) + 90 * bool(words),
        height=side + 65,
    )
    for place, (layer, matrix) in enumerate(zip(layers, shown, strict=True)):
        ax = axes[str(place)]
        limit = float(matrix.abs().max())
        matrix_image(ax, matrix, title=f"layer {layer}", colorbar=False)
        ax.set_xlabel(f"token\nred: up to {number(limit)}")
        if place:
            ax.set_yticks([])
        elif words:
            kept = list(words)[0 if first_token else 1 :]
            ax.set_yticks(range(len(kept)), kept, fontsize=7)
        else:
            ax.set_ylabel("token")
    figure.alt = (
        f"The {shown.shape[-1]} by {shown.shape[-1]} Gram matrices of one prompt's tokens, {_kind(convention)}, "
        f"{'with' if first_token else 'without'} the first token. Mean entry beside the diagonal over mean entry on "
        f"it: {', '.join(_likeness(layer, k) for layer, k in zip(layers, shown, strict=True))}."
    )
    return figure


def _kind(convention: str) -> str:
    return {
        "raw": "as they are",
        "unit": "at length one",
        "centred": "around their mean",
        "centred-unit": "around their mean and at length one",
    }[convention]


def _likeness(layer: int, k: Tensor) -> str:
    on = k.diagonal().sum()
    beside = (k.sum() - on) / (k.numel() - len(k))
    return f"layer {layer} {plain(beside / torch.where(on > 0, on / len(k), 1))}"
