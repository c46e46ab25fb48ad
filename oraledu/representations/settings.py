"""The sizes of the lesson's experiments: for a laptop, for one GPU and some minutes, and the paper's."""

from dataclasses import dataclass, replace

from oraledu.presets import pick
from oraledu.representations.tasks import TASKS


@dataclass(frozen=True)
class VisionRun:
    """Two vision transformers to train, one on each objective, and the images that tell what they have learned.

    Training images are the first of the set, those that probes are fitted on the ones after them, and those that
    probes are tested on the first of the test set; so no network has seen an image of a probe.
    """

    complete: bool  # take the complete Fashion-MNIST, not the embedded subset
    # Images that train the networks, that fit the probes, and that test them.
    train: int
    fit: int
    test: int
    tokens: int  # test images that entropy and curvature are taken from
    viewed: int  # test images that are seen through views
    views: int  # of each
    patch: int  # side in pixels, a divisor of 28
    width: int
    depth: int  # blocks
    heads: int  # of attention in a block
    steps: int  # of the optimiser
    batch_size: int
    learning_rate: float  # the largest, of AdamW
    seeds: tuple[int, ...]  # of weights and training; each trains both networks


@dataclass(frozen=True)
class Preset:
    """The experiments of the lesson at one scale."""

    models: tuple[str, ...]  # language models: names of embedded states, or names on the model hub
    texts: int | None  # at most so many of each set; None for all there are
    prompts: int  # whose tokens give entropy and curvature, averaged
    viewed: int  # prompts that are seen through noisy views
    views: int  # of each, at least 2
    permutations: int  # that DiME averages over
    splits: int  # halvings of the items for the honest choice of a layer
    resamples: int  # draws for the interval of a score
    shots: int  # examples of each class in few-shot classification
    bootstraps: int  # draws of them
    tasks: tuple[str, ...]  # of MTEB, whose files the user provides
    vision: VisionRun
    live: VisionRun  # the same, small enough to be trained before the reader's eyes


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

#: The embedded states, and networks of twice the depth and four times the width.
MIDDLE = replace(
    QUICK,
    live=replace(
        _VISION, width=256, depth=16, heads=8, steps=4000, batch_size=64, learning_rate=5e-4, seeds=(0,)
    ),
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


#: The layers of each model in their order: the embedding, each block, and the state after a final norm.
LAYERS = dict(zip(FULL.models, (32, 7, 8, 8, 14, 26, 18, 26, 50, 50, 13, 25), strict=True))


def preset(scale: str) -> Preset:
    """Return the preset of a scale, `"quick"`, `"middle"` or `"full"`; another raises a ValueError."""
    return pick(scale, quick=QUICK, middle=MIDDLE, full=FULL)
