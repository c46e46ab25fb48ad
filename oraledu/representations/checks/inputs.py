"""What the exercises share: random inputs, properties by rows, tables of slips, a look at decompositions."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from oraledu.course.decompositions import Decompositions
from oraledu.course.exercise import Case, Function

#: As many as the lesson's decoder has: layers, tokens of a prompt, coordinates.
LAYERS, TOKENS, WIDTH = 32, 25, 576
#: Coordinates of a view of a prompt.
VIEW_WIDTH = 200

#: What a property looks at: what was found, what is expected, and the sentence for the learner if they differ.
Rows = Iterator[tuple[Any, Any, str]]
Property = Callable[[Function, torch.Generator], str | None]


def within(error: float) -> Callable[[Callable[[Function, torch.Generator], Rows]], Property]:
    """Make a property of a function that yields rows: the first two entries of each may differ by the error."""

    def made(rows: Callable[[Function, torch.Generator], Rows]) -> Property:
        @functools.wraps(rows)
        def holds(function: Function, generator: torch.Generator) -> str | None:
            for found, expected, sentence in rows(function, generator):
                if not largest_difference(found, expected) < error:
                    return sentence
            return None

        return holds

    return made


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw standard normal numbers in float64."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def states(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw tokens (..., T, D) like those of a layer: of unlike lengths, around a mean that is not zero."""
    lengths = 0.5 + torch.rand((*shape[:-1], 1), generator=generator, dtype=torch.float64)
    return lengths * (normal(generator, *shape) + normal(generator, shape[-1]))


def at_all_layers(generator: torch.Generator) -> Case:
    """Return the full size of exercises on tokens: one prompt at all layers of the lesson's decoder, in float32."""
    z = states(generator, LAYERS, TOKENS, WIDTH).float()
    return Case(f"{LAYERS} layers, {TOKENS} tokens, {WIDTH} coordinates", (z,))


def two_views(generator: torch.Generator, count: int, width: int) -> tuple[Tensor, Tensor]:
    """Draw two views (N, D) of prompts, of unlike lengths: what they share outweighs what each has of its own."""
    shared = states(generator, count, width)
    a, b = (shared + 0.7 * normal(generator, count, width) for _ in range(2))
    return a, b


def random_views(generator: torch.Generator, prompts: int, views: int, width: int) -> Tensor:
    """Draw views (n, q, D) that scatter around prompts, in some directions more than in others."""
    noise = normal(generator, prompts, views, width) * torch.linspace(0.2, 2, width).double()
    return normal(generator, width) + 1.5 * normal(generator, prompts, 1, width) + noise


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


def giant(generator: torch.Generator) -> Tensor:
    """Draw a matrix (5, 8) like those of the decoder: one singular value ten thousand times the four others."""
    return with_singular_values([1e4, 1, 1, 1, 1], 5, 8, generator)


def same_spectrum(z: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Return matrices whose singular values are those of z (T, D), up to one factor, by what has been done to it."""
    tokens, width = z.shape
    return {
        "all tokens times -3": -3 * z,
        "all tokens times 1e4": 1e4 * z,
        "all tokens times 1e-10": 1e-10 * z,
        "all tokens rotated by one rotation": z @ rotation(width, generator),
        "the tokens in another order": z[torch.randperm(tokens, generator=generator)],
        "each token taken twice": z.repeat(2, 1),
        "three more coordinates that are all zero": torch.nn.functional.pad(z, (0, 3)),
        "rows and columns exchanged": z.mT.clone(),
    }


def same_after_scaling_turning_reordering(error: float) -> Property:
    """Make the property that c Z, Z Q, another order of the rows, and each row twice give the same number as Z."""

    @within(error)
    def stays_the_same_after_scaling_turning_reordering(
        function: Function, generator: torch.Generator
    ) -> Rows:
        z = states(generator, 5, 8)
        for what, other in same_spectrum(z, generator).items():
            yield function(other), function(z), f"with {what} it should stay the same"

    return stays_the_same_after_scaling_turning_reordering


def views_at_full_size(generator: torch.Generator) -> Case:
    """Return two views of a prime number of prompts in one layer, so that no batches divide them."""
    return Case("199 prompts, 200 coordinates", two_views(generator, 199, VIEW_WIDTH))


def largest_difference(one: Any, other: Any) -> float:
    """Return the largest difference between two tensors or numbers, infinite if one of them is not finite."""
    one, other = (torch.as_tensor(each, dtype=torch.float64) for each in (one, other))
    return float((one - other).abs().nan_to_num(nan=torch.inf).max())


def takes_the_smaller_gram_matrix(function: Function, generator: torch.Generator) -> str | None:
    """Watch what is decomposed: of layers with more tokens than coordinates, and with fewer."""
    for tokens, width in ((9, 4), (4, 9)):
        with Decompositions() as seen:
            function(states(generator, 10, tokens, width))
        if (largest := max(seen.sizes, default=0)) > 4:
            return (
                f"for {tokens} tokens in {width} coordinates it takes the eigenvalues of a {largest}×{largest} matrix: "
                "the smaller Gram matrix is 4×4"
            )
    return None
