"""Both objectives side by side, trained from one seed before the reader's eyes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oraledu.keep import NOWHERE, Keep
from oraledu.representations import probes
from oraledu.representations.settings import VisionRun
from oraledu.representations.vision.network import Objective, VisionTransformer
from oraledu.representations.vision.recipe import images, learn
from oraledu.representations.vision.training import pooled_states

#: What is trained: not the control.
OBJECTIVES: tuple[Objective, ...] = ("autoregressive", "supervised")


@dataclass(frozen=True, eq=False)
class Trained:
    """One network, and what a reader gets from each of its layers.

    Attributes:
        network: The trained network.
        losses: (steps,) of its training, in its objective's own unit.
        probe: The linear probe of classes on test images, items (layers, images, 1).
        neighbours: Nearest neighbours on the same images.
    """

    network: VisionTransformer
    losses: Tensor
    probe: probes.Outcome
    neighbours: probes.Outcome


def train_both(
    run: VisionRun, seed: int, *, device: torch.device | str = "cpu", keep: Keep = NOWHERE
) -> dict[str, Trained]:
    """Train a network on each objective, and probe all layers on images that neither has seen.

    Args:
        run: The settings; its seeds are not looked at.
        seed: Of weights, batches and moves.
        device: Where to compute; the probes are scikit-learn's, on the CPU.
        keep: Where to keep the state on the way, so that the call can go on after an interruption.

    Returns:
        ``"vit-autoregressive"`` and ``"vit-supervised"``.

    Raises:
        FileNotFoundError: If the run takes the complete set, and it is not there; it says what to put where.
    """
    sets, generator = images(run, str(device)), torch.Generator().manual_seed(seed)
    result = {}
    for objective in OBJECTIVES:
        network, losses = learn(run, objective, sets["train"], generator, keep.part(objective))
        fit, test = (pooled_states(network, sets[part].pixels) for part in ("fit", "test"))
        parts = fit, sets["fit"].labels, test, sets["test"].labels
        result[f"vit-{objective}"] = Trained(
            network, losses, probes.linear(*parts), probes.nearest_neighbours(*parts)
        )
    return result
