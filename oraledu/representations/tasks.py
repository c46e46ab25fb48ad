"""The paper's 32 tasks of MTEB: their names and kinds, and how to read their files (paper, appendix).

They are the English tasks of the benchmark without retrieval and without clustering of paragraphs. Their texts
do not come with the course. A task is a folder ``mteb/NAME`` below the folder that the environment variable
``ORALEDU_DATA`` names, with one file a split, in JSON Lines or, where no field is a list, as CSV with a header.
`oraledu.representations.protocols` scores them.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oraledu.data.complete import VARIABLE, user_folder

FOLDER = "mteb"
Row = dict[str, Any]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value


def _label(value: object) -> str | int:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise ValueError("a whole number or a text")
    return value


def _binary(value: object) -> int:
    if str(value) not in ("0", "1"):
        raise ValueError("0 or 1")
    return int(str(value))


def _number(value: object) -> float:
    try:
        number = float(value) if isinstance(value, (str, int, float)) else math.nan
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError("a finite number")
    return number


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("a list of texts")
    return [_text(each) for each in value]


def _labels(value: object) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of labels that is not empty")
    return [str(_label(each)) for each in value]


@dataclass(frozen=True)
class Kind:
    """What tasks of one kind share.

    Attributes:
        metric: What the score is.
        fields: The fields of a row, each with the function that checks and converts its value.
        splits: The files.
        formats: Their endings.
    """

    metric: str
    fields: dict[str, Callable[[object], Any]]
    splits: tuple[str, ...] = ("test",)
    formats: tuple[str, ...] = ("jsonl", "csv")


_PAIR: dict[str, Callable[[object], Any]] = {"sentence1": _text, "sentence2": _text}
KINDS = {
    "classification": Kind(
        "accuracy of logistic regressions on 8 examples a class, mean of 10 draws",
        {"text": _text, "label": lambda value: str(_label(value))},
        splits=("train", "test"),
    ),
    "clustering": Kind(
        "V-measure of mini-batch k-means, mean over the rows, each of which is a set to cluster",
        {"sentences": _texts, "labels": _labels},
        formats=("jsonl",),
    ),
    "pair classification": Kind("average precision of the cosine", {**_PAIR, "label": _binary}),
    "reranking": Kind(
        "mean average precision of the cosine with the query",
        {"query": _text, "positive": _texts, "negative": _texts},
        formats=("jsonl",),
    ),
    "similarity": Kind("Spearman's correlation of the cosine with the score", {**_PAIR, "score": _number}),
}

#: The kind of each of the 32 tasks, by name.
TASKS: dict[str, str] = {
    name: kind
    for kind, names in {
        "pair classification": "SprintDuplicateQuestions TwitterSemEval2015 TwitterURLCorpus",
        "classification": "AmazonCounterfactualClassification AmazonReviewsClassification Banking77Classification "
        "EmotionClassification MTOPDomainClassification MTOPIntentClassification MassiveIntentClassification "
        "MassiveScenarioClassification ToxicConversationsClassification TweetSentimentExtractionClassification",
        "clustering": "ArxivClusteringS2S BiorxivClusteringS2S MedrxivClusteringS2S RedditClustering "
        "StackExchangeClustering TwentyNewsgroupsClustering",
        "reranking": "AskUbuntuDupQuestions MindSmallReranking SciDocsRR StackOverflowDupQuestions",
        "similarity": "BIOSSES SICK-R STS12 STS13 STS14 STS15 STS16 STS17 STSBenchmark",
    }.items()
    for name in names.split()
}


def kind_of(task: str) -> Kind:
    """Return the kind of a task.

    Raises:
        ValueError: If the task is none of the 32.
    """
    if task not in TASKS:
        raise ValueError(f"task must be one of the paper's 32, {', '.join(TASKS)}; got {task!r}")
    return KINDS[TASKS[task]]


def read(task: str, split: str = "test") -> list[Row]:
    """Read the rows of a task from the user's folder, all of them checked.

    Args:
        task: Its name in MTEB, such as ``"STSBenchmark"``.
        split: ``"test"``, or for a classification ``"train"``.

    Returns:
        A dictionary for each row, with the fields of its kind; labels of classes as text, others as numbers.

    Raises:
        ValueError: If the task or split is unknown, or a row does not have what it must.
        FileNotFoundError: If its file is missing; it says what to put where.
    """
    kind = kind_of(task)
    if split not in kind.splits:
        raise ValueError(f"split of {task} must be one of {', '.join(kind.splits)}, got {split!r}")
    path = _find(task, split)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [
                _row(kind, *each, path) for each in (_csv if path.suffix == ".csv" else _jsonl)(file, path)
            ]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be text in UTF-8: {error}") from error
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV that can be read: {error}") from error
    if not rows:
        raise ValueError(f"{path} has no row: {_wanted(task)}")
    return rows


def files(task: str) -> list[Path]:
    """Return the files of a task that are in the user's folder."""
    return [path for split in kind_of(task).splits if (path := _path(task, split)) is not None]


def missing() -> list[str]:
    """Return the names of the tasks whose files are not all in the user's folder, in the order of `TASKS`."""
    return [task for task in TASKS if any(_path(task, split) is None for split in kind_of(task).splits)]


def _path(task: str, split: str) -> Path | None:
    base = user_folder()
    paths = [base / FOLDER / task / f"{split}.{ending}" for ending in kind_of(task).formats] if base else []
    return next((path for path in paths if path.is_file()), None)


def _find(task: str, split: str) -> Path:
    if (path := _path(task, split)) is None:
        raise FileNotFoundError(f"the {split} split of {task} is not here: {_wanted(task)}")
    return path


def _wanted(task: str) -> str:
    kind = kind_of(task)
    files = " and ".join(f"{split}.{'|'.join(kind.formats)}" for split in kind.splits)
    return (
        f"put {files}, in rows of {', '.join(kind.fields)}, into a folder {FOLDER}/{task}, and set {VARIABLE} "
        f"to the folder that holds {FOLDER}"
    )


def _jsonl(file: Any, path: Path) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}, is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise ValueError(f"{path}, line {number}, must be an object {{...}}, got {line.strip()[:40]}")
        yield number, row


def _csv(file: Any, path: Path) -> Iterator[tuple[int, Row]]:
    reader = csv.DictReader(file, strict=True)
    for row in reader:
        if None in row:
            raise ValueError(f"{path}, line {reader.line_num}, has more columns than the header")
        yield reader.line_num, row


def _row(kind: Kind, number: int, row: Row, path: Path) -> Row:
    """Return the fields that a row must have, converted."""
    found = {}
    for name, convert in kind.fields.items():
        if row.get(name) is None:
            raise ValueError(
                f"{path}, line {number}, has no {name!r}; a row must have {', '.join(kind.fields)}"
            )
        try:
            found[name] = convert(row[name])
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {name!r} must be {error}, got {row[name]!r}") from error
    if "labels" in found and len(found["labels"]) != len(found["sentences"]):
        raise ValueError(
            f"{path}, line {number}, must have one label a sentence, got {len(found['labels'])} labels and "
            f"{len(found['sentences'])} sentences"
        )
    return found
