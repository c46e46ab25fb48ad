"""The protocols of MTEB: each against its definition, and on a local file of 20 rows."""

import pytest
import torch
from scipy.stats import spearmanr

from oraledu.representations import protocols
from oraledu.representations.tasks import TASKS
from tests.representations.files import GOOD, embed, write
from tests.representations.samples import normal

EACH = pytest.mark.parametrize("task", GOOD)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ORALEDU_DATA", str(tmp_path))
    return tmp_path


def scored(task, **options):
    return protocols.score(task, embed, generator=torch.Generator().manual_seed(0), **options)


def reader(table):
    """Return an `embed` that looks texts up: (layers, texts, D) by the text's number."""
    return lambda texts: table[:, [int(text) for text in texts]]


@EACH
def test_a_layer_that_tells_words_apart_scores_all_and_one_that_does_not_little(task, folder):
    write(folder, task)
    blind, clear = scored(task).tolist()
    assert clear == pytest.approx(1)
    assert blind < 0.8


@EACH
def test_a_generator_decides_the_score(task, folder):
    write(folder, task)
    assert torch.equal(scored(task), scored(task))
    assert scored(task).dtype == torch.float64


def test_fewer_rows_can_be_taken(folder):
    write(folder, "STS12")
    asked = []

    def counting(texts):
        asked.append(len(texts))
        return embed(texts)

    protocols.score("STS12", counting, generator=torch.Generator(), rows=6)
    assert asked == [6, 6]


def test_average_precision_of_pairs_is_that_of_the_ranking_by_cosine():
    # Cosines with text 0: 0.9, 0.7, 0.5, 0.3, of labels 1, 0, 1, 0: precision 1 at the first, 2/3 at the second.
    cosines = torch.tensor([1, 0.9, 0.7, 0.5, 0.3], dtype=torch.float64)
    table = torch.stack([cosines, (1 - cosines**2).sqrt()], dim=-1)[None]
    rows = [
        {"sentence1": "0", "sentence2": str(place), "label": place % 2} for place in (3, 1, 4, 2)
    ]  # in any order
    lengths = torch.tensor([3.0, 1, 9, 0.1, 5]).double()[:, None]
    for states in (table, table * lengths):
        assert protocols.pair_classification(rows, reader(states)).tolist() == pytest.approx(
            [(1 + 2 / 3) / 2]
        )


def test_mean_average_precision_ranks_the_documents_of_each_query_alone():
    # Query 0 has documents at cosines 0.9 (negative), 0.7 and 0.3 (positive); query 5 has its positive first.
    cosines = torch.tensor([1, 0.9, 0.7, 0.3], dtype=torch.float64)
    table = torch.zeros(1, 8, 4, dtype=torch.float64)
    table[0, :4, :2] = torch.stack([cosines, (1 - cosines**2).sqrt()], dim=-1)
    table[0, 5], table[0, 6], table[0, 7] = torch.eye(4)[2], torch.eye(4)[2], torch.eye(4)[3]
    rows = [
        {"query": "0", "positive": ["2", "3"], "negative": ["1"]},
        {"query": "5", "positive": ["6"], "negative": ["7"]},
    ]
    expected = ((1 / 2 + 2 / 3) / 2 + 1) / 2
    assert protocols.reranking(rows, reader(table)).tolist() == pytest.approx([expected])
    useless = [
        {"query": "0", "positive": [], "negative": ["1"]},
        {"query": "0", "positive": ["1"], "negative": []},
    ]
    assert protocols.reranking([*rows, *useless], reader(table)).tolist() == pytest.approx([expected])


def test_similarity_is_the_rank_correlation_of_cosines():
    table = normal(3, 40, 6)
    rows = [{"sentence1": str(n), "sentence2": str(n + 20), "score": (7 * n) % 20} for n in range(20)]
    found = protocols.similarity(rows, reader(table))
    for layer in range(3):
        cosines = torch.cosine_similarity(table[layer, :20], table[layer, 20:], dim=-1)
        assert found[layer].item() == pytest.approx(
            spearmanr(cosines, [row["score"] for row in rows]).statistic
        )


def test_clustering_is_the_mean_over_sets():
    apart = torch.eye(2).double().repeat(4, 1)[None] * torch.tensor([5.0])
    table = torch.cat([apart, torch.zeros_like(apart)], dim=1) + 1e-3 * normal(1, 16, 2)
    rows = [
        {"sentences": [str(n) for n in range(8)], "labels": ["a", "b"] * 4},
        {"sentences": [str(n) for n in range(8)], "labels": ["a"] * 8},
    ]

    def each(part):
        generator = torch.Generator().manual_seed(1)
        return protocols.clustering(part, reader(table), generator=generator).item()

    assert each(rows[:1]) == pytest.approx(1)
    assert each(rows) == pytest.approx((1 + each(rows[1:])) / 2)


def test_classification_learns_from_the_train_split_alone(folder):
    write(folder, "EmotionClassification")
    file = folder / "mteb" / "EmotionClassification" / "train.jsonl"
    file.write_text(file.read_text().replace("cat", "wolf").replace("dog", "cat").replace("wolf", "dog"))
    assert scored("EmotionClassification")[1].item() == pytest.approx(0)


def test_what_cannot_be_scored_is_refused(folder):
    rows = [{"sentence1": "0", "sentence2": "1", "label": 1}] * 3
    with pytest.raises(ValueError, match="pairs must be of both labels, 0 and 1"):
        protocols.pair_classification(rows, reader(normal(1, 2, 3)))
    with pytest.raises(
        ValueError, match="a query must have a positive and a negative document, and none has"
    ):
        protocols.reranking([{"query": "0", "positive": [], "negative": ["1"]}], reader(normal(1, 2, 3)))
    with pytest.raises(ValueError, match="task must be one of the paper's 32"):
        scored("STS99")
    with pytest.raises(ValueError, match="rows must be at least 1, got 0"):
        scored("STS12", rows=0)
    with pytest.raises(FileNotFoundError, match="put test"):
        scored("STS12")
    write(folder, "EmotionClassification")
    with pytest.raises(ValueError, match="shots must be at most"):
        scored("EmotionClassification", rows=4)


def test_every_kind_has_a_protocol():
    assert set(TASKS.values()) == {TASKS[task] for task in GOOD}
