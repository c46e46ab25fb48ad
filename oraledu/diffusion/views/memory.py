"""Part 1: noise, the ideal denoiser's guess, and the copies that it makes."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.course.style import BLUE, ORANGE
from oraledu.diffusion.schedule import alpha_bar, times
from oraledu.diffusion.views.layout import Ranking, image_rows, picture, show


def noising(image: Tensor, noise: Tensor, moments: Sequence[float]) -> Figure:
    """Draw how an image (C, H, W) drowns: its own share, the noise, and their sum at several times in [0, 1]."""
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
    """Draw noisy images (B, C, H, W) above the estimates of what is under the noise, with a title for each column."""
    return image_rows(
        {"$x$": x, r"$\hat x_0$": estimates},
        titles=titles,
        alt=f"Two rows of {len(x)} pictures: noisy images, and below each the estimate of the clean one. From left to "
        f"right: {', '.join(titles)}.",
    )


def copies(samples: Tensor, nearest: Tensor) -> Figure:
    """Draw samples (B, C, H, W) above the training image nearest to each, with their distance."""
    distances = (samples.double() - nearest.double()).square().flatten(1).mean(1).sqrt()
    return image_rows(
        {"sample": samples, "nearest\ntraining image": nearest},
        notes=[f"{distance:.2f}" for distance in distances],
        alt=f"Two rows of {len(samples)} pictures: samples, and below each the training image nearest to it. The root "
        f"mean squared difference of a pixel is at most {distances.max():.2f}.",
    )


def ideal_explorer(
    images: Tensor, denoiser: Callable[[Tensor, Tensor, float], Tensor], noise: Tensor, *, choices: int = 10
) -> Explorer:
    """Let a learner add noise to a training image, and see which images the ideal denoiser takes it for.

    There are the first few training images to choose from, and the noises (B, C, H, W).
    """
    moments = times(20)[-2::-1]
    shares = alpha_bar(torch.tensor(moments, dtype=torch.float64, device=images.device))
    titles = {"clean": "training image", "noisy": "noisy $x$", "guess": r"estimate $\hat x_0$"}
    figure, axes = panels([[*titles, "entropy"], ["heaviest"] * 4], height=410, height_ratios=[1.1, 1])
    pictures = {name: show(axes[name], images[0], title) for name, title in titles.items()}
    ranking = Ranking(axes["heaviest"], "the training images with the largest weights")
    (curve,) = axes["entropy"].plot(moments, np.zeros(len(moments)), color=BLUE)
    (dot,) = axes["entropy"].plot([], [], "o", color=ORANGE)
    most = math.log(len(images))
    axes["entropy"].axhline(most, color="black", linewidth=0.8, linestyle=":")
    axes["entropy"].text(0.03, most, "log N", va="bottom")
    axes["entropy"].set(xlim=(0, 1.03), ylim=(-0.2, 1.15 * most), xlabel="t", title="entropy (nats)")

    def draw(t: float = 0.5, image: int = 0, seed: int = 0) -> Figure:
        known = torch.tensor([alpha_bar(moment) for moment in moments]).view(-1, 1, 1, 1).to(images)
        noisy, step = known.sqrt() * images[image] + (1 - known).sqrt() * noise[seed], moments.index(t)
        guess = denoiser(noisy[step : step + 1].clone(), images, alpha_bar(t))[0]
        weights = posterior(noisy, images, shares)
        entropies = torch.special.entr(weights).sum(1)
        heaviest = weights[step].topk(min(Ranking.PLACES, len(images)))
        for name, shown in (("clean", images[image]), ("noisy", noisy[step]), ("guess", guess)):
            pictures[name].set_data(picture(shown))
        names = [f"image {index}" for index in heaviest.indices.tolist()]
        ranking.set(list(images[heaviest.indices]), heaviest.values.tolist(), names)
        curve.set_ydata(entropies.cpu().numpy())
        dot.set_data([t], [float(entropies[step])])
        own, first = float(weights[step, image]), float(heaviest.values[0])
        figure.alt = (
            f"Training image {image} with noise {seed} of t = {t:g}, and the ideal denoiser's estimate. The posterior "
            f"puts {own:.2f} on that image; the largest weight is {first:.2f}, and the entropy {entropies[step]:.1f} "
            f"of at most {most:.1f} nats."
        )
        return figure

    numbers = (0, min(choices, len(images)) - 1)
    labels = {"t": "time t", "image": "training image", "seed": "noise"}
    return explore(draw, labels=labels, t=moments, image=numbers, seed=(0, len(noise) - 1))


def posterior(x: Tensor, images: Tensor, shares: Tensor) -> Tensor:
    """Return p(image | x), (B, N), for noisy images x (B, C, H, W) with ᾱ in `shares` (B,), under a flat prior."""
    known = images.double().flatten(1)
    a, variance = shares.sqrt()[:, None], (1 - shares)[:, None]
    logits = a * (x.double().flatten(1) @ known.T) - a.square() * known.square().sum(1) / 2
    return (logits / variance).softmax(1)
