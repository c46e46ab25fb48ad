"""Random inputs that several exercises share, and a look at what a function decomposes."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

#: As many as the lesson's decoder has: layers, tokens of a prompt, coordinates.
LAYERS, TOKENS, WIDTH = 32, 25, 576


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw standard normal numbers in float64."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def states(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw tokens (..., T, D) like those of a layer: of unlike lengths, around a mean that is not zero."""
    lengths = 0.5 + torch.rand((*shape[:-1], 1), generator=generator, dtype=torch.float64)
    return lengths * (normal(generator, *shape) + normal(generator, shape[-1]))


def all_layers(generator: torch.Generator) -> Tensor:
    """Draw one prompt at all layers of the lesson's decoder: (32, 25, 576) float32."""
    return states(generator, LAYERS, TOKENS, WIDTH).float()


def two_views(generator: torch.Generator, count: int, width: int) -> tuple[Tensor, Tensor]:
    """Draw two views (N, D) of prompts, of unlike lengths: what they share outweighs what each has of its own."""
    shared = states(generator, count, width)
    a, b = (shared + 0.7 * normal(generator, count, width) for _ in range(2))
    return a, b


def rotation(size: int, generator: torch.Generator) -> Tensor:
    """Draw an orthogonal matrix: (size, size)."""
    return torch.linalg.qr(normal(generator, size, size))[0]


def with_singular_values(
    values: Tensor | Sequence[float], rows: int, columns: int, generator: torch.Generator
) -> Tensor:
    """Draw a matrix (rows, columns) with these singular values, in random directions."""
    values = torch.as_tensor(values, dtype=torch.float64)
    left, right = (rotation(size, generator)[:, : len(values)] for size in (rows, columns))
    return left * values @ right.T


def same_spectrum(z: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Return matrices whose singular values are those of z (T, D), up to one factor, by what has been done to it."""
    tokens, width = z.shape
    return {
        "all tokens times -3": -3 * z,
        "all tokens times a millionth": 1e-6 * z,
        "all tokens rotated by one rotation": z @ rotation(width, generator),
        "the tokens in another order": z[torch.randperm(tokens, generator=generator)],
        "each token taken twice": z.repeat(2, 1),
        "three more coordinates that are all zero": torch.nn.functional.pad(z, (0, 3)),
        "rows and columns exchanged": z.mT.clone(),
    }


def largest_difference(one: Any, other: Any) -> float:
    """Return the largest difference between two tensors or numbers, infinite if one of them is not finite."""
    one, other = (torch.as_tensor(each, dtype=torch.float64) for each in (one, other))
    return float((one - other).abs().nan_to_num(nan=torch.inf).max())


class Decompositions(TorchFunctionMode):
    """Note the smaller side of every matrix of which eigenvalues or singular values are taken in a `with` block."""

    NAMES = (
        "eigh",
        "eigvalsh",
        "eig",
        "eigvals",
        "svd",
        "svdvals",
        "svd_lowrank",
        "lobpcg",
        "matrix_rank",
        "pinv",
    )

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call the function, and note it if it is a decomposition."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "").removeprefix("linalg_") in self.NAMES:
            matrix = next(each for each in (*args, *kwargs.values()) if isinstance(each, Tensor))
            self.sizes.append(min(matrix.shape[-2:]))
        return func(*args, **kwargs)
