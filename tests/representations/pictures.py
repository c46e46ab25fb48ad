"""Stand-ins for what the views of lesson 2 draw, and what every explorer must do."""

import torch
from torch import Tensor

from oraledu.course.controls import positions
from oraledu.course.explorer import Explorer
from oraledu.representations.gram import gram
from tests.representations.samples import normal

LAYERS = 5
#: At these layers the first token is massive.
MASSIVE = (2, 3)


def grams_of(*lengths: int) -> list[Tensor]:
    """Gram matrices (5, T, T) float32 of prompts of these lengths, with a massive first token at layers 2 and 3."""
    found = []
    for seed, tokens in enumerate(lengths):
        z = normal(LAYERS, tokens, 40, seed=seed, dtype=torch.float32) + 0.5
        z[list(MASSIVE), 0] *= 200
        found.append(gram(z))
    return found


def curves(*names: str, layers: int = LAYERS, seed: int = 0) -> dict[str, Tensor]:
    """A random curve over layers with values in [0, 1] for each name."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(layers, generator=generator, dtype=torch.float64) for name in names}


def looks_drawn(figure) -> str:
    """Draw a figure, and return its words."""
    assert figure.png().startswith(b"\x89PNG")
    assert "not drawn" not in figure.alt
    return figure.alt


def every_position_is_drawn(explorer: Explorer, *, alike: tuple[str, ...] = ()) -> None:
    """Move each control through all its positions and back; each must have its own picture and words.

    Args:
        explorer: What is tested.
        alike: Controls of which some positions may look alike.
    """
    start = explorer.values
    assert explorer.error is None
    for name, control in explorer.controls.items():
        assert control.description.strip()
        values, pictures, words = positions(name, control), set(), set()
        for value in values:
            control.value = value
            assert explorer.error is None, (name, value, explorer.error)
            assert "not drawn" not in explorer.alt
            pictures.add(explorer._repr_mimebundle_()[0]["image/png"])
            words.add(explorer.alt)
        expected = 2 if name in alike else len(values)
        assert min(len(pictures), len(words)) >= expected, f"positions of {name} look alike"
        control.value = start[name]


def corners_are_drawn(explorer: Explorer) -> None:
    """Move all controls at once to their first, middle and last positions, in step and against each other."""
    grid = {name: positions(name, control) for name, control in explorer.controls.items()}
    for shift in range(3):
        for place, (name, values) in enumerate(grid.items()):
            explorer.controls[name].value = values[((place + shift) % 3) * (len(values) - 1) // 2]
            assert explorer.error is None, (explorer.values, explorer.error)
