"""The residual MLP for stacked seeds: its value, its loss, and the gradient of the loss written out.

Embedding, blocks h + gelu(rmsnorm(h) W₁) W₂, norm, readout; no biases. Arrays are (seeds, n, …), weights
(seeds, fan in, fan out): every product is one `bmm` for all seeds. At small widths autograd's book-keeping costs as
much as all the arithmetic, hence `gradients`.
"""

import torch
from torch import Tensor
from torch.nn.functional import gelu

from oraledu.scaling.stacked import TINY, Batch, Weights, rms_norm


def count_blocks(weights: Weights) -> int:
    """Return the number of residual blocks."""
    return sum(name.startswith("up.") for name in weights)


def residual_stream(weights: Weights, x: Tensor) -> Tensor:
    """Return the stream before the last norm for inputs (seeds, n, d): (seeds, n, width)."""
    h = torch.bmm(x, weights["embed"])
    for block in range(count_blocks(weights)):
        inner = gelu(torch.bmm(rms_norm(h), weights[f"up.{block}"]))  # exact: on a CPU faster than by tanh
        h = torch.baddbmm(h, inner, weights[f"down.{block}"])
    return h


def outputs(weights: Weights, x: Tensor) -> Tensor:
    """Return the networks' outputs for inputs (seeds, n, d): (seeds, n)."""
    return torch.bmm(rms_norm(residual_stream(weights, x)), weights["readout"])[..., 0]


def losses(weights: Weights, batch: Batch) -> Tensor:
    """Return half the mean squared error of each seed's network: (seeds,)."""
    x, y = batch
    return (outputs(weights, x) - y).square().mean(dim=1) / 2


@torch.no_grad()
def gradients(weights: Weights, batch: Batch) -> dict[str, Tensor]:
    """Return the gradient of `losses` by every weight: each seed's loss by its own weights."""
    x, y = batch
    h = torch.bmm(x, weights["embed"])
    kept = []
    for block in range(count_blocks(weights)):
        unit, scale = _normalize(h)
        before = torch.bmm(unit, weights[f"up.{block}"])
        after = gelu(before)
        kept.append((unit, scale, before, after))
        h = torch.baddbmm(h, after, weights[f"down.{block}"])
    unit, scale = _normalize(h)
    error = (torch.bmm(unit, weights["readout"]) - y[..., None]).div_(
        y.shape[1]
    )  # by the output: (seeds, n, 1)

    found = {"readout": torch.bmm(unit.transpose(1, 2), error)}
    by_stream = _through_norm(torch.bmm(error, weights["readout"].transpose(1, 2)), unit).mul_(scale)
    for block, (unit, scale, before, after) in reversed(list(enumerate(kept))):
        found[f"down.{block}"] = torch.bmm(after.transpose(1, 2), by_stream)
        by_after = torch.bmm(by_stream, weights[f"down.{block}"].transpose(1, 2))
        by_before = torch.ops.aten.gelu_backward(by_after, before)
        found[f"up.{block}"] = torch.bmm(unit.transpose(1, 2), by_before)
        by_unit = torch.bmm(by_before, weights[f"up.{block}"].transpose(1, 2))
        by_stream.addcmul_(_through_norm(by_unit, unit), scale)
    found["embed"] = torch.bmm(x.transpose(1, 2), by_stream)
    return {name: found[name] for name in weights}


def _normalize(h: Tensor) -> tuple[Tensor, Tensor]:
    """Return h over its root mean square, and one over that: (seeds, n, width) and (seeds, n, 1)."""
    scale = h.square().mean(dim=-1, keepdim=True).add_(TINY).rsqrt_()
    return h * scale, scale


def _through_norm(by_unit: Tensor, unit: Tensor) -> Tensor:
    """Return a gradient by a norm's output without its part along the output, in place; the scale is left to do."""
    along = (by_unit * unit).mean(dim=-1, keepdim=True)
    return by_unit.addcmul_(unit, along, value=-1)
