"""Lesson 1: the equivariant-local machine beside its bare matrix products, plain code, and the local machine."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import unfold

from benchmarks.timing import Call, Row, growth, peak, ratio
from oraledu import data
from oraledu.diffusion import machines, schedule
from oraledu.diffusion.windows import pad, regions, same_border, visible_patches

PART = "1, machine"
BATCH = 64
LEVEL = schedule.alpha_bar(0.5)

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


def denoiser(x: Tensor, images: Tensor, machine: str, patch: int, padding: str) -> Call:
    """Return a call of a machine."""
    return lambda: machines.denoise(x, images, LEVEL, machine=machine, patch=patch, padding=padding)


def inputs(count: int, size: int) -> tuple[Tensor, Tensor]:
    """Return a noisy image and so many training images."""
    generator = torch.Generator().manual_seed(0)
    images = 2 * torch.rand(count, 1, size, size, generator=generator) - 1
    return torch.randn(1, 1, size, size, generator=generator), images


def machine_of(count: int) -> Call:
    """Return a call of the equivariant-local machine for 3 x 3 windows of so many images of 28 x 28."""
    return denoiser(*inputs(count, 28), "equivariant-local", 3, "circular")


def rows(quick: bool) -> Iterator[Row]:
    """Yield the rows of each padding and patch size; the plain answer is ours, which is checked."""
    count, size, few, rounds = (100, 14, 40, 5) if quick else (500, 28, 80, 7)
    x, images = inputs(count, size)
    some = images[:few].clone()
    counts = (50, 100, 200) if quick else (125, 250, 500)
    for padding in ("circular", "zeros"):
        for patch in (3,) if quick else (3, 7, 17):
            where = f"{count} images of {size} x {size}, k = {patch}, {padding}"
            ours = denoiser(x, images, "equivariant-local", patch, padding)
            first = (padding, patch) == ("circular", 3)
            yield Row(
                PART,
                "equivariant-local / its bare products",
                where,
                ratio(ours, bare_products(x, images, patch, padding), rounds),
                growth(machine_of, counts, "N") if first else "–",
                peak(machine_of, counts[-1]) if first else "–",
            )
            plain = partial(plain_machine, x, some, LEVEL, patch, padding)
            theirs = denoiser(x, some, "equivariant-local", patch, padding)
            torch.testing.assert_close(theirs(), plain(), rtol=0, atol=1e-4)
            where = f"{few} images of {size} x {size}, k = {patch}, {padding}"
            yield Row(PART, "plain implementation / equivariant-local", where, ratio(plain, theirs, rounds))
    local = denoiser(x, images, "local", 3, "circular")
    ours = denoiser(x, images, "equivariant-local", 3, "circular")
    where = f"{count} images of {size} x {size}, k = 3, circular"
    yield Row(PART, "equivariant-local / local", where, ratio(ours, local, rounds))
    few, noises = (200, 2) if quick else (1000, 16)
    training = data.fashion_mnist(few, pool=2).pixels
    noise = torch.randn(noises, 1, 14, 14, generator=torch.Generator().manual_seed(0))
    machine = machines.Machine(training, "equivariant-local", CALIBRATED)
    steps = [bare_products(noise, training, patch, "zeros") for patch in CALIBRATED]
    sampled = ratio(lambda: machines.sample(machine, noise), lambda: [multiply() for multiply in steps], 5)
    where = f"{noises} images in 20 steps, {few} images of 14 x 14"
    yield Row(PART, "a sample / the bare products of its steps", where, sampled)
