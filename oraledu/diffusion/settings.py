"""The sizes of the lesson's experiments: a quick preset for a laptop, a full one at the paper's sizes."""

from dataclasses import dataclass, replace

from oraledu.presets import pick


@dataclass(frozen=True)
class NetworkRun:
    """A network to train, and what it takes to predict its images.

    Attributes:
        data: The loader in `oraledu.data`: ``"fashion_mnist"``, ``"mnist"`` or ``"cifar10"``.
        count: Training images, the first of the set; None for all of the complete set.
        pool: Side of the blocks of pixels that are averaged; 2 makes 14×14 of 28×28.
        padding: ``"zeros"`` or ``"circular"``, of the network and of the machines.
        architecture: ``"ResNet"``, ``"UNet"`` or ``"AttentionUNet"``.
        widths: Hidden channels: one number for a ResNet, one a scale for the others.
        depth: Residual layers of a ResNet; 0 for the others.
        steps: Optimiser steps.
        batch_size: Images in a batch.
        learning_rate: The largest step size of Adam.
        candidates: Patch sizes among which calibration chooses.
        calibration_count: The images with which it compares, the first of the training set; None for all.
        calibration_noises: The trajectories along which it compares.
        noises: From how many noises network and machines make images to be compared.
    """

    data: str
    count: int | None
    pool: int
    padding: str
    architecture: str
    widths: tuple[int, ...]
    depth: int
    steps: int
    batch_size: int
    learning_rate: float
    candidates: tuple[int, ...]
    calibration_count: int | None
    calibration_noises: int
    noises: int


@dataclass(frozen=True)
class Preset:
    """The experiments of the lesson at one scale.

    Attributes:
        widget: How many images stand behind sliders, at every scale averaged to 14×14.
        fashion: The network that is trained before the reader's eyes, with zero padding.
        mnist: The network with circular padding.
        unet: A network that sees further.
        large: Further runs, beyond a laptop's patience.
    """

    widget: int
    fashion: NetworkRun
    mnist: NetworkRun
    unet: NetworkRun
    large: tuple[NetworkRun, ...]


def odd(largest: int) -> tuple[int, ...]:
    """Return the odd numbers from 3 to the largest."""
    return tuple(range(3, largest + 1, 2))


_FASHION = NetworkRun(
    data="fashion_mnist",
    count=1000,
    pool=2,
    padding="zeros",
    architecture="ResNet",
    widths=(32,),
    depth=4,
    steps=1000,
    batch_size=64,
    learning_rate=2e-3,
    candidates=odd(11),
    calibration_count=None,
    calibration_noises=9,
    noises=32,
)
_PAPER = replace(
    _FASHION,
    count=None,
    pool=1,
    widths=(256,),
    depth=7,
    steps=140_000,
    batch_size=128,
    learning_rate=1e-4,
    candidates=odd(17),
    calibration_count=5000,
    calibration_noises=10,
    noises=100,
)

QUICK = Preset(
    widget=300,
    fashion=_FASHION,
    mnist=replace(_FASHION, data="mnist", count=500, padding="circular", noises=24),
    unet=replace(
        _FASHION,
        architecture="UNet",
        widths=(32, 64),
        depth=0,
        steps=200,
        candidates=odd(27),
        calibration_noises=5,
        noises=24,
    ),
    large=(),
)

FULL = Preset(
    widget=QUICK.widget,
    fashion=_PAPER,
    mnist=replace(_PAPER, data="mnist", padding="circular"),
    unet=replace(_PAPER, architecture="UNet", widths=(64, 128, 256), depth=0, candidates=odd(27)),
    large=(
        replace(_PAPER, data="cifar10"),
        replace(_PAPER, data="cifar10", padding="circular"),
    ),
)


def preset(scale: str) -> Preset:
    """Return the preset of a scale, `"quick"` or `"full"`; another raises a ValueError."""
    return pick(scale, quick=QUICK, full=FULL)
