"""Metrics and scores by layer of the vision transformers, trained from several seeds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from oraledu.data.embedded import CURE, FOLDER, read_checked

FILE = "representations_vision_study.json"
#: Decimals that are kept.
DECIMALS = 4


@dataclass(frozen=True)
class Study:
    """What came out for each seed.

    Attributes:
        metrics: By network, such as ``"vit-autoregressive"``, and by metric: (seeds, layers).
        scores: By network and by probe: (seeds, layers).
        gains: By network and by probe: (seeds, 3), the gain over the last layer of one chosen on half of the test
            images, on the other half: its mean over splits, and the bounds of 90 % of them.
        losses: By network: (seeds, parts) means over equal parts of the training, from first to last.
        recipe: The settings (``"run"``), and the versions of ``"torch"`` and ``"numpy"``.
    """

    metrics: Mapping[str, Mapping[str, Tensor]]
    scores: Mapping[str, Mapping[str, Tensor]]
    gains: Mapping[str, Mapping[str, Tensor]]
    losses: Mapping[str, Tensor]
    recipe: Mapping[str, Any]


def load(folder: Path = FOLDER) -> Study:
    """Load the embedded study; errors are those of `embedded.read_checked`."""
    content = read_checked(FILE, folder)
    try:
        study = json.loads(content)
        return Study(
            _tensors(study["metrics"]),
            _tensors(study["scores"]),
            _tensors(study["gains"]),
            {name: torch.tensor(rows) for name, rows in study["losses"].items()},
            study["recipe"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / FILE} does not fit this version ({error}): {CURE}") from error


def pack(study: Study) -> bytes:
    """Return the content of the study's file; the same study gives the same bytes."""
    content = {
        "metrics": _lists(study.metrics),
        "scores": _lists(study.scores),
        "gains": _lists(study.gains),
        "losses": {name: _rounded(rows) for name, rows in study.losses.items()},
        "recipe": study.recipe,
    }
    return (json.dumps(content, sort_keys=True, indent=1) + "\n").encode()


def _tensors(tables: Mapping[str, Mapping[str, list]]) -> dict[str, dict[str, Tensor]]:
    return {
        name: {curve: torch.tensor(rows) for curve, rows in table.items()} for name, table in tables.items()
    }


def _lists(tables: Mapping[str, Mapping[str, Tensor]]) -> dict[str, dict[str, list]]:
    return {name: {curve: _rounded(rows) for curve, rows in table.items()} for name, table in tables.items()}


def _rounded(rows: Tensor) -> list[list[float]]:
    return [[round(value, DECIMALS) for value in row] for row in rows.tolist()]
