"""A fully connected network: it does not know which pixels are neighbours."""

from typing import Any

import torch
from torch import Tensor, nn

from oraledu.diffusion.layers import convolution, silent
from oraledu.diffusion.predictor import Predictor, require_at_least


class Dense(Predictor):
    """A ResNet without a plane: `depth` residual layers h + relu(W h) on all pixels at once, at one side only.

    All pixels are the channels of an image of one pixel, where a 1×1 convolution is a full matrix. Shuffle the pixels
    of all images, and with the rows and columns of its first and last matrix shuffled alike it is the same network: so
    whatever it knows of neighbours the images have taught it.
    """

    def __init__(
        self, *, width: int = 256, depth: int = 3, side: int = 14, generator: torch.Generator, **sizes: Any
    ) -> None:
        """Draw the weights.

        Args:
            width: Numbers in a hidden layer.
            depth: The number of residual layers, at least 0.
            side: H of the images.
            generator: The source of randomness; the weights are on its device.
            **sizes: Those of `Predictor`.

        Raises:
            ValueError: If a number is too small.
        """
        super().__init__(padding="zeros", **sizes)
        require_at_least(width=(width, 1), depth=(depth, 0), side=(side, 1))
        pixels = self.channels * side**2
        self.first = convolution(pixels, width, 1, padding="zeros", generator=generator)
        self.layers = nn.ModuleList(self.conditioned(width, width, generator, size=1) for _ in range(depth))
        self.last = silent(width, pixels, generator=generator)

    def velocity(self, x: Tensor, level: Tensor, labels: Tensor | None) -> Tensor:
        """Return v; see `Predictor`."""
        h = self.first(x.reshape(len(x), -1, 1, 1))  # (B, width, 1, 1)
        for layer in self.layers:
            h = h + layer(h, level, labels)
        return self.last(h).reshape(x.shape)
