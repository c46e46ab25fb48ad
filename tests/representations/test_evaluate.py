"""The table of scores: what it holds, and the seeds."""

import pytest
import torch

from oraledu.data.layer_states import LayerStates
from oraledu.data.texts import TextSets
from oraledu.representations import evaluate, probes
from oraledu.representations.gram import gram

LAYERS, WIDTH, CLASSES, EACH = 3, 12, 3, 20


@pytest.fixture
def texts():
    """Texts of three classes; only their labels and counts matter."""
    labels = tuple(name for name in "abc" for _ in range(EACH))
    count = len(labels)
    kinds = ("noun", "verb", "pairs_a", "pairs_b", "examples", "glosses")
    return TextSets(
        texts={kind: tuple(f"{kind} {place}" for place in range(count)) for kind in kinds},
        labels={"noun": labels, "verb": labels},
        classes={"noun": ("a", "b", "c"), "verb": ("a", "b", "c")},
        similarity=torch.linspace(0, 1, count, dtype=torch.float64),
        prompts=("one", "two", "three"),
    )


@pytest.fixture
def states(generator, texts):
    """Classes come apart layer by layer; a massive first token stands in the second layer of every prompt."""
    count = CLASSES * EACH
    centres = torch.eye(CLASSES, WIDTH).repeat_interleave(EACH, 0)
    strength = torch.tensor([0.0, 1.0, 5.0])[:, None, None]
    noisy = {
        kind: strength * centres + torch.randn(LAYERS, count, WIDTH, generator=generator)
        for kind in texts.texts
    }
    tokens = [torch.randn(LAYERS, length, WIDTH, generator=generator) for length in (6, 7, 9)]
    for each in tokens:
        each[1, 0] *= 1000
    return LayerStates(
        name="toy",
        prompts=texts.prompts,
        grams=tuple(gram(each) for each in tokens),
        pooled=noisy,
        with_first={kind: torch.ones_like(each) + 1e-3 * each for kind, each in noisy.items()},
        views=torch.randn(LAYERS, 3, 4, WIDTH, generator=generator),
    )


def test_eight_scores_see_classes_come_apart(states, texts):
    scores = evaluate.score_table(states, texts)
    named = {(kind, name): outcome for kind, of in scores.items() for name, outcome in of.items()}
    assert len(named) == 8
    for (kind, name), outcome in named.items():
        assert outcome.score().shape == (LAYERS,), (kind, name)
    for name in ("linear probe", "few-shot", "nearest neighbours"):
        values = named["noun", name].score()
        assert values[0] < 0.6 < 0.95 < values[-1]
    assert named["noun", "clustering"].score()[-1] > 0.9


def test_scores_of_a_text_set_are_over_the_same_items(states, texts):
    scores = evaluate.score_table(states, texts)
    train, test = probes.halves(texts.labels["noun"], generator=torch.Generator().manual_seed(evaluate.SEED))
    assert {outcome.count for outcome in scores["noun"].values()} == {len(test)}
    clusters = scores["noun"]["clustering"].items[0, :, 0].tolist()
    assert clusters == ["abc".index(texts.labels["noun"][place]) for place in test.tolist()]
    assert not set(train.tolist()) & set(test.tolist())


def test_parts_of_the_table_are_the_table_in_its_order(monkeypatch, states, texts):
    monkeypatch.setattr(evaluate, "layer_states", lambda name: states)
    monkeypatch.setattr(evaluate, "wordnet", lambda: texts)
    whole = evaluate.score_table(states, texts)
    joined = evaluate.together(*(evaluate.embedded_scores("toy", part) for part in evaluate.PARTS))
    assert [list(of) for of in joined.values()] == [list(of) for of in whole.values()]
    assert list(whole["noun"]) == ["linear probe", "few-shot", "nearest neighbours", "clustering"]
    for kind, of in whole.items():
        for name, outcome in of.items():
            assert torch.equal(joined[kind][name].items, outcome.items), (kind, name)
    with pytest.raises(ValueError, match="part must be one of others, clusters"):
        evaluate.embedded_scores("toy", "all")


def test_the_same_states_score_the_same(states, texts):
    once, again = (evaluate.score_table(states, texts)["verb"]["linear probe"] for _ in range(2))
    assert torch.equal(once.items, again.items)


def test_embedded_scores_take_a_name_that_there_is():
    with pytest.raises(ValueError, match="name must be one of"):
        evaluate.embedded_scores("gpt-5", "others")
