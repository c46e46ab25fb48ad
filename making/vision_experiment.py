"""The experiment with the vision transformers: train each from several seeds, and measure every layer."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from oraledu import data
from oraledu.keep import NOWHERE, Keep
from oraledu.representations.probes import Outcome
from oraledu.representations.selection import choose_layers
from oraledu.representations.settings import VisionRun
from oraledu.representations.vision.curves import dataset_curves, probe_outcomes, token_curves
from oraledu.representations.vision.distort import views
from oraledu.representations.vision.network import Objective, VisionTransformer
from oraledu.representations.vision.recipe import images, learn
from oraledu.representations.vision.study import Study
from oraledu.representations.vision.training import pooled_states, token_states

#: The seed of the views, which are the same for every network.
VIEW_SEED = 77
#: The seed of few-shot draws and clusterings.
PROBE_SEED = 78
#: Parts of the training over which losses are averaged.
PARTS = 50
#: How often test images are halved for an honest choice of a layer.
SPLITS = 1000


@dataclass(frozen=True, eq=False)
class States:
    """The states of a network.

    Attributes:
        tokens: (layers, images, T, D), the start token first.
        pooled: "fit" and "test", (layers, n, D) mean patches.
        views: (layers, images, views, D) mean patches.
    """

    tokens: Tensor
    pooled: dict[str, Tensor]
    views: Tensor


@dataclass(frozen=True, eq=False)
class Result:
    """One trained network: its name, its seed, its states and labels of the probes' images, and its losses."""

    name: str
    seed: int
    states: States
    labels: dict[str, Tensor]
    losses: Tensor


def conduct(run: VisionRun, *, device: str = "cpu", keep: Keep = NOWHERE) -> Iterator[Result]:
    """Train the networks of a run, one after the other, each objective from each seed.

    Raises:
        FileNotFoundError: If the run takes the complete set, and it is not there; it says what to put where.
    """
    sets = images(run, device)
    labels = {part: sets[part].labels.cpu() for part in ("fit", "test")}
    for objective in get_args(Objective):
        for seed in run.seeds:
            generator = torch.Generator().manual_seed(seed)
            mine = keep.part(f"{objective} {seed}")
            network, losses = learn(run, objective, sets["train"], generator, mine)
            yield Result(f"vit-{objective}", seed, extract(run, network, sets), labels, losses)


def extract(run: VisionRun, network: VisionTransformer, sets: dict[str, data.Images]) -> States:
    """Return the states of a network on the images of the probes and on views of some."""
    test = sets["test"].pixels
    generator = torch.Generator().manual_seed(VIEW_SEED)
    seen = views(test[: run.viewed], run.views, generator=generator)  # (views, images, 1, S, S)
    return States(
        tokens=token_states(network, test[: run.tokens]).transpose(0, 1),
        pooled={part: pooled_states(network, sets[part].pixels) for part in ("fit", "test")},
        views=torch.stack([pooled_states(network, each) for each in seen], dim=2),
    )


def summarise(run: VisionRun, results: Iterable[Result]) -> Study:
    """Measure networks as they come, and keep their curves."""
    metrics: dict[str, dict[str, list[Tensor]]] = {}
    scores: dict[str, dict[str, list[Tensor]]] = {}
    gains: dict[str, dict[str, list[Tensor]]] = {}
    losses: dict[str, list[Tensor]] = {}
    for result in results:
        outcomes = probe(result)
        scored = {name: outcome.score() for name, outcome in outcomes.items()}
        found_in = (metrics, measure(result.states)), (scores, scored), (gains, honest_gains(outcomes))
        for tables, found in found_in:
            table = tables.setdefault(result.name, {})
            for curve, values in found.items():
                table.setdefault(curve, []).append(values)
        parts = torch.tensor_split(result.losses, min(PARTS, len(result.losses)))
        losses.setdefault(result.name, []).append(torch.stack([part.mean() for part in parts]))
    note: dict[str, Any] = {"run": asdict(run), "torch": torch.__version__, "numpy": np.__version__}
    stacked = {name: torch.stack(rows) for name, rows in losses.items()}
    return Study(_stacked(metrics), _stacked(scores), _stacked(gains), stacked, note)


def measure(states: States) -> dict[str, Tensor]:
    """Return every metric by layer, (layers,) each; those of single images averaged over them."""
    grams = [each @ each.mT for each in states.tokens.transpose(0, 1)]
    single = {name: rows.mean(dim=0) for name, rows in token_curves(grams).items()}
    return single | dataset_curves(states.pooled["test"], states.views)


def probe(result: Result) -> dict[str, Outcome]:
    """Return what every probe finds on the test images."""
    generator = torch.Generator().manual_seed(PROBE_SEED)
    fit, test = (result.states.pooled[part] for part in ("fit", "test"))
    return probe_outcomes(fit, result.labels["fit"], test, result.labels["test"], generator=generator)


def honest_gains(outcomes: dict[str, Outcome]) -> dict[str, Tensor]:
    """Return for every probe what a layer chosen on half of the images gains on the other half over the last.

    Each is (3,): the mean over splits, and the bounds that hold 90 % of them.
    """
    generator = torch.Generator().manual_seed(PROBE_SEED)
    choices = choose_layers({"images": outcomes}, generator=generator, splits=SPLITS)
    return {name: torch.tensor([choice.gain, *choice.interval()]) for (_, name), choice in choices.items()}


def _stacked(tables: dict[str, dict[str, list[Tensor]]]) -> dict[str, dict[str, Tensor]]:
    return {
        name: {curve: torch.stack(rows) for curve, rows in table.items()} for name, table in tables.items()
    }
