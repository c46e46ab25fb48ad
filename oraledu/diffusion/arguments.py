"""What every machine is given, checked once: noisy images, training images, a noise level and a window."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.diffusion.windows import PADDINGS, check_patch

MACHINES = ("ideal", "equivariant", "local", "equivariant-local")
#: The machines that see a window and not the whole image.
LOCAL = ("local", "equivariant-local")


@dataclass(frozen=True)
class Task:
    """A checked question to a machine.

    Attributes:
        x: (B, C, H, H) the noisy images.
        images: (N, C, H, H) the training images that count.
        index: (N,) their places among the training images that were handed over.
        owner: The training images that were handed over; what is kept for the next call goes with them.
        label: The class of `images`; None for all.
        signal: (B,) a = √ᾱ, what is left of the image; float64, on the CPU.
        variance: (B,) b² = 1 - ᾱ, the variance of the noise; float64, on the CPU.
        machine: The name of the machine.
        patch: k, the side of a window; the largest there is where the machine sees the whole image.
        padding: ``"zeros"`` or ``"circular"``.
    """

    x: Tensor
    images: Tensor
    index: Tensor
    owner: Tensor
    label: int | None
    signal: Tensor
    variance: Tensor
    machine: str
    patch: int
    padding: str


def check(
    x: Tensor,
    images: Tensor,
    alpha_bar: float | Tensor,
    *,
    machine: str,
    patch: int | None = None,
    padding: str = "zeros",
    labels: Tensor | None = None,
    label: int | None = None,
) -> Task:
    """Return the task, or raise an error that names the argument and what it may be."""
    check_images(images)
    check_machine(machine, patch, padding, images.shape[-1])
    check_noisy(x, images)
    index = chosen(images, labels, label)
    level = check_level(alpha_bar, x)
    return Task(
        x=x.detach(),
        images=images.detach() if label is None else images.detach()[index],
        index=index,
        owner=images,
        label=label,
        signal=level.sqrt(),
        variance=1 - level,
        machine=machine,
        patch=2 * images.shape[-1] - 1 if patch is None else patch,
        padding=padding,
    )


def check_images(images: Tensor) -> None:
    """Raise unless these are training images: (N, C, H, H), at least one, floats, finite."""
    if not isinstance(images, Tensor):
        raise TypeError(f"images must be a tensor, got {type(images).__name__}")
    if images.ndim != 4 or images.shape[2] != images.shape[3]:
        raise ValueError(f"images must be square, (N, C, H, H), got shape {tuple(images.shape)}")
    if not images.numel():
        raise ValueError(f"images must hold at least one image, got shape {tuple(images.shape)}")
    if images.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"images must be float32 or float64, got {images.dtype}")
    check_finite(images, "images")


def check_noisy(x: Tensor, images: Tensor) -> None:
    """Raise unless x is a batch of the same kind of images as the training images."""
    if not isinstance(x, Tensor):
        raise TypeError(f"x must be a tensor, got {type(x).__name__}")
    if x.ndim != 4 or x.shape[1:] != images.shape[1:] or not len(x):
        wanted = ", ".join(str(side) for side in images.shape[1:])
        raise ValueError(
            f"x must be a batch of images like the training images, (B, {wanted}) with B"
            f" at least 1, got shape {tuple(x.shape)}"
        )
    if x.dtype != images.dtype:
        raise TypeError(f"x and images must have the same dtype, got {x.dtype} and {images.dtype}")
    if x.device != images.device:
        raise ValueError(f"x and images must be on the same device, got {x.device} and {images.device}")
    check_finite(x, "x")


def check_finite(images: Tensor, name: str) -> None:
    """Raise unless all pixels are finite: the extremes tell, at a tenth of the time of looking at each."""
    if not all(extreme.isfinite() for extreme in images.aminmax()):
        raise ValueError(f"{name} must be finite; some pixels are NaN or infinite")


def check_machine(machine: str, patch: int | None, padding: str, size: int) -> None:
    """Raise unless there is such a machine: its name, its window, its padding."""
    if machine not in MACHINES:
        raise ValueError(f"machine must be one of {', '.join(map(repr, MACHINES))}, got {machine!r}")
    if padding not in PADDINGS:
        raise ValueError(f'padding must be "zeros" or "circular", got {padding!r}')
    if machine in LOCAL:
        if patch is None:
            raise ValueError(f"patch must be given for the machine {machine!r}: the side of its window, odd")
        check_patch(patch, size, padding)
    elif patch is not None:
        raise ValueError(
            f"patch must be None for the machine {machine!r}, which sees the whole image, got {patch!r}"
        )
    if machine == "equivariant" and padding != "circular":
        raise ValueError(
            'padding must be "circular" for the machine "equivariant": zero padding has no translates'
        )


def check_level(alpha_bar: float | Tensor, x: Tensor) -> Tensor:
    """Return ᾱ as one number per noisy image, (B,), float64 and on the CPU, or raise."""
    if isinstance(alpha_bar, bool) or not isinstance(alpha_bar, float | int | Tensor):
        raise TypeError(f"alpha_bar must be a number in (0, 1) or a tensor of them, got {alpha_bar!r}")
    level = torch.as_tensor(alpha_bar, dtype=torch.float64).cpu()
    if level.ndim and level.shape != (len(x),):
        raise ValueError(
            f"alpha_bar must be a number, or one per image, ({len(x)},), got shape {tuple(level.shape)}"
        )
    if not ((level > 0) & (level < 1)).all():
        raise ValueError(
            f"alpha_bar must lie in (0, 1): 1 would be no noise, 0 no image; got {level.tolist()}"
        )
    return level.expand(len(x))


def chosen(images: Tensor, labels: Tensor | None, label: int | None) -> Tensor:
    """Return the places of the training images that count, (N',): all, or those of one class."""
    if labels is None and label is None:
        return torch.arange(len(images), device=images.device)
    if labels is None or label is None:
        raise ValueError("labels and label belong together: give both, or neither")
    if labels.shape != (len(images),) or labels.is_floating_point():
        raise ValueError(
            f"labels must be one whole number per training image, ({len(images)},),"
            f" got {labels.dtype} and shape {tuple(labels.shape)}"
        )
    index = torch.eq(labels.to(images.device), label).nonzero()[:, 0]
    if not len(index):
        raise ValueError(f"label must be one of {sorted(set(labels.tolist()))}, got {label}")
    return index
