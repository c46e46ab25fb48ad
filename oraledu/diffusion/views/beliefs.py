"""Part 3: what one pixel believes it sees."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE
from oraledu.diffusion.machines import belief, denoise
from oraledu.diffusion.schedule import alpha_bar, times
from oraledu.diffusion.views.layout import Ranking, Window, noisy, picture, show
from oraledu.diffusion.windows import windows


def belief_explorer(
    images: Tensor,
    image: Tensor,
    noise: Tensor,
    *,
    padding: str = "zeros",
    patches: Sequence[int] = (1, 3, 5, 7, 9, 11),
) -> Explorer:
    """Let a learner put a question to one pixel of a noisy image: which training patch do you see?

    The image, (C, H, W), that is made noisy is best none of the training images, (N, C, H, W). A belief is computed
    when it is asked for; a few hundred training images keep that quick.
    """
    moments, size = times(20)[-2::-1], image.shape[-1]
    options: dict[str, Any] = {"machine": "equivariant-local", "padding": padding}
    titles = {"noisy": "noisy $x$", "guess": r"estimate $\hat x_0$", "query": "what the pixel sees"}
    layout = [[*titles, "entropy"], ["heaviest"] * 4]
    figure, axes = panels(layout, height=410, height_ratios=[1.1, 1], width_ratios=[1, 1, 1, 0.6])
    pictures = {name: show(axes[name], image, title) for name, title in titles.items()}
    window, dot = Window(axes["noisy"]), Window(axes["guess"])
    ranking = Ranking(axes["heaviest"], "the training patches with the largest weights: image (row, column)")
    (bar,) = axes["entropy"].bar(0, 0.0, color=BLUE)
    limit = axes["entropy"].axhline(0, color="black", linewidth=0.8, linestyle=":")
    limit_in_words = axes["entropy"].text(0, 0, "", ha="center", va="bottom")
    highest = 1.15 * math.log(len(images) * size**2)
    axes["entropy"].set(xlim=(-1, 1), ylim=(0, highest), xticks=[], title="entropy (nats)")

    @cache
    def estimate(t: float, patch: int) -> Tensor:
        return denoise(noisy(image, noise, t), images, alpha_bar(t), patch=patch, **options)[0]

    def draw(t: float = 0.3, patch: int = 7, row: int = size // 2, column: int = size // 2) -> Figure:
        x, top = noisy(image, noise, t), Ranking.PLACES
        seen = belief(x, images, alpha_bar(t), pixel=(row, column), patch=patch, top=top, **options)
        query = windows(x, patch, padding)[0, row, column].view(-1, patch, patch)
        for name, shown in (("noisy", x[0]), ("guess", estimate(t, patch)), ("query", query)):
            pictures[name].set_data(picture(shown))
        window.set(row, column, patch)
        dot.set(row, column, 1)
        origins = zip(seen.image.tolist(), seen.row.tolist(), seen.column.tolist(), strict=True)
        names = [f"image {i} ({r}, {c})" for i, r, c in origins]
        ranking.set(list(seen.patches), seen.weight.tolist(), names)
        most = math.log(seen.size)
        bar.set_height(seen.entropy)
        limit.set_ydata([most, most])
        limit_in_words.set(text=f"log {seen.size}", y=most + 0.2)
        figure.alt = (
            f"A noisy image at t = {t:g} with the {patch} × {patch} window around row {row}, column {column} framed, "
            "the equivariant-local estimate, the window enlarged, and the training patches that fit it best. The "
            f"heaviest of {seen.size} has weight {seen.weight[0]:.1f}; the entropy is {seen.entropy:.1f} of at most "
            f"{most:.1f} nats."
        )
        return figure

    labels, places = {"t": "time t", "patch": "patch size k"}, (0, size - 1)
    return explore(draw, labels=labels, t=moments, patch=list(patches), row=places, column=places)
