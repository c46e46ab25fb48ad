"""Lessons with their data on a second device: all of it runs, gives what the CPU gives, and computes there."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from oraledu.app.generate import parse
from tests.lesson_there import SOLUTIONS, Cell
from tests.second_device import NAME
from tests.short_lessons import PRESETS, SHORTER

ROOT = Path(__file__).parents[1]

#: Cells that stay on the CPU, by how they begin: demonstrations whose size is the same at every scale, and exercises.
SMALL = {
    "01_creativity": (
        "unseen = data.fashion_mnist",
        "def follow(denoiser",
        "local = long_run",
        "els = long_run",
        "few, patch = images[:60]",
        "few, patch = images[:10",
        "few, steps = images[:",
        "start_noise = ",
        "square = ",
        "contest, resnet_alone = ",
        "middle = rival",
        "def by_plane",
        "def between",
    ),
    "02_layer_by_layer": (
        "texts = data.wordnet()",  # reads the embedded states
        "def tokens_from",
        "spectra = {",
        "generator = run.generator(1)",
        "noise, wide = ",
    ),
    "03_scaling_collapse": (
        "step = long_run(mean_step)",
        "corners = torch.rand",
        "study = replace(preset.linear, ladder=single",
        'fine = many["linear"]',
        "exponents = (1.1",
        "widths, lengths =",
        "stored = decayed_runs",
        "steps = int(known",
    ),
    "04_grokking": ("identity = ", "counts = "),
}
#: What computes for long at full scale. Each call must be given the device, or what lies on it.
LONG = {
    "01_creativity": "trained calibrated experiment provenance input_jacobian",
    "02_layer_by_layer": "states hidden_states train_both",
    "03_scaling_collapse": "kept coordinate_check",
    "04_grokking": "fit regress train",
}

Both = tuple[list[Cell], list[Cell]]


@pytest.fixture(scope="module", params=list(SMALL))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def both(name: str, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Run a lesson on both devices, in a process of its own: torch counts its devices once."""
    file = tmp_path_factory.mktemp("there") / "cells.pt"
    command = [sys.executable, "-W", "error", "-m", "tests.lesson_there", name, str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    here, there = ([Cell(**cell) for cell in cells] for cells in torch.load(file, weights_only=False))
    return here, there


@pytest.mark.slow
def test_prints_what_the_cpu_prints(both: Both) -> None:
    here, there = both
    assert f"device {NAME}." in there[0].printed
    for one, other in zip(here, there, strict=True):
        assert other.printed.replace(f"device {NAME}", "device cpu") == one.printed, one.source


@pytest.mark.slow
def test_draws_the_numbers_that_the_cpu_draws(both: Both) -> None:
    for one, other in zip(*both, strict=True):
        assert len(one.drawn) == len(other.drawn), one.source
        for a, b in zip(one.drawn, other.drawn, strict=True):
            torch.testing.assert_close(
                b,
                a,
                rtol=1e-3,
                atol=1e-3,
                equal_nan=True,
                msg=lambda text, cell=one: f"{text}\n{cell.source}",
            )


@pytest.mark.slow
def test_computes_on_the_device_that_it_prints(name: str, both: Both) -> None:
    work: Counter[str] = Counter()
    for cell in both[1]:
        if not cell.source.startswith(SMALL[name]):
            work += cell.operations
            share = cell.operations[NAME] / max(1, cell.operations.total())
            assert share >= 0.95 or cell.operations["cpu"] < 1e6, (share, cell.operations, cell.source)
    assert work[NAME] >= 0.95 * work.total() > 0


@pytest.mark.parametrize("name", SMALL)
def test_what_stays_on_the_cpu_is_there_once(name: str) -> None:
    cells = [cell.source for cell in _code(name)]
    for begin in SMALL[name]:
        assert sum(cell.startswith(begin) for cell in cells) == 1, begin
    for old in SHORTER.get(name, {}):
        assert sum(cell.count(old) for cell in cells) == 1, old
    assert name in PRESETS


@pytest.mark.parametrize("name", LONG)
def test_every_long_run_receives_the_device(name: str) -> None:
    long, there = set(LONG[name].split()), {"run.device", "run.exact"}
    seen: set[str] = set()
    for cell in _code(name):
        for statement in ast.parse(cell.source).body:
            there |= _bound(statement, there)
            for call in _calls(statement, long):
                seen |= {ast.unparse(call.func).rpartition(".")[2].rstrip(")")}
                # Of a function the arguments are not known; it must name the device somewhere.
                whole = statement if isinstance(statement, ast.FunctionDef) else call
                assert _mentions(whole, there), ast.unparse(call)
    assert seen == long


def _code(name: str) -> list:
    text = (SOLUTIONS / f"{name}.py").read_text(encoding="utf-8")
    return [cell for cell in parse(text).cells if cell.cell_type == "code"]


def _calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    """Find `topic.name(…)`, `name(…)` and `cached(topic.name)(…)`."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            called = ast.unparse(call.func).rpartition(".")[2].rstrip(")")
            if called in names:
                yield call


def _mentions(tree: ast.AST, names: set[str]) -> bool:
    return any(
        isinstance(each, (ast.Name, ast.Attribute)) and ast.unparse(each) in names for each in ast.walk(tree)
    )


def _bound(statement: ast.stmt, there: set[str]) -> set[str]:
    """Return the names that a statement gives to what is made of the device, or of names that were."""
    found: set[str] = set()
    for each in ast.walk(statement):
        if isinstance(each, ast.FunctionDef) and _mentions(each, there):
            found.add(each.name)
        if isinstance(each, ast.Assign) and _mentions(each.value, there):
            found |= {part.id for part in ast.walk(ast.Tuple(each.targets)) if isinstance(part, ast.Name)}
        if isinstance(each, ast.comprehension) and _mentions(each.iter, there):
            found |= {part.id for part in ast.walk(each.target) if isinstance(part, ast.Name)}
    return found
