"""Honest layer choice: no item both chooses and reports, noise promises what it does not keep, intervals cover."""

import pytest
import torch

from oraledu.representations import selection
from oraledu.representations.probes.outcome import Outcome, rank_agreement, share
from tests.representations.samples import normal


def accuracy(chances, items=200, seed=0):
    """An outcome with one layer for each chance of being right, items independent."""
    draw = torch.rand(len(chances), items, 1, generator=torch.Generator().manual_seed(seed))
    return Outcome((draw < torch.tensor(chances)[:, None, None]).double(), share)


def alone(outcome):
    return {"texts": {"score": outcome}}


def only(outcome, generator, **options):
    (choice,) = selection.choose_layers(alone(outcome), generator=generator, **options).values()
    return choice


def test_no_item_both_chooses_and_reports(generator):
    seen = []

    def watch(items):
        seen.append(items[0, :, 0])
        return items[..., 0].mean(dim=-1)

    numbers = torch.arange(21.0).double().expand(3, 21)[..., None]
    only(Outcome(numbers, watch), generator, splits=20)
    parts = {True: [], False: []}
    for place, part in enumerate(seen):
        parts[place < 20].append(part)
    for part in seen:
        assert len(set(part.tolist())) == len(part)
    chose = [set(part.tolist()) for part in seen if len(part) == 10]
    reported = [set(part.tolist()) for part in seen if len(part) == 11]
    assert len(chose) == len(reported) == 20
    assert all(a | b == set(range(21)) for a, b in zip(chose, reported, strict=True))
    assert len({frozenset(part) for part in chose}) == 20


def test_a_choice_is_the_naive_loop(generator):
    outcome = accuracy([0.3, 0.5, 0.6, 0.4], items=30)
    choice = only(outcome, torch.Generator().manual_seed(5), splits=40)
    generator.manual_seed(5)
    for split in range(40):
        order = torch.randperm(30, generator=generator)
        on_a, on_b = outcome.items[:, order[:15], 0].mean(1), outcome.items[:, order[15:], 0].mean(1)
        layer = on_a.argmax()
        assert choice.layers[split] == layer
        assert choice.promised[split] == on_a[layer] - on_a[3]
        assert choice.honest[split] == on_b[layer] - on_b[3]


def test_among_layers_of_noise_the_best_promises_a_gain_and_keeps_none():
    promised, honest = [], []
    for seed in range(20):
        choice = only(accuracy([0.5] * 32, seed=seed), torch.Generator().manual_seed(seed), splits=20)
        promised.append((choice.promised > 0).double().mean())
        honest.append(choice.honest.mean())
        assert choice.optimism > 0
    assert torch.stack(promised).mean() > 0.9
    assert abs(torch.stack(honest).mean()) < 0.02


def test_a_layer_that_is_better_is_found_and_its_gain_is_not_exaggerated(generator):
    choice = only(accuracy([0.5] * 10 + [0.8] + [0.5] * 10, items=400), generator, splits=200)
    assert (choice.layers == 10).all()
    low, high = choice.interval()
    assert low < choice.gain < high
    assert choice.gain == pytest.approx(0.3, abs=0.08)
    assert low > 0.1


def test_others_choose_without_the_score_in_question(generator):
    wanted = {
        "nouns": {"probe": accuracy([0.2, 0.9, 0.3]), "kNN": accuracy([0.2, 0.9, 0.3], seed=1)},
        "pairs": {"odd": accuracy([0.9, 0.1, 0.3], items=80, seed=2)},
    }
    own = selection.choose_layers(wanted, generator=generator, splits=30)
    others = selection.choose_layers(wanted, generator=generator, splits=30, by="others")
    assert set(own) == {("nouns", "probe"), ("nouns", "kNN"), ("pairs", "odd")}
    assert (own["pairs", "odd"].layers == 0).all()
    assert (others["pairs", "odd"].layers == 1).all()
    for score in ("probe", "kNN"):
        assert (others["nouns", score].layers == 0).all(), "scores over the same texts do not choose"
    assert others["pairs", "odd"].gain == pytest.approx(-0.2, abs=0.1)


def test_scores_over_one_text_set_share_their_halves(generator):
    outcome = accuracy([0.4, 0.5, 0.6, 0.5])
    scores = {"nouns": {"one": outcome, "two": outcome}, "verbs": {"three": outcome}}
    choices = selection.choose_layers(scores, generator=generator, splits=50)
    assert torch.equal(choices["nouns", "one"].honest, choices["nouns", "two"].honest)
    assert not torch.equal(choices["nouns", "one"].honest, choices["verbs", "three"].honest)


def test_split_scores_are_those_that_choices_are_made_of(generator):
    scores = {"nouns": {"one": accuracy([0.4, 0.6, 0.5]), "two": accuracy([0.5, 0.6, 0.4], seed=1)}}
    halves = selection.split_scores(scores, generator=torch.Generator().manual_seed(5), splits=40)
    choices = selection.choose_layers(scores, generator=torch.Generator().manual_seed(5), splits=40)
    for name, (on_a, on_b) in halves.items():
        assert on_a.shape == on_b.shape == (40, 3)
        assert torch.allclose((on_a + on_b) / 2, scores[name[0]][name[1]].score().expand(40, 3))
        assert torch.equal(selection.choose(on_a, on_a, on_b).honest, choices[name].honest)


