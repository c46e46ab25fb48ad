"""Train the networks that come with the course; about three minutes on one core.

    python -m making.checkpoints

One torch thread. With the same version of torch, on the same kind of processor, the files come out byte for byte.
"""

import numpy as np
import torch

from oraledu.data.store import store
from oraledu.diffusion.checkpoints import FILES, Checkpoint, pack
from oraledu.diffusion.experiments import calibrated, learn, training_images
from oraledu.diffusion.settings import QUICK, NetworkRun

RUNS = {"fashion-zeros": QUICK.fashion, "mnist-circular": QUICK.mnist}
SEED = 0


def main() -> None:
    """Make every checkpoint anew."""
    torch.set_num_threads(1)
    store({FILES[name]: pack(make(run)) for name, run in RUNS.items()})


def make(run: NetworkRun) -> Checkpoint:
    """Train and calibrate the network of one run."""
    images = training_images(run)
    network, losses = learn(run, images, torch.Generator().manual_seed(SEED))
    recipe = {
        "seed": SEED,
        "loss": round(losses[-100:].mean().item(), 4),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    return Checkpoint(network, calibrated(run, network, images), run, recipe)


if __name__ == "__main__":
    main()
