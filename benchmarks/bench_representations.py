"""How fast are the metrics of a layer? Ratios, all measured in this run, on one thread; and one sum in seconds.

    python benchmarks/bench_representations.py [--layers 31] [--width 576] [--repeats 7]

Each ratio is a median over repeats, taken in turns:

* the entropy S_1 to the batched `eigvalsh` of Gram matrices that are already there, the part that no algebra
  removes;
* a plain loop over layers to ours, where the loop takes a float64 `eigh` of the Gram matrix, by pairs of tokens
  for the curvature, by outer products in D × D for LiDAR, by one permutation after the other for DiME.

Both methods give the same values, which is checked. Last come all metrics for 200 prompts in 32 layers.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import Call, in_turns, seconds

from oraledu.representations import entropy, geometry, gram, invariance, sink
from tests.representations import naive


def shares(values: Tensor) -> Tensor:
    """Return eigenvalues above zero, divided by their sum."""
    values = values[values > 0]
    return values / values.sum()


def loop_entropy(layers: Tensor, alpha: float) -> Tensor:
    """Return the matrix entropy layer by layer, from all eigenvalues and vectors of Z Z' in float64."""
    found = []
    for z in layers:
        p = shares(torch.linalg.eigh((z @ z.T).double())[0])
        found.append(-(p * p.log()).sum() if alpha == 1 else (p**alpha).sum().log() / (1 - alpha))
    return torch.stack(found)


def loop_curvature(layers: Tensor) -> Tensor:
    """Return the curvature by a loop over layers and turns."""
    found = []
    for z in layers:
        angles = []
        for k in range(len(z) - 2):
            first, second = z[k + 1] - z[k], z[k + 2] - z[k + 1]
            angles.append((first @ second / (first.norm() * second.norm())).clamp(-1, 1).arccos())
        found.append(torch.stack(angles).mean())
    return torch.stack(found)


def loop_dime(a: Tensor, b: Tensor, permutations: int, generator: torch.Generator) -> Tensor:
    """Return DiME layer by layer, one permutation after the other."""
    orders = [torch.randperm(a.shape[1], generator=generator) for _ in range(permutations)]
    found = []
    for x, y in zip(a, b, strict=True):
        x, y = x / x.norm(dim=1, keepdim=True), y / y.norm(dim=1, keepdim=True)
        broken = [loop_product_entropy(x @ x.T, y[order] @ y[order].T) for order in orders]
        found.append(torch.stack(broken).mean() - loop_product_entropy(x @ x.T, y @ y.T))
    return torch.stack(found)


def loop_product_entropy(k: Tensor, other: Tensor) -> Tensor:
    """Return the entropy S_1 of the entrywise product of two Gram matrices."""
    p = shares(torch.linalg.eigh((k * other).double())[0])
    return -(p * p.log()).sum()


def ratio(slow: Call, fast: Call, repeats: int) -> float:
    """Return the median of slow to fast."""
    return in_turns([slow, fast], repeats)[0]


def agree(ours: Tensor, plain: Tensor, tolerance: float) -> None:
    """Raise unless two methods gave the same values."""
    torch.testing.assert_close(ours.double(), plain.double(), rtol=0, atol=tolerance)


