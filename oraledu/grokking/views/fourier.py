"""Part 5: Fourier multiplication, step by step on the unit circle."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import MISSING, Figure, subplots
from oraledu.course.style import BLUE, GREEN, ORANGE

#: The moduli to choose from; digits beyond them wrap around.
PRIMES = (5, 7, 11, 13)


def fourier_explorer(multiplication: Callable[[Tensor, Tensor], Tensor]) -> Explorer:
    """Let a learner add two digits by multiplying phases, one frequency at a time.

    The Fourier multiplication is the learner's or the reference's.
    """
    figure, (circle, wave, total) = subplots(1, 3, alt="not drawn yet", height=270)
    (roots,) = circle.plot([], [], ".", color=MISSING, markersize=8)
    hands = _hands(circle)
    (single,) = wave.plot([], [], "o-", color=GREEN, markersize=4, linewidth=1)
    bars = total.bar(np.arange(PRIMES[-1]), np.zeros(PRIMES[-1]), color=BLUE, width=0.6)
    for ax, limits in ((wave, (-0.22, 0.22)), (total, (-0.3, 1.05))):
        ax.set(ylim=limits, xlabel="answer $l$")
        ax.axhline(0, color="black", linewidth=0.5)
    wave.set_title("this frequency's share of $y_l$")

    def draw(p: int = 11, a: int = 3, b: int = 5, frequency: int = 1) -> Figure:
        k, answer = frequency % p, (a + b) % p
        roots.set_data(*_phases(np.arange(p), p))
        for hand, digit in zip(hands, (a, b, a + b), strict=True):
            x, y = _phases(k * digit, p)
            hand.set_data(np.array([0, x]), np.array([0, y]))
        circle.set_title(f"{a} + {b} = {answer} modulo {p},\nfrequency {k}")
        place = np.arange(p)
        single.set_data(place, np.cos(2 * np.pi * k * (answer - place) / p) / p)
        digits = torch.eye(p, dtype=torch.float64)
        scores = multiplication(digits[a % p], digits[b % p])
        for bar, score in zip(bars, [*scores, *[0] * (PRIMES[-1] - p)], strict=True):
            bar.set_height(float(score))
        largest = int(scores.argmax())
        total.set_title(f"$y_l$, all frequencies:\nlargest at {largest}")
        for ax in (wave, total):
            ax.set(xlim=(-0.7, p - 0.3), xticks=range(0, p, 2))
        rest = scores.sort().values[:-1].abs().max()
        figure.alt = (
            f"Modulo {p}, at frequency {k}: the phases of {a} and {b} are {k * a % p} and {k * b % p} steps of "
            f"1/{p} turn around the circle, their product is {k * (a + b) % p}. The sum over all frequencies is "
            f"{scores.max():.2f} at l = {largest} and at most {rest:.2f} in size elsewhere."
        )
        return figure

    digit = (0, PRIMES[-1] - 1)
    labels = {"p": "prime p", "a": "first digit a", "b": "second digit b"}
    return explore(draw, labels=labels, p={str(p): p for p in PRIMES}, a=digit, b=digit, frequency=digit)


def _hands(ax: Axes) -> list[Line2D]:
    """Draw the three hands of the clock, told apart by colour, line and marker."""
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(turn), np.sin(turn), color=MISSING, linewidth=1, zorder=0)
    styles = (("a", ORANGE, ":", "o"), ("b", GREEN, "--", "s"), ("product", BLUE, "-", "^"))
    hands = [
        ax.plot([], [], style, color=colour, marker=marker, markevery=[1], label=name)[0]
        for name, colour, style, marker in styles
    ]
    ax.set(aspect="equal", xlim=(-1.15, 1.15), ylim=(-1.9, 1.15))
    ax.set_axis_off()
    ax.legend(loc="lower center", ncols=3, handlelength=1.5, columnspacing=1)
    return hands


def _phases(steps: np.ndarray | int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ω^steps as points of the plane, with ω = exp(-2πi/p)."""
    angle = -2 * np.pi * (np.asarray(steps) % p) / p
    return np.cos(angle), np.sin(angle)
