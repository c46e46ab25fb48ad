"""What the networks are built from: convolutions and attention, with weights that a generator draws."""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, relu, scaled_dot_product_attention
from torch.nn.utils import skip_init

PADDINGS = ("zeros", "circular")
Layer = TypeVar("Layer", bound=nn.Module)


class Conditioned(nn.Module):
    """A 3×3 convolution and a ReLU whose input is scaled and shifted channel by channel, by noise level and class.

    relu(conv(h (1 + g) + e)), with g and e the sums of a row for the noise level and, where there are classes,
    one for the class. Both tables start at zero, so that all levels start with the same layer. There is no
    normalisation: it would tell every pixel about the whole image.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        steps: int,
        classes: int,
        padding: str,
        generator: torch.Generator,
        size: int = 3,
    ) -> None:
        """Draw the weights; arguments as for `predictor.Predictor`, and the side of the filters, 3 or 1."""
        super().__init__()
        self.conv = convolution(inputs, outputs, size, padding=padding, generator=generator)
        self.levels = nn.Parameter(torch.zeros(steps, 2 * inputs, device=generator.device))
        self.classes = nn.Parameter(torch.zeros(classes, 2 * inputs, device=generator.device))

    def forward(self, h: Tensor, level: Tensor, labels: Tensor | None) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W); level and labels (B,) index the tables, level also (1,)."""
        rows = self.levels[level] if labels is None else self.levels[level] + self.classes[labels]
        scale, shift = rows[:, :, None, None].chunk(2, dim=1)  # (B or 1, inputs, 1, 1) each
        return relu(self.conv(h * (1 + scale) + shift))


class SelfAttention(nn.Module):
    """Every pixel looks at every other: h + out(attention(h)), on channels normalised pixel by pixel."""

    def __init__(self, width: int, heads: int, *, generator: torch.Generator) -> None:
        """Draw the weights.

        Raises:
            ValueError: If the width is not a multiple of the number of heads.
        """
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"heads must divide the coarsest width, {width}, got {heads}")
        self.heads = heads
        self.queries_keys_values = convolution(width, 3 * width, 1, padding="zeros", generator=generator)
        self.out = convolution(width, width, 1, padding="zeros", generator=generator)

    def forward(self, h: Tensor) -> Tensor:
        """Map (B, width, H, W) to the same shape."""
        batch, width, rows, columns = h.shape
        normal = layer_norm(h.movedim(1, -1), (width,)).movedim(-1, 1)
        parts = self.queries_keys_values(normal).reshape(batch, 3, self.heads, width // self.heads, -1)
        queries, keys, values = parts.mT.unbind(1)  # (B, heads, H*W, width/heads) each
        seen = scaled_dot_product_attention(queries, keys, values)
        return h + self.out(seen.mT.reshape(batch, width, rows, columns))


def convolution(
    inputs: int, outputs: int, size: int, *, padding: str, generator: torch.Generator
) -> nn.Conv2d:
    """Return a convolution that keeps height and width; weights and biases uniform in ±1/sqrt(fan-in).

    That is torch's own start, drawn from the generator and on its device.
    """
    options = {"padding": size // 2, "padding_mode": padding, "device": generator.device}
    layer = _drawn(skip_init(nn.Conv2d, inputs, outputs, size, **options), inputs * size**2, generator)
    # Channels last is faster, by up to a half on a CPU; wrapping the border undoes it, and then it costs.
    return layer.to(memory_format=torch.channels_last) if padding == "zeros" else layer


def doubling(inputs: int, outputs: int, *, generator: torch.Generator) -> nn.ConvTranspose2d:
    """Return a transposed convolution that doubles height and width, each pixel by its own 2×2 block."""
    layer = skip_init(nn.ConvTranspose2d, inputs, outputs, 2, stride=2, device=generator.device)
    return _drawn(layer, inputs, generator)


def silent(inputs: int, outputs: int, *, generator: torch.Generator) -> nn.Conv2d:
    """Return a 1×1 convolution that starts at zero, for the end of a network."""
    layer = skip_init(nn.Conv2d, inputs, outputs, 1, device=generator.device)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _drawn(layer: Layer, fan_in: int, generator: torch.Generator) -> Layer:
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -(fan_in**-0.5), fan_in**-0.5, generator=generator)
    return layer
