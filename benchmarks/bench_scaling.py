"""Lesson 3: all seeds of a width in one pass beside one network after another, and beside its own products."""

from collections.abc import Iterator

import torch

from benchmarks.timing import Call, Row, growth, peak, ratio
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.ladder import MLPLadder
from tests.scaling.sequential import ResidualMLP, stepper

PART = "3, ladder"
SEEDS = 8


def ladder_of(width: int) -> MLPLadder:
    """Return a ladder of one width."""
    return MLPLadder((width,), Horizon.through(1.0, 1.0, 1.0), dtype=torch.float32)


def stacked(width: int, steps: int = 20) -> Call:
    """Return a call of some steps of the stacked pass."""
    stack = ladder_of(width).begin(width, range(SEEDS), 100 * steps)
    return lambda: [stack.step(0.1) for _ in range(steps)]


def bare_products(ladder: MLPLadder, width: int, steps: int) -> Call:
    """Return the batched products of some steps, forwards and backwards, on fixed arrays."""
    x, h = torch.randn(SEEDS, ladder.batch, ladder.dimension), torch.randn(SEEDS, ladder.batch, width)
    embed, inner = torch.randn(SEEDS, ladder.dimension, width), torch.randn(SEEDS, width, width)
    readout, error = torch.randn(SEEDS, width, 1), torch.randn(SEEDS, ladder.batch, 1)
    h_turned, inner_turned = h.transpose(1, 2), inner.transpose(1, 2)

    def products() -> None:
        for _ in range(steps):
            torch.bmm(x, embed)
            torch.bmm(x.transpose(1, 2), h)
            torch.bmm(h, readout)
            torch.bmm(h_turned, error)
            torch.bmm(error, readout.transpose(1, 2))
            for _ in range(2 * ladder.blocks):
                torch.bmm(h, inner)
                torch.bmm(h_turned, h)
                torch.bmm(h, inner_turned)

    return products


def rows(quick: bool) -> Iterator[Row]:
    """Yield both ratios for each width; the two ways end at the same weights, which is checked."""
    rounds, steps = (5, 20) if quick else (7, 60)
    widths = (16, 32) if quick else (16, 32, 64)
    for width in widths:
        ladder = ladder_of(width)
        stack = ladder.begin(width, range(SEEDS), steps * 100)
        models = [ResidualMLP(ladder, width, stack.weights, place) for place in range(SEEDS)]
        steppers = [stepper(model, ladder.layer_rates(width)) for model in models]
        begun = 0

        def apart() -> None:
            nonlocal begun
            batches = [stack.batch(begun + step) for step in range(steps)]  # noqa: B023
            for place, step in enumerate(steppers):  # noqa: B023
                for x, y in batches:
                    step(x[place], y[place], 0.1)
            begun += steps

        def together() -> None:
            for _ in range(steps):
                stack.step(0.1)  # noqa: B023

        where = f"width {width}, {SEEDS} seeds, batches of {ladder.batch}"
        yield Row(PART, "one module after another / one stacked pass", where, ratio(apart, together, rounds))
        for place, model in enumerate(models):
            for name, layer in model.layers():
                torch.testing.assert_close(
                    stack.weights[name][place].detach(), layer.weight.detach().T, rtol=0.1, atol=1e-2
                )
        last = width == widths[-1]
        yield Row(
            PART,
            "a step of the stacked pass / its bare products",
            where,
            ratio(stacked(width), bare_products(ladder, width, 20), rounds),
            growth(stacked, widths, "width") if last else "–",
            peak(stacked, width) if last else "–",
        )
