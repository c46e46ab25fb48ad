"""A convolutional network that sees no further than its receptive field."""

from typing import Any

import torch
from torch import Tensor, nn

from oraledu.diffusion.layers import convolution, silent
from oraledu.diffusion.predictor import Predictor, require_at_least


class ResNet(Predictor):
    """A 3×3 convolution, `depth` residual 3×3 layers h + relu(conv(…)), and a 1×1 convolution that starts at zero.

    A pixel of the output sees the window of `receptive_field` pixels around it and nothing else; with circular
    padding the network commutes with translations. So it satisfies the two assumptions of the paper's theory
    exactly (sections 3 and 5; with zero padding the border breaks the second). The paper's is 256 channels wide
    and has eight 3×3 convolutions: `width=256, depth=7`.
    """

    def __init__(self, *, width: int = 32, depth: int = 4, generator: torch.Generator, **sizes: Any) -> None:
        """Draw the weights.

        Args:
            width: Channels of the hidden layers.
            depth: The number of residual layers, at least 0.
            generator: The source of randomness; the weights are on its device.
            **sizes: Those of `Predictor`.

        Raises:
            ValueError: If a number is too small, or the padding is unknown.
        """
        super().__init__(**sizes)
        require_at_least(width=(width, 1), depth=(depth, 0))
        self.first = convolution(self.channels, width, 3, padding=self.padding, generator=generator)
        self.layers = nn.ModuleList(self.conditioned(width, width, generator) for _ in range(depth))
        self.last = silent(width, self.channels, generator=generator)

    @property
    def receptive_field(self) -> int:
        """The side of the window that a pixel of the output sees: 2 (depth + 1) + 1."""
        return 2 * (len(self.layers) + 1) + 1

    def velocity(self, x: Tensor, level: Tensor, labels: Tensor | None) -> Tensor:
        """Return v; see `Predictor`."""
        h = self.first(x)  # (B, width, H, W)
        for layer in self.layers:
            h = h + layer(h, level, labels)
        return self.last(h)
