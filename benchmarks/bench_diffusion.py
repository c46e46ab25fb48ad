"""How fast are the closed-form machines? Ratios only, all measured in this run, on one thread.

    python benchmarks/bench_diffusion.py [--size 28] [--images 500] [--plain-images 80] [--t 0.5] [--repeats 5]

For each padding and patch size, medians over repeats in which the contenders take turns:

* the equivariant-local machine to the bare matrix products of the same queries and patches, in tiles of the same
  size: the part that no softmax removes;
* the local machine to the equivariant-local one;
* the plain method to ours, at equal work (on fewer images, as it is slow): mini-batches of 64 images, patches by
  `unfold`, differences of a query and each patch, squared and summed, and the sums of all mini-batches added up.

The plain method's answer agrees with ours, which is checked. At the end, a whole sample: 16 images in 20 steps, by
the machine of 1000 Fashion-MNIST images of 14 x 14 with lesson 1's calibrated patch sizes, to the bare products of
its steps.
"""

import argparse
from collections.abc import Callable
from functools import partial

import torch
from timing import in_turns
from torch import Tensor
from torch.nn.functional import unfold

from oraledu import data
from oraledu.diffusion import machines, schedule
from oraledu.diffusion.windows import pad, regions, same_border, visible_patches

BATCH = 64

#: Queries and patches of a tile; their products fill as much of the cache as the machine's.
QUERIES, PATCHES = 392, 640

#: Lesson 1's calibrated patch sizes, from t = 1 to 0.05.
CALIBRATED = [9] * 2 + [7] * 8 + [5] * 5 + [3] * 5


def plain_machine(x: Tensor, images: Tensor, alpha_bar: float, patch: int, padding: str) -> Tensor:
    """Return the equivariant-local machine's answer to x (1, 1, H, H) by direct differences."""
    size, centre = x.shape[-1], patch**2 // 2
    queries = unfold(pad(x, patch // 2, padding), patch)[0].T
    largest = torch.full((size**2,), -torch.inf)
    mass, total = torch.zeros(size**2), torch.zeros(size**2)
    for batch in images.split(BATCH):
        patches = unfold(pad(batch, patch // 2, padding), patch).transpose(1, 2)  # (batch, H H, k²)
        for pixel, query in enumerate(queries):
            allowed = patches
            if padding == "zeros":
                allowed = patches[:, same_border(size, patch, *divmod(pixel, size)).flatten()]
            errors = (query - alpha_bar**0.5 * allowed).square().sum(dim=2).flatten()
            log_weights = -errors / (2 * (1 - alpha_bar))
            raised = torch.maximum(largest[pixel], log_weights.max())
            shrink, weights = torch.exp(largest[pixel] - raised), torch.exp(log_weights - raised)
            mass[pixel] = mass[pixel] * shrink + weights.sum()
            total[pixel] = total[pixel] * shrink + weights @ allowed[:, :, centre].flatten()
            largest[pixel] = raised
    return (total / mass).view(x.shape)


def bare_products(x: Tensor, images: Tensor, patch: int, padding: str) -> Callable[[], None]:
    """Return a call of nothing but the products of queries and patches that share a border."""
    pairs = []
    for region in regions(x.shape[-1], patch, padding):
        if region.places > 1:
            queries, keys = (
                visible_patches(one, region, padding).flatten(0, 2).flatten(1) for one in (x, images)
            )
            pairs.append((queries.T.contiguous(), keys))

    def multiply() -> None:
        buffer = torch.empty(QUERIES * PATCHES)
        for queries, keys in pairs:
            for rows in queries.split(QUERIES):
                for columns in keys.split(QUERIES * PATCHES // len(rows), dim=1):
                    out = buffer[: len(rows) * columns.shape[1]].view(len(rows), -1)
                    torch.mm(rows, columns, out=out)

    return multiply


def whole_sample(repeats: int) -> float:
    """Return the ratio of a sample by the calibrated machine to the bare products of its steps."""
    images = data.fashion_mnist(1000, pool=2).pixels
    noise = torch.randn(16, 1, 14, 14, generator=torch.Generator().manual_seed(0))
    machine = machines.Machine(images, "equivariant-local", CALIBRATED)
    steps = [bare_products(noise, images, patch, "zeros") for patch in CALIBRATED]
    calls = [lambda: machines.sample(machine, noise), lambda: [multiply() for multiply in steps]]
    (ratio,) = in_turns(calls, repeats)
    return ratio


def main() -> None:
    """Print the ratios for both paddings and several patch sizes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=28, help="side of an image (default 28)")
    parser.add_argument("--images", type=int, default=500, help="training images (default 500)")
    parser.add_argument("--plain-images", type=int, default=80, help="... for the plain method (default 80)")
    parser.add_argument("--patches", type=int, nargs="+", default=[3, 7, 17], help="patch sizes")
    parser.add_argument("--t", type=float, default=0.5, help="noise level, 0 to 1 (default 0.5)")
    parser.add_argument("--repeats", type=int, default=5, help="how often to time each (default 5)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    shape = (options.images, 1, options.size, options.size)
    images = 2 * torch.rand(shape, generator=generator) - 1
    x = torch.randn(1, *shape[1:], generator=generator)
    level = schedule.alpha_bar(options.t)
    few = images[: options.plain_images].clone()
    print(f"{options.images} images of {options.size} x {options.size}, t = {options.t}, float32, one thread")
    for padding in ("circular", "zeros"):
        for patch in options.patches:
            how = {"patch": patch, "padding": padding}

            def ours(training: Tensor, machine: str = "equivariant-local", how: dict = how) -> Tensor:
                return machines.denoise(x, training, level, machine=machine, **how)

            (to_product,) = in_turns([lambda: ours(images), bare_products(x, images, **how)], options.repeats)
            (to_local,) = in_turns([lambda: ours(images), lambda: ours(images, "local")], options.repeats)
            plain = partial(plain_machine, x, few, level, **how)
            torch.testing.assert_close(ours(few), plain(), rtol=0, atol=1e-4)
            (to_plain,) = in_turns([plain, lambda: ours(few)], min(options.repeats, 3))
            print(
                f"{padding:8}  k = {patch:2}  ours / products = {to_product:.2f}   local / ours = 1 / {to_local:.0f}"
                f"   plain / ours = {to_plain:.0f}",
                flush=True,
            )
    print(f"a sample of 16 images / products of its 20 steps = {whole_sample(options.repeats):.2f}")


if __name__ == "__main__":
    main()
