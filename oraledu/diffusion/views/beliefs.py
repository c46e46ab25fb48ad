"""Part 3: what one pixel believes it sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.diffusion.machines import Belief, belief, denoise
from oraledu.diffusion.schedule import alpha_bar, times
from oraledu.diffusion.views.layout import BLUE, Ranking, Window, picture, show
from oraledu.diffusion.windows import windows

MACHINE = "equivariant-local"


def belief_explorer(
    images: Tensor,
    image: Tensor,
    noise: Tensor,
    *,
    padding: str = "zeros",
    patches: Sequence[int] = (1, 3, 5, 7, 9, 11),
) -> Explorer:
    """Let a learner put a question to one pixel of a noisy image: which training patch do you see?

    A belief is computed when it is asked for; a few hundred training images keep that quick.

    Args:
        images: (N, C, H, W) the training set.
        image: (C, H, W) the image that is made noisy; best one that is not among `images`.
        noise: (C, H, W) standard normal.
        padding: ``"zeros"`` or ``"circular"``.
        patches: The patch sizes to choose from; odd.
    """
    moments, size = times(20)[-2::-1], image.shape[-1]
    view = _BeliefView(image, len(images) * size**2)

    def noisy(t: float) -> Tensor:
        share = alpha_bar(t)
        return (math.sqrt(share) * image + math.sqrt(1 - share) * noise)[None]

    @cache
    def estimate(t: float, patch: int) -> Tensor:
        return denoise(noisy(t), images, alpha_bar(t), machine=MACHINE, patch=patch, padding=padding)[0]

    def draw(t: float = 0.3, patch: int = 7, row: int = size // 2, column: int = size // 2) -> Figure:
        x = noisy(t)
        believed = belief(
            x,
            images,
            alpha_bar(t),
            pixel=(row, column),
            machine=MACHINE,
            patch=patch,
            padding=padding,
            top=Ranking.PLACES,
        )
        query = windows(x, patch, padding)[0, row, column].view(-1, patch, patch)
        return view.show(x[0], estimate(t, patch), query, believed, (t, patch, row, column))

    return explore(
        draw,
        labels={"t": "time t", "patch": "patch size k"},
        t=moments,
        patch=list(patches),
        row=(0, size - 1),
        column=(0, size - 1),
    )


class _BeliefView:
    """The noisy image, the estimate, what the pixel sees, and the training patches it takes that for."""

    def __init__(self, image: Tensor, candidates: int) -> None:
        titles = {
            "noisy": "noisy $x$",
            "guess": r"estimate $\hat x_0$",
            "query": "what the pixel sees",
        }
        names = [*titles, "entropy"]
        self.figure, self.axes = panels(
            [names, ["heaviest"] * 4], height=410, height_ratios=[1.1, 1], width_ratios=[1, 1, 1, 0.6]
        )
        self.pictures = {name: show(self.axes[name], image, title) for name, title in titles.items()}
        self.window, self.dot = Window(self.axes["noisy"]), Window(self.axes["guess"])
        self.ranking = Ranking(
            self.axes["heaviest"], "the training patches with the largest weights: image (row, column)"
        )
        (self.bar,) = self.axes["entropy"].bar(0, 0.0, color=BLUE)
        self.limit = self.axes["entropy"].axhline(0, color="black", linewidth=0.8, linestyle=":")
        self.most = self.axes["entropy"].text(0, 0, "", ha="center", va="bottom")
        self.axes["entropy"].set(
            xlim=(-1, 1), ylim=(0, 1.15 * math.log(candidates)), xticks=[], title="entropy (nats)"
        )

    def show(
        self, x: Tensor, guess: Tensor, query: Tensor, believed: Belief, at: tuple[float, int, int, int]
    ) -> Figure:
        """Show what the pixel at `at` (t, patch, row, column) believes."""
        t, patch, row, column = at
        for name, shown in (("noisy", x), ("guess", guess), ("query", query)):
            self.pictures[name].set_data(picture(shown))
        self.window.set(row, column, patch)
        self.dot.set(row, column, 1)
        places = zip(believed.image.tolist(), believed.row.tolist(), believed.column.tolist(), strict=True)
        names = [f"image {i} ({r}, {c})" for i, r, c in places]
        self.ranking.set(list(believed.patches), believed.weight.tolist(), names)
        most = math.log(believed.size)
        self.bar.set_height(believed.entropy)
        self.limit.set_ydata([most, most])
        self.most.set(text=f"log {believed.size}", y=most + 0.2)
        self.figure.alt = (
            f"A noisy image at t = {t:g} with the {patch} × {patch} window around row {row}, column {column} framed, "
            "the equivariant-local estimate, the window enlarged, and the training patches that fit it best. The "
            f"heaviest of {believed.size} has weight {believed.weight[0]:.1f}; the entropy is "
            f"{believed.entropy:.1f} of at most {most:.1f} nats."
        )
        return self.figure
