"""Train the vision transformers from each seed, and embed what the lesson needs of them.

    python -m making.vision_states

takes about fifteen minutes on one core. One torch thread. With the same version of torch, on the same kind of
processor, the files come out byte for byte.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import numpy as np
import torch

from making.vision_experiment import Result, conduct, summarise
from oraledu.data.store import store
from oraledu.data.vision_states import FILES, pack_vision
from oraledu.representations.settings import QUICK, VisionRun
from oraledu.representations.vision import study

#: How many test images are embedded with the states of all their tokens: one of each class.
KEPT = 10


def main() -> None:
    """Make the states and the study anew."""
    torch.set_num_threads(1)
    store(pack(QUICK.vision, conduct(QUICK.vision)))


def pack(run: VisionRun, results: Iterable[Result]) -> dict[str, bytes]:
    """Return the content of each file: the states of the first seed, of the control none; and the study of all."""
    files: dict[str, bytes] = {}

    def kept() -> Iterator[Result]:
        for result in results:
            if result.seed == run.seeds[0] and result.name in FILES:
                files[FILES[result.name]] = _states(run, result)
            yield result

    summary = summarise(run, kept())
    return files | {study.FILE: study.pack(summary)}


def _states(run: VisionRun, result: Result) -> bytes:
    recipe = {
        "run": {name: value for name, value in asdict(run).items() if name != "seeds"},
        "seed": result.seed,
        "loss": round(result.losses[-100:].mean().item(), 4),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    states = result.states
    return pack_vision(states.tokens[:, :KEPT], states.pooled, states.views, recipe)


if __name__ == "__main__":
    main()
