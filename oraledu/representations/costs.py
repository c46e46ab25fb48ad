"""What the lesson's runs take: see `oraledu.costs`."""

from dataclasses import dataclass
from pathlib import Path

import torch

from oraledu import costs
from oraledu.costs import Part
from oraledu.data.complete import Need
from oraledu.representations import tasks
from oraledu.representations.models.live import _TOKENS
from oraledu.representations.settings import VisionRun, preset
from oraledu.representations.vision.live import OBJECTIVES
from oraledu.representations.vision.network import VisionTransformer

#: Bytes of English text to a token of these tokenizers, about.
BYTES = 4.0


@dataclass(frozen=True)
class Size:
    """A language model: its blocks, its width D, a block's weights over D², and how many tokens it knows."""

    blocks: int
    width: int
    squares: float = 12.0
    tokens: int = 50_304

    @property
    def weights(self) -> float:
        """The weights that every token meets."""
        return self.squares * self.blocks * self.width**2


SIZES = {
    "smollm2-135m": Size(30, 576, 10.7, 49_152),
    "minilm-l6": Size(6, 384, tokens=30_522),
    "EleutherAI/pythia-14m": Size(6, 128),
    "EleutherAI/pythia-70m": Size(6, 512),
    "EleutherAI/pythia-160m": Size(12, 768),
    "EleutherAI/pythia-410m": Size(24, 1024),
    "EleutherAI/pythia-1b": Size(16, 2048),
    "state-spaces/mamba-130m-hf": Size(24, 768, 6.2),
    "state-spaces/mamba-370m-hf": Size(48, 1024, 6.2),
    "state-spaces/mamba-790m-hf": Size(48, 1536, 6.2),
    "google-bert/bert-base-uncased": Size(12, 768, tokens=30_522),
    "google-bert/bert-large-uncased": Size(24, 1024, tokens=30_522),
}


def reading(size: Size, tokens: float) -> float:
    """Return the operations of reading so many tokens: two for each weight; attention on short texts adds little."""
    return 2.0 * size.weights * tokens


def vision(run: VisionRun) -> tuple[float, float]:
    """Return operations and bytes of one training: three times those of a forward pass for each image of each step."""
    network = VisionTransformer(
        "autoregressive",
        side=28,
        patch=run.patch,
        width=run.width,
        depth=run.depth,
        heads=run.heads,
        classes=10,
        generator=torch.Generator(),
    ).to("meta")
    operations, made = costs.forward(network, torch.zeros(1, 1, 28, 28, device="meta"))
    weights = sum(weight.nbytes for weight in network.parameters())
    return 3.0 * operations * run.batch_size * run.steps, 4.0 * weights + costs.ALIVE * made * run.batch_size


def parts(scale: str) -> list[Part]:
    """Return what the long runs of a scale take; models read the tasks whose files are there."""
    sizes = preset(scale)
    operations, memory = vision(sizes.live)
    live = f"depth {sizes.live.depth}, {sizes.live.steps} steps of {sizes.live.batch_size}"
    found = [Part("vision transformers", live, len(OBJECTIVES), len(OBJECTIVES) * operations, memory)]
    here = [task for task in sizes.tasks if task not in tasks.missing()]
    tokens = sum(path.stat().st_size for task in here for path in tasks.files(task)) / BYTES
    for name in sizes.models if sizes.tasks else ():
        size = SIZES[name]
        layers = size.blocks + 2
        held = 4.0 * (size.weights + size.tokens * size.width + 2 * layers * _TOKENS * size.width)
        said = f"{size.weights / 1e6:,.0f} M weights, {tokens / 1e6:,.1f} M tokens"
        found.append(Part(name, said, len(here), reading(size, tokens), held))
    return found


def needs(scale: str) -> list[Need]:
    """Return the files that a scale needs beyond the embedded ones, and whether they are there."""
    sizes = preset(scale)
    missing = tasks.missing()
    found = [Need(f"mteb/{task}", task not in missing) for task in sizes.tasks]
    hub = [name for name in sizes.models if "/" in name and sizes.tasks]
    return [*found, *(Need(f"weights of {name}", _fetched(name)) for name in hub)]


def _fetched(name: str) -> bool:
    """Say whether transformers has a model in its cache, or it is a folder."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return Path(name).is_dir() or isinstance(try_to_load_from_cache(name, "config.json"), str)
