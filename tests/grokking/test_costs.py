"""What the lesson's runs are said to take is right to a factor of two."""

from dataclasses import replace

import pytest
import torch

from oraledu.grokking import arithmetic, costs, networks, rfm, settings
from tests.counted import counted

FRACTION, P = 0.6, 23


def parts():
    table = arithmetic.modular_table("+", P)
    return arithmetic.split(*table, FRACTION, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])
def test_a_machine(kernel):
    run = settings.KernelRun(P, FRACTION, 3, kernel)
    said = costs._machine("machine", run)
    operations, memory = counted(lambda: rfm.fit(*parts(), P, kernel=kernel, iterations=3))
    assert operations / 2 < said.operations < operations * 2
    assert memory / 2 < said.memory < memory * 2


@pytest.mark.parametrize("transform", [False, True])
def test_a_network(transform):
    run = replace(settings.QUICK.network, p=P, fraction=FRACTION, width=64, epochs=6, record_every=2)
    matrix = torch.eye(2 * P, dtype=torch.float64) if transform else None

    def train():
        net = networks.QuadraticNet(P, 64, generator=torch.Generator(), transform=matrix, dtype=torch.float64)
        networks.train(net, *parts(), generator=torch.Generator(), epochs=6, record_every=2)

    operations, memory = counted(train)
    assert operations / 2 < costs.network(run, transform) < operations * 2
    assert memory / 2 < costs._network("network", run, 1, 0.0).memory < memory * 2


def test_the_parts_are_those_of_the_presets():
    quick, full = ({part.name: part for part in costs.parts(scale)} for scale in ("quick", "full"))
    assert set(full) - set(quick) == {"larger machine"}
    assert quick["map of fractions"].runs == 7 * 3 + 3
    assert all(full[name].operations > part.operations for name, part in quick.items())
