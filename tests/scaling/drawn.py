"""Curves to draw, made by formula, for the tests of the views."""

import torch

from oraledu.course.controls import positions

GRID = torch.linspace(0.05, 1, 96, dtype=torch.float64)
PARAMETERS = torch.tensor([100.0, 400.0, 1600.0], dtype=torch.float64)
SCHEDULES = ("constant", "linear", "cosine")


def curves(schedule="linear", *, seeds=4, offset=0.0, seed=0):
    """Losses (3, seeds, 96) that fall with progress and size; a decay calms the fluctuations towards the end."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(3, seeds, len(GRID), generator=generator, dtype=torch.float64)
    power = {"constant": 0.0, "linear": 1.5, "cosine": 2.5}[schedule]
    common = 0.02 * torch.randn(3, seeds, 1, generator=generator, dtype=torch.float64)
    wobble = common + 0.05 * (1 - GRID) ** power * noise
    return offset + (1 + GRID**-0.4) * PARAMETERS[:, None, None] ** -0.3 * wobble.exp()


def by_schedule(**options):
    return {name: curves(name, **options) for name in SCHEDULES}


def compute():
    """FLOPs (3, 96) along the curves."""
    return 6 * PARAMETERS[:, None] ** 2 * GRID


def every_picture(explorer):
    """Move each control through all of its positions; return the pictures by control, after looking at the words."""
    start = explorer.values
    assert explorer.error is None
    found = {}
    for name, control in explorer.controls.items():
        assert control.description.strip()
        found[name] = []
        for value in positions(name, control):
            control.value = value
            assert explorer.error is None, (name, value, explorer.error)
            assert explorer.alt.strip()
            assert "not drawn" not in explorer.alt
            assert "nan" not in explorer.alt
            found[name].append(explorer._repr_mimebundle_()[0]["image/png"])
        control.value = start[name]
    return found


def looks_drawn(figure):
    assert figure.png().startswith(b"\x89PNG")
    assert "not drawn" not in figure.alt
    return figure.alt
