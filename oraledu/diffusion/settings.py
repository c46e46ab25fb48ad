"""The sizes of the lesson's experiments: for a laptop, for one GPU and some minutes, and the paper's."""

from dataclasses import dataclass, replace

from oraledu.presets import pick


@dataclass(frozen=True)
class NetworkRun:
    """A network to train, and what it takes to predict its images."""

    data: str  # the loader in `oraledu.data`: "fashion_mnist", "mnist" or "cifar10"
    count: int | None  # training images, the first of the set; None for all of the complete set
    pool: int  # side of the blocks of pixels that are averaged; 2 makes 14×14 of 28×28
    padding: str  # "zeros" or "circular", of the network and of the machines
    architecture: str  # "ResNet", "UNet" or "AttentionUNet"
    widths: tuple[int, ...]  # hidden channels: one number for a ResNet, one a scale for the others
    depth: int  # residual layers of a ResNet; 0 for the others
    steps: int
    batch_size: int
    learning_rate: float  # the largest of Adam's
    candidates: tuple[int, ...]  # patch sizes among which calibration chooses
    calibration_count: int | None  # how many training images it compares with, the first ones; None for all
    calibration_noises: int  # along how many trajectories
    noises: int  # from how many noises network and machines make images to be compared


@dataclass(frozen=True)
class Preset:
    """The experiments of the lesson at one scale."""

    widget: int  # images behind sliders, at every scale averaged to 14×14
    fashion: NetworkRun  # trained before the reader's eyes, with zero padding
    mnist: NetworkRun  # with circular padding
    unet: NetworkRun  # sees further
    large: tuple[NetworkRun, ...]  # beyond a laptop's patience


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

#: Of the complete sets, the images that come with the course, at their own size.
_EMBEDDED = replace(
    _PAPER, count=2000, widths=(128,), steps=6000, batch_size=64, learning_rate=1e-3, calibration_count=None
)
MIDDLE = Preset(
    widget=QUICK.widget,
    fashion=_EMBEDDED,
    mnist=replace(_EMBEDDED, data="mnist", padding="circular"),
    unet=replace(_EMBEDDED, architecture="UNet", widths=(64, 128, 256), depth=0, candidates=odd(27)),
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
    """Return the preset of a scale, `"quick"`, `"middle"` or `"full"`; another raises a ValueError."""
    return pick(scale, quick=QUICK, middle=MIDDLE, full=FULL)
