"""Small images for the tests of the views, and what every explorer must do."""

import torch
from torch import Tensor

from oraledu.course.controls import positions
from oraledu.course.explorer import Explorer

SIZE = 6


def random_images(count: int, seed: int = 0, *, channels: int = 1) -> Tensor:
    """Return images (count, channels, 6, 6) with values in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, channels, SIZE, SIZE, generator=generator) * 2 - 1


def random_noise(count: int, seed: int = 1) -> Tensor:
    """Return standard normal noise (count, 1, 6, 6)."""
    return torch.randn(count, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


def shown(ax) -> Tensor:
    """Return the first image that is drawn in a panel."""
    return torch.as_tensor(ax.images[0].get_array().filled())


def grey(image: Tensor) -> Tensor:
    """Return an image (1, H, W) as it is drawn: (H, W) from 0 for black to 1 for white."""
    return ((image[0].double() + 1) / 2).clamp(0, 1)


def assert_every_control_moves_picture_and_words(explorer: Explorer) -> None:
    """Move each control through its positions, a handful where there are many, and back to where it stood."""
    start = explorer.values
    for name, control in explorer.controls.items():
        assert control.description.strip()
        values = positions(name, control)
        values = [*values[:: 1 + len(values) // 3], values[-1]] if len(values) > 3 else values
        pictures, words = set(), set()
        for value in values:
            control.value = value
            assert explorer.error is None, (name, value, explorer.error)
            assert "not drawn" not in explorer.alt
            pictures.add(explorer._repr_mimebundle_()[0]["image/png"])
            words.add(explorer.alt)
        assert len(pictures) == len(words) == len(set(values)), name
        control.value = start[name]
