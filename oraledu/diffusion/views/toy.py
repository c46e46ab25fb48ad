"""Part 6: the smallest mosaic, that of a black and a white image, where each pixel follows its window's majority."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from torch import Generator, Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import WIDTH, Figure, panels
from oraledu.course.style import BLUE, RED
from oraledu.diffusion.sampling import Denoiser, sample
from oraledu.diffusion.schedule import alpha_bar, times
from oraledu.diffusion.views.layout import bare, picture, show
from oraledu.diffusion.windows import windows

#: Side of the toy's images, and the windows that the explorer offers.
SIZE, WINDOWS = 16, (3, 5, 7)
STEPS = 20


def majority(mosaics: Mapping[str, Tensor], *, patch: int = 3) -> Figure:
    """Draw mosaics of black and white, and in red the pixels that differ from the majority of their window.

    Of the images (B, 1, H, W) under each title that one is drawn which has the most red pixels under the first; the
    shares are those of all images. The window wraps around the edges.
    """
    shares = {title: float(in_minority(images, patch).double().mean()) for title, images in mosaics.items()}
    words = ", ".join(f"{title}: {share:.1%}" for title, share in shares.items())
    shown = int(in_minority(next(iter(mosaics.values())), patch).flatten(1).sum(1).argmax())
    side = min(200, WIDTH // len(mosaics))
    figure, axes = panels([list(mosaics)], width=side * len(mosaics), height=side + 40)
    figure.alt = (
        f"Mosaics of black and white regions with smooth borders; red are the pixels that differ from the majority of "
        f"their {patch} by {patch} window. Their share: {words}."
    )
    for title, images in mosaics.items():
        ax = axes[title]
        ax.imshow(_marked(images[shown : shown + 1], patch), interpolation="nearest")
        bare(ax, title)
        ax.set_xlabel(f"{shares[title]:.1%} in the minority", color=RED)
    return figure


def toy_explorer(denoiser: Callable[[Tensor, float, int], Tensor], *, seeds: int = 6) -> Explorer:
    """Let a learner follow the two-image toy from noise to its mosaic, with the law that each pixel obeys.

    The denoiser is the learner's or the reference's ``two_image_denoiser(x, alpha_bar, patch)``.
    """
    noise = torch.randn(seeds, 1, SIZE, SIZE, generator=Generator().manual_seed(0), dtype=torch.float64)
    moments = times(STEPS)[:-1]

    def with_window(patch: int) -> Denoiser:
        return lambda x, t: denoiser(x, alpha_bar(t), patch)

    runs = {patch: sample(with_window(patch), noise, steps=STEPS) for patch in WINDOWS}
    figure, axes = panels([["noisy", "guess", "end", "law"]], height=225, width_ratios=[1, 1, 1, 1.25])
    noisy, guess = show(axes["noisy"], noise[0]), show(axes["guess"], noise[0], r"$\hat x_0$")
    final = axes["end"].imshow(np.zeros((SIZE, SIZE, 3)), interpolation="nearest")
    bare(axes["end"], "the mosaic at the end")
    (curve,) = axes["law"].plot([], [], color=BLUE)
    (pixels,) = axes["law"].plot([], [], "o", color="black", markersize=3, alpha=0.35, markeredgewidth=0)
    axes["law"].set(ylim=(-1.15, 1.15), xlabel="sum over the window", ylabel=r"$\hat x_0$", yticks=[-1, 0, 1])

    def draw(t: float = moments[5], patch: int = 3, seed: int = 0) -> Figure:
        run, step = runs[patch], moments.index(t)
        x, estimate = run.noisy[step, seed], run.denoised[step, seed]
        coupling = alpha_bar(t) ** 0.5 / (1 - alpha_bar(t))
        noisy.set_data(picture(x / 2))
        axes["noisy"].set_title(f"$x$ at t = {t:g}")
        guess.set_data(picture(estimate))
        final.set_data(_marked(run.images[seed][None], patch))
        share = float(in_minority(run.images[seed][None], patch).double().mean())
        axes["end"].set_xlabel(f"{share:.1%} in the minority", color=RED)
        decided = float((estimate.abs() > 0.9).double().mean())
        sums = np.linspace(-1.3, 1.3, 401) * patch**2
        curve.set_data(sums, np.tanh(coupling * sums))
        pixels.set_data(box_sum(x[None], patch).flatten(), estimate.flatten())
        axes["law"].set(xlim=sums[[0, -1]], title=f"coupling $a/b^2$ = {coupling:.3g}")
        figure.alt = (
            f"Two images, all black and all white, with windows of {patch} by {patch} pixels, at t = {t:g} from noise "
            f"{seed}: the noisy image; its estimate, which is the tanh of {coupling:.3g} times the sum over each "
            f"window, with {decided:.0%} of the pixels beyond 0.9 in size; the mosaic at the end, with {share:.1%} of "
            "its pixels, in red, against the majority of their window; and the tanh with the pixels on it."
        )
        return figure

    labels = {"t": "noise level t", "patch": "side of the window", "seed": "noise"}
    return explore(draw, labels=labels, t=moments, patch=list(WINDOWS), seed=(0, seeds - 1))


def box_sum(x: Tensor, patch: int) -> Tensor:
    """Return the sum over the window around each pixel of images (B, 1, H, H), which wraps around; the same shape."""
    return windows(x, patch, "circular").sum(dim=-1)[:, None]


def in_minority(mosaics: Tensor, patch: int) -> Tensor:
    """Say for each pixel of mosaics (B, 1, H, W) whether most of its window has the other sign: bool, same shape."""
    return mosaics.sign() != box_sum(mosaics, patch).sign()


def _marked(mosaic: Tensor, patch: int) -> NDArray[np.floating]:
    """Return a mosaic (1, 1, H, W) as colours (H, W, 3), with the minority in red."""
    colours = np.repeat(picture(mosaic[0])[..., None], 3, axis=-1)
    colours[in_minority(mosaic, patch)[0, 0].numpy()] = to_rgb(RED)
    return colours
