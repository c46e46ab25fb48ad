"""The text ladder: small causal transformers in muP that predict the next character of a novel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, embedding, gelu, scaled_dot_product_attention

from oraledu.scaling.horizon import Horizon
from oraledu.scaling.seeds import stream
from oraledu.scaling.stacked import Batch, StackedPass, Weights, rms_norm
from oraledu.scaling.text import ALPHABET, split

#: Sequences that measure the loss at once.
TEST_BLOCK = 64
#: Standard deviation of the embeddings before training (paper, appendix B).
EMBED_SCALE = 0.1


@dataclass(frozen=True)
class TransformerLadder:
    """Widths of the transformer, and how they are trained.

    Token and position embeddings; blocks of causal attention, with queries and keys normalised in each head, and of a
    hidden layer as wide as the stream, each on a normalised stream; a norm and an untied readout; no biases. What
    writes into the stream and the readout start at zero. The loss is the cross-entropy in nats.

    Attributes:
        widths: The widths D, ascending, multiples of the head's width.
        horizon: How many tokens (characters) each size sees.
        blocks: How many blocks.
        head: The width of a head.
        context: Characters in a sequence.
        batch: Sequences in a step.
        embed_gain: How many times the base rate the embeddings have, at every width; the paper takes 10.
        tests: How many sequences measure the loss: at most 64, or a multiple of that.
        base_rate: As for `MLPLadder`, and so the others.
    """

    widths: tuple[int, ...]
    horizon: Horizon
    blocks: int = 2
    head: int = 8
    context: int = 32
    batch: int = 16
    base_rate: float = 1e-2
    base_width: int = 64
    embed_gain: float = 10.0
    rates_of: int | None = None
    tests: int = 256
    probes: int = 16
    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    grid: float | None = None

    def __post_init__(self) -> None:
        """Refuse widths that heads do not fill, and test sets whose parts would differ in size."""
        if any(width % self.head for width in self.widths):
            raise ValueError(f"widths must be multiples of head={self.head}, got {self.widths}")
        if self.tests > TEST_BLOCK and self.tests % TEST_BLOCK:
            raise ValueError(f"tests must be at most {TEST_BLOCK}, or a multiple of it; got {self.tests}")

    @property
    def tokens_per_step(self) -> int:
        """The characters in a step."""
        return self.batch * self.context

    def parameters(self, width: int) -> int:
        """Return the number of parameters, embeddings included."""
        return sum(rows * columns for rows, columns in self._shapes(width).values())

    def layer_rates(self, width: int) -> dict[str, float]:
        """Return the peak rate of each weight."""
        inner = self.base_rate * self.base_width / (width if self.rates_of is None else self.rates_of)
        outer = self.base_rate * self.embed_gain
        return {name: outer if name in ("token", "place") else inner for name in self._shapes(width)}

    def begin(self, width: int, seeds: Sequence[int], steps: int) -> StackedPass:
        """Return all seeds of a width before the first of so many steps; a seed decides the start and the order."""
        tests = min(TEST_BLOCK, self.tests)
        return StackedPass(
            self._start(width, seeds),
            self.layer_rates(width),
            self.losses,
            batch=self._sequences(width, seeds, steps),
            test=self._test(len(seeds), tests),
            probes=lambda: self._probes(len(seeds)),
            grid=self.grid,
        )

    def features(self, run: StackedPass) -> Tensor:
        """Return the stream before the last norm on the first test sequences: (seeds, characters, width)."""
        tokens, _ = self._test(len(run.weights["token"]), min(TEST_BLOCK, self.tests))[0]
        return self.residual_stream(run.weights, tokens)

    def residual_stream(self, weights: Weights, tokens: Tensor) -> Tensor:
        """Return the stream before the last norm for characters (seeds, n, context): (seeds, n · context, width)."""
        seeds, count, length = tokens.shape
        width = weights["token"].shape[-1]
        first = torch.arange(seeds, device=tokens.device)[:, None, None] * len(ALPHABET)
        h = (
            embedding(tokens + first, weights["token"].flatten(0, 1)) + weights["place"][:, None]
        )  # (S, n, T, D)
        h = h.flatten(1, 2)
        for block in range(self.blocks):
            mixed = torch.bmm(rms_norm(h), weights[f"qkv.{block}"])  # (S, n T, 3 D)
            q, k, v = mixed.view(seeds * count, length, 3, -1, self.head).permute(
                2, 0, 3, 1, 4
            )  # (S n, heads, T, head)
            heard = scaled_dot_product_attention(rms_norm(q), rms_norm(k), v, is_causal=True)
            heard = heard.transpose(1, 2).reshape(seeds, count * length, width)
            h = torch.baddbmm(h, heard, weights[f"heard.{block}"])
            inner = gelu(torch.bmm(rms_norm(h), weights[f"up.{block}"]))
            h = torch.baddbmm(h, inner, weights[f"down.{block}"])
        return h

    def losses(self, weights: Weights, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of each seed's network, in nats: (seeds,)."""
        tokens, following = batch
        logits = torch.bmm(rms_norm(self.residual_stream(weights, tokens)), weights["readout"])  # (S, n T, V)
        each = cross_entropy(logits.flatten(0, 1), following.flatten(), reduction="none")
        return each.view(len(tokens), -1).mean(dim=1)

    def _shapes(self, width: int) -> dict[str, tuple[int, int]]:
        shapes = {"token": (len(ALPHABET), width), "place": (self.context, width)}
        for block in range(self.blocks):
            shapes |= {f"qkv.{block}": (width, 3 * width), f"heard.{block}": (width, width)}
            shapes |= {f"up.{block}": (width, width), f"down.{block}": (width, width)}
        return shapes | {"readout": (width, len(ALPHABET))}

    def _start(self, width: int, seeds: Sequence[int]) -> Weights:
        """Draw the weights before training, each (seeds, fan in, fan out)."""
        generators = [stream("transformer start", seed, width) for seed in seeds]
        scales = {"token": EMBED_SCALE, "place": EMBED_SCALE, "qkv": width**-0.5, "up": width**-0.5}
        weights = {}
        for name, shape in self._shapes(width).items():
            weight = torch.zeros(len(seeds), *shape, dtype=torch.float64)
            if scale := scales.get(name.partition(".")[0]):
                for row, generator in zip(weight, generators, strict=True):
                    row.normal_(std=scale, generator=generator)
            weights[name] = weight.to(self.device, self.dtype)
        return weights

    def _cut(self, characters: Tensor, starts: Tensor) -> Batch:
        """Return the sequences that begin at ``starts`` (…), and what follows each character: two of (…, context)."""
        windows = starts[..., None] + torch.arange(self.context, device=starts.device)
        return characters[windows], characters[windows + 1]

    def _sequences(self, width: int, seeds: Sequence[int], steps: int) -> Callable[[int], Batch]:
        characters = split()[0].to(self.device)
        room = len(characters) - self.context
        drawn = [
            torch.randint(room, (steps, self.batch), generator=stream("text order", seed, width))
            for seed in seeds
        ]
        starts = torch.stack(drawn).to(self.device)
        return lambda step: self._cut(characters, starts[:, step])

    def _test(self, seeds: int, size: int) -> list[Batch]:
        characters = split()[1].to(self.device)
        starts = torch.linspace(0, len(characters) - self.context - 1, self.tests, device=self.device).long()
        tokens, following = self._cut(characters, starts)
        return [
            (a.expand(seeds, -1, -1), b.expand(seeds, -1, -1))
            for a, b in zip(tokens.split(size), following.split(size), strict=True)
        ]

    def _probes(self, seeds: int) -> list[Batch]:
        characters = split()[0].to(self.device)
        shape = self.probes, self.batch
        starts = torch.randint(len(characters) - self.context, shape, generator=stream("text probes"))
        tokens, following = self._cut(characters, starts.to(self.device))
        return [
            (a.expand(seeds, -1, -1), b.expand(seeds, -1, -1)) for a, b in zip(tokens, following, strict=True)
        ]
