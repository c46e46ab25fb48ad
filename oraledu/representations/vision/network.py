"""A small vision transformer: pre-norm, plain, and the same for all objectives but for its mask and its readout.

An image is cut into square patches, which come in reading order after a start token; so T = 1 + patches.
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention, unfold

Objective = Literal["autoregressive", "supervised", "supervised-masked"]
#: Standard deviation of the start token and of the places before training.
EMBED_SCALE = 0.1


class VisionTransformer(nn.Module):
    """A transformer over the patches of square grey images.

    The autoregressive one has a causal mask, and reads the next patch off each token. The supervised one sees all
    patches from everywhere, and reads the class off their mean. The third is the control between them: it has the
    mask of the first, and reads the class as the second does.

    Args:
        objective: ``"autoregressive"``, ``"supervised"`` or ``"supervised-masked"``.
        side: Side of the images, S pixels.
        patch: Side of a patch, a divisor of S.
        width: D, a multiple of the heads.
        depth: How many blocks.
        heads: Attention heads of a block.
        classes: How many classes there are to read.
        generator: The source of the weights.

    Raises:
        ValueError: If the objective is unknown, a number is below 1, or one does not divide another.
    """

    def __init__(
        self,
        objective: Objective,
        *,
        side: int,
        patch: int,
        width: int,
        depth: int,
        heads: int,
        classes: int = 10,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if objective not in get_args(Objective):
            raise ValueError(f"objective must be one of {get_args(Objective)}, got {objective!r}")
        sizes = {"side": side, "patch": patch, "width": width, "depth": depth, "heads": heads}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if side % patch or width % heads:
            raise ValueError(
                f"patch must divide side, and heads width, got {patch} and {side}, {heads} and {width}"
            )
        self.objective, self.side, self.patch = objective, side, patch
        patches, pixels = (side // patch) ** 2, patch**2
        self.start = nn.Parameter(torch.empty(1, width))
        self.place = nn.Parameter(torch.empty(patches, width))
        with torch.random.fork_rng(devices=[]):  # torch draws weights of its own, which `_draw` replaces
            self.embed = nn.Linear(pixels, width)
            self.blocks = nn.ModuleList(Block(width, heads, self.causal) for _ in range(depth))
            self.norm = nn.LayerNorm(width)
            self.readout = nn.Linear(width, classes if self.supervised else pixels)
        _draw(self, depth, generator)

    @property
    def causal(self) -> bool:
        """Whether a token sees only itself and what comes before it."""
        return self.objective != "supervised"

    @property
    def supervised(self) -> bool:
        """Whether it reads a class off the mean patch, not the next patch off each token."""
        return self.objective != "autoregressive"

    @property
    def layers(self) -> int:
        """How many layers have states: the embedding, each block, and the last norm."""
        return len(self.blocks) + 2

    def patches(self, images: Tensor) -> Tensor:
        """Cut images into patches, in reading order: (B, 1, S, S) -> (B, T - 1, pixels)."""
        if images.ndim != 4 or images.shape[1:] != (1, self.side, self.side):
            raise ValueError(
                f"images must have shape (B, 1, {self.side}, {self.side}), got {tuple(images.shape)}"
            )
        return unfold(images, self.patch, stride=self.patch).mT

    def hidden_states(self, images: Tensor) -> Tensor:
        """Return the states of every layer: (B, 1, S, S) -> (B, layers, T, D).

        Layer 0 is the embedding, then comes the residual stream after each block, last the state after the final
        norm, which the readout reads.

        Raises:
            ValueError: If the images have another shape.
        """
        h = self.embed(self.patches(images)) + self.place  # (B, T - 1, D)
        h = torch.cat([self.start.expand(len(h), 1, -1), h], dim=1)  # (B, T, D)
        states = [h]
        for block in self.blocks:
            h = block(h)
            states.append(h)
        return torch.stack([*states, self.norm(h)], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the next patch from each token but the last, (B, T - 1, pixels), or the classes, (B, classes)."""
        h = self.hidden_states(images)[:, -1]  # (B, T, D)
        return self.readout(h[:, 1:].mean(dim=1) if self.supervised else h[:, :-1])


class Block(nn.Module):
    """Attention, then a hidden layer of four times the width, each on a normalised stream: (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.qkv, self.heard = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, h: Tensor) -> Tensor:
        """Add to the stream what attention hears, and what the hidden layer makes of it."""
        mixed = self.qkv(self.norms[0](h))  # (B, T, 3 D)
        q, k, v = mixed.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, T, D / heads)
        heard = scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        h = h + self.heard(heard.transpose(1, 2).flatten(2))
        return h + self.down(gelu(self.up(self.norms[1](h))))


def _draw(network: VisionTransformer, depth: int, generator: torch.Generator) -> None:
    """Draw the weights: normal, of variance one over the fan-in; what writes into the stream, less with depth."""
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name in ("start", "place"):
                weight.normal_(std=EMBED_SCALE, generator=generator)
            elif weight.ndim == 2:
                scale = (2 * depth) ** -0.5 if name.endswith(("heard.weight", "down.weight")) else 1.0
                weight.normal_(std=scale * weight.shape[1] ** -0.5, generator=generator)
            elif name.endswith("bias"):
                weight.zero_()
