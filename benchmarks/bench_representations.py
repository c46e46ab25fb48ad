"""Lesson 2: the metrics of all layers beside one `eigvalsh` of their Gram matrices, and beside loops over layers."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from benchmarks.timing import Call, Row, growth, peak, ratio
from oraledu.representations import entropy, geometry, gram, invariance
from tests.representations import naive

PART = "2, metrics"
LAYERS, WIDTH = 31, 576


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


def agree(ours: Tensor, plain: Tensor, tolerance: float) -> None:
    """Raise unless two methods gave the same values."""
    torch.testing.assert_close(ours.double(), plain.double(), rtol=0, atol=tolerance)


def normal(*shape: int, seed: int) -> Tensor:
    """Return random float32 states."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def entropies(tokens: int) -> Call:
    """Return a call of S_1 at all layers of a prompt."""
    return partial(entropy.matrix_entropy, normal(LAYERS, tokens, WIDTH, seed=tokens))


def of_prompts(lengths: tuple[int, ...], rounds: int) -> Iterator[Row]:
    """Yield the rows of entropy and curvature, for prompts of several lengths."""
    for tokens in lengths:
        z, where = normal(LAYERS, tokens, WIDTH, seed=tokens), f"{LAYERS} layers, T = {tokens}, D = {WIDTH}"
        k, ours, last = gram.smaller_gram(z), entropies(tokens), tokens == lengths[-1]
        agree(ours(), loop_entropy(z, 1), 1e-4)
        agree(entropy.matrix_entropy(z, 2), loop_entropy(z, 2), 1e-4)
        yield Row(
            PART,
            "entropy S_1 / one eigvalsh of the Gram matrices",
            where,
            ratio(ours, partial(torch.linalg.eigvalsh, k), rounds),
            growth(entropies, lengths, "T") if last else "–",
            peak(entropies, tokens) if last else "–",
        )
        yield Row(PART, "loop over layers / S_1", where, ratio(partial(loop_entropy, z, 1), ours, rounds))
        second = partial(entropy.matrix_entropy, z, 2)
        yield Row(PART, "loop over layers / S_2", where, ratio(partial(loop_entropy, z, 2), second, rounds))
        if tokens <= 128:
            agree(geometry.curvature(z), loop_curvature(z), 1e-4)
            slow, fast = partial(loop_curvature, z), partial(geometry.curvature, z)
            yield Row(PART, "loop over layers and turns / curvature", where, ratio(slow, fast, rounds))


def over_prompts(prompts: int, rounds: int) -> Iterator[Row]:
    """Yield the rows of LiDAR (one layer) and DiME (all layers)."""
    views = (normal(25, 1, WIDTH, seed=2) + normal(25, 8, WIDTH, seed=3)).double()
    agree(invariance.lidar(views), naive.lidar(views), 1e-8)
    slow, fast = partial(naive.lidar, views), partial(invariance.lidar, views)
    yield Row(PART, "LiDAR by D x D loops / ours", "25 prompts of 8 views", ratio(slow, fast, rounds))
    a = normal(LAYERS, prompts, WIDTH, seed=4)
    b = a + normal(LAYERS, prompts, WIDTH, seed=5)

    def ours() -> Tensor:
        return invariance.dime(a, b, generator=torch.Generator().manual_seed(0))

    def loop() -> Tensor:
        return loop_dime(a, b, 10, torch.Generator().manual_seed(0))

    agree(ours(), loop(), 1e-4)
    where = f"{LAYERS} layers, {prompts} prompts"
    yield Row(PART, "DiME by one permutation after another / ours", where, ratio(loop, ours, rounds))
    exact = partial(invariance.dime, a, b, alpha=2)
    yield Row(PART, "DiME S_1, 10 permutations / S_2, exact", where, ratio(ours, exact, rounds))


def rows(quick: bool) -> Iterator[Row]:
    """Yield all rows."""
    rounds = 5 if quick else 7
    yield from of_prompts((24, 64, 128) if quick else (24, 128, 512, 1024), rounds)
    yield from over_prompts(50 if quick else 200, rounds)
