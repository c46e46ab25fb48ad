"""Streams of random numbers: the same for the same names, others for others."""

import torch

from oraledu.scaling.seeds import stream


def draw(*names):
    return torch.rand(8, generator=stream(*names))


def test_the_names_decide_the_numbers():
    assert torch.equal(draw("order", 1, 16), draw("order", 1, 16))
    others = [
        draw("order", 1, 16),
        draw("start", 1, 16),
        draw("order", 11, 6),
        draw("order", 16, 1),
        draw("order"),
    ]
    for place, first in enumerate(others):
        assert not any(torch.equal(first, second) for second in others[place + 1 :])
