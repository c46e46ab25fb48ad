"""The paper's tasks: their names, how a local file is read, and what a broken or missing one says."""

import csv
import json
import re

import pytest

from oraledu.representations import tasks
from oraledu.representations.tasks import KINDS, TASKS
from tests.representations.files import GOOD, rows_of, write

EACH = pytest.mark.parametrize("task", GOOD)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ORALEDU_DATA", str(tmp_path))
    return tmp_path


def test_there_are_the_papers_32_tasks_in_its_five_kinds():
    counts = {kind: list(TASKS.values()).count(kind) for kind in KINDS}
    assert len(TASKS) == 32
    assert counts == {
        "classification": 10,
        "clustering": 6,
        "pair classification": 3,
        "reranking": 4,
        "similarity": 9,
    }


def test_a_task_has_a_metric_fields_and_files():
    for task in TASKS:
        kind = tasks.kind_of(task)
        assert kind.metric
        assert kind.fields
        assert "jsonl" in kind.formats
        assert kind.splits == (("train", "test") if TASKS[task] == "classification" else ("test",))


@EACH
def test_twenty_rows_that_were_written_are_read(task, folder):
    write(folder, task)
    for split in tasks.kind_of(task).splits:
        expected = [
            {
                name: [str(label) for label in value]
                if name == "labels"
                else str(value)
                if (name, TASKS[task]) == ("label", "classification")
                else value
                for name, value in row.items()
            }
            for row in rows_of(task, split)
        ]
        assert len(expected) == 20
        assert tasks.read(task, split) == expected


@pytest.mark.parametrize("task", [task for task in GOOD if "csv" in tasks.kind_of(task).formats])
def test_csv_says_the_same_as_jsonl(task, folder):
    write(folder, task)
    for split in tasks.kind_of(task).splits:
        before, file = tasks.read(task, split), folder / "mteb" / task / f"{split}.jsonl"
        rows = rows_of(task, split)
        with file.with_suffix(".csv").open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        file.unlink()
        assert tasks.read(task, split) == before


def test_empty_lines_other_fields_and_a_byte_order_mark_do_no_harm(folder):
    write(folder, "STS12")
    file = folder / "mteb" / "STS12" / "test.jsonl"
    before = tasks.read("STS12")
    lines = [json.dumps({**row, "id": 7}) for row in rows_of("STS12")]
    file.write_text("\n\n".join(lines), "utf-8-sig")
    assert tasks.read("STS12") == before


@EACH
def test_a_missing_file_says_what_to_put_where(task, folder):
    for split in tasks.kind_of(task).splits:
        with pytest.raises(FileNotFoundError) as error:
            tasks.read(task, split)
        said = str(error.value)
        for words in (f"{split}.jsonl", f"mteb/{task}", "ORALEDU_DATA", *tasks.kind_of(task).fields):
            assert words in said


def test_without_a_folder_of_the_users_it_says_so_too(monkeypatch):
    monkeypatch.delenv("ORALEDU_DATA")
    with pytest.raises(
        FileNotFoundError, match=r"put test\.jsonl\|csv, in rows of sentence1, .* set ORALEDU_DATA"
    ):
        tasks.read("BIOSSES")
    assert tasks.missing() == list(TASKS)


def test_only_tasks_with_all_their_files_count_as_here(folder):
    write(folder, "STS12")
    write(folder, "EmotionClassification")
    here = set(TASKS) - set(tasks.missing())
    assert here == {"STS12", "EmotionClassification"}
    (folder / "mteb" / "EmotionClassification" / "train.jsonl").unlink()
    assert "EmotionClassification" in tasks.missing()


def test_an_unknown_task_or_split_is_refused():
    with pytest.raises(ValueError, match=r"task must be one of the paper's 32, .*STSBenchmark; got 'STS99'"):
        tasks.read("STS99")
    with pytest.raises(ValueError, match="split of STS12 must be one of test, got 'train'"):
        tasks.read("STS12", "train")


@pytest.mark.parametrize(
    ("task", "change", "words"),
    [
        ("STS12", {"score": None}, "has no 'score'; a row must have sentence1, sentence2, score"),
        ("STS12", {"score": "high"}, "'score' must be a finite number, got 'high'"),
        ("STS12", {"score": float("nan")}, "'score' must be a finite number, got nan"),
        ("STS12", {"score": True}, "'score' must be a finite number, got True"),
        ("STS12", {"sentence2": " "}, "'sentence2' must be a text that is not empty, got ' '"),
        ("STS12", {"sentence1": 3}, "'sentence1' must be a text that is not empty, got 3"),
        ("TwitterURLCorpus", {"label": 2}, "'label' must be 0 or 1, got 2"),
        ("EmotionClassification", {"label": 0.5}, "'label' must be a whole number or a text, got 0.5"),
        ("EmotionClassification", {"label": ""}, "'label' must be a whole number or a text, got ''"),
        ("SciDocsRR", {"positive": "text"}, "'positive' must be a list of texts, got 'text'"),
        ("SciDocsRR", {"negative": [""]}, "'negative' must be a text that is not empty"),
        ("RedditClustering", {"labels": []}, "'labels' must be a list of labels that is not empty"),
        ("RedditClustering", {"labels": ["a"]}, "must have one label a sentence, got 1 labels and"),
    ],
)
def test_a_row_that_does_not_fit_is_named(task, change, words, folder):
    write(folder, task, change)
    with pytest.raises(ValueError, match=re.escape(words)) as error:
        tasks.read(task)
    assert "test.jsonl, line 3" in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"test\.jsonl has no row: put test\.jsonl"),
        (b'{"sentence1": "a"', r"test\.jsonl, line 1, is no JSON"),
        (b'["a", "b", 1]', r"test\.jsonl, line 1, must be an object {...}, got \["),
        (b"\xff\xfe\x00", r"test\.jsonl must be text in UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused(content, words, folder):
    write(folder, "STS12")
    (folder / "mteb" / "STS12" / "test.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        tasks.read("STS12")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("sentence1,sentence2\na,b\n", r"test\.csv, line 2, has no 'score'"),
        ("sentence1,sentence2,score\na,b\n", r"test\.csv, line 2, has no 'score'"),
        ("sentence1,sentence2,score\na,b,1,2\n", r"test\.csv, line 2, has more columns than the header"),
        ('sentence1,sentence2,score\n"a"x,b,1\n', r"test\.csv is no CSV that can be read"),
        ("sentence1,sentence2,score\n", r"test\.csv has no row"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(content, words, folder):
    (folder / "mteb" / "STS12").mkdir(parents=True)
    (folder / "mteb" / "STS12" / "test.csv").write_text(content, "utf-8")
    with pytest.raises(ValueError, match=words):
        tasks.read("STS12")


def test_lists_cannot_be_csv(folder):
    (folder / "mteb" / "SciDocsRR").mkdir(parents=True)
    (folder / "mteb" / "SciDocsRR" / "test.csv").write_text("query,positive,negative\na,b,c\n", "utf-8")
    with pytest.raises(FileNotFoundError, match=r"put test\.jsonl, in rows of query"):
        tasks.read("SciDocsRR")
