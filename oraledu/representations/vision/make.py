"""Train both vision transformers from each seed, and embed what the lesson needs of them.

    python -m oraledu.representations.vision.make

takes about twenty minutes on one core. One torch thread. With the same version of torch, on the same kind of
processor, the files come out byte for byte.
"""

from dataclasses import replace
from typing import get_args

import torch
from torch import Tensor

from oraledu.data.embedding import embed
from oraledu.data.vision_states import FILES, pack_vision
from oraledu.representations.settings import QUICK, VisionRun
from oraledu.representations.vision import study
from oraledu.representations.vision.curves import dataset_curves, probe_outcomes, token_curves
from oraledu.representations.vision.network import Objective
from oraledu.representations.vision.recipe import States, extract, images, learn, recipe

#: How many test images give the token metrics of the study; the embedded states keep fewer.
TOKENS = 100
#: The seed of few-shot draws, clusterings and permutations.
PROBE_SEED = 78
#: Parts of the training over which the study averages losses.
PARTS = 50


def main() -> None:
    """Make the states and the study anew."""
    torch.set_num_threads(1)
    embed(make(QUICK.vision))


def make(run: VisionRun) -> dict[str, bytes]:
    """Train and measure all networks of a run; return the content of each file, states of the first seed."""
    sets = images(run)
    more = replace(run, tokens=min(TOKENS, run.test))
    metrics: dict[str, dict[str, Tensor]] = {}
    scores: dict[str, dict[str, Tensor]] = {}
    losses: dict[str, Tensor] = {}
    files = {}
    for objective in get_args(Objective):
        name, found = f"vit-{objective}", []
        for seed in run.seeds:
            found.append(one(more, objective, seed))
            if seed == run.seeds[0]:
                states, loss = found[-1]
                kept = states.tokens[:, : run.tokens]
                note = recipe(run, seed, loss)
                files[FILES[name]] = pack_vision(kept, states.pooled, states.views, note)
        metrics[name] = _stacked([measure(states) for states, _ in found])
        labels = sets["fit"].labels, sets["test"].labels
        scores[name] = _stacked([score(states, *labels) for states, _ in found])
        losses[name] = torch.stack([_means(loss) for _, loss in found])
    note = recipe(run, run.seeds[0], torch.zeros(1))
    note = {key: note[key] for key in ("run", "torch", "numpy")}
    return files | {study.FILE: study.pack(study.Study(metrics, scores, losses, note))}


def one(run: VisionRun, objective: Objective, seed: int) -> tuple[States, Tensor]:
    """Train one network from a seed; return its states and losses."""
    sets = images(run)
    network, losses = learn(run, objective, sets["train"], torch.Generator().manual_seed(seed))
    return extract(run, network, sets), losses


def measure(states: States) -> dict[str, Tensor]:
    """Return every metric by layer, (layers,) each; those of single images averaged over them."""
    generator = torch.Generator().manual_seed(PROBE_SEED)
    grams = [each @ each.mT for each in states.tokens.transpose(0, 1)]
    single = {name: rows.mean(dim=0) for name, rows in token_curves(grams).items()}
    return single | dataset_curves(states.pooled["test"], states.views, generator=generator)


def score(states: States, fit_labels: Tensor, test_labels: Tensor) -> dict[str, Tensor]:
    """Return the score of every probe by layer, (layers,) each."""
    fit, test = (states.pooled[part] for part in ("fit", "test"))
    generator = torch.Generator().manual_seed(PROBE_SEED)
    outcomes = probe_outcomes(fit, fit_labels, test, test_labels, generator=generator)
    return {name: outcome.score() for name, outcome in outcomes.items()}


def _stacked(tables: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([table[name] for table in tables]) for name in tables[0]}


def _means(losses: Tensor) -> Tensor:
    parts = torch.tensor_split(losses, min(PARTS, len(losses)))
    return torch.stack([part.mean() for part in parts])


if __name__ == "__main__":
    main()
