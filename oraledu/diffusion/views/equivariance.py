"""Part 3: machines that do not know where they are."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from torch import Tensor

from oraledu.course.explorer import Explorer, explore, precompute
from oraledu.course.figures import Figure, panels, subplots
from oraledu.course.style import ORANGE
from oraledu.diffusion.sampling import Denoiser, sample
from oraledu.diffusion.schedule import times
from oraledu.diffusion.views.layout import difference, montage, picture, show


def translation_test(
    x: Tensor, denoisers: Mapping[str, Callable[[Tensor], Tensor]], shift: tuple[int, int] = (4, -5)
) -> Figure:
    """Draw whether it matters if an image x, (1, C, H, W), is shifted by (rows, columns) before or after a denoiser."""
    titles = ["$x$", r"$f(x)$", r"roll $f(x)$", r"$f($roll $x)$", "difference"]
    figure, axes = subplots(
        len(denoisers), len(titles), alt="not drawn yet", height=24 + 148 * len(denoisers), squeeze=False
    )
    largest = {}
    for line, (name, denoiser) in zip(axes, denoisers.items(), strict=True):
        after = denoiser(x).roll(shift, (2, 3))
        before = denoiser(x.roll(shift, (2, 3)))
        gap = (before - after)[0].mean(0)
        for ax, image in zip(line, (x, denoiser(x), after, before), strict=False):
            show(ax, image[0])
        difference(line[-1], gap, 2)
        largest[name] = float(gap.abs().max())
        line[-1].set_xlabel(f"at most {largest[name]:.1f}")
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title)
    found = "; ".join(f"{name}: {value:.1f}" for name, value in largest.items()).replace("-\n", "-")
    figure.alt = (
        f"For each denoiser f a noisy image x, f(x), f(x) rolled by {shift[0]} rows and {shift[1]} columns, f of the "
        f"rolled x, and the difference of the last two. Its largest size: {found}."
    )
    return figure


def machines_explorer(denoisers: Mapping[str, Denoiser], noise: Tensor) -> Explorer:
    """Let a learner follow each machine from the same noise to its image.

    All trajectories from the noises to choose from, (B, C, H, W), are computed beforehand, behind a progress bar.
    """
    names, moments = list(denoisers), times(20)[:-1]
    made = precompute(lambda name: sample(denoisers[name], noise), names, label="Sampling")
    paths = dict(zip(names, made, strict=True))
    figure, axes = panels([["noisy", "guess", "final"], ["film"] * 3], height=380, height_ratios=[2.3, 1])
    titles = {"noisy": "noisy $x$", "guess": r"estimate $\hat x_0$", "final": "image at the end"}
    pictures = {name: show(axes[name], noise[0], title) for name, title in titles.items()}
    film = _Film(axes["film"], moments[::2], noise[0])

    def draw(machine: str, seed: int = 0, t: float = 0.5) -> Figure:
        path, step = paths[machine], moments.index(t)
        pictures["noisy"].set_data(picture(path.noisy[step, seed]))
        pictures["guess"].set_data(picture(path.denoised[step, seed]))
        pictures["final"].set_data(picture(path.images[seed]))
        film.set(path.denoised[::2, seed], step / 2)
        figure.alt = (
            f"The machine {machine} on its way from noise {seed} to an image: at t = {t:g} the noisy image, the "
            "estimate of the clean one, and the image at the end; below, the estimates from t = 1 to t = 0.1."
        )
        return figure

    labels = {"seed": "noise", "t": "time t"}
    return explore(draw, labels=labels, machine=names, seed=(0, len(noise) - 1), t=moments)


class _Film:
    """A row of small images in one panel, with their times below and a mark at one place."""

    def __init__(self, ax: Axes, moments: Sequence[float], first: Tensor) -> None:
        strip = montage(first.expand(len(moments), *first.shape))
        self._image = ax.imshow(strip, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        self._tall, self._wide = first.shape[-2:]
        (self._mark,) = ax.plot([], [], "^", color=ORANGE, markersize=7)
        ax.set(ylim=(self._tall + 5, -0.5), title=r"$\hat x_0$ along the way")
        ax.set_xlim(right=strip.shape[1] + 3)  # the last time lies beyond the last image
        ax.set_axis_off()
        for place, moment in enumerate(moments):
            ax.text(self._centre(place), self._tall - 0.3, f"{moment:g}", ha="center", va="top")

    def _centre(self, place: float) -> float:
        return place * (self._wide + 1) + (self._wide - 1) / 2

    def set(self, images: Tensor, place: float) -> None:
        """Show other images (n, C, H, W), and put the mark below one of them or between two."""
        self._image.set_data(montage(images))
        self._mark.set_data([self._centre(place)], [self._tall + 4])
