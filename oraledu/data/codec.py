"""Keep vectors of many layers in little room: turn, round, and pack what is not zero.

Neighbouring layers of a network say nearly the same, and most of what texts differ by lies in few directions. So
the vectors are turned twice, in the space of coordinates and, for each new coordinate, in that of layers, each time
to the principal axes. Rounding everything to one step then costs the same error everywhere (the water-filling of
rate-distortion theory), and the many numbers that vary by less than the step become zeros that are not kept.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

#: What a packed array is called.
PARTS = ("mean", "scale", "turn", "layer_turns", "steps", "kept", "codes", "places", "large")
#: The largest code of one byte; those beyond it are listed apart.
_BYTE = 127
#: Numbers that hardly ever round to anything but zero are not kept.
_RARE = 0.01
_TINY = 1e-12
#: How many vectors to decode at once.
_AT_ONCE = 64


def encode(states: Tensor, *, noise: float, fineness: Tensor | None = None) -> dict[str, np.ndarray]:
    """Pack vectors.

    Args:
        states: (layers, n, D).
        noise: The share of the variance that rounding may change, each layer weighed by its mean singular value.
        fineness: (n,), above 0: by how much smaller than that a vector's rounding errors are to be; 1 if left out.

    Returns:
        Arrays, by the names in `PARTS`.
    """
    mean = states.mean(dim=1, keepdim=True)
    z = (states - mean).double()
    # A layer counts by its mean singular value, so that one huge direction does not drown the others.
    variances = torch.linalg.eigvalsh(z.mT @ z / z.shape[1]).clamp(min=0)
    scale = (variances.sqrt().mean(dim=1)[:, None, None] + _TINY).float()
    z = z / scale
    turn = _axes((z.mT @ z).sum(dim=0))  # (D, D)
    turned = torch.linalg.solve(turn / _BYTE, z.mT).transpose(0, 1)  # (D, layers, n)
    layer_turns = _axes(turned @ turned.mT)  # (D, layers, layers)
    numbers = torch.linalg.solve(layer_turns / _BYTE, turned).flatten(0, 1)  # (D * layers, n)
    steps = _step(numbers, noise) / (torch.ones(z.shape[1]) if fineness is None else fineness)  # (n,)
    rounded = (numbers / steps).round()
    variance = rounded.square().mean(dim=1)
    kept = variance.argsort(descending=True, stable=True)[: int((variance > _RARE).sum())]
    codes = rounded[kept].numpy().astype(np.int32)
    places = np.flatnonzero(np.abs(codes) > _BYTE).astype(np.int32)
    arrays = [mean, scale, turn.char(), layer_turns.char(), steps, kept.int()]
    packed = [codes.clip(-_BYTE, _BYTE).astype(np.int8), places, codes.flat[places]]
    return dict(zip(PARTS, [*(each.numpy() for each in arrays), *packed], strict=True))


def decode(arrays: Mapping[str, np.ndarray]) -> Tensor:
    """Unpack what `encode` has packed: (layers, n, D) float32."""
    mean, scale, turn, layer_turns, steps, kept = (torch.from_numpy(arrays[name]) for name in PARTS[:6])
    codes = arrays["codes"].astype(np.float32)
    codes.flat[arrays["places"]] = arrays["large"]
    width, layers = layer_turns.shape[:2]
    # Products in float64, so that every machine rounds to the same float32 numbers; of some vectors at a time, which
    # stay in the cache.
    turn, layer_turns = turn.double().T, layer_turns.double()
    numbers = torch.zeros(width * layers, _AT_ONCE, dtype=torch.float64)
    decoded = torch.empty(layers, codes.shape[1], width)
    for some in torch.arange(codes.shape[1]).split(_AT_ONCE):
        part = slice(int(some[0]), int(some[-1]) + 1)
        numbers[kept.long(), : len(some)] = (torch.from_numpy(codes[:, part]) * steps[part]).double()
        turned = layer_turns @ numbers[:, : len(some)].unflatten(0, (width, layers))  # (D, layers, some)
        product = turned.permute(1, 2, 0) @ turn / _BYTE**2
        decoded[:, part] = (product * scale + mean).float()
    return decoded


def _axes(scatter: Tensor) -> Tensor:
    """Return principal axes as columns, the longest first, in whole numbers of one byte.

    They are not quite a rotation any more: numbers along them come from solving, not from products.
    """
    return (torch.linalg.eigh(scatter).eigenvectors.flip(-1) * _BYTE).round()


def _step(numbers: Tensor, noise: float) -> float:
    """Return the step that changes a share of the sum of squares, from every eighth vector."""
    numbers = numbers[:, ::8]
    low, high, total = 0.0, 8 * numbers.square().mean().sqrt().item(), numbers.square().sum().item()
    if not total:
        return 1.0
    for _ in range(24):
        step = (low + high) / 2
        share = (numbers - (numbers / step).round() * step).square().sum().item() / total
        low, high = (step, high) if share < noise else (low, step)
    return low
