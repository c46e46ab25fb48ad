"""Networks that work at several scales, and with attention see the whole image."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from oraledu.diffusion.layers import Conditioned, SelfAttention, doubling, silent
from oraledu.diffusion.predictor import Predictor


class Block(nn.Module):
    """Two 3×3 layers, one after the other."""

    def __init__(self, first: Conditioned, second: Conditioned) -> None:
        """Take the layers."""
        super().__init__()
        self.first, self.second = first, second

    def forward(self, h: Tensor, level: Tensor, labels: Tensor | None) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W)."""
        return self.second(self.first(h, level, labels), level, labels)


class UNet(Predictor):
    """Two 3×3 layers at each scale, 2×2 max-pooling between scales, and the same way back with skip connections.

    With three scales its receptive field is larger than the image. Pooling leaves it equivariant only to
    translations by the coarsest pixel. The paper's has `widths=(64, 128, 256)`.
    """

    def __init__(
        self, *, widths: tuple[int, ...] = (32, 64), generator: torch.Generator, **sizes: Any
    ) -> None:
        """Draw the weights.

        Args:
            widths: Channels at each scale, from the finest to the coarsest.
            generator: The source of randomness; the weights are on its device.
            **sizes: Those of `Predictor`.

        Raises:
            ValueError: If there is no scale, a number is too small, or the padding is unknown.
        """
        super().__init__(**sizes)
        if not widths or min(widths) < 1:
            raise ValueError(f"widths must hold at least one width, each at least 1, got {widths}")

        def block(inputs: int, outputs: int) -> Block:
            first = self.conditioned(inputs, outputs, generator)
            return Block(first, self.conditioned(outputs, outputs, generator))

        self.widths, self.shrink = widths, 2 ** (len(widths) - 1)
        self.down = nn.ModuleList(block(*pair) for pair in pairwise((self.channels, *widths)))
        self.up = nn.ModuleList(
            doubling(coarse, fine, generator=generator) for fine, coarse in pairwise(widths)
        )
        self.merge = nn.ModuleList(block(2 * width, width) for width in widths[:-1])
        self.last = silent(widths[0], self.channels, generator=generator)

    def velocity(self, x: Tensor, level: Tensor, labels: Tensor | None) -> Tensor:
        """Return v; see `Predictor`.

        Raises:
            ValueError: If height or width cannot be halved as often as there are coarser scales.
        """
        if x.shape[2] % self.shrink or x.shape[3] % self.shrink:
            raise ValueError(
                f"x must have height and width that {self.shrink} divides, got {tuple(x.shape[2:])}"
            )
        h, skips = x, []
        for scale, block in enumerate(self.down):
            h = block(max_pool2d(h, 2) if scale else h, level, labels)
            skips.append(h)
        h = self.coarsest(skips.pop())
        for up, block in zip(reversed(self.up), reversed(self.merge), strict=True):
            h = block(torch.cat([up(h), skips.pop()], dim=1), level, labels)
        return self.last(h)

    def coarsest(self, h: Tensor) -> Tensor:
        """Map the features at the coarsest scale to themselves: (B, width, H/shrink, W/shrink)."""
        return h


class AttentionUNet(UNet):
    """A `UNet` with self-attention at its coarsest scale: every pixel of the output may see the whole image."""

    def __init__(self, *, heads: int = 4, generator: torch.Generator, **options: Any) -> None:
        """Draw the weights; `heads` is the number of attention heads, the rest as for `UNet`.

        Raises:
            ValueError: As for `UNet`, or if `heads` does not divide the coarsest width.
        """
        super().__init__(generator=generator, **options)
        self.attention = SelfAttention(self.widths[-1], heads, generator=generator)

    def coarsest(self, h: Tensor) -> Tensor:
        """Let the coarsest features look at each other."""
        return self.attention(h)
