"""How fast is a ladder? Ratios of what was measured in this run, on one thread, in processor time.

    python benchmarks/bench_scaling.py [--seeds 8] [--steps 60] [--rounds 7]

For each width of the MLP, medians over rounds of the two in turns, on the same batches:

* one module after another with torch's fused Adam, to one stacked pass over all seeds;
* a step of the stacked pass to its own batched products, without norm, activation, gradient book-keeping and Adam.

Both ways end at the same weights, which is checked. Then, for the solvable ladder of the lesson: seconds for all
stochastic seeds, and milliseconds for the exact recursion behind a slider.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import seconds

from oraledu.scaling import settings
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.ladder import MLPLadder, train
from tests.scaling.sequential import ResidualMLP, stepper

WIDTHS = (16, 32, 64)


def bare_products(ladder: MLPLadder, width: int, seeds: int) -> Callable[[], object]:
    """Return the batched products of one step, forwards and backwards, as one function on fixed arrays."""
    x, h = torch.randn(seeds, ladder.batch, ladder.dimension), torch.randn(seeds, ladder.batch, width)
    embed, inner = torch.randn(seeds, ladder.dimension, width), torch.randn(seeds, width, width)
    readout, error = torch.randn(seeds, width, 1), torch.randn(seeds, ladder.batch, 1)
    h_turned, inner_turned = h.transpose(1, 2), inner.transpose(1, 2)

    def products() -> None:
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


def compare(width: int, seeds: int, steps: int, rounds: int) -> tuple[float, float]:
    """Return two ratios for a width: sequential to stacked, stacked to bare products."""
    ladder = MLPLadder((width,), Horizon.through(1.0, 1.0, 1.0), dtype=torch.float32)
    stack = ladder.begin(width, range(seeds), steps * rounds)
    models = [ResidualMLP(ladder, width, stack.weights, place) for place in range(seeds)]
    steppers = [stepper(model, ladder.layer_rates(width)) for model in models]
    products = bare_products(ladder, width, seeds)
    to_stacked, to_products = [], []
    for number in range(rounds):
        batches = [stack.batch(number * steps + step) for step in range(steps)]

        def sequential(batches: list[tuple[Tensor, Tensor]] = batches) -> None:
            for place, step in enumerate(steppers):
                for x, y in batches:
                    step(x[place], y[place], 0.1)

        def stacked() -> None:
            for _ in range(steps):
                stack.step(0.1)

        def bare() -> None:
            for _ in range(steps):
                products()

        apart, together, least = seconds(sequential), seconds(stacked), seconds(bare)
        if number:  # the first warms up
            to_stacked.append(apart / together)
            to_products.append(together / least)
    for place, model in enumerate(models):
        for name, layer in model.layers():
            torch.testing.assert_close(
                stack.weights[name][place].detach(), layer.weight.detach().T, rtol=0.1, atol=1e-2
            )
    return statistics.median(to_stacked), statistics.median(to_products)


def main() -> None:
    """Print the ratios for each width, and the cost of the solvable ladder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=8, help="how many networks of a width (default 8)")
    parser.add_argument("--steps", type=int, default=60, help="steps in a round (default 60)")
    parser.add_argument(
        "--rounds", type=int, default=7, help="rounds, of which the first is left out (default 7)"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{options.seeds} seeds, batches of 128, float32, one thread")
    for width in WIDTHS:
        to_stacked, to_products = compare(width, options.seeds, options.steps, options.rounds)
        print(
            f"width {width:3}  sequential / stacked = {to_stacked:.1f}   stacked / bare products = {to_products:.1f}"
        )
    study = settings.QUICK.linear
    for schedule in study.schedules:
        drawn = seconds(lambda: train(study.ladder, schedule, seeds=study.seeds, records=60))  # noqa: B023
        exact = min(seconds(lambda: study.ladder.expected(schedule)) for _ in range(5))  # noqa: B023
        print(
            f"solvable ladder, {schedule:8}  {len(study.seeds)} seeds: {drawn:.1f} s   exact: {1000 * exact:.0f} ms"
        )


if __name__ == "__main__":
    main()
