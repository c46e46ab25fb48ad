"""What all networks share: they know a sampler's noise levels, predict v, and turn it into a denoiser."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from oraledu.diffusion.layers import PADDINGS, Conditioned
from oraledu.diffusion.schedule import alpha_bar


class Predictor(nn.Module, ABC):
    """A network that predicts v = a ε - b x₀ from x = a x₀ + b ε, at the noise levels of one sampler.

    x and v are a rotation of x₀ and ε, so that x₀ = a x - b v at every noise level, with no division by a small a
    (Salimans and Ho 2022, appendix D). The network is defined at t = 1/steps, 2/steps, …, 1 only.

    Attributes:
        steps: The number of noise levels, as in `schedule.times`.
        channels: C of the images.
        classes: How many labels it is conditioned on; 0 for none.
        padding: ``"zeros"`` or ``"circular"``, what the convolutions see beyond the border.
    """

    def __init__(
        self, *, channels: int = 1, classes: int = 0, steps: int = 20, padding: str = "zeros"
    ) -> None:
        """Keep the sizes.

        Raises:
            ValueError: If a number is too small, or the padding is unknown.
        """
        super().__init__()
        require_at_least(channels=(channels, 1), classes=(classes, 0), steps=(steps, 1))
        if padding not in PADDINGS:
            raise ValueError(f"padding must be one of {', '.join(map(repr, PADDINGS))}, got {padding!r}")
        self.steps, self.channels, self.classes, self.padding = steps, channels, classes, padding

    def conditioned(
        self, inputs: int, outputs: int, generator: torch.Generator, size: int = 3
    ) -> Conditioned:
        """Return a layer for the network's noise levels, classes and padding; its filters have a side of 3 or 1."""
        sizes = {"steps": self.steps, "classes": self.classes, "size": size}
        return Conditioned(inputs, outputs, padding=self.padding, generator=generator, **sizes)

    @abstractmethod
    def velocity(self, x: Tensor, level: Tensor, labels: Tensor | None) -> Tensor:
        """Return v for images that have been checked; level (B,) or (1,) counts from 0 at t = 1/steps."""

    def forward(self, x: Tensor, t: float | Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the predicted v.

        Args:
            x: (B, C, H, W) the noisy images.
            t: One of the noise levels i/steps, i = 1, …, steps, or one for each image, (B,).
            labels: (B,) integers below `classes`, if there are classes.

        Returns:
            (B, C, H, W).

        Raises:
            ValueError: If the shapes do not fit, a time is between the levels, or a label is out of range.
            TypeError: If the labels are not integers.
        """
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(f"x must have shape (B, {self.channels}, H, W), got {tuple(x.shape)}")
        check_labels(labels, len(x), self.classes)
        return self.velocity(x, self._level(t, len(x)).to(x.device), labels)

    def denoise(self, x: Tensor, t: float | Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the estimate of the clean images, x₀ = a x - b v; a `sampling.Denoiser`, and differentiable.

        Arguments, shapes and errors are those of `forward`.
        """
        v = self(x, t, labels)
        a, b = signal_and_noise(t, x)
        return a * x - b * v

    def parameter_count(self) -> int:
        """Return how many numbers training sets."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _level(self, t: float | Tensor, batch: int) -> Tensor:
        scaled = torch.as_tensor(t, dtype=torch.float64, device="cpu").reshape(-1) * self.steps
        if len(scaled) not in (1, batch):
            raise ValueError(f"t must be one time, or one for each of {batch} images, got {len(scaled)}")
        level = scaled.round()
        # The sampler's times are rounded to floats: i/steps * steps need not be i.
        if not (((scaled - level).abs() < 1e-3) & (level >= 1) & (level <= self.steps)).all():
            raise ValueError(
                f"t must be one of the sampler's noise levels, i/{self.steps} for i from 1 to {self.steps}, got {t}"
            )
        return level.long() - 1


def signal_and_noise(t: float | Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return a = sqrt(ᾱ(t)) and b = sqrt(1 - ᾱ(t)), (B or 1, 1, 1, 1), with the type and device of `like`."""
    kept = alpha_bar(torch.as_tensor(t, dtype=torch.float64, device="cpu")).reshape(-1, 1, 1, 1)
    return kept.sqrt().to(like), (1 - kept).sqrt().to(like)


def check_labels(labels: Tensor | None, count: int, classes: int) -> None:
    """Raise unless there is one label below `classes` for each image, or neither labels nor classes."""
    if classes == 0 or labels is None:
        if (labels is None) != (classes == 0):
            wanted = f"labels must be given, integers below {classes}" if classes else "labels must be None"
            raise ValueError(f"{wanted}: the network has {classes or 'no'} classes")
        return
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise TypeError(f"labels must be integers, got {labels.dtype}")
    if labels.shape != (count,):
        raise ValueError(f"labels must have shape {(count,)}, got {tuple(labels.shape)}")
    if not ((labels >= 0) & (labels < classes)).all():
        raise ValueError(f"labels must lie in 0 to {classes - 1}")


def require_at_least(**numbers: tuple[int, int]) -> None:
    """Raise a ValueError for the first of name=(number, smallest) that is too small."""
    for name, (number, smallest) in numbers.items():
        if number < smallest:
            raise ValueError(f"{name} must be at least {smallest}, got {number}")
