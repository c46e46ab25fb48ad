"""The sizes of the lesson's experiments: a quick preset for a laptop, a full one at the paper's sizes."""

from dataclasses import dataclass, replace

from oraledu.presets import pick
from oraledu.representations.tasks import TASKS


@dataclass(frozen=True)
class VisionRun:
    """Two vision transformers to train, one on each objective, and the images that tell what they have learned.

    Training images are the first of the set, those that probes are fitted on the ones after them, and those that
    probes are tested on the first of the test set; so no network has seen an image of a probe.

    Attributes:
        complete: Take the complete Fashion-MNIST, not the embedded subset.
        train: Images that train the networks.
        fit: Images that fit the probes.
        test: Images that test them.
        tokens: From how many test images entropy and curvature are taken.
        viewed: How many test images are seen through views.
        views: Views of each.
        patch: Side of a patch in pixels, a divisor of 28.
        width: Width of the networks.
        depth: Their blocks.
        heads: Attention heads of a block.
        steps: Optimiser steps.
        batch_size: Images in a batch.
        learning_rate: The largest rate of AdamW.
        seeds: Of weights and training; each trains both networks.
    """

    complete: bool
    train: int
    fit: int
    test: int
    tokens: int
    viewed: int
    views: int
    patch: int
    width: int
    depth: int
    heads: int
    steps: int
    batch_size: int
    learning_rate: float
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Preset:
    """The experiments of the lesson at one scale.

    Attributes:
        models: The language models: names of embedded states, or names on the model hub.
        image_models: The vision models from the hub.
        texts: At most so many texts of each set; None for all there are.
        prompts: Prompts whose tokens give entropy and curvature, averaged.
        viewed: Prompts that are seen through noisy views.
        views: Views of each, at least 2.
        permutations: Permutations that DiME averages over.
        splits: Halvings of the items for the honest choice of a layer.
        resamples: Draws for the interval of a score.
        shots: Examples of each class in few-shot classification.
        bootstraps: Draws of them.
        tasks: MTEB tasks, whose files the user provides.
        vision: The two vision transformers.
        live: The same, small enough to be trained before the reader's eyes.
    """

    models: tuple[str, ...]
    image_models: tuple[str, ...]
    texts: int | None
    prompts: int
    viewed: int
    views: int
    permutations: int
    splits: int
    resamples: int
    shots: int
    bootstraps: int
    tasks: tuple[str, ...]
    vision: VisionRun
    live: VisionRun


_VISION = VisionRun(
    complete=False,
    train=1600,
    fit=400,
    test=500,
    tokens=100,
    viewed=64,
    views=4,
    patch=4,
    width=64,
    depth=8,
    heads=4,
    steps=1500,
    batch_size=32,
    learning_rate=2e-3,
    seeds=(0, 1),
)
_LIVE = replace(_VISION, patch=7, depth=4, steps=300, seeds=(0,))

QUICK = Preset(
    models=("smollm2-135m", "minilm-l6"),
    image_models=(),
    texts=None,
    prompts=24,
    viewed=60,
    views=8,
    permutations=10,
    splits=1000,
    resamples=1000,
    shots=8,
    bootstraps=10,
    tasks=(),
    vision=_VISION,
    live=_LIVE,
)

FULL = replace(
    QUICK,
    models=(
        *QUICK.models,
        *(f"EleutherAI/pythia-{size}" for size in ("14m", "70m", "160m", "410m", "1b")),
        *(f"state-spaces/mamba-{size}-hf" for size in ("130m", "370m", "790m")),
        "google-bert/bert-base-uncased",
        "google-bert/bert-large-uncased",
    ),
    image_models=("google/vit-large-patch16-224", "facebook/vit-mae-large", "facebook/dinov2-large"),
    prompts=1000,
    viewed=1000,
    views=16,
    tasks=tuple(TASKS),
    vision=replace(
        _VISION,
        complete=True,
        train=50_000,
        fit=10_000,
        test=10_000,
        tokens=200,
        viewed=1000,
        views=16,
        width=384,
        depth=24,
        heads=6,
        steps=40_000,
        batch_size=128,
        learning_rate=5e-4,
    ),
)


def preset(scale: str) -> Preset:
    """Return the preset of a scale, `"quick"` or `"full"`; another raises a ValueError."""
    return pick(scale, quick=QUICK, full=FULL)
