"""Probes: they read what is there, find nothing in noise, and give the same answer every time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import v_measure_score

from oraledu.representations import probes
from oraledu.representations.probes.outcome import v_measure
from tests.representations.samples import normal

NAMES = ("bird", "fish", "mammal")


def classes(count, seed=0):
    return torch.randint(3, (count,), generator=torch.Generator().manual_seed(seed))


def animals(count=60, width=8, separation=3.0, seed=0):
    """States of three classes, apart in the first three coordinates, and their labels."""
    numbers = classes(count, seed)
    states = normal(count, width, seed=seed + 1)
    states[:, :3] += separation * torch.nn.functional.one_hot(numbers, 3)
    return states, [NAMES[number] for number in numbers]


def task(**options):
    states, labels = animals(120, **options)
    return states[:60], labels[:60], states[60:], labels[60:]


def few_shot(*data, **options):
    return probes.few_shot(*data, generator=torch.Generator().manual_seed(3), **options)


def clustering(states, labels, **options):
    return probes.clustering(states, labels, generator=torch.Generator().manual_seed(3), **options)


CLASSIFIERS = pytest.mark.parametrize("probe", [probes.linear, few_shot, probes.nearest_neighbours])


@CLASSIFIERS
def test_a_classifier_reads_classes_that_are_there_and_finds_none_in_noise(probe):
    assert probe(*task(separation=8)).score() > 0.9
    assert abs(probe(*task(separation=0)).score() - 1 / 3) < 0.2


@CLASSIFIERS
def test_an_outcome_says_which_items_are_right(probe):
    train, train_labels, test, test_labels = task(separation=8)
    spoilt = ["fish" if label == "bird" else label for label in test_labels]
    right = probe(train, train_labels, test, spoilt).items[:, 0]
    birds = torch.tensor([label == "bird" for label in test_labels])
    assert right[birds].mean() < 0.1
    assert right[~birds].mean() > 0.9


@CLASSIFIERS
def test_a_stack_of_layers_is_its_layers_one_by_one(probe):
    train, train_labels, test, test_labels = task()
    layers, tests = (
        torch.stack([train, -2 * train, train[:, [3] * 8]]),
        torch.stack([test, -2 * test, test[:, [3] * 8]]),
    )
    outcome = probe(layers, train_labels, tests, test_labels)
    assert outcome.items.shape == (3, 60, 1)
    for layer in range(3):
        alone = probe(layers[layer], train_labels, tests[layer], test_labels)
        assert torch.equal(outcome.items[layer], alone.items)
    assert outcome.score()[0] > outcome.score()[2]


@CLASSIFIERS
def test_names_and_numbers_are_read_alike(probe):
    train, train_labels, test, test_labels = task(separation=1)
    named = probe(train, train_labels, test, test_labels)
    numbers = [
        torch.tensor([NAMES.index(label) for label in labels]) for labels in (train_labels, test_labels)
    ]
    assert torch.equal(probe(train, numbers[0], test, numbers[1]).items, named.items)
    assert torch.equal(probe(train, numbers[0].numpy(), test, numbers[1].tolist()).items, named.items)


def test_the_linear_probe_standardises():
    train, train_labels, test, test_labels = task()
    scale = torch.logspace(-3, 3, 8, dtype=torch.float64)
    before = probes.linear(train, train_labels, test, test_labels)
    assert torch.equal(
        probes.linear(train * scale + 5, train_labels, test * scale + 5, test_labels).items, before.items
    )


def test_a_stronger_penalty_leaves_less_to_read():
    data = task(separation=1.5, width=60)
    assert probes.linear(*data, strength=1e-7).score() <= probes.linear(*data).score()
    with pytest.raises(ValueError, match="strength must be above 0"):
        probes.linear(*data, strength=0)


def test_few_shot_averages_over_draws_of_so_many_examples_a_class(monkeypatch):
    from sklearn.linear_model import LogisticRegression

    seen, fit = [], LogisticRegression.fit
    monkeypatch.setattr(LogisticRegression, "fit", lambda self, x, y: seen.append(y) or fit(self, x, y))
    outcome = few_shot(*task(separation=1), shots=5, bootstraps=4)
    assert [sorted(y.tolist()) for y in seen] == [[0] * 5 + [1] * 5 + [2] * 5] * 4
    assert set((4 * outcome.items).flatten().tolist()) <= {0, 1, 2, 3, 4}
    assert len(set(outcome.items.flatten().tolist())) > 2


def test_few_shot_gives_all_layers_the_same_draws():
    train, train_labels, test, test_labels = task(separation=1)
    twice = few_shot(torch.stack([train, train]), train_labels, torch.stack([test, test]), test_labels)
    assert torch.equal(twice.items[0], twice.items[1])
    other = probes.few_shot(
        train, train_labels, test, test_labels, generator=torch.Generator().manual_seed(4)
    )
    assert not torch.equal(other.items, twice.items[0])


def test_the_nearest_neighbours_are_those_of_the_largest_cosine():
    train, train_labels, test, test_labels = task(separation=1)
    unit_train, unit_test = (z / z.norm(dim=1, keepdim=True) for z in (train, test))
    for state, label, right in zip(
        unit_test,
        test_labels,
        probes.nearest_neighbours(train, train_labels, test, test_labels).items,
        strict=True,
    ):
        votes = [train_labels[i] for i in (unit_train @ state).topk(5).indices]
        assert right == (label == max(sorted(set(votes)), key=votes.count))
    lengths = normal(60, 1).square() + 0.1
    scaled = probes.nearest_neighbours(train * lengths, train_labels, test, test_labels)
    assert torch.equal(scaled.items, probes.nearest_neighbours(train, train_labels, test, test_labels).items)


def test_a_tied_vote_goes_to_the_label_that_sorts_first():
    train = torch.tensor([[1.0, 0.0], [1.0, 0.1]])
    for labels in (["a", "b"], ["b", "a"]):
        outcome = probes.nearest_neighbours(train, labels, train, ["a", "a"], neighbours=2)
        assert outcome.score() == 1


def test_halves_share_out_each_class_and_all_items(generator):
    labels = animals(61)[1]
    first, second = probes.halves(labels, generator=generator)
    assert sorted(first.tolist() + second.tolist()) == list(range(61))
    assert first.tolist() == sorted(first.tolist())
    for name in NAMES:
        in_first, in_second = (sum(labels[i] == name for i in half) for half in (first, second))
        assert 0 <= in_second - in_first <= 1
    other, _ = probes.halves(labels, generator=generator)
    assert not torch.equal(first, other)


def test_clusters_find_classes_that_are_there_and_none_in_noise():
    assert clustering(*animals(separation=9)).score() > 0.95
    assert clustering(*animals(separation=0)).score() < 0.2


def test_a_stack_of_layers_is_clustered_layer_by_layer_from_the_same_seeds():
    states, labels = animals(separation=1)
    outcome = clustering(torch.stack([states, 2 * states, states.roll(1, dims=1)]), labels, repeats=4)
    assert outcome.items.shape == (3, 60, 5)
    assert torch.equal(outcome.items[0], outcome.items[1])
    assert torch.equal(outcome.items[2], clustering(states.roll(1, dims=1), labels, repeats=4).items)


def test_identical_states_have_one_cluster_and_no_information():
    assert clustering(torch.ones(30, 4), animals(30)[1]).score() == 0


@settings(max_examples=30)
@given(
    count=st.integers(1, 20), kinds=st.integers(1, 4), clusters=st.integers(1, 4), seed=st.integers(0, 1000)
)
def test_the_v_measure_is_that_of_scikit_learn(count, kinds, clusters, seed):
    draw = torch.Generator().manual_seed(seed)
    truth = torch.randint(kinds, (count,), generator=draw)
    found = torch.randint(clusters, (2, 3, count, 2), generator=draw)
    items = torch.cat([truth.expand(2, 3, count)[..., None], found], dim=-1).double()
    scores = v_measure(items)
    assert scores.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            both = [v_measure_score(truth, found[i, j, :, repeat]) for repeat in range(2)]
            assert scores[i, j].item() == pytest.approx(sum(both) / 2, abs=1e-9)


def test_similarity_is_the_rank_correlation_of_cosine_and_gold():
    a = normal(2, 40, 6)
    gold = torch.linspace(-0.95, 0.95, 40).double()
    away = normal(2, 40, 6, seed=1)
    away -= (away * a).sum(-1, keepdim=True) / (a * a).sum(-1, keepdim=True) * a
    unit = [z / z.norm(dim=-1, keepdim=True) for z in (a, away)]
    b = 7 * (gold[:, None] * unit[0] + (1 - gold[:, None] ** 2).sqrt() * unit[1])
    outcome = probes.similarity(a, b, gold**3)
    assert torch.allclose(outcome.items[..., 0], gold.expand(2, 40))
    assert outcome.score().tolist() == pytest.approx([1, 1])
    assert probes.similarity(a, -b, gold).score().tolist() == pytest.approx([-1, -1])
    assert probes.similarity(a, a, gold).score().abs().max() < 0.5
    assert probes.similarity(0 * a, b, gold).score().tolist() == [0, 0]


def test_retrieval_is_the_mean_of_one_over_the_rank_of_the_answer():
    documents = torch.eye(4).double()
    queries = torch.tensor(
        [[9.0, 1, 0, 0], [3, 2, 1, 0], [3, 2, 1, 0], [0.4, 0.3, 0.2, 0.1]], dtype=torch.float64
    )
    outcome = probes.retrieval(queries, documents)
    assert outcome.items[:, 0].tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert outcome.score().item() == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert probes.retrieval(queries, documents, at=3).items[:, 0].tolist() == pytest.approx(
        [1, 1 / 2, 1 / 3, 0]
    )
    lengths = torch.tensor([1.0, 100.0, 10.0, 0.1]).double()[:, None]
    assert torch.equal(probes.retrieval(queries * lengths, documents * lengths).items, outcome.items)


def test_retrieval_gives_nothing_for_states_that_are_all_alike():
    assert probes.retrieval(torch.ones(2, 50, 3), torch.ones(2, 50, 3)).score().tolist() == [0, 0]
    assert probes.retrieval(torch.zeros(50, 3), torch.zeros(50, 3)).score() == 0


def test_a_score_over_a_part_is_that_of_the_part_alone():
    part = torch.tensor([5, 3, 3, 40, 11, 7])
    states, labels = animals(separation=1)
    gold = normal(60, seed=7)
    outcome = probes.similarity(states, normal(60, 8, seed=4), gold)
    alone = probes.similarity(states[part], normal(60, 8, seed=4)[part], gold[part])
    assert torch.isclose(outcome.score(part), alone.score())
    accuracy = probes.nearest_neighbours(*task(separation=1))
    assert accuracy.score(part) == accuracy.items[part].mean()
    clusters = clustering(states, labels)
    expected = [
        v_measure_score(clusters.items[part, 0], clusters.items[part, repeat]) for repeat in (1, 2, 3)
    ]
    assert clusters.score(part).item() == pytest.approx(sum(expected) / 3)
    assert clusters.count == 60


class Salted(str):
    """A string with the hash of another run of Python, so that sets of it have another order."""

    salt = 0
    __slots__ = ()

    def __hash__(self):
        return hash((Salted.salt, str(self)))

    def __eq__(self, other):
        return str(self) == str(other)


def test_the_order_of_sets_which_changes_from_run_to_run_changes_no_answer(monkeypatch):
    states, labels = animals(120, separation=1)
    found, orders = [], set()
    for salt in range(6):
        monkeypatch.setattr(Salted, "salt", salt)
        salted = [Salted(label) for label in labels]
        orders.add(tuple(set(salted)))
        data = states[:60], salted[:60], states[60:], salted[60:]
        answers = [
            probes.nearest_neighbours(*data, neighbours=2).items,
            few_shot(*data, bootstraps=2).items,
            clustering(states, salted).items,
            *probes.halves(salted, generator=torch.Generator().manual_seed(0)),
        ]
        found.append([answer.tolist() for answer in answers])
    assert len(orders) > 1, "the test itself: some order differs"
    assert all(each == found[0] for each in found)


@CLASSIFIERS
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({1: set(NAMES)}, TypeError, "labels must be in the order of the rows, got a set"),
        ({3: ["worm"] * 60}, ValueError, "test_labels must be among the training labels, but 'worm' is not"),
        ({3: ["bird"] * 59}, ValueError, "test_labels must be 60, one a row, got 59"),
        ({2: torch.ones(60, 5)}, ValueError, "train and test must have the same layers and coordinates"),
        ({2: torch.ones(2, 60, 8)}, ValueError, "train and test must have the same layers and coordinates"),
        ({0: torch.full((60, 8), float("nan"))}, ValueError, "train must be finite"),
        ({0: torch.ones(60, 8).half()}, TypeError, "train must be float32 or float64"),
        ({1: ["bird"] * 60, 3: ["bird"] * 60}, ValueError, "train_labels must hold at least 2 classes"),
    ],
)
def test_what_does_not_fit_is_refused(probe, change, error, words):
    data = list(task())
    for place, value in change.items():
        data[place] = value
    with pytest.raises(error, match=words):
        probe(*data)


def test_probes_say_which_of_their_settings_is_out_of_range(generator):
    data = task()
    with pytest.raises(ValueError, match="neighbours must be from 1 to 60"):
        probes.nearest_neighbours(*data, neighbours=61)
    with pytest.raises(ValueError, match="shots must be at most"):
        few_shot(*data, shots=50)
    with pytest.raises(ValueError, match="shots and bootstraps must be at least 1"):
        few_shot(*data, bootstraps=0)
    with pytest.raises(ValueError, match="repeats must be at least 1"):
        clustering(*animals(), repeats=0)
    with pytest.raises(ValueError, match="labels must be 60, one a row, got 3"):
        clustering(animals()[0], NAMES)
    with pytest.raises(ValueError, match="at least 2 items of each class, but 'fish' has one"):
        probes.halves(["bird", "bird", "fish"], generator=generator)
    with pytest.raises(ValueError, match="at must be at least 1"):
        probes.retrieval(torch.eye(3), torch.eye(3), at=0)
    with pytest.raises(ValueError, match="queries and documents must have one shape"):
        probes.retrieval(torch.eye(3), torch.ones(4, 3))
    with pytest.raises(ValueError, match="a and b must have one shape"):
        probes.similarity(torch.eye(3), torch.ones(4, 3), torch.ones(3))
    for gold in (torch.ones(4), torch.full((3,), float("nan"))):
        with pytest.raises(ValueError, match="gold must be 3 finite numbers"):
            probes.similarity(torch.eye(3), torch.eye(3), gold)
