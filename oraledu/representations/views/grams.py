"""Part 1: what a layer says of a prompt, as pictures of its Gram matrix."""

from collections.abc import Sequence

import torch
from torch import Tensor

from oraledu.course.figures import WIDTH, Figure, matrix_image
from oraledu.representations import gram as grams
from oraledu.representations.views.layout import row
from oraledu.representations.views.words import number, plain

#: What the conventions of `gram.under` make of tokens.
WORDS = {
    "raw": "as they are",
    "unit": "at length one",
    "centred": "around their mean",
    "centred-unit": "around their mean and at length one",
}


def gram_images(
    *,
    gram: Tensor,
    layers: Sequence[int],
    convention: str = "unit",
    first_token: bool = True,
) -> Figure:
    """Draw one to four of a prompt's Gram matrices (layers, T, T), each with its own scale of colours.

    The first token is included. For the conventions see `gram.under`.
    """
    shown = grams.under(gram[list(layers)], convention, first_token=first_token)
    side = min(230, WIDTH // len(layers))
    figure, axes = row(len(layers), width=side * len(layers), height=side + 65)
    for place, (ax, layer, matrix) in enumerate(zip(axes, layers, shown, strict=True)):
        matrix_image(ax, matrix, title=f"layer {layer}", colorbar=False)
        ax.set_xlabel(f"token\nred: up to {number(float(matrix.abs().max()))}")
        if place:
            ax.set_yticks([])
        else:
            ax.set_ylabel("token")
    figure.alt = (
        f"The {shown.shape[-1]} by {shown.shape[-1]} Gram matrices of one prompt's tokens, {WORDS[convention]}, "
        f"{'with' if first_token else 'without'} the first token. Mean entry beside the diagonal over mean entry on "
        f"it: {', '.join(_likeness(layer, k) for layer, k in zip(layers, shown, strict=True))}."
    )
    return figure


def _likeness(layer: int, k: Tensor) -> str:
    on = k.diagonal().sum()
    beside = (k.sum() - on) / (k.numel() - len(k))
    return f"layer {layer} {plain(beside / torch.where(on > 0, on / len(k), 1))}"
