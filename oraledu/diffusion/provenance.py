"""Where a pixel of a machine's answer comes from."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Provenance:
    """For each output pixel its most responsible training image, the place in it, and the posterior weight.

    Attributes:
        image: (B, H, H) int64, the place among the training images.
        row: (B, H, H) int64, the row in that image.
        column: (B, H, H) int64, the column.
        weight: (B, H, H) in (0, 1].
    """

    image: Tensor
    row: Tensor
    column: Tensor
    weight: Tensor


def same_places(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the row and the column of each pixel of images (B, C, H, H), each (B, H, H)."""
    count, _, size, _ = x.shape
    places = torch.arange(size, device=x.device)
    return (
        places[:, None].expand(count, size, size).clone(),
        places.expand(count, size, size).clone(),
    )
