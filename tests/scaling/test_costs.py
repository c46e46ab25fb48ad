"""What the lesson's runs are said to take is right to a factor of two."""

import pytest

from oraledu.scaling import costs, fourier, settings, text
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.linear import LinearLadder
from oraledu.scaling.mlp import MLPLadder
from oraledu.scaling.transformer import TransformerLadder
from tests.counted import counted

LADDERS = {
    "solvable": LinearLadder((16, 24), Horizon.through(16, 16 * 40, 1.2)),
    "networks": MLPLadder(
        (16, 24), Horizon.through(4192, 32 * 40, 1.0), modes=20, batch=32, pool=2**12, tests=64, probes=3
    ),
    "text": TransformerLadder(
        (16, 32), Horizon.through(10_000, 40 * 64, 1.0), context=16, batch=4, tests=16, probes=3
    ),
}


@pytest.fixture(autouse=True)
def nothing_drawn_before():
    """Forget the texts and examples of earlier tests."""
    for remembered in (text.novel, fourier.pool, fourier._coefficients):
        remembered.cache_clear()


@pytest.mark.parametrize("kind", LADDERS)
@pytest.mark.parametrize("trace", [False, True])
def test_a_ladder(kind, trace):
    study = settings.Study(LADDERS[kind], ("linear",), (0, 1, 2), records=5, trace=trace)
    operations, memory = counted(lambda: settings.train_study(study, "linear"))
    assert operations / 2 < costs.training(study) < operations * 2
    assert memory / 2 < costs.memory(study) < memory * 2


def test_the_papers_networks_take_what_the_lesson_says():
    study = settings.FULL.mlp
    compute = sum(
        float(study.ladder.horizon.compute(study.ladder.parameters(width))) for width in study.ladder.widths
    )
    assert costs.training(study) == pytest.approx(5 * compute, rel=0.05)
    part = next(part for part in costs.parts("full") if part.name == "networks")
    assert part.operations == pytest.approx(4 * costs.training(study))
    assert part.runs == 8 * 5 * 4
