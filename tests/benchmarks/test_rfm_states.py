"""The comparison of readers of states: what goes in, which candidate is taken, and what counts as above chance."""

from itertools import product

import pytest
import torch

from benchmarks import rfm_states


def test_inputs_keep_the_standardised_distances_of_training_items_in_their_span():
    train, test = torch.randn(40, 60, generator=torch.Generator().manual_seed(0)) * 3 + 5, torch.randn(9, 60)
    x, z = rfm_states.inputs(train, test)
    expected = (train - train.mean(0)) / train.std(0, correction=0)
    assert x.shape == (40, 39)
    assert z.shape == (9, 39)
    assert torch.allclose(torch.cdist(x, x), torch.cdist(expected, expected), atol=0.05)


@pytest.mark.parametrize("better", [0.0, 0.25])
def test_only_a_layer_that_gains_is_above_chance(better):
    generator = torch.Generator().manual_seed(1)
    found = []
    for _ in range(5):
        test = torch.randperm(600, generator=generator)[:300]
        draw = torch.rand(2, 8, 300, generator=generator)
        right = (draw < 0.5).double()
        right[1, 3] = (draw[1, 3] < 0.5 + better).double()
        found.append((test, {"linear probe": right[0], "other": right[1]}))
    row = list(rfm_states.rows(found, 600, "here"))[1]
    assert f"| {int(better > 0)} above, 0 below |" in row
    assert (row.split(" | ")[2] == "3") == (better > 0)


def test_a_score_belongs_to_its_item_in_every_split_that_tested_it():
    generator, found = torch.Generator().manual_seed(3), []
    for count in (20, 10):
        test = torch.randperm(30, generator=generator)[:count]
        right = (test < 10).double().expand(2, -1)  # of two layers
        found.append((test, {"linear probe": torch.zeros_like(right), "other": right}))
    tested = torch.cat([test for test, _ in found]).unique()
    row = list(rfm_states.rows(found, 30, "here"))[1]
    assert f"| {(tested < 10).double().mean():+.3f}, " in row


def test_the_candidate_is_the_one_that_the_held_out_folds_like_best():
    y = torch.eye(2).repeat(30, 1)

    def machine(x, y, z, candidate):
        right = z[:, 0]
        return [right if (candidate[1], step) == (1, 2) else 1 - right for step in range(candidate[2] + 1)]

    candidates = list(product((0.5,), (0, 1), (1, 2, 3)))
    assert rfm_states.chosen(machine, candidates, [y[:, 1:]], y) == (0.5, 1, 2)