def test_the_reference_is_the_last_layer_unless_another_is_named(generator):
    outcome = accuracy([0.9, 0.5, 0.1], items=1000)
    assert only(outcome, generator, splits=20).gain == pytest.approx(0.8, abs=0.05)
    assert only(outcome, generator, splits=20, last=1).gain == pytest.approx(0.4, abs=0.05)


def test_of_equal_layers_the_first_is_chosen():
    flat = torch.zeros(5, 3).double()
    choice = selection.choose(flat, flat, flat)
    assert choice.layers.tolist() == [0] * 5
    assert choice.gain == choice.optimism == 0


def test_halves_of_a_fixed_layer_spread_as_much_as_a_bootstrap_of_all_items(generator):
    outcome = accuracy([0.9, 0.5], items=300)
    by_halves = only(outcome, generator, splits=2000).honest.std()
    resampled = selection.bootstrap(outcome, generator=generator, resamples=2000)
    by_bootstrap = (resampled[:, 0] - resampled[:, 1]).std()
    gains = outcome.items[0, :, 0] - outcome.items[1, :, 0]
    assert by_bootstrap.item() == pytest.approx(gains.std().item() / 300**0.5, rel=0.06)
    assert by_halves.item() == pytest.approx(by_bootstrap.item(), rel=0.06)


def test_nine_in_ten_intervals_hold_the_true_gain():
    held = {"halves": 0, "bootstrap": 0}
    for seed in range(120):
        outcome = accuracy([0.75, 0.55], items=300, seed=seed)
        draws = torch.Generator().manual_seed(seed)
        low, high = only(outcome, draws, splits=150).interval()
        held["halves"] += low <= 0.2 <= high
        resampled = selection.bootstrap(outcome, generator=draws, resamples=150)
        low, high = selection.interval(resampled[:, 0] - resampled[:, 1])
        held["bootstrap"] += bool(low <= 0.2 <= high)
    assert 0.82 < held["halves"] / 120 < 0.98
    assert 0.82 < held["bootstrap"] / 120 < 0.98


def test_a_bootstrap_draws_with_replacement_and_alike_for_all_layers(generator):
    outcome = accuracy([0.5, 0.5], items=50)
    twice = Outcome(outcome.items[[0, 0, 1]], share)
    resampled = selection.bootstrap(twice, generator=generator, resamples=400)
    assert resampled.shape == (400, 3)
    assert torch.equal(resampled[:, 0], resampled[:, 1])
    assert not torch.equal(resampled[:, 0], resampled[:, 2])
    assert torch.allclose(resampled.mean(0), twice.score(), atol=0.02)
    ranks = Outcome(normal(2, 50, 2), rank_agreement)
    assert selection.bootstrap(ranks, generator=generator, resamples=5).shape == (5, 2)


def test_an_interval_leaves_as_many_samples_beyond_each_end():
    samples = torch.arange(101.0).double()[:, None].expand(101, 2)
    low, high = selection.interval(samples, 0.9)
    assert low.tolist() == pytest.approx([5, 5])
    assert high.tolist() == pytest.approx([95, 95])


def test_the_generator_decides_the_splits():
    outcome = accuracy([0.5] * 6)
    found = [only(outcome, torch.Generator().manual_seed(seed), splits=30).honest for seed in (1, 1, 2)]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_metric_picks_an_extreme_and_pays_its_regret():
    metric, scores = torch.tensor([3.0, 1.0, 1.0, 5.0]), torch.tensor([0.25, 0.5, 0.75, 0.125])
    assert selection.pick(metric, scores, prefer="low") == selection.Pick(1, 0.5, 0.25)
    assert selection.pick(metric, scores, prefer="high") == selection.Pick(3, 0.125, 0.625)
    assert selection.pick(scores, scores, prefer="high").regret == 0


def test_what_cannot_be_split_is_refused(generator):
    good = accuracy([0.5, 0.5])

    def call(scores, **options):
        return lambda: selection.choose_layers(scores, generator=generator, **options)

    for words, attempt in {
        "by must be 'own' or 'others', got 'mine'": call(alone(good), by="mine"),
        "scores must be over at least 2 text sets, got 1": call(alone(good), by="others"),
        "scores must hold at least 1, got 0": call({}),
        "splits must be at least 1": call(alone(good), splits=0),
        "those of 'nouns' are": call({"nouns": {"a": good, "b": accuracy([0.5, 0.5], items=9)}}),
        "at least 4 items to halve, 'texts' has 3": call(alone(accuracy([0.5, 0.5], items=3))),
        "must all be over the same layers": call({"x": {"a": good}, "y": {"b": accuracy([0.5] * 3)}}),
        r"items \(layers, n, k\)": call(alone(Outcome(torch.ones(9, 1), share))),
        "resamples must be at least 1": lambda: selection.bootstrap(good, generator=generator, resamples=0),
        "level must be between 0 and 1": lambda: selection.interval(torch.ones(3), 1.0),
        "must have one shape": lambda: selection.choose(torch.ones(2, 3), torch.ones(2, 3), torch.ones(3, 3)),
        "metric and scores must be finite": lambda: selection.pick(
            torch.ones(3), torch.ones(4), prefer="low"
        ),
        "prefer must be 'low' or 'high'": lambda: selection.pick(torch.ones(3), torch.ones(3), prefer="max"),
    }.items():
        with pytest.raises(ValueError, match=words):
            attempt()
    with pytest.raises(ValueError, match="one number a layer"):
        selection.pick(torch.tensor([1.0, float("nan")]), torch.ones(2), prefer="low")
