"""Every layer of a model by every measure: eight scores of tasks, and the metrics that know no task."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from oraledu.data.embedded_states import layer_states
from oraledu.data.layer_states import LayerStates
from oraledu.data.texts import TextSets, wordnet
from oraledu.representations import probes
from oraledu.representations.probes.outcome import Outcome
from oraledu.representations.selection import Scores

SEED = 0
#: A clustering jumps with the last digit of a state; the mean over several does so less.
CLUSTERINGS = 10
#: Parts of the table of scores that take about as long as each other.
PARTS = ("others", "clusters")


def score_table(states: LayerStates, texts: TextSets) -> Scores:
    """Score all layers on the four tasks of the texts, by eight probes.

    Of nouns and verbs one half trains the classifiers and the other is tested; clusters are found among all and
    judged on the tested half, so that all scores of a text set are over the same items. Every random choice has a
    fixed seed of its own: a score does not depend on which others are taken.

    Args:
        states: Of a model.
        texts: Those that the states are of.

    Returns:
        Outcomes by text set ("noun", "verb", "pairs", "retrieval") and score.
    """
    return together(*(_scores(states.pooled, texts, part) for part in PARTS))


def embedded_scores(name: str, part: str) -> Scores:
    """Score the embedded states of a model: part of `score_table` as a function of settings, whose result can be kept.

    Args:
        name: ``"smollm2-135m"`` or ``"minilm-l6"``.
        part: One of `PARTS`, which can be computed side by side and put `together`.

    Raises:
        ValueError: If there are no embedded states of this name, or no such part.
    """
    return _scores(layer_states(name).pooled, wordnet(), part)


def together(*parts: Scores) -> Scores:
    """Join parts of one table; in each text set the scores come in their order."""
    kinds = dict.fromkeys(kind for part in parts for kind in part)
    return {
        kind: {name: each for part in parts for name, each in part.get(kind, {}).items()} for kind in kinds
    }


def asked(pooled: Mapping[str, Tensor], texts: TextSets) -> dict[str, Tensor]:
    """Return the states of the texts behind the items of each text set, in the order of `score_table`'s items.

    Returns:
        By text set (layers, n, q, D): q = 1 text an item of nouns and verbs, 2 of pairs and of retrieval.
    """
    found = {}
    for kind in ("noun", "verb"):
        _, test = probes.halves(texts.labels[kind], generator=_generator())
        found[kind] = pooled[kind][:, test, None]
    found["pairs"] = torch.stack([pooled["pairs_a"], pooled["pairs_b"]], dim=2)
    found["retrieval"] = torch.stack([pooled["examples"], pooled["glosses"]], dim=2)
    return found


def _scores(pooled: Mapping[str, Tensor], texts: TextSets, part: str) -> Scores:
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
    table: dict[str, dict[str, Outcome]] = {}
    for (of, name), take in SCORES.items():
        if (name == "clustering") == (part == "clusters"):
            table.setdefault(of, {})[name] = take(pooled, texts)
    return table


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


def _halved(probe: Callable[..., Outcome], states: Tensor, labels: Sequence[str]) -> Outcome:
    """Train on one half of the items, the same for all probes, and test on the other."""
    train, test = probes.halves(labels, generator=_generator())
    known, asked = ([labels[place] for place in half.tolist()] for half in (train, test))
    return probe(states[:, train], known, states[:, test], asked)


def _few_shot(*arguments: Tensor) -> Outcome:
    return probes.few_shot(*arguments, generator=_generator())


def _clustered(states: Tensor, labels: Sequence[str]) -> Outcome:
    """Cluster all items, and judge the tested half."""
    outcome = probes.clustering(states, labels, generator=_generator(), repeats=CLUSTERINGS)
    _, test = probes.halves(labels, generator=_generator())
    return Outcome(outcome.items[:, test], outcome.measure)


def _classes(probe: Callable[..., Outcome], of: str) -> Callable[[Mapping[str, Tensor], TextSets], Outcome]:
    return lambda pooled, texts: probe(pooled[of], texts.labels[of])


#: By text set and name, what takes each score of pooled states, by text set.
SCORES: dict[tuple[str, str], Callable[[Mapping[str, Tensor], TextSets], Outcome]] = {
    ("noun", "linear probe"): _classes(partial(_halved, probes.linear), "noun"),
    ("noun", "few-shot"): _classes(partial(_halved, _few_shot), "noun"),
    ("noun", "nearest neighbours"): _classes(partial(_halved, probes.nearest_neighbours), "noun"),
    ("noun", "clustering"): _classes(_clustered, "noun"),
    ("verb", "linear probe"): _classes(partial(_halved, probes.linear), "verb"),
    ("verb", "clustering"): _classes(_clustered, "verb"),
    ("pairs", "similarity"): lambda pooled, texts: probes.similarity(
        pooled["pairs_a"], pooled["pairs_b"], texts.similarity
    ),
    ("retrieval", "retrieval"): lambda pooled, _: probes.retrieval(pooled["examples"], pooled["glosses"]),
}
