"""Part 4: the blocks that the four operations learn, and the order of the discrete logarithm."""

from collections.abc import Mapping

import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, matrix_image, redraw_matrix, subplots
from oraledu.grokking.arithmetic import primitive_roots
from oraledu.grokking.circulant import ORIENTATION, deviation, reorder
from oraledu.grokking.views.layout import block_of

#: How the operations are written in a title.
SIGNS = {"+": "a + b", "-": "a - b", "*": "a × b", "/": "a ÷ b"}


def blocks(metrics: Mapping[str, Tensor], order: Tensor) -> Figure:
    """Draw the lower left block of each operation's metric (2p, 2p), those of × and ÷ also in another order.

    The order is that of the discrete logarithm, (p - 1,).
    """
    figure, axes = subplots(2, 3, alt="not drawn yet", height=500)
    learned = {op: block_of(metric) for op, metric in metrics.items()}
    words = []
    for row, (plain, disguised) in enumerate((("+", "*"), ("-", "/"))):
        pictures = [
            (SIGNS[plain], learned[plain], plain),
            (f"{SIGNS[disguised]}, as it is", learned[disguised], disguised),
            (f"{SIGNS[disguised]}, digits as powers", reorder(learned[disguised], order), disguised),
        ]
        for ax, (title, block, op) in zip(axes[row], pictures, strict=True):
            matrix_image(ax, block, title=title, colorbar=False)
            own = ORIENTATION[op]
            words.append(f"{title}: {own.capitalize()} deviation {deviation(block, own):.2f}")
    figure.alt = (
        "The lower left blocks of six metrics. The upper row has stripes parallel to the main diagonal, the lower row "
        f"stripes across it, but for the pictures in the middle, which look like noise. {'; '.join(words)}."
    )
    return figure


def logarithm_explorer(metrics: Mapping[str, Tensor], p: int) -> Explorer:
    """Let a learner put the digits of each operation's block in the order of the powers of any base.

    A base that is no generator reaches only some digits; these stand first, in a frame, and the others follow.
    """
    generator = primitive_roots(p)[0]
    learned = {op: block_of(metric) for op, metric in metrics.items()}
    figure, ax = subplots(alt="not drawn yet", width=560, height=430)
    image = matrix_image(ax, torch.zeros(p, p), title="", colorbar=False)
    (frame,) = ax.plot([], [], color="black", linewidth=2)

    def draw(operation: str, reordered: bool, base: int = generator) -> Figure:
        block, reached = learned[operation], powers(base, p)
        rest = [digit for digit in range(1, p) if digit not in reached]
        shown = reorder(block, torch.tensor(reached + rest)) if reordered else block
        redraw_matrix(image, shown)
        edge = len(reached) - 0.5
        framed = reordered and len(reached) < p - 1
        frame.set_data(([-0.5, edge, edge], [edge, edge, -0.5]) if framed else ([], []))
        both = ("toeplitz", "hankel")
        found = ", ".join(f"{side.capitalize()} {deviation(shown, side):.2f}" for side in both)
        order = _order_in_words(reordered, base, len(reached), p)
        ax.set_title(f"{SIGNS[operation]}, {order}\ndeviation: {found}")
        figure.alt = f"The block that {SIGNS[operation]} learned; {order}. Its deviation: {found}."
        return figure

    return explore(
        draw,
        labels={"reordered": "digits in the order of powers"},
        operation={SIGNS[op]: op for op in ("*", "/", "+", "-")},
        reordered=True,
        base={str(base): base for base in range(2, p)},
    )


def powers(base: int, p: int) -> list[int]:
    """Return 1, base, base², … modulo p up to the point where they repeat."""
    reached = [1]
    while (following := reached[-1] * base % p) != 1:
        reached.append(following)
    return reached


def _order_in_words(reordered: bool, base: int, count: int, p: int) -> str:
    if not reordered:
        return f"digits 0 to {p - 1}"
    if count == p - 1:
        return f"powers of {base}, a generator"
    return f"powers of {base}: only {count} of {p - 1} digits (framed), then the rest"
