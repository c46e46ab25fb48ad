"""The residual MLP as one would write it for one seed: a module, an optimizer and a loop."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from oraledu.scaling.adam import BETAS, EPSILON
from oraledu.scaling.mlp import MLPLadder
from oraledu.scaling.stacked import TINY, Weights


class ResidualMLP(nn.Module):
    """One network, from the weights of one seed of a stack."""

    def __init__(
        self, ladder: MLPLadder, width: int, weights: Weights, seed: int, branch: float = 1.0
    ) -> None:
        """Copy the weights at place `seed` of the stack; multiply what each block adds by `branch`."""
        super().__init__()
        self.branch = branch
        blocks = range(ladder.blocks)
        self.embed = nn.Linear(ladder.dimension, width, bias=False)
        self.ups = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in blocks)
        self.downs = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in blocks)
        self.readout = nn.Linear(width, 1, bias=False)
        self.norm = nn.RMSNorm(width, eps=TINY, elementwise_affine=False)
        self.to(ladder.dtype)
        for name, layer in self.layers():
            layer.weight.data.copy_(weights[name][seed].T)

    def layers(self) -> list[tuple[str, nn.Linear]]:
        """Return the layers with the names that their weights have in a stack."""
        inner = [(f"up.{i}", layer) for i, layer in enumerate(self.ups)]
        inner += [(f"down.{i}", layer) for i, layer in enumerate(self.downs)]
        return [("embed", self.embed), *inner, ("readout", self.readout)]

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (n, d) to outputs (n,)."""
        h = self.embed(x)
        for up, down in zip(self.ups, self.downs, strict=True):
            h = h + self.branch * down(gelu(up(self.norm(h))))
        return self.readout(self.norm(h))[:, 0]


def stepper(model: ResidualMLP, rates: dict[str, float]) -> Callable[[Tensor, Tensor, float], None]:
    """Return a function that takes one step of fused Adam on a batch, at a share of the peak rates."""
    groups = [{"params": [layer.weight], "lr": rates[name]} for name, layer in model.layers()]
    optimizer = torch.optim.Adam(groups, betas=BETAS, eps=EPSILON, fused=True)
    peaks = [group["lr"] for group in optimizer.param_groups]

    def step(x: Tensor, y: Tensor, share: float) -> None:
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * share
        optimizer.zero_grad()
        ((model(x) - y).square().mean() / 2).backward()
        optimizer.step()

    return step
