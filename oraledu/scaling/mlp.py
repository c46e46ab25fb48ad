"""The network ladder: residual MLPs in muP that learn a random Fourier function, all seeds of a width at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.scaling.decayed import layer_decays
from oraledu.scaling.fourier import FourierTask, examples, pool
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.network import gradients, losses, residual_stream
from oraledu.scaling.seeds import stream
from oraledu.scaling.stacked import Batch, StackedPass, Weights

#: Test points that go through the networks at once.
TEST_BLOCK = 1024


@dataclass(frozen=True)
class MLPLadder:
    """Widths of the residual MLP, and how they are trained.

    An embedding, blocks h + W₂ gelu(W₁ rmsnorm(h)) as wide as the stream, a norm and a readout; no biases. W₂ and the
    readout start at zero. The loss is half the mean squared error; its offset is 0.

    Attributes:
        widths: The widths D, ascending.
        horizon: How many examples each size sees.
        dimension: d, the dimension of an input.
        modes: How many cosines the target has.
        target: Which target: the key of its random numbers.
        blocks: How many residual blocks. One is too few: the norm leaves only the direction of an input.
        batch: Examples in a step.
        base_rate: Adam's peak rate at the base width.
        base_width: The width at which every layer has the base rate.
        down_gain: How many times the rate of the other inner weights W₂ has. Adam does not see the scale of a
            gradient and W₂ starts at zero, so this is what a multiplier of the branch does.
        rates_of: Without muP: the width whose layer rates all widths take. In muP if left out.
        timescale: AdamW's θ: after what share of its run each layer has forgotten most (see `decayed`). Without
            decay if left out.
        decays_of: The width whose layer decays all widths take. Each width has its own, of one θ, if left out.
        shared_data: Give all seeds and widths the same examples in the same order, so that a seed decides the
            start alone. Otherwise it decides the order too.
        pool: How many examples are drawn, once, for training; a run sees none twice. If None, every step draws
            its own.
        tests: How many examples measure the loss: at most 1024, or a multiple of that.
        probes: How many mini-batches estimate the gradient noise.
        device: Where to compute.
        dtype: The type to compute in.
        grid: Keep the weights at multiples of this, a power of two, for curves that do not hang on how a processor
            rounds; see `stacked`. Not if left out.
    """

    widths: tuple[int, ...]
    horizon: Horizon
    dimension: int = 2
    modes: int = 500
    target: int = 0
    blocks: int = 2
    batch: int = 128
    base_rate: float = 3e-3
    base_width: int = 64
    down_gain: float = 1.0
    rates_of: int | None = None
    timescale: float | None = None
    decays_of: int | None = None
    shared_data: bool = False
    pool: int | None = 2**19
    tests: int = 2048
    probes: int = 16
    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    grid: float | None = None

    def __post_init__(self) -> None:
        """Refuse test sets whose parts would differ in size."""
        if self.tests > TEST_BLOCK and self.tests % TEST_BLOCK:
            raise ValueError(f"tests must be at most {TEST_BLOCK}, or a multiple of it; got {self.tests}")

    @property
    def tokens_per_step(self) -> int:
        """The examples in a step."""
        return self.batch

    @property
    def task(self) -> FourierTask:
        """The target function."""
        return FourierTask(self.dimension, self.modes, self.target)

    def parameters(self, width: int) -> int:
        """Return the number of parameters, (d + 1) D + 2 N D²."""
        return (self.dimension + 1) * width + 2 * self.blocks * width**2

    def layer_rates(self, width: int) -> dict[str, float]:
        """Return the peak rate of each weight: the base rate for the embedding, times base width / width elsewhere."""
        inner = self.base_rate * self.base_width / (width if self.rates_of is None else self.rates_of)
        parts = {"embed": self.base_rate, "down": inner * self.down_gain}
        return {name: parts.get(name.partition(".")[0], inner) for name in self._shapes(width)}

    def layer_decays(self, width: int) -> dict[str, float]:
        """Return the weight decay of each weight; none at all without a timescale."""
        if self.timescale is None:
            return {}
        width = width if self.decays_of is None else self.decays_of
        rates, tokens = self.layer_rates(width), self.horizon.tokens(self.parameters(width))
        each = torch.tensor([list(rates.values())], dtype=torch.float64)
        found = layer_decays(self.timescale, each, torch.tensor([tokens], dtype=torch.float64), self.batch)
        return dict(zip(rates, found[0].tolist(), strict=True))

    def begin(self, width: int, seeds: Sequence[int], steps: int) -> StackedPass:
        """Return all seeds of a width before the first of so many steps.

        Raises:
            ValueError: If the pool is too small for the steps.
        """
        tests = min(TEST_BLOCK, self.tests)
        return StackedPass(
            self._start(width, seeds),
            self.layer_rates(width),
            losses,
            batch=self._fresh(width, seeds)
            if self.pool is None
            else self._picked(self.pool, width, seeds, steps),
            test=self._parts("test", self.tests, tests, len(seeds)),
            probes=lambda: self._parts("probes", self.probes * self.batch, self.batch, len(seeds)),
            gradients=gradients,
            decays=self.layer_decays(width),
            grid=self.grid,
        )

    def features(self, run: StackedPass) -> Tensor:
        """Return the stream before the last norm, on the first test points: (seeds, points, width)."""
        x, _ = self._parts("test", self.tests, min(TEST_BLOCK, self.tests), len(run.weights["embed"]))[0]
        return residual_stream(run.weights, x)

    def _shapes(self, width: int) -> dict[str, tuple[int, int]]:
        shapes = {"embed": (self.dimension, width)}
        for block in range(self.blocks):
            shapes |= {f"up.{block}": (width, width), f"down.{block}": (width, width)}
        return shapes | {"readout": (width, 1)}

    def _start(self, width: int, seeds: Sequence[int]) -> Weights:
        """Draw the weights before training, each (seeds, fan in, fan out)."""
        generators = [stream("mlp start", seed, width) for seed in seeds]
        weights = {}
        for name, shape in self._shapes(width).items():
            weight = torch.zeros(len(seeds), *shape, dtype=torch.float64)
            if name == "embed" or name.startswith("up"):
                for row, generator in zip(weight, generators, strict=True):
                    row.normal_(std=shape[0] ** -0.5, generator=generator)
            weights[name] = weight.to(self.device, self.dtype)
        return weights

    def _parts(self, purpose: str, count: int, size: int, seeds: int) -> list[Batch]:
        """Return examples in batches of a size, the same for all seeds."""
        x, y = (part.to(self.device, self.dtype) for part in examples(self.task, count, purpose))
        return [
            (a.expand(seeds, -1, -1), b.expand(seeds, -1))
            for a, b in zip(x.split(size), y.split(size), strict=True)
        ]

    def _picked(self, count: int, width: int, seeds: Sequence[int], steps: int) -> Callable[[int], Batch]:
        """Return the batches of each step from the pool, every seed in an order of its own."""
        needed = steps * self.batch
        if needed > count:
            raise ValueError(
                f"pool must hold {needed} examples for width {width} to see none twice, got {count}"
            )
        x, y = (part.to(self.device, self.dtype) for part in pool(self.task, count))
        names: list[tuple[str | int, ...]] = [
            ("shared",) if self.shared_data else (seed, width) for seed in seeds
        ]
        orders = [torch.randperm(count, generator=stream("order", *name))[:needed] for name in names]
        order = torch.stack(orders).to(self.device).reshape(len(seeds), steps, self.batch)

        def batch(step: int) -> Batch:
            return x[order[:, step]], y[order[:, step]]

        return batch

    def _fresh(self, width: int, seeds: Sequence[int]) -> Callable[[int], Batch]:
        """Return the batches of each step, drawn when they are needed."""
        names: list[tuple[str | int, ...]] = [
            ("shared",) if self.shared_data else (seed, width) for seed in seeds
        ]

        def batch(step: int) -> Batch:
            parts = [self.task.inputs(self.batch, stream("fresh", *name, step)) for name in names]
            x = torch.stack(parts).to(self.device, self.dtype)
            return x, self.task.evaluate(x)

        return batch