def normal(*shape: int, seed: int) -> Tensor:
    """Return random float32 states."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def compare_entropy(layers: int, width: int, repeats: int) -> None:
    """Print the ratios of S_1, S_2 and curvature for several lengths."""
    for tokens in (24, 128, 512, 1024):
        z = normal(layers, tokens, width, seed=tokens)
        k = gram.smaller_gram(z)
        agree(entropy.matrix_entropy(z), loop_entropy(z, 1), 1e-4)
        agree(entropy.matrix_entropy(z, 2), loop_entropy(z, 2), 1e-4)
        bare = ratio(lambda z=z: entropy.matrix_entropy(z), lambda k=k: torch.linalg.eigvalsh(k), repeats)
        first = ratio(lambda z=z: loop_entropy(z, 1), lambda z=z: entropy.matrix_entropy(z), repeats)
        second = ratio(lambda z=z: loop_entropy(z, 2), lambda z=z: entropy.matrix_entropy(z, 2), repeats)
        line = f"T = {tokens:4}  S1 / eigvalsh = {bare:4.2f}   loop / S1 = {first:5.1f}   loop / S2 = {second:5.1f}"
        if tokens <= 128:
            agree(geometry.curvature(z), loop_curvature(z), 1e-4)
            turn = ratio(lambda z=z: loop_curvature(z), lambda z=z: geometry.curvature(z), repeats)
            line += f"   loop / curvature = {turn:5.1f}"
        print(line)


def compare_sides(layers: int, width: int, repeats: int) -> None:
    """Print what the D × D side would cost for a short prompt."""
    z = normal(layers, 24, width, seed=1)
    wide = ratio(lambda: entropy.from_gram(z.mT @ z), lambda: entropy.matrix_entropy(z), min(repeats, 3))
    print(f"T =   24  S1 by {width} x {width} / by 24 x 24 = {wide:.0f}")


def compare_invariance(layers: int, width: int, repeats: int) -> None:
    """Print the ratios of LiDAR (one layer) and DiME (all layers)."""
    for prompts, count in ((60, 8), (25, 8)):
        views = (normal(prompts, 1, width, seed=2) + normal(prompts, count, width, seed=3)).double()
        agree(invariance.lidar(views), naive.lidar(views), 1e-8)
        found = ratio(lambda v=views: naive.lidar(v), lambda v=views: invariance.lidar(v), min(repeats, 3))
        print(f"LiDAR, {prompts} prompts of {count} views: loop / ours = {found:.0f}")
    a = normal(layers, 200, width, seed=4)
    b = a + normal(layers, 200, width, seed=5)

    def draw() -> torch.Generator:
        return torch.Generator().manual_seed(0)

    agree(invariance.dime(a, b, generator=draw()), loop_dime(a, b, 10, draw()), 1e-4)
    found = ratio(
        lambda: loop_dime(a, b, 10, draw()), lambda: invariance.dime(a, b, generator=draw()), min(repeats, 3)
    )
    closed = ratio(
        lambda: invariance.dime(a, b, generator=draw()),
        lambda: invariance.dime(a, b, alpha=2),
        min(repeats, 3),
    )
    print(f"DiME, 200 prompts: loop / ours = {found:.1f}   S1 with 10 permutations / S2 exact = {closed:.0f}")


def all_metrics(prompts: int = 200, layers: int = 32, width: int = 576, count: int = 4) -> None:
    """Take every metric of every layer: per prompt under each convention, and over prompts."""
    lengths = torch.randint(8, 40, (prompts,), generator=torch.Generator().manual_seed(6)).tolist()
    for seed, tokens in enumerate(lengths):
        k = gram.gram(normal(layers, tokens, width, seed=seed))
        for convention in gram.CONVENTIONS:
            for first_token in (True, False):
                entropy.from_gram(gram.under(k, convention, first_token=first_token))
        entropy.from_gram(k, 2)
        entropy.effective_rank_from_gram(k)
        geometry.curvature_from_gram(k)
        sink.entropy_bound(sink.share(k), tokens)
    views = normal(layers, prompts, 1, width, seed=7) + normal(layers, prompts, count, width, seed=8)
    a, b = views[:, :, 0], views[:, :, 1]
    entropy.matrix_entropy(views.mean(dim=2))
    invariance.info_nce(a, b)
    invariance.lidar(views)
    invariance.dime(a, b, generator=torch.Generator().manual_seed(9))
    invariance.dime(a, b, alpha=2)


def main() -> None:
    """Print all ratios, and the seconds of all metrics."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=31, help="how many layers (default 31)")
    parser.add_argument("--width", type=int, default=576, help="coordinates of a state (default 576)")
    parser.add_argument("--repeats", type=int, default=7, help="how often to time each")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{options.layers} layers, D = {options.width}, float32, one thread")
    compare_entropy(options.layers, options.width, options.repeats)
    compare_sides(options.layers, options.width, options.repeats)
    compare_invariance(options.layers, options.width, options.repeats)
    print(f"all metrics, 200 prompts, 32 layers: {seconds(all_metrics):.1f} s of processor time")


if __name__ == "__main__":
    main()
