"""The table of lesson 4 that stands beside the paper's."""

import torch

from oraledu.grokking import arithmetic, rfm, views


def test_only_what_is_one_is_called_one():
    assert [views.at_least(share) for share in (1.0, 0.99946, 0.29, 0.0)] == [
        "1.00",
        "at least 0.99",
        "at least 0.29",
        "at least 0.00",
    ]


def test_the_table_beside_the_paper_holds_the_numbers_of_the_run():
    p = 13
    generator = torch.Generator().manual_seed(0)
    data = arithmetic.split(*arithmetic.modular_table("+", p), 0.8, generator=generator)
    history = rfm.fit(*data, p, iterations=15)
    toeplitz = torch.tensor([0, 0.5, 0.6, 0.5, 0.4, 0.29] + 9 * [0.1])
    table = views.paper_and_here(
        history=history,
        toeplitz=toeplitz,
        operations=0.9999,
        random_circulant=0.987,
        correlation=0.654,
        circulant_inputs=(0.91, 0.03),
    )
    here = [row[2] for row in table.rows]
    moved = int((history.test_accuracy > 0.02).nonzero()[0])
    assert "below 1e-20" in here
    assert views.at_least(history.test_accuracy[-1]) in here
    assert f"from iteration {moved}" in here
    assert "halved at iteration 5" in here
    assert {"at least 0.99", "at least 0.98", "0.65", "above 0.9; below 0.1"} <= set(here)
    assert all(all(cell for cell in row) for row in table.rows)
