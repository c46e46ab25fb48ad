"""Part 1: noise, the ideal denoiser's guess, and the copies that it makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.diffusion.schedule import alpha_bar, times
from oraledu.diffusion.views.layout import BLUE, ORANGE, Ranking, image_rows, picture, show


def noising(image: Tensor, noise: Tensor, moments: Sequence[float]) -> Figure:
    """Draw how an image drowns: its own share, the noise, and their sum at several times.

    Args:
        image: (C, H, W) with values in [-1, 1].
        noise: (C, H, W) standard normal, the same at all times.
        moments: Times in [0, 1].
    """
    shares = [alpha_bar(moment) for moment in moments]
    clean = torch.stack([math.sqrt(share) * image for share in shares])
    added = torch.stack([math.sqrt(1 - share) * noise for share in shares])
    first, last = min(moments), max(moments)
    return image_rows(
        {r"$a\,x_0$": clean, r"$+\;b\,\varepsilon$": added, r"$=\;x$": clean + added},
        titles=[f"t = {moment:g}" for moment in moments],
        notes=[f"ᾱ = {share:.2f}" for share in shares],
        alt=f"Three rows of {len(moments)} pictures from t = {first:g} to t = {last:g}. The image a x₀ fades from "
        f"full contrast (ᾱ = {alpha_bar(first):.2f}) to grey (ᾱ = {alpha_bar(last):.2f}), the noise b ε grows, and "
        "their sum x goes over from the image to noise.",
    )


def denoised(x: Tensor, estimates: Tensor, titles: Sequence[str]) -> Figure:
    """Draw noisy images above the estimates of what is under the noise.

    Args:
        x: (B, C, H, W) noisy images.
        estimates: (B, C, H, W) the denoiser's estimates.
        titles: One for each column.
    """
    return image_rows(
        {"$x$": x, r"$\hat x_0$": estimates},
        titles=titles,
        alt=f"Two rows of {len(x)} pictures: noisy images, and below each the estimate of the clean one. From left to "
        f"right: {', '.join(titles)}.",
    )


def copies(samples: Tensor, nearest: Tensor) -> Figure:
    """Draw samples above the training images nearest to them, with their distance.

    Args:
        samples: (B, C, H, W) what a denoiser made.
        nearest: (B, C, H, W) for each the nearest training image.
    """
    distances = (samples.double() - nearest.double()).square().flatten(1).mean(1).sqrt()
    return image_rows(
        {"sample": samples, "nearest\ntraining image": nearest},
        notes=[f"{distance:.2f}" for distance in distances],
        alt=f"Two rows of {len(samples)} pictures: samples, and below each the training image nearest to it. The root "
        f"mean squared difference of a pixel is at most {distances.max():.2f}.",
    )


def ideal_explorer(
    images: Tensor,
    denoiser: Callable[[Tensor, Tensor, float], Tensor],
    noise: Tensor,
    *,
    choices: int = 10,
) -> Explorer:
    """Let a learner add noise to a training image, and see which images the ideal denoiser takes it for.

    Args:
        images: (N, C, H, W) the training set.
        denoiser: The learner's or the reference's ``ideal_denoiser(x, images, alpha_bar)``.
        noise: (B, C, H, W) standard normal, the noises to choose from.
        choices: How many of the first images there are to choose from.
    """
    moments = times(20)[-2::-1]
    view = _IdealView(images, moments)

    def draw(t: float = 0.5, image: int = 0, seed: int = 0) -> Figure:
        shares = torch.tensor([alpha_bar(moment) for moment in moments]).view(-1, 1, 1, 1).to(images)
        noisy = shares.sqrt() * images[image] + (1 - shares).sqrt() * noise[seed]
        step = moments.index(t)
        guess = denoiser(noisy[step : step + 1].clone(), images, alpha_bar(t))[0]
        return view.show((image, seed), step, noisy, guess)

    return explore(
        draw,
        labels={"t": "time t", "image": "training image", "seed": "noise"},
        t=moments,
        image=(0, min(choices, len(images)) - 1),
        seed=(0, len(noise) - 1),
    )


class _IdealView:
    """The panels of the explorer: x₀, x and x̂₀, the entropy over time, and the images with the largest weights."""

    def __init__(self, images: Tensor, moments: list[float]) -> None:
        self.images, self.moments = images, moments
        self.shares = alpha_bar(torch.tensor(moments, dtype=torch.float64, device=images.device))
        upper = ["clean", "noisy", "guess", "entropy"]
        self.figure, axes = panels([upper, ["heaviest"] * 4], height=410, height_ratios=[1.1, 1])
        titles = {"clean": "training image", "noisy": "noisy $x$", "guess": r"estimate $\hat x_0$"}
        self.pictures = {name: show(axes[name], images[0], title) for name, title in titles.items()}
        self.ranking = Ranking(axes["heaviest"], "the training images with the largest weights")
        (self.curve,) = axes["entropy"].plot(moments, np.zeros(len(moments)), color=BLUE)
        (self.dot,) = axes["entropy"].plot([], [], "o", color=ORANGE)
        self.most = math.log(len(images))
        axes["entropy"].axhline(self.most, color="black", linewidth=0.8, linestyle=":")
        axes["entropy"].text(0.03, self.most, "log N", va="bottom")
        axes["entropy"].set(xlim=(0, 1.03), ylim=(-0.2, 1.15 * self.most), xlabel="t", title="entropy (nats)")

    def show(self, chosen: tuple[int, int], step: int, noisy: Tensor, guess: Tensor) -> Figure:
        """Show the chosen (image, noise): the noisy images (T, C, H, W), and the guess for that of `step`."""
        image, seed = chosen
        weights = posterior(noisy, self.images, self.shares)
        entropies = torch.special.entr(weights).sum(1)
        heaviest = weights[step].topk(min(Ranking.PLACES, len(self.images)))
        for name, shown in (("clean", self.images[image]), ("noisy", noisy[step]), ("guess", guess)):
            self.pictures[name].set_data(picture(shown))
        names = [f"image {index}" for index in heaviest.indices.tolist()]
        self.ranking.set(list(self.images[heaviest.indices]), heaviest.values.tolist(), names)
        self.curve.set_ydata(entropies.cpu().numpy())
        self.dot.set_data([self.moments[step]], [float(entropies[step])])
        own, first = float(weights[step, image]), float(heaviest.values[0])
        self.figure.alt = (
            f"Training image {image} with noise {seed} of t = {self.moments[step]:g}, and the ideal denoiser's "
            f"estimate. The posterior puts {own:.2f} on that image; the largest weight is {first:.2f}, and the entropy "
            f"{entropies[step]:.1f} of at most {self.most:.1f} nats."
        )
        return self.figure


def posterior(x: Tensor, images: Tensor, shares: Tensor) -> Tensor:
    """Return p(image | x) for noisy images x (B, C, H, W) with ᾱ in `shares` (B,), all images equally likely before.

    Returns:
        (B, N) float64.
    """
    known = images.double().flatten(1)
    a, variance = shares.sqrt()[:, None], (1 - shares)[:, None]
    logits = a * (x.double().flatten(1) @ known.T) - a.square() * known.square().sum(1) / 2
    return (logits / variance).softmax(1)
