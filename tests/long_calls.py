"""The long calls of each lesson at sizes of seconds, killed at random moments and taken up again.

    python -m tests.long_calls NUMBER FOLDER

runs those of a lesson once undisturbed, and once more in a folder of a run, where its process gets the signal KILL
five times. It prints what came out of both.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from oraledu.course import runfolder
from oraledu.course.cache import cached
from oraledu.course.fingerprint import fingerprint
from oraledu.course.runfolder import FileKeep, kept

KILLS = 5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def creativity(folder: Path) -> list[object]:
    from oraledu.diffusion import experiments, machines, sampling
    from tests.diffusion.tiny import TINY

    run = replace(TINY, steps=150, calibration_count=20, candidates=(3, 5, 7))
    images = experiments.training_images(run)
    network, losses = cached(experiments.trained)(run, 0, "cpu")
    noise = experiments.noises(run, images, calibration=False)
    machine = machines.Machine(images, "equivariant-local", 5)
    whole = kept(experiments.experiment)(replace(run, steps=50), images, seed=1)
    return [
        losses,
        network,
        kept(experiments.calibrated)(run, network, images),
        kept(sampling.sample)(machine, noise),
        [whole.losses, whole.patches, whole.agreement],
    ]


def layers(folder: Path) -> list[object]:
    from oraledu.representations import protocols, vision
    from tests.representations.files import write
    from tests.representations.tiny import TINY
    from tests.representations.tiny_models import save_text_model

    os.environ["ORALEDU_DATA"] = str(folder)
    model = str(folder / "model")
    if not Path(model).exists():
        save_text_model("llama", folder / "model")
        for task in ("STS12", "EmotionClassification"):
            write(folder, task)
    pair = kept(vision.train_both)(replace(TINY, steps=60), 0)
    protocols.PAIRS, protocols.live._CHUNK = 5, 2
    scores = [kept(protocols.score_model)(model, task) for task in ("STS12", "EmotionClassification")]
    return [[(each.losses, each.network, each.probe.score()) for each in pair.values()], scores]


def scaling(folder: Path) -> list[object]:
    from oraledu.scaling import settings
    from oraledu.scaling.horizon import Horizon
    from oraledu.scaling.linear import LinearLadder
    from oraledu.scaling.mlp import MLPLadder
    from oraledu.scaling.transformer import TransformerLadder

    ladders = (
        LinearLadder((4, 8), Horizon.through(4, 400, 1.2), batch=4),
        MLPLadder((4, 6), Horizon.through(76, 800, 1.2), modes=20, batch=8, pool=4096, tests=32),
        TransformerLadder((8,), Horizon.through(1472, 40 * 24, 1.0), context=8, batch=3, tests=8, probes=3),
    )
    train = cached(settings.train_study)
    studies = [settings.Study(ladder, ("linear",), (0, 1), records=5, trace=True) for ladder in ladders]
    return [train(study, "linear") for study in studies]


def grokking(folder: Path) -> list[object]:
    from oraledu.grokking import arithmetic, networks, rfm

    parts = arithmetic.split(*arithmetic.modular_table("+", 11), 0.6, generator=seeded())
    net = networks.QuadraticNet(11, 32, generator=seeded(1))
    options = {"epochs": 60, "batch_size": 16, "record_every": 2, "learning_rate": 1e-2}
    runs = [kept(rfm.fit)(*parts, 11, kernel=kernel, iterations=40) for kernel in ("quadratic", "gaussian")]
    generator = seeded(2)
    return [runs, kept(networks.train)(net, *parts, generator=generator, **options), net, generator]


LESSONS: dict[str, Callable[[Path], list[object]]] = {
    "01": creativity,
    "02": layers,
    "03": scaling,
    "04": grokking,
}


def work(number: str, folder: Path, calls: Path) -> None:
    """Do the calls in a folder of a run; write what they gave, and how many states were taken up."""
    taken, load = [], FileKeep.load

    def counted(self: FileKeep) -> dict | None:
        state = load(self)
        taken.append(state is not None)
        return state

    FileKeep.load = counted
    folder.mkdir(exist_ok=True)
    os.environ[runfolder.VARIABLE] = str(folder)
    found = [fingerprint(each) for each in LESSONS[number](calls)]
    (folder / "found.json").write_text(json.dumps({"found": found, "taken": sum(taken)}))


def started(number: str, folder: Path, calls: Path) -> int:
    """Start the work in a process of its own; return its number."""
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        try:
            work(number, folder, calls)
        finally:
            os._exit(0 if (folder / "found.json").exists() else 1)
    return child


def main(number: str, base: Path) -> None:
    """Run once undisturbed and once with kills, and print both."""
    moments = random.Random(int(number))
    torch.set_num_threads(1)
    LESSONS[number](base)  # what is imported on the way takes no part in the times
    began = time.monotonic()
    os.waitpid(started(number, base / "whole", base), 0)
    lasted, kills = time.monotonic() - began, []
    while len(kills) < KILLS:
        child = started(number, base / "killed", base)
        time.sleep(moments.uniform(0, lasted / KILLS))
        if os.waitpid(child, os.WNOHANG)[0]:
            break
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills.append(len(list((base / "killed").rglob("*.*"))))
    os.waitpid(started(number, base / "killed", base), 0)
    found = [json.loads((base / name / "found.json").read_text()) for name in ("whole", "killed")]
    print(json.dumps({"whole": found[0], "killed": found[1], "kills": kills, "lasted": lasted}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
