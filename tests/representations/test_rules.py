"""Rules without labels: isotropy is a collision entropy, subsets need one Gram matrix, the honest regret is a bound."""

import pytest
import torch

from oraledu.data import wordnet
from oraledu.representations import entropy, evaluate, models, probes, rules, selection
from tests.representations.samples import normal, rotation
from tests.representations.test_selection import accuracy


def around_mean(z):
    return z - z.mean(-2, keepdim=True)


@pytest.mark.parametrize(("texts", "width"), [(30, 8), (8, 30)])
def test_isotropy_is_the_mean_over_the_deviation_of_the_covariances_eigenvalues(texts, width):
    z = normal(texts, width) * torch.linspace(1, 4, width) + 3
    values = torch.linalg.eigvalsh(torch.cov(z.T)).flip(0)[: min(texts, width)]
    expected = values.mean() / ((values - values.mean()) ** 2).mean().sqrt()
    torch.testing.assert_close(rules.isotropy(z), expected)
    assert rules.isotropy(z.float()).dtype == torch.float32


def test_isotropy_is_a_function_of_the_collision_entropy_around_the_mean():
    z = normal(6, 20, 12) * torch.linspace(1, 5, 12) ** torch.arange(6)[:, None, None]
    purity = (-entropy.matrix_entropy(around_mean(z), 2.0)).exp()
    torch.testing.assert_close(rules.isotropy(z), (12 * purity - 1).rsqrt())


def test_isotropy_sees_neither_place_nor_scale_nor_rotation():
    z = normal(20, 6) * torch.linspace(1, 3, 6)
    for moved in (z + normal(6, seed=1), 100 * z, z @ rotation(6)):
        torch.testing.assert_close(rules.isotropy(moved), rules.isotropy(z))


def test_isotropy_of_one_text_is_an_error():
    with pytest.raises(ValueError, match="at least 2 texts"):
        rules.isotropy(normal(1, 5))


@pytest.mark.parametrize("each", [1, 2])
def test_the_entropies_of_subsets_are_those_of_a_loop_over_them(generator, each):
    z = normal(3, 11, each, 7) + 2
    items = torch.stack([torch.randperm(11, generator=generator)[:5] for _ in range(6)])
    plain, around = rules.subset_collision(z, items)
    assert plain.shape == around.shape == (6, 3)
    for split, some in enumerate(items):
        rows = z[:, some].flatten(1, 2)
        torch.testing.assert_close(plain[split], entropy.matrix_entropy(rows, 2.0))
        torch.testing.assert_close(around[split], entropy.matrix_entropy(around_mean(rows), 2.0))


def test_the_honest_regret_lies_below_that_of_the_best_layer_and_the_lucky_one_above(generator):
    worth = torch.linspace(0, 1, 8).double()
    on_a, on_b = (worth + torch.randn(20_000, 8, generator=generator).double() for _ in range(2))
    found = rules.trial({"t": torch.full((20_000,), 3)}, {("t", "s"): (on_a, on_b)})
    truth = worth.max() - worth[3]
    assert found.regret.mean() < truth - 0.1
    assert found.most.mean() > truth + 0.1


def test_a_trial_is_the_naive_loop(generator):
    halves = {(t, s): torch.rand(2, 9, 5, generator=generator).double() for t, s in ("ax", "ay", "bz")}
    picks = {t: torch.randint(5, (9,), generator=generator) for t in "ab"}
    found = rules.trial(picks, halves)
    for split in range(9):
        rows = [(a[split], b[split], picks[t][split]) for (t, _), (a, b) in halves.items()]
        mean = {
            "gain": sum(b[p] - b[4] for a, b, p in rows) / 3,
            "middle": sum(b[p] - b[2] for a, b, p in rows) / 3,
            "regret": sum(b[a.argmax()] - b[p] for a, b, p in rows) / 3,
            "most": sum(b.max() - b[p] for a, b, p in rows) / 3,
        }
        for name, value in mean.items():
            torch.testing.assert_close(getattr(found, name)[split], value)
    assert found.favourite() == torch.cat([picks["a"], picks["b"]]).bincount().argmax()
    assert found.interval("most", 0.5)[0] == found.most.quantile(0.25)


def test_a_trial_takes_the_regret_that_it_is_given():
    halves = {("t", "s"): (normal(4, 3), normal(4, 3))}
    found = rules.trial({"t": torch.zeros(4).long()}, halves, regret=lambda a, b, picked: a[:, 0] + picked)
    torch.testing.assert_close(found.regret, halves["t", "s"][0][:, 0])


def test_shifts_move_all_picks_together_and_visit_every_layer_once(generator):
    halves = {(t, "s"): torch.rand(2, 7, 4, generator=generator).double() for t in "ab"}
    picks = {t: torch.randint(4, (7,), generator=generator) for t in "ab"}
    gains = rules.shifted_gains(picks, halves)
    assert len(gains) == 4
    torch.testing.assert_close(gains[0], rules.trial(picks, halves).gain.mean())
    one = {t: (of + 1) % 4 for t, of in picks.items()}
    torch.testing.assert_close(gains[1], rules.trial(one, halves).gain.mean())
    of_all = torch.stack([b.mean() - b[:, -1].mean() for _, b in halves.values()]).mean()
    torch.testing.assert_close(gains.mean(), of_all)


def test_halvings_are_those_of_the_split_scores_and_fewer_are_the_first_of_many():
    scores = {"a": {"one": accuracy([0.4, 0.6], items=9)}, "b": {"two": accuracy([0.5, 0.3], items=12)}}
    draws = [torch.Generator().manual_seed(3) for _ in range(3)]
    halves = selection.split_scores(scores, generator=draws[0], splits=6)
    items = selection.halvings(scores, generator=draws[1], splits=6)
    few = selection.halvings(scores, generator=draws[2], splits=2)
    for (texts, name), both in halves.items():
        for half, found, first in zip(both, items[texts], few[texts], strict=True):
            expected = torch.stack([scores[texts][name].score(each) for each in found])
            torch.testing.assert_close(half, expected)
            assert torch.equal(first, found[:2])


def test_the_states_asked_are_those_behind_the_items():
    texts, pooled = wordnet(), models.states("minilm-l6").pooled
    found = evaluate.asked(pooled, texts)
    assert {kind: tuple(of.shape[1:3]) for kind, of in found.items()} == {
        "noun": (450, 1),
        "verb": (184, 1),
        "pairs": (400, 2),
        "retrieval": (300, 2),
    }
    outcome = probes.similarity(found["pairs"][:, :, 0], found["pairs"][:, :, 1], texts.similarity)
    expected = evaluate.SCORES["pairs", "similarity"](pooled, texts)
    assert torch.equal(outcome.items, expected.items)
    neighbours = evaluate.SCORES["noun", "nearest neighbours"](pooled, texts)
    train, test = probes.halves(texts.labels["noun"], generator=torch.Generator().manual_seed(evaluate.SEED))
    known, asked = ([texts.labels["noun"][i] for i in half.tolist()] for half in (train, test))
    again = probes.nearest_neighbours(pooled["noun"][:, train], known, found["noun"][:, :, 0], asked)
    assert torch.equal(again.items, neighbours.items)
